"""How each event reads in the log view."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from pathlib import PurePath
from typing import Any, TypeVar

from rich.table import Table
from rich.text import Text

from durable_cli.dev.events import (
    BuildFailed,
    Building,
    Changed,
    CheckFailed,
    Crashed,
    Drained,
    Event,
    Held,
    LoadFailed,
    Note,
    Ready,
    ServerReady,
    SettingUp,
    Starting,
    Stopped,
    Stopping,
)
from durable_cli.dev.host_events import Checked, Definition
from durable_cli.dev.view.panel import draw_load_failure, draw_mismatch, draw_replay_failure
from durable_cli.dev.view.view import StateLine

__all__ = ["RENDERERS", "format_seconds", "render_event"]

T = TypeVar("T")

MOST_FILES = 3
MOST_MISMATCHES = 3
OLD_GOES_ON = "the old worker goes on"


def render_event(event: Event) -> StateLine:
    """Return the line that says an event."""
    return RENDERERS[type(event)](event)


def format_seconds(seconds: float) -> str:
    """Format a short time as a person reads it: 84 ms, 0.41 s, 12 s."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def _note(event: Note) -> StateLine:
    symbol, style = {"info": ("·", "dim"), "warn": ("▲", "yellow"), "error": ("✗", "red")}[event.level]
    return StateLine(symbol, style, Text(event.text))


def _starting(event: Starting) -> StateLine:
    return StateLine("◌", "dim", Text("starting", "dim"))


def _server_ready(event: ServerReady) -> StateLine:
    if not event.db_filename:
        return StateLine("●", "green", Text.assemble("connected to ", (event.address, "bold")))
    text = Text.assemble(
        ("ready", "green"),
        f" in {format_seconds(event.seconds)} at ",
        (event.address.replace("127.0.0.1:", "localhost:", 1), "bold"),
        (f", web page at http://localhost:{event.ui_port}" if event.ui_port else "", ""),
        (f", history in {event.db_filename}", "dim"),
    )
    return StateLine("●", "green", text)


def _setting_up(event: SettingUp) -> StateLine:
    return StateLine("◌", "dim", Text.assemble("setting up: ", (event.command, "dim")))


def _changed(event: Changed) -> StateLine:
    shown = ", ".join(event.files[:MOST_FILES])
    more = len(event.files) - MOST_FILES
    text = f"{shown} and {_count(more, 'more file')}" if more > 0 else shown
    return StateLine("↻", "cyan", Text(f"{text} changed: reloading"))


def _building(event: Building) -> StateLine:
    return StateLine("◌", "dim", Text.assemble("building: ", (event.command, "dim")))


def _build_failed(event: BuildFailed) -> StateLine:
    text = f"`{event.command}` failed with exit code {event.exit_code}"
    return StateLine("✗", "red", Text(_consequence(text, event.old_goes_on)))


def _load_failed(event: LoadFailed) -> StateLine:
    problem = event.problem
    text = Text.assemble((problem.error, "red"), f": {problem.message}" if problem.message else "")
    text.append(f"; {OLD_GOES_ON}" if event.old_goes_on else "; no worker runs until the next save", "dim")
    return StateLine("✗", "red", text, draw_load_failure(problem))


def _checked(event: Checked) -> StateLine:
    runs = f"{event.open} open and {event.closed} closed runs"
    if event.open_total > event.open:
        runs = f"the newest {event.open} of {event.open_total} open and {event.closed} closed runs"
    duration = format_seconds(event.seconds)
    if event.is_good:
        if not event.open and not event.closed and not event.forgiven:
            return StateLine("✓", "green", Text("replay: there are no runs yet", "dim"))
        if event.not_replayed:
            # What was not looked at is not known to be good.
            left = (
                f"{_count(event.not_replayed, 'run')} of {runs} could not be replayed in {duration}; the others repeat"
            )
            return StateLine("▲", "yellow", Text(f"replay: {left} their history"))
        forgiven = f", beside {_count(event.forgiven, 'run')} that you let go" if event.forgiven else ""
        return StateLine("✓", "green", Text(f"replay: {runs} repeat their history in {duration}{forgiven}"))
    broken = len(event.mismatches) + len(event.failures)
    text = Text.assemble(
        ("replay failed", "bold red"), f": {broken} of {runs} do not repeat their history ({duration})"
    )
    alike = _group(event.mismatches, lambda one: (one.event_type, one.command_type, one.file, one.line, one.message))
    below = [draw_mismatch(mismatch, more) for mismatch, more in alike]
    below += [draw_replay_failure(*pair) for pair in _group(event.failures, lambda one: one.message)]
    if len(below) > MOST_MISMATCHES:
        below[MOST_MISMATCHES:] = [Text(), Text("and more, of other kinds", "dim")]
    return StateLine("✗", "red", text, [*below, Text()])


