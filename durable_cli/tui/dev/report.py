"""All that is known of one reload, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from durable_cli.dev.host_events import LoadFailed, Mismatch, ReplayFailure
from durable_cli.tui.dev.rows import BrokenRun, Outcome, Reload
from durable_cli.tui.dev.source import read_line, shorten_path
from durable_cli.tui.dev.words import say_check, say_count, say_files, say_run, say_seconds
from durable_cli.tui.lines import Line, Look, show_controls, trace_lines
from durable_cli.tui.times import clock

__all__ = ["caller_lines", "reload_lines", "say_kind"]


def reload_lines(reload: Reload, folder: Path) -> list[Line]:
    """Say what happened, step by step, and what went wrong in full."""
    lines = [Line(f"{clock(reload.time_ns, with_date=True)}  {say_kind(reload)}", Look.HEADING)]
    if len(reload.files) > 1:
        lines += [Line(f"  {file}") for file in reload.files]
    lines += [Line(text) for text in _steps(reload)]
    if reload.problem is not None:
        lines += [Line(""), *_problem_lines(reload.problem, folder)]
    for run in reload.broken:
        lines += [Line(""), *_run_lines(run, folder)]
    return lines


def say_kind(reload: Reload) -> str:
    """Say why there was a reload."""
    if reload.kind == "check":
        return "replay of the runs"
    return f"{say_files(reload.files)} saved" if reload.files else "start"


def _steps(reload: Reload) -> Iterator[str]:
    if reload.load_seconds is not None:
        yield f"loaded in {say_seconds(reload.load_seconds)}"
    if reload.checked is not None:
        checked = reload.checked
        yield f"replay: {say_check(checked)}"
        yield f"  {checked.open} of {checked.open_total} open and {checked.closed} closed runs were looked at"
        if checked.not_replayed:
            yield f"  {say_count(checked.not_replayed, 'run')} could not be replayed in the time"
        if checked.forgiven:
            yield f"  {say_count(checked.forgiven, 'run')} that you let go are left out"
    if reload.outcome == Outcome.SERVING:
        after = f" after {say_seconds(reload.seconds)}" if reload.seconds is not None else ""
        yield f"serving{after}"
    elif reload.words or reload.outcome != Outcome.CHECKED:
        yield f"{reload.outcome.value}: {reload.words}" if reload.words else reload.outcome.value
    if reload.drained_seconds is not None:
        yield f"the old worker has drained in {say_seconds(reload.drained_seconds)}"


def _problem_lines(problem: LoadFailed, folder: Path) -> Iterator[Line]:
    yield Line(f"{problem.error}: {problem.message}" if problem.message else problem.error, Look.ERROR)
    if problem.hint:
        yield Line(problem.hint)
    yield from _place_lines(problem.file, problem.line, problem.source, folder)
    if problem.traceback:
        yield Line("")
        yield from trace_lines(problem.traceback)


def _run_lines(run: BrokenRun, folder: Path) -> Iterator[Line]:
    state = "open" if run.open else "closed"
    yield Line(say_run(run), Look.ERROR)
    if run.workflow_id:
        yield Line(f"{run.workflow_type}, {state}, run {run.run_id}", Look.QUIET)
    if isinstance(run, Mismatch):
        yield Line(f"the history has  {run.event_type or 'no such event'}  {run.event_summary}".rstrip())
        yield Line(f"the new code     {run.command_type or 'no such command'}  {run.command_summary}".rstrip())
    yield from _place_lines(run.file, run.line, run.source, folder)
    yield from caller_lines(run, folder)
    if run.message and run.workflow_id:
        yield Line(show_controls(run.message), Look.QUIET)
    if isinstance(run, ReplayFailure) and run.traceback:
        yield from trace_lines(run.traceback)


def caller_lines(run: BrokenRun, folder: Path) -> list[Line]:
    """Say which lines of the user's code led to the one that is meant, the nearest first."""
    callers = run.callers if isinstance(run, Mismatch) else []
    return [
        Line(f"called from {shorten_path(file, folder)}:{line}  {read_line(file, line)}".rstrip(), Look.QUIET)
        for file, line in callers
    ]


def _place_lines(file: str | None, line: int | None, source: Sequence[tuple[int, str]], folder: Path) -> Iterator[Line]:
    if file is None or line is None:
        return
    yield Line(f"{shorten_path(file, folder)}:{line}", Look.QUIET)
    for number, text in source:
        mark = "→" if number == line else " "
        yield Line(f"{mark} {number:>5}  {show_controls(text.rstrip())}", Look.TEXT if number == line else Look.QUIET)
