"""Builders of events: each makes the event type that it is named after, with that type's attributes."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import ChildWorkflowExecutionStartedEventAttributes, HistoryEvent

from engine.core.events import (
    activity_task,
    child_workflow,
    external_workflow,
    timer,
    workflow_execution,
    workflow_task,
)
from engine.core.events.child_workflow import child_workflow_execution_closed
from engine.core.namespace import Namespace

BUILDERS = [
    function
    for module in (activity_task, child_workflow, external_workflow, timer, workflow_execution, workflow_task)
    for _, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__
    and not function.__name__.startswith("_")
    and function is not child_workflow_execution_closed
]


def _argument(annotation: str, module: ModuleType) -> Any:
    """Return the emptiest value of a parameter's type."""
    if annotation.endswith("| None"):
        return None
    plain = {"int": 0, "str": "", "bool": False, "Namespace": Namespace(1, "namespace-id", "default")}
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
    _assert_is_new(event, builder.__name__)


def _assert_is_new(event: HistoryEvent, name: str) -> None:
    assert isinstance(event, HistoryEvent)
    assert EventType.Name(event.event_type) == f"EVENT_TYPE_{name.upper()}"
    assert event.WhichOneof("attributes") == f"{name}_event_attributes"
    assert event.event_id == 0
    assert not event.HasField("event_time")


@pytest.mark.parametrize("how", ["completed", "failed", "canceled", "terminated", "timed_out"])
def test_a_close_of_a_child_is_named_after_its_own(how: str) -> None:
    close = HistoryEvent(event_type=f"EVENT_TYPE_WORKFLOW_EXECUTION_{how.upper()}")
    started = ChildWorkflowExecutionStartedEventAttributes()
    event = child_workflow_execution_closed(started, 6, WorkflowExecution(), close)
    _assert_is_new(event, f"child_workflow_execution_{how}")
