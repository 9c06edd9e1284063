"""`.dx/dev.jsonl`: what happens in `dx dev` as JSON lines, for other programs to follow.

A line is `{"time": …, "source": …, "event": …}` and the event's own fields, under the names of `events.py`. The first
line, `begun`, says who writes: its process, since when, and which workers it runs. The file is begun anew at each
start, and when it has grown long: then it keeps the newest lines, and the last one of each kind of what is older. Both
give it another first line. A second dx in the same folder writes `dev-PID.jsonl` beside it, which goes with it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from durable_cli.dev.events import Event

__all__ = ["BEGUN", "FILENAME", "Journal", "event_name"]

FILENAME = "dev.jsonl"
BEGUN = "begun"
MOST_BYTES = 4 * 1024 * 1024
KEPT_SHARE = 4


class Journal:
    """The file, open for writing, and locked: no other process begins it anew.

    Args:
        workers: the namespace of each worker that runs.
    """

    def __init__(self, folder: Path, workers: Mapping[str, str] | None = None, *, most_bytes: int = MOST_BYTES) -> None:
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
        self._most_bytes = most_bytes
        self._workers = dict(workers or {})
        self._since = _now()
        self._lines: list[tuple[tuple[str, str], str]] = []
        """What the file has below its first line; each line with its source and the name of its event."""
        self._bytes = 0
        self._begin()

    def write(self, source: str, event: Event) -> None:
        """Append one event; a full disk does not stop the work."""
        name = event_name(event)
        line = _to_line({"time": _now(), "source": source, "event": name, **asdict(event)})
        self._lines.append(((source, name), line))
        self._bytes += len(line)
        if self._bytes > self._most_bytes:
            self._shorten()
            self._begin()
        else:
            self._write([line])

    def close(self) -> None:
        """Close the file, and take it away if it stands beside another's."""
        with suppress(OSError):
            self._file.close()
        if self.is_beside:
            self.path.unlink(missing_ok=True)

    def _begin(self) -> None:
        """Write everything anew, below a first line that is like no other."""
        head = {"time": _now(), "source": "dx", "event": BEGUN, "pid": os.getpid(), "since": self._since}
        lines = [_to_line({**head, "workers": self._workers}), *(line for _, line in self._lines)]
        with suppress(OSError):
            self._file.truncate(0)
        self._write(lines)

    def _write(self, lines: Sequence[str]) -> None:
        with suppress(OSError):
            self._file.write("".join(lines))

    def _shorten(self) -> None:
        """Keep the newest lines, and of what is older the last one of each kind, which says how things stand."""
        last = {key: index for index, (key, _) in enumerate(self._lines)}
        kept, size = len(self._lines), 0
        while kept and (size := size + len(self._lines[kept - 1][1])) <= self._most_bytes // KEPT_SHARE:
            kept -= 1
        self._lines = [line for index, line in enumerate(self._lines) if index >= kept or last[line[0]] == index]
        self._bytes = sum(len(line) for _, line in self._lines)


def event_name(event: Event | type[Event]) -> str:
    """Return the class's name in snake_case, such as `load_failed`."""
    kind = event if isinstance(event, type) else type(event)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _to_line(fields: dict[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False) + "\n"
