"""Where a command's data goes: text, JSON, JSON lines, or nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from durable_cli.output.proto_json import JsonValue, to_json

if TYPE_CHECKING:
    from durable_cli.output.text import TextScreen

__all__ = ["JsonList", "Output"]


class Output:
    """The one writer of stdout; a command asks it what form is wanted, and hands it data or a text view."""

    def __init__(self, form: str, *, color: str, time_format: str, shorthand_payloads: bool) -> None:
        self.is_json = form in {"json", "jsonl"}
        self.is_text = form == "text"
        self.shorthand_payloads = shorthand_payloads
        self._one_line = form == "jsonl"
        self._color = color
        self._time_format = time_format

    @cached_property
    def screen(self) -> TextScreen:
        """The writer of text output; rich is imported when it is first used."""
        from durable_cli.output.text import TextScreen

        return TextScreen(color=self._color, time_format=self._time_format)

    def to_json(self, message: Message) -> JsonValue:
        """Convert a message in the official JSON form, payloads as their values unless that was switched off."""
        return to_json(message, shorthand_payloads=self.shorthand_payloads)

    def print_json(self, value: JsonValue) -> None:
        """Print one JSON document."""
        sys.stdout.write(self._dump(value) + "\n")

    @contextmanager
    def json_list(self) -> Iterator[JsonList]:
        """Print JSON objects as they come: as one array, or one a line."""
        items = JsonList(self._dump, one_line=self._one_line)
        yield items
        items.close()

    def say(self, text: str) -> None:
        """Print one line of confirmation, in text output only."""
        if self.is_text:
            sys.stdout.write(text + "\n")

    def _dump(self, value: JsonValue) -> str:
        if self._one_line:
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return json.dumps(value, indent=2, ensure_ascii=False)


class JsonList:
    """An array that is written while it grows."""

    def __init__(self, dump: Callable[[JsonValue], str], *, one_line: bool) -> None:
        self._dump = dump
        self._one_line = one_line
        self._count = 0

    def append(self, value: JsonValue) -> None:
        """Write one element."""
        if not self._one_line:
            sys.stdout.write(",\n" if self._count else "[\n")
        sys.stdout.write(self._dump(value) + ("\n" if self._one_line else ""))
        self._count += 1

    def close(self) -> None:
        """Write the array's end."""
        if not self._one_line:
            sys.stdout.write("\n]\n" if self._count else "[\n]\n")
