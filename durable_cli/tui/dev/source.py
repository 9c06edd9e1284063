"""The source around a place in the user's code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from durable_cli.tui.dev.rows import BrokenRun

__all__ = ["Excerpt", "find_excerpt", "read_line", "shorten_path"]

READ_AHEAD = 200
"""What a line means for its colours may have begun so many lines above what is shown: a docstring."""


class Excerpt(NamedTuple):
    """Lines of a file from number `first` on; those before `first_shown` are there for the colours alone."""

    lines: Sequence[str]
    first: int
    first_shown: int
    line: int


def find_excerpt(run: BrokenRun, before: int, after: int) -> Excerpt | None:
    """Return the lines around the place of a mismatch.

    They are those of the file, or when that was changed meanwhile, those that the replay has seen.
    """
    if run.file is None or run.line is None:
        return None
    seen = {number: text.rstrip("\r\n") for number, text in run.source}
    lines, first = _read(run.file), 1
    if run.line > len(lines) or (run.line in seen and lines[run.line - 1] != seen[run.line]):
        if run.line not in seen:
            return None
        first = min(seen)
        lines = [seen.get(number, "") for number in range(first, max(seen) + 1)]
    begin = max(first, run.line - before - READ_AHEAD)
    shown = max(first, run.line - before)
    while shown < run.line and not lines[shown - first].strip():
        shown += 1
    return Excerpt(lines[begin - first : run.line + after - first + 1], begin, shown, run.line)


def read_line(file: str, line: int) -> str:
    """Return one line of a file, without its indentation; empty when it is not there."""
    lines = _read(file)
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def shorten_path(file: str, folder: Path) -> str:
    """Return a path as it is seen from a folder, when it is in it."""
    path = Path(file)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else file


def _read(file: str) -> Sequence[str]:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
