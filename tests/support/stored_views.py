"""What the file can know of a run, where a part of it is in memory only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.core.run.state import RunState, UpdateInfo, WorkflowTask

__all__ = ["NEVER_STORED", "stored_view"]

NEVER_STORED = {"updates_loaded", "close_attempted", "buffered_measured", "buffered_size_bytes"}


def _workflow_task(state: RunState) -> WorkflowTask | None:
    task = state.workflow_task
    return None if task is None or task.speculative else task


def _updates(state: RunState) -> dict[str, UpdateInfo]:
    updates = state.updates.values()
    return {update.update_id: update for update in updates if update.accepted or update.admitted_by_event}


_VIEWS: dict[str, Callable[[RunState], Any]] = {"workflow_task": _workflow_task, "updates": _updates}


def stored_view(state: RunState, name: str) -> Any:
    """Return a field as it is after the run was loaded again."""
    view = _VIEWS.get(name)
    return getattr(state, name) if view is None else view(state)
