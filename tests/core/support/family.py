"""A parent and its child."""

from __future__ import annotations

from typing import Any

from tests.core.support.core import Core, Run
from tests.core.support.messages import start_child


def child_of(parent: Run, workflow_id: str = "child") -> Run:
    """Return the newest run of a workflow id that `parent` has started."""
    child = parent.core.current(workflow_id)
    assert child is not None
    assert child.state.started.parent_workflow_execution == parent.state.execution
    return child


def with_child(core: Core | None = None, **attributes: Any) -> tuple[Core, Run, Run]:
    """Start a parent that has started `child` as event 5; its next workflow task is scheduled as event 7."""
    core = core or Core()
    parent = core.start()
    parent.complete(start_child(**attributes))
    return core, parent, child_of(parent)
