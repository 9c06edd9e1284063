"""Builders of events: each makes the event type that it is named after, with that type's attributes."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from engine.core.events import activity_task, timer, workflow_execution, workflow_task

BUILDERS = [
    function
    for module in (activity_task, timer, workflow_execution, workflow_task)
    for _, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not function.__name__.startswith("_")
]


def _argument(annotation: str, module: ModuleType) -> Any:
    """Return the emptiest value of a parameter's type."""
    if annotation.endswith("| None"):
        return None
    plain = {"int": 0, "str": ""}
    if annotation in plain:
        return plain[annotation]
    if annotation.endswith(".ValueType"):
        return 0
    if annotation.startswith("Sequence"):
        return ()
    return getattr(module, annotation)()


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__)
def test_a_builder_makes_what_it_is_named_after(builder: Any) -> None:
    module = inspect.getmodule(builder)
    assert module is not None
    parameters = inspect.signature(builder).parameters.values()
    event = builder(*(_argument(parameter.annotation, module) for parameter in parameters))
    assert isinstance(event, HistoryEvent)
    assert EventType.Name(event.event_type) == f"EVENT_TYPE_{builder.__name__.upper()}"
    assert event.WhichOneof("attributes") == f"{builder.__name__}_event_attributes"
    assert event.event_id == 0
    assert not event.HasField("event_time")
