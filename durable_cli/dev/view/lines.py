"""Bytes that a child writes become lines that are safe to show: whole, not endless, and without tricks."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

__all__ = ["LineSplitter", "clean"]

LONGEST_LINE = 16_384

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, erasing
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # OSC and other strings: titles, links, images
    r"|\x1b[ -/]*[0-~]"  # two or three characters: charsets, keypad, reset
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f]"  # what is left of control characters; a tab stays
)


class LineSplitter:
    """Splits one stream into lines and hands each, cleaned, to `emit`."""

    def __init__(self, emit: Callable[[str], None], *, keep_colour: bool) -> None:
        self._emit = emit
        self._keep_colour = keep_colour
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._is_continued = False

    @property
    def has_rest(self) -> bool:
        """Whether a line has begun that has not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        *lines, self._rest = (self._rest + self._decoder.decode(data)).split("\n")
        for line in lines:
            self._emit_whole(line)
        while len(self._rest) > LONGEST_LINE:
            self._emit_piece(self._rest[:LONGEST_LINE])
            self._rest = self._rest[LONGEST_LINE:]

    def flush(self) -> None:
        """Emit the line that has begun, as it is."""
        if self._rest:
            self._emit_piece(self._rest)
            self._rest = ""

    def _emit_whole(self, line: str) -> None:
        if line.strip("\r") or not self._is_continued:
            while len(line) > LONGEST_LINE:
                self._emit_piece(line[:LONGEST_LINE])
                line = line[LONGEST_LINE:]
            self._emit_piece(line)
        self._is_continued = False

    def _emit_piece(self, text: str) -> None:
        self._is_continued = True
        self._emit(clean(text, keep_colour=self._keep_colour))


def clean(line: str, *, keep_colour: bool) -> str:
    """Remove escape sequences and control characters, except colours when they are kept.

    A carriage return begins the line anew, as on a terminal: of a progress bar only its last state is left.
    """
    line = line.rstrip("\r")
    if "\r" in line:
        line = line.rpartition("\r")[2]
    if not _ESCAPE.search(line):
        return line
    has_colour = False

    def replace(found: re.Match[str]) -> str:
        nonlocal has_colour
        if keep_colour and _COLOUR.fullmatch(found[0]):
            has_colour = True
            return found[0]
        return ""

    cleaned = _ESCAPE.sub(replace, line)
    return f"{cleaned}\x1b[0m" if has_colour else cleaned
