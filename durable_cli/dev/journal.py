"""`.dx/dev.jsonl`: what happens in `dx dev` as JSON lines, for other programs to follow.

A line is `{"time": …, "source": …, "event": …}` and the event's own fields, under the names of `events.py`. The file is
begun anew at each start. A second dx in the same folder writes `dev-PID.jsonl` beside it, which goes with that process.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from durable_cli.dev.events import Event

__all__ = ["FILENAME", "Journal", "event_name"]

FILENAME = "dev.jsonl"


class Journal:
    """The file, open for writing, and locked: no other process begins it anew."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILENAME
        self._file = self.path.open("a", encoding="utf-8", buffering=1)
        self.is_beside = False
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            self.path = folder / f"dev-{os.getpid()}.jsonl"
            self._file = self.path.open("w", encoding="utf-8", buffering=1)
            self.is_beside = True
        else:
            self._file.truncate(0)

    def write(self, source: str, event: Event) -> None:
        """Append one event; a full disk does not stop the work."""
        line = {"time": datetime.now(UTC).isoformat(), "source": source, "event": event_name(event), **asdict(event)}
        with suppress(OSError):
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the file, and take it away if it stands beside another's."""
        with suppress(OSError):
            self._file.close()
        if self.is_beside:
            self.path.unlink(missing_ok=True)


def event_name(event: Event) -> str:
    """Return the class's name in snake_case, such as `load_failed`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(event).__name__).lower()