def _check_failed(event: CheckFailed) -> StateLine:
    return StateLine("▲", "yellow", Text(f"replay check could not be done: {event.message}"))


def _held(event: Held) -> StateLine:
    what = OLD_GOES_ON if event.old_goes_on else "no worker runs"
    if event.is_asked:
        return StateLine("▲", "yellow", Text.assemble(("the new code waits for you", "yellow"), f"; {what}"))
    return StateLine("▲", "yellow", Text(f"the new code is not served; {what}. Save a fix to try again"))


def _ready(event: Ready) -> StateLine:
    text = Text.assemble(
        ("serving the new code" if event.is_new_code else "ready", "green"),
        f" {'after' if event.is_new_code else 'in'} {format_seconds(event.seconds)}",
        (f" on task queue {event.task_queue}" if event.task_queue and not event.is_new_code else "", "dim"),
    )
    served = [
        (label, _list_definitions(definitions))
        for label, definitions in (("workflows", event.workflows), ("activities", event.activities))
        if definitions
    ]
    if not served:
        return StateLine("●", "green", text)
    grid = Table.grid(padding=(0, 2, 0, 0))
    for label, listed in served:
        grid.add_row(Text(label, "dim"), listed)
    return StateLine("●", "green", text, [grid])


def _drained(event: Drained) -> StateLine:
    if event.is_clean:
        return StateLine("·", "dim", Text(f"old worker drained in {format_seconds(event.seconds)}", "dim"))
    return StateLine("▲", "yellow", Text(f"old worker ended after its grace time, {format_seconds(event.seconds)}"))


def _crashed(event: Crashed) -> StateLine:
    how = f"killed by signal {-event.exit_code}" if event.exit_code < 0 else f"crashed with exit code {event.exit_code}"
    text = Text.assemble((how, "red"), f": {event.message}" if event.message else "")
    if event.retry_seconds:
        text.append(f"; starting again in {event.retry_seconds:g} s", "dim")
    return StateLine("✗", "red", text)


def _stopping(event: Stopping) -> StateLine:
    return StateLine("◌", "dim", Text("stopping", "dim"))


def _stopped(event: Stopped) -> StateLine:
    return StateLine("■", "dim", Text("stopped", "dim"))


def _list_definitions(definitions: Sequence[Definition]) -> Text:
    """Name each definition with its place; a file's name is said once for all that stand in it."""
    parts: list[tuple[str, str]] = []
    for file, group in groupby(definitions, key=lambda definition: definition.file):
        for index, definition in enumerate(group):
            place = f"{PurePath(file).name if index == 0 else ''}:{definition.line}"
            parts += [(", " if parts else "", "dim"), (definition.name, ""), (f" {place}", "dim")]
    return Text.assemble(*parts)


def _group(runs: Sequence[T], key: Callable[[T], Hashable]) -> list[tuple[T, int]]:
    """Return the first run of each kind, and how many more there are of it."""
    groups: dict[Hashable, list[T]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return [(alike[0], len(alike) - 1) for alike in groups.values()]


def _consequence(text: str, old_goes_on: bool) -> str:
    return f"{text}; {OLD_GOES_ON if old_goes_on else 'no worker runs until the next save'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


RENDERERS: dict[type[Event], Callable[[Any], StateLine]] = {
    Note: _note,
    Starting: _starting,
    ServerReady: _server_ready,
    SettingUp: _setting_up,
    Changed: _changed,
    Building: _building,
    BuildFailed: _build_failed,
    LoadFailed: _load_failed,
    Checked: _checked,
    CheckFailed: _check_failed,
    Held: _held,
    Ready: _ready,
    Drained: _drained,
    Crashed: _crashed,
    Stopping: _stopping,
    Stopped: _stopped,
}
