"""The server's clock, as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rich.text import Text

from durable_cli.output.text import Row, TextScreen

__all__ = ["format_deadline", "format_length", "format_moment", "format_work", "print_clock", "say_unusual_time"]

_MODES = {
    "running": "running at the pace of the system's clock",
    "paused": "paused: it stands, and nothing falls due",
    "auto": "auto: it jumps to what is due next, whenever nothing is in flight",
}
_MODE_STYLES = {"paused": "yellow", "auto": "cyan"}

_DEADLINES = {
    "fast forward": "the end of the fast-forward",
    "first workflow task": "the start",
    "user timer": "timer {timerId}",
    "activity retry": "the next attempt of activity {activityType}",
    "activity schedule to start": "the schedule-to-start timeout of activity {activityType}",
    "activity schedule to close": "the schedule-to-close timeout of activity {activityType}",
    "activity start to close": "the start-to-close timeout of activity {activityType}",
    "activity heartbeat": "the heartbeat timeout of activity {activityType}",
    "workflow task schedule to start": "the schedule-to-start timeout of the workflow task",
    "workflow task start to close": "the timeout of the workflow task",
    "workflow run timeout": "the run timeout",
    "workflow execution timeout": "the execution timeout",
}
_UNITS = [("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)]


def print_clock(screen: TextScreen, clock: Mapping[str, Any]) -> None:
    """Print what is true of the clock."""
    mode = clock["mode"]
    words = _MODES[mode]
    if "locks" in clock:
        words = f"auto, but locked {clock['locks']} times" if clock["locks"] > 1 else "auto, but locked"
    rows: list[Row] = [
        ("Now", format_moment(clock["time"])),
        ("Offset", _say_offset(clock["offset"])),
        ("Mode", Text(words, style=_MODE_STYLES.get(mode, ""))),
        ("Next", _say_next(clock)),
    ]
    if "waitsFor" in clock:
        rows.append(("Waits for", format_work(clock["waitsFor"])))
    screen.card("Server time", rows)


def say_unusual_time(clock: Mapping[str, Any]) -> str:
    """Say in one line how the clock differs from the system's, and how that ends; empty when it does not."""
    if clock["mode"] == "paused":
        return f"the server's time stands still at {format_moment(clock['time'])}: `dx time resume` lets it go on"
    if clock["mode"] == "auto":
        return "the server's time jumps to what is due next, whenever nothing is in flight: `dx time resume` ends that"
    offset = _parse_offset(clock["offset"])
    if offset < timedelta(seconds=1):
        return ""
    return f"the server's time is {format_length(offset)} ahead of the system's"


def format_moment(text: str) -> str:
    """Format a time of the reply, to the second."""
    return f"{_parse_time(text):%Y-%m-%d %H:%M:%S} UTC"


def format_length(length: timedelta) -> str:
    """Say how long, in the two largest units that it has: `3 days 2 hours`."""
    rest, parts = round(abs(length.total_seconds())), []
    for unit, unit_seconds in _UNITS:
        count, rest = divmod(rest, unit_seconds)
        if count:
            parts.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return " ".join(parts[:2]) or "less than a second"


def format_work(work: Mapping[str, Any]) -> str:
    """Say what is in flight, and where."""
    name = f" {work['name']}" if work["kind"] != "workflow task" else ""
    where = "with a worker" if work["withWorker"] else f"for a worker of task queue {work['taskQueue']}"
    return f"{work['kind']}{name} of {work['workflowId']}, {where}"


def format_deadline(deadline: Mapping[str, Any]) -> str:
    """Say what is due, and of which workflow."""
    what = _DEADLINES.get(deadline.get("kind", ""), "{kind}").format_map(deadline)
    return f"{what} of {deadline['workflowId']}"


def _say_offset(text: str) -> str:
    offset = _parse_offset(text)
    if abs(offset) < timedelta(seconds=1):
        return "none: it is the system's time"
    return f"{format_length(offset)} {'ahead' if offset > timedelta() else 'behind'}"


def _parse_offset(text: str) -> timedelta:
    return timedelta(seconds=float(text.removesuffix("s")))


def _say_next(clock: Mapping[str, Any]) -> str:
    deadline = clock.get("next")
    if deadline is None:
        return "nothing is due"
    left = _parse_time(deadline["time"]) - _parse_time(clock["time"])
    when = f"in {format_length(left)}" if left > timedelta() else "now"
    return f"{when}: {format_deadline(deadline)} ({deadline['workflowType']})"


def _parse_time(text: str) -> datetime:
    # Python's are as fine as microseconds; the reply's may be finer.
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}+00:00")
