"""Text that is made of lines, each with a look: what a screen shows of values, failures and differences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

__all__ = [
    "Line",
    "Look",
    "first_json_lines",
    "json_lines",
    "picture_controls",
    "plain_text",
    "show_controls",
    "trace_lines",
    "without_marks",
]

CUT_LINES = 200
CUT_CHARACTERS = 4_000
READ_BYTES = 100_000
"""So many hold the lines that are shown of something large."""
INSTALLED = re.compile(r'(?<=")[^"]*/(?:site-packages|node_modules)/')
LIBRARY_FRAME = re.compile(
    r"site-packages|/lib/python|/lib/temporalio|<frozen|node_modules|node:internal|\(internal/|go\.temporal\.io|/runtime/"
    r"|\bio\.temporal\.|\bjava\.|\bjdk\.|Temporalio\.|System\."
)
FRAME = re.compile(r'\s*(File "|at )|\t\S+\.go:\d+')
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_MARKS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)\1")
# What would turn the direction of the rest of a line; letters that run from right to left need none of these.
_DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
_CONTROLS |= {code: f"\\u{code:04x}" for code in _DIRECTIONS}
_CONTROLS[0x09] = "    "
# One sign for each, where a text must keep its length.
_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_PICTURES |= dict.fromkeys((*range(128, 160), *_DIRECTIONS), 65533)


class Look:
    """How a line looks; the colours are the theme's."""

    TEXT = "text"
    HEADING = "heading"
    QUIET = "quiet"
    JSON = "json"
    ERROR = "error"
    FRAME = "frame"
    """Of a stack trace: in a library."""
    ADDED = "added"
    REMOVED = "removed"


class Line(NamedTuple):
    """One line."""

    text: str
    look: str = Look.TEXT


def show_controls(text: str) -> str:
    """Make control characters visible, so that what a worker wrote can't steer the terminal."""
    return text.translate(_CONTROLS)


def picture_controls(text: str) -> str:
    """Put a picture in the place of each control character."""
    return text if text.isprintable() else text.translate(_PICTURES)


def without_marks(text: str) -> str:
    """Leave out the marks of Markdown that only emphasise."""
    return _MARKS.sub(r"\2", text)


def plain_text(lines: Sequence[Line]) -> str:
    """Return what the lines say."""
    return "\n".join(line.text for line in lines)


def json_lines(value: Any, *, is_whole: bool = False) -> list[Line]:
    """Write a value as indented JSON; unless it is wanted whole, a long one is cut and says so."""
    lines: list[Line] = []
    for text in _iterate_lines(value):
        if not is_whole and len(lines) == CUT_LINES:
            lines.append(Line("… and more: v opens all of it", Look.QUIET))
            break
        if not is_whole and len(text) > CUT_CHARACTERS:
            left_out = len(text) - CUT_CHARACTERS
            lines.append(Line(text[:CUT_CHARACTERS], Look.JSON))
            lines.append(Line(f"… and {left_out:,} characters more: v opens all of it", Look.QUIET))
        else:
            lines.append(Line(text, Look.JSON))
    return lines


def first_json_lines(data: bytes) -> list[Line]:
    """Write the first lines of a large JSON text; the rest of it is not even read."""
    text = data[:READ_BYTES].decode(errors="ignore")
    lines = []
    for line in islice(_indent_json(text), CUT_LINES):
        lines.append(Line(line[:CUT_CHARACTERS], Look.JSON))
    lines.append(Line("… and more: v opens all of it", Look.QUIET))
    return lines


def _indent_json(text: str) -> Iterator[str]:
    line, depth, before = "", 0, ""
    for found in _JSON_TOKEN.finditer(text):
        token = found[0]
        if token in "}]":
            depth = max(0, depth - 1)
            if before not in "{[":
                yield line
                line = "  " * depth
            line += token
        else:
            if before and before in "{[,":
                yield line
                line = "  " * depth
            line += ": " if token == ":" else show_controls(token)
            depth += token in "{["
        before = token
    yield line


def _iterate_lines(value: Any) -> Iterator[str]:
    # Piece by piece, so that no more is written than what is shown.
    pieces: list[str] = []
    for chunk in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value):
        first, *rest = chunk.split("\n")
        pieces.append(first)
        for text in rest:
            yield show_controls("".join(pieces))
            pieces = [text]
    yield show_controls("".join(pieces))


def trace_lines(trace: str, indent: str = "", *, is_whole: bool = False) -> list[Line]:
    """Write a stack trace so that the frames of the user's own code stand out.

    Frames in libraries are quiet; unless the trace is wanted whole, each stretch of them is one line, and the innermost
    is shown where there are no others.
    """
    lines: list[Line] = []
    left_out = 0
    is_library = False
    innermost: list[Line] = []
    for text in show_controls(trace).rstrip().splitlines():
        is_frame = bool(FRAME.match(text))
        if is_frame or not text.startswith((" ", "\t")):
            is_library = is_frame and bool(LIBRARY_FRAME.search(text))
        line = Line(f"{indent}{text}", Look.FRAME if is_library else Look.TEXT)
        if is_library and not is_whole:
            line = Line(f"{indent}{INSTALLED.sub('…/', text)}", Look.FRAME)
            left_out += is_frame
            innermost = [line] if is_frame else [*innermost, line]
        elif text.strip() or is_whole:
            lines += [*_left_out_line(left_out, indent), line]
            left_out = 0
    if left_out and all(line.look == Look.FRAME for line in lines):
        return [*lines, *_left_out_line(left_out - 1, indent), *(line for line in innermost if line.text.strip())]
    return lines + _left_out_line(left_out, indent)


def _left_out_line(count: int, indent: str) -> list[Line]:
    if not count:
        return []
    frames = "1 frame" if count == 1 else f"{count} frames"
    return [Line(f"{indent}  … {frames} in libraries: v shows all", Look.FRAME)]
