"""`.dx/dev.log`: what the workers and the server write, for other programs to follow.

A line is the time, the source and the text, with tabs between them. The file is begun anew at each start; one that has
grown long becomes `dev.log.1`, in the place of the one before.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from durable_cli.dev.view.lines import clean

__all__ = ["OutputLog"]

MOST_BYTES = 4 * 1024 * 1024
GATHER_SECONDS = 0.1
"""What comes within this time is written at once: a worker may write a thousand lines a second."""


class OutputLog:
    """The file, open for writing; a full disk does not stop the work."""

    def __init__(self, path: Path, *, is_beside: bool, most_bytes: int = MOST_BYTES) -> None:
        self.path = path
        self._older = path.with_name(f"{path.name}.1")
        self._is_beside = is_beside
        self._most_bytes = most_bytes
        self._bytes = 0
        self._pending: list[str] = []
        self._waiting: asyncio.TimerHandle | None = None
        with suppress(OSError):
            self._remove()
            self.path.touch()

    def write(self, source: str, line: str) -> None:
        """Write a line that a child of the source has written."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._pending.append(f"{time}\t{source}\t{clean(line, keep_colour=False)}\n")
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what waits, now."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        data = "".join(self._pending).encode(errors="replace")
        self._pending.clear()
        with suppress(OSError):
            if self._bytes + len(data) > self._most_bytes:
                self.path.replace(self._older)
                self._bytes = 0
            with self.path.open("ab") as file:
                file.write(data)
            self._bytes += len(data)

    def close(self) -> None:
        """Write what waits, and take the files away if they stand beside another's."""
        self.flush()
        if self._is_beside:
            with suppress(OSError):
                self._remove()

    def _remove(self) -> None:
        for path in (self.path, self._older):
            path.unlink(missing_ok=True)
