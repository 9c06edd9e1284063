"""On which line of a TOML text each key and each element stands.

The standard library's parser keeps no positions. The text has been parsed before, so that this only has to find its
way through what is known to be right.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Sequence

__all__ = ["KeyPath", "Lines"]

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_STRING = re.compile(
    r"\"\"\"(?:[^\\]|\\.)*?\"{3,5}(?!\")|'''.*?'{3,5}(?!')|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'", re.DOTALL
)
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")


class Lines:
    """The lines of a valid TOML text, found by key path; a list's elements are numbered from 0."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._line_of: dict[KeyPath, int] = {}
        self._array_lengths: dict[KeyPath, int] = {}
        self._scan_document()

    def find(self, path: Sequence[str | int]) -> int:
        """Return the line, from 1, of a key or element, or of the nearest table around it; 1 for the whole file."""
        for length in range(len(path), 0, -1):
            line = self._line_of.get(tuple(path[:length]))
            if line:
                return line
        return 1

    def _scan_document(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._position < len(self._text):
            if self._take("[["):
                table = self._open_array_element(self._key())
                self._position = self._text.index("]]", self._position) + 2
            elif self._take("["):
                table = self._resolve(self._key())
                self._note(table)
                self._position = self._text.index("]", self._position) + 1
            else:
                self._scan_pair(table)
            self._skip(_BLANK)

    def _open_array_element(self, key: KeyPath) -> KeyPath:
        path = self._resolve(key[:-1]) + key[-1:]
        index = self._array_lengths.get(path, 0)
        self._array_lengths[path] = index + 1
        self._note((*path, index))
        return (*path, index)

    def _resolve(self, key: KeyPath) -> KeyPath:
        """Return a header's path; below an array of tables its last element is meant."""
        path: KeyPath = ()
        for part in key:
            path = (*path, part)
            if path in self._array_lengths:
                path = (*path, self._array_lengths[path] - 1)
        return path

    def _scan_pair(self, table: KeyPath) -> None:
        path = table + self._key()
        self._note(path)
        self._skip(_SPACE)
        self._take("=")
        self._scan_value(path)

    def _scan_value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        if self._take("["):
            self._skip(_BLANK)
            index = 0
            while not self._take("]"):
                self._note((*path, index))
                self._scan_value((*path, index))
                index += 1
                self._skip_comma()
        elif self._take("{"):
            self._skip(_BLANK)
            while not self._take("}"):
                self._scan_pair(path)
                self._skip_comma()
        elif not self._skip(_STRING):
            self._skip(_BARE_VALUE)

    def _skip_comma(self) -> None:
        self._skip(_BLANK)
        self._take(",")
        self._skip(_BLANK)

    def _key(self) -> KeyPath:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            word = self._skip(_KEY)
            parts.append(tomllib.loads(f"key = {word}")["key"] if word[0] in "\"'" else word)
            self._skip(_SPACE)
            if not self._take("."):
                return tuple(parts)

    def _note(self, path: KeyPath) -> None:
        line = bisect_right(self._starts, self._position)
        for length in range(1, len(path) + 1):
            self._line_of.setdefault(path[:length], line)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._position)
        if match is None:
            return ""
        self._position = match.end()
        return match[0]

    def _take(self, word: str) -> bool:
        if not self._text.startswith(word, self._position):
            return False
        self._position += len(word)
        return True
