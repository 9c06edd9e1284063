"""What the feed tells of an event, for the groups."""

from __future__ import annotations

from typing import NamedTuple

from durable_cli.tui.history.kinds import Kind, State

__all__ = ["Step"]


class Step(NamedTuple):
    """What an event does to its group. Times are nanoseconds since the epoch, 0 when there is none."""

    event_id: int
    time_ns: int
    kind: Kind
    state: State
    opened_event_id: int
    """The event that opened the group; its own id for one that opens a group."""
    name: str = ""
    """What the group is called: an activity's type, a signal's name."""
    detail: str = ""
    """What it was given, when it opens; what came of it, when it closes."""
    label: str = ""
    """The summary that the workflow's code gave it."""
    attempt: int = 0
    due_time_ns: int = 0
    """When a timer fires, when a backoff is over."""
    start_time_ns: int = 0
    """When it began, where that is not when the event was written: a local activity's."""
    fingerprint: int = 0
    """Equal for equal payloads and failures."""
    workflow_id: str = ""
    run_id: str = ""
    """The other run that it is about: a child, a parent, the target of a signal."""
    next_run_id: str = ""
    """The run that goes on where this one ends."""
    item_id: str = ""
    """The id that the workflow's code gave it: an activity's, a timer's, an update's."""
    failure: str = ""
    """The failure of an earlier attempt, or why it failed."""
