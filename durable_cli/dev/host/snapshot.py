"""The user's source as it was when the process first imported it.

Two things would go wrong with Python's own loading. The SDK's sandbox imports the workflow's modules anew for every
run, so that an old worker, kept because running workflows would not survive a change, would run the changed file for
the next workflow. And a compiled file in `__pycache__` counts as fresh when its source has the same size and the same
whole second of change, which two quick saves can have. So each source file of the user is read and compiled once.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import linecache
import re
import sysconfig
from importlib.util import decode_source
from pathlib import Path
from types import CodeType

_paths = [sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib")]
_NOT_OF_THE_USER = tuple(
    folder + "/" for path in (*_paths, str(Path(__file__).parent)) for folder in {path, str(Path(path).resolve())}
)
_INSTALLED = ("/site-packages/", "/dist-packages/")

_codes: dict[str, CodeType] = {}
_digests: dict[str, str] = {}


def is_user_file(filename: str) -> bool:
    """Say whether a file is the user's own: not Python's, not an installed package's, not this program's."""
    return not filename.startswith(("<", *_NOT_OF_THE_USER)) and not any(part in filename for part in _INSTALLED)


def excerpt(filename: str, line: int) -> list[tuple[int, str]]:
    """Return the line and those beside it, as they were when the file was imported."""
    lines = linecache.getlines(filename)
    return [
        (number, lines[number - 1].rstrip("\r\n")) for number in range(line - 1, line + 2) if 0 < number <= len(lines)
    ]


def find_line(filename: str, pattern: re.Pattern[str], start: int) -> int:
    """Return the first line from `start` on that matches; `start` where none does."""
    lines = linecache.getlines(filename)
    return next((number for number in range(start, len(lines) + 1) if pattern.match(lines[number - 1])), start)


def digest(*more: str) -> str:
    """Return a hash of all the user's source that is imported by now, and of what else is given."""
    whole = hashlib.md5(usedforsecurity=False)
    for part in (*sorted(_digests.values()), *more):
        whole.update(part.encode())
    return whole.hexdigest()


def install() -> None:
    """Let every source file of the user be read and compiled once."""
    loader = importlib.machinery.SourceFileLoader
    load_fresh = loader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        if not is_user_file(path):
            return load_fresh(self, fullname)
        if path not in _codes:
            data = self.get_data(path)
            _remember_lines(path, data)
            _digests[path] = hashlib.md5(data, usedforsecurity=False).hexdigest()
            _codes[path] = self.source_to_code(data, path)
        return _codes[path]

    loader.get_code = get_code  # type: ignore[method-assign,assignment]


def _remember_lines(path: str, data: bytes) -> None:
    """Let tracebacks show these lines, not those of a file that was saved later."""
    try:
        lines = decode_source(data).splitlines(keepends=True)
    except (SyntaxError, UnicodeDecodeError):
        return
    # Without a time of change, linecache never looks at the file again.
    linecache.cache[path] = (len(data), None, lines, path)
