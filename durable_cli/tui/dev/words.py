"""The words for what happens in `dx dev`."""

from __future__ import annotations

from collections.abc import Sequence

from durable_cli.dev.host_events import Checked, Mismatch
from durable_cli.tui.dev.rows import BrokenRun

__all__ = ["say_check", "say_count", "say_files", "say_run", "say_seconds", "say_unchecked", "say_where"]

MOST_FILES = 2


def say_seconds(seconds: float) -> str:
    """Say a short time: 84 ms, 1.20 s, 12 s."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def say_count(number: int, noun: str) -> str:
    """Say how many there are of something."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def say_files(files: Sequence[str]) -> str:
    """Name the first files, and say how many more there are."""
    more = len(files) - MOST_FILES
    return ", ".join(files[:MOST_FILES]) + (f" and {more} more" if more > 0 else "")


def say_check(checked: Checked) -> str:
    """Say what a replay check has found, in a few words."""
    total = checked.open + checked.closed
    took = say_seconds(checked.seconds)
    broken = len(checked.mismatches) + len(checked.failures)
    if broken:
        return f"{broken} of {say_count(total, 'run')} {'differs' if broken == 1 else 'differ'}"
    if not total:
        return "no runs to replay" if not checked.forgiven else f"{say_count(checked.forgiven, 'run')} let go"
    unchecked = say_unchecked(checked)
    return f"{say_count(total, 'run')} {'repeats' if total == 1 else 'repeat'}, {took}" + (
        f"; {unchecked}" if unchecked else ""
    )


def say_unchecked(checked: Checked) -> str:
    """Say which runs are not known to survive the change, or nothing."""
    count = checked.not_replayed + max(0, checked.open_total - checked.open)
    return f"{count:,} not checked" if count else ""


def say_where(run: BrokenRun) -> str:
    """Say which run it is, and where it differs, as shortly as can be."""
    if not run.workflow_id:
        return run.message
    where = f" at event {run.event_id}" if isinstance(run, Mismatch) and run.event_id else ""
    return f"{run.workflow_id}{where}"


def say_run(run: BrokenRun) -> str:
    """Say which run does not repeat its history, and where."""
    if not run.workflow_id:
        return run.message
    if not isinstance(run, Mismatch):
        return f"{run.workflow_id} fails with {run.error or run.kind.replace('_', ' ')}"
    where = f"at event {run.event_id}" if run.event_id else "after its last event"
    return f"{run.workflow_id} does not repeat its history {where}"
