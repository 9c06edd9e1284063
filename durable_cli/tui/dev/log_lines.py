"""The log of `dx dev` as lines with a level, and the choice of those that are shown.

A worker may write in any form, so the level is what the line itself says near its beginning. What belongs together
keeps together: the lines of a traceback, and those that are indented below a line, have its level and its number.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["LEVELS", "LogBook", "LogFilter", "LogLine", "RawLine"]

KEPT_LINES = 5_000
HEAD_CHARACTERS = 120
LEVELS = ("debug", "info", "warn", "error")
NO_LEVEL = 1
"""A line that names no level counts as one of `info`."""
_LEVEL = re.compile(
    r"(?<![\w.])(?:(?P<debug>DEBUG|TRACE)|(?P<info>INFO|NOTICE)|(?P<warn>WARN(?:ING)?)"
    r"|(?P<error>ERROR|CRITICAL|FATAL|PANIC))(?![\w.])"
    r'|"(?:level|severity)"\s*:\s*"(?:(?P<debug_>debug|trace)|(?P<info_>info)|(?P<warn_>warn(?:ing)?)'
    r'|(?P<error_>error|critical|fatal))"'
    r"|\blevel=(?:(?P<debug__>debug|trace)|(?P<info__>info)|(?P<warn__>warn(?:ing)?)|(?P<error__>error|fatal))"
)
_TRACEBACK = re.compile(r"\s*(?:[|+]\s*)?(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):")
_BETWEEN = re.compile(r"\s*$|(?:During handling of|The above exception was)")


class RawLine(NamedTuple):
    """A line of the file; `sign` and `variable` are of one that dx itself has said."""

    time_ns: int
    source: str
    text: str
    sign: str = ""
    variable: str = ""


class LogLine(NamedTuple):
    """A line, with what it belongs to: `head` is the number of the line that it continues, or its own."""

    number: int
    head: int
    level: int
    time_ns: int
    source: str
    text: str
    sign: str = ""
    variable: str = ""

    @property
    def is_continued(self) -> bool:
        """Whether it continues another line."""
        return self.head != self.number


@dataclass(slots=True)
class _Stream:
    """What the next line of a source may continue."""

    head: int = -1
    level: int = NO_LEVEL
    is_traceback: bool = False
    is_after: bool = False
    """Whether a traceback has just ended: another may go on from it."""


class LogBook:
    """The newest lines."""

    def __init__(self) -> None:
        self.lines: deque[LogLine] = deque(maxlen=KEPT_LINES)
        self.count = 0
        """How many there were in all."""
        self._streams: dict[str, _Stream] = {}

    def take(self, raw_lines: Iterable[RawLine]) -> Sequence[LogLine]:
        """Add lines, and return them with what they belong to."""
        lines = [self._sort(raw) for raw in raw_lines]
        self.lines.extend(lines)
        return lines

    @property
    def sources(self) -> Sequence[str]:
        """Who has written."""
        return sorted({line.source for line in self.lines})

    def _sort(self, raw: RawLine) -> LogLine:
        number, self.count = self.count, self.count + 1
        if raw.sign:
            level = {"error": 3, "warning": 2}.get(raw.variable, NO_LEVEL)
            return LogLine(number, number, level, *raw)
        stream = self._streams.setdefault(raw.source, _Stream())
        text = raw.text
        is_indented = text.startswith((" ", "\t")) and stream.head >= 0
        is_between = stream.is_after and _BETWEEN.match(text) is not None
        if _TRACEBACK.match(text):
            # An error that was logged has its traceback below its own line.
            if stream.level != 3:
                stream.head = number
            stream.level, stream.is_traceback, stream.is_after = 3, True, False
        elif stream.is_traceback and not is_indented:
            # The exception itself is the last line.
            stream.is_traceback, stream.is_after = False, True
        elif not is_indented and not is_between:
            stream.head, stream.level, stream.is_after = number, find_level(text), False
        return LogLine(number, stream.head, stream.level, *raw)


def find_level(text: str) -> int:
    """Return the index of the level that a line says it has."""
    found = _LEVEL.search(text, 0, HEAD_CHARACTERS)
    return LEVELS.index((found.lastgroup or "info").rstrip("_")) if found else NO_LEVEL


@dataclass(slots=True)
class LogFilter:
    """Which lines are shown: of one source or of all, from a level on, and with some words.

    A line that continues one that is shown is shown as well.
    """

    source: str = ""
    least_level: int = 0
    words: str = ""
    _shown: dict[str, int] = field(default_factory=dict)
    """The last head of each source that is shown."""

    @property
    def is_all(self) -> bool:
        """Whether it lets everything through."""
        return not (self.source or self.least_level or self.words)

    def choose(self, lines: Iterable[LogLine]) -> list[LogLine]:
        """Return those that are shown; lines must come in their order."""
        return list(lines) if self.is_all else [line for line in lines if self._fits(line)]

    def _fits(self, line: LogLine) -> bool:
        if (self.source and line.source != self.source) or line.level < self.least_level:
            return False
        if self.words:
            if line.is_continued and self._shown.get(line.source) == line.head:
                return True
            text = line.text.lower()
            if not all(word in text for word in self.words.lower().split()):
                return False
        if not line.sign:
            self._shown[line.source] = line.head
        return True
