"""What is drawn below a state line: a load error with its source, a mismatch as event beside command."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from durable_cli.dev.host_events import LoadFailed, Mismatch, ReplayFailure, Source

__all__ = ["draw_load_failure", "draw_mismatch", "draw_replay_failure", "shorten_path"]


def draw_load_failure(problem: LoadFailed) -> list[RenderableType]:
    """Draw where the error is, or the whole traceback where no place is known, and what helps."""
    drawn = draw_place(problem.file, problem.line, problem.source, problem.column)
    if not drawn and problem.traceback:
        drawn = [Text(problem.traceback.rstrip("\n"), "dim")]
    if problem.hint:
        drawn.append(Text.assemble(("hint: ", "dim"), problem.hint))
    return drawn


def draw_place(file: str | None, line: int | None, source: Source, column: int | None = None) -> list[RenderableType]:
    """Draw a place in a file with its lines, the one that matters marked, and a caret below its column."""
    if file is None or line is None:
        return []
    width = len(str(max((number for number, _ in source), default=0)))
    drawn = Text(no_wrap=True, overflow="ellipsis")
    for number, text in source:
        is_marked = number == line
        drawn.append("→ " if is_marked else "  ", "red")
        drawn.append(f"{number:>{width}}  ", "dim")
        drawn.append(f"{text.expandtabs(4)}\n", "bold" if is_marked else "")
        if is_marked and column:
            before = text[: column - 1].expandtabs(4)
            drawn.append(f"{' ' * (width + 4 + len(before))}^\n", "red")
    drawn.rstrip()
    return [Text(f"{shorten_path(file)}:{line}", "dim"), drawn]


def shorten_path(file: str) -> str:
    """Return a path as it is seen from the current folder, when it is in it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def draw_mismatch(mismatch: Mismatch, more_runs: int = 0) -> RenderableType:
    """Draw a run's mismatch: what its history says, and beside it what the new code wants."""
    pair = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, show_edge=False, header_style="dim")
    event = f"event {mismatch.event_id} of the history" if mismatch.event_id else "the history"
    pair.add_column(event, overflow="fold")
    pair.add_column("the new code", overflow="fold")
    pair.add_row(
        _say(mismatch.event_type or "no such event", mismatch.event_summary, "yellow"),
        _say(mismatch.command_type or "no such command", mismatch.command_summary, "red"),
    )
    drawn: list[RenderableType] = [Text(), _title(mismatch, more_runs), Text(), pair]
    place = draw_place(mismatch.file, mismatch.line, mismatch.source)
    if not mismatch.event_type and not mismatch.command_type:
        place = [Text(mismatch.message), *place]
        drawn.pop()
    return Group(*drawn, *([Text(), *place] if place else []))


def draw_replay_failure(failure: ReplayFailure, more_runs: int = 0) -> RenderableType:
    """Draw why a run could not be replayed."""
    message = Text.assemble((failure.error, "red"), ": " if failure.error else "", failure.message)
    return Group(Text(), _title(failure, more_runs), message, *draw_place(failure.file, failure.line, failure.source))


def _title(run: Mismatch | ReplayFailure, more_runs: int) -> Text:
    more = f" and {more_runs} more {'run' if more_runs == 1 else 'runs'}" if more_runs else ""
    what = f"  {run.workflow_type}, {'open' if run.open else 'closed'}, run {run.run_id}"
    return Text.assemble((run.workflow_id, "bold"), more, (what, "dim"))


def _say(kind: str, summary: str, style: str) -> Text:
    """Say an event or a command: its type, and what it is about."""
    about = summary.removeprefix(kind).strip()
    return Text.assemble((kind, style), f" {about}" if about else "")
