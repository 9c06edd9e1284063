"""What went wrong in the user's code, and where: exceptions as the values of an event."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from . import snapshot


class LoadError(Exception):
    """Something in the worker's table or in the user's modules that Python itself takes no offence at."""

    def __init__(self, error: str, message: str, hint: str = "", file: str | None = None, line: int | None = None):
        super().__init__(message)
        self.error = error
        self.hint = hint
        self.file = file
        self.line = line


def describe(error: BaseException) -> dict[str, Any]:
    """Return the fields of `load_failed`: the error's name and message, the user's line, a hint, the traceback."""
    if isinstance(error, LoadError):
        return _fields(error.error, str(error), error.hint, error.file, error.line)
    text = format_traceback(error)
    chain = list(_causes(error))
    root = chain[-1]
    for cause in chain:
        # The SDK wraps what a workflow's module raises in its sandbox; the syntax error in there is what is wrong.
        if isinstance(cause, SyntaxError):
            return _fields(type(cause).__name__, cause.msg, "", cause.filename, cause.lineno, cause.offset, text)
    file, line = locate(error)
    message = str(root)
    hint = ""
    if isinstance(root, ModuleNotFoundError) and root.name is not None:
        top = root.name.partition(".")[0]
        message = f"{_last_line(root)} (looked for by {sys.executable})"
        hint = f"{sys.executable} -m pip install {top}" if file else ""
    elif error is not root and not isinstance(root, ImportError):
        message = f"{error}: {root}"
    return _fields(type(root).__name__, message, hint, file, line, None, text)


def format_traceback(error: BaseException) -> str:
    """Return the text that Python would print."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def locate(error: BaseException) -> tuple[str | None, int | None]:
    """Return the innermost line of the user's own code, of the innermost cause that has one."""
    for cause in reversed(list(_causes(error))):
        place = _innermost_user_line(cause.__traceback__)
        if place:
            return place
    return None, None


def _fields(
    error: str,
    message: str,
    hint: str = "",
    file: str | None = None,
    line: int | None = None,
    column: int | None = None,
    text: str = "",
) -> dict[str, Any]:
    return {
        "error": error,
        "message": message,
        "hint": hint,
        "file": file,
        "line": line,
        "column": column,
        "source": snapshot.excerpt(file, line) if file and line else [],
        "traceback": text,
    }


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from, the innermost last."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _innermost_user_line(trace: TracebackType | None) -> tuple[str, int] | None:
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace)]
    return next(((file, line) for file, line in reversed(frames) if snapshot.is_user_file(file)), None)


def _last_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__


def shorten(file: str) -> str:
    """Return a path from the current folder where that is shorter."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file
