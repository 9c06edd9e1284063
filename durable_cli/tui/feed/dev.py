"""Follows the files that `dx dev` writes in the project's `.dx`; they may be cut, begun anew, or come later."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from durable_cli.dev.journal import BEGUN
from durable_cli.errors import CliError
from durable_cli.tui.dev.log_lines import RawLine
from durable_cli.tui.dev.rows import DevEvent
from durable_cli.tui.feed.link import Post
from durable_cli.tui.lines import show_controls
from durable_cli.tui.place_messages import JournalRead, LogRead

__all__ = ["Tail", "answer_question", "watch_journal", "watch_log"]

LOOK_SECONDS = 0.25
LOG_BYTES = 512 * 1024
"""So much of a log is read at once: older lines than these nobody misses who looks at the newest."""
HEAD_BYTES = 64


class Tail:
    """Reads the lines that a file has gained.

    A file that was put in its place, that is shorter than it was, or that begins with another line, is another file.

    Args:
        most_bytes: how much is read at once; of more than that, only the end. 0 reads everything.

    Attributes:
        was_cut: whether the last read has left out lines.
    """

    def __init__(self, path: Path, most_bytes: int = 0) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._file: BinaryIO | None = None
        self._head = b""
        self._offset = 0
        self.was_cut = False

    def read(self) -> Sequence[bytes]:
        """Return further whole lines."""
        self.was_cut = False
        lines: list[bytes] = []
        if not self._is_same():
            if self._is_replaced():
                lines = self._read_on()  # what the one before has got at last
            self.close()
            self._head, self._offset = b"", 0
            with suppress(OSError):
                self._file = self._path.open("rb")
        return [*lines, *self._read_on()]

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_same(self) -> bool:
        if self._file is None or self._is_replaced():
            return False
        number = self._file.fileno()
        return os.fstat(number).st_size >= self._offset and os.pread(number, len(self._head), 0) == self._head

    def _is_replaced(self) -> bool:
        if self._file is None:
            return False
        try:
            there, here = os.stat(self._path), os.fstat(self._file.fileno())
        except OSError:
            return False  # it is gone: that another one comes is seen then
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _read_on(self) -> list[bytes]:
        if self._file is None:
            return []
        number = self._file.fileno()
        if len(self._head) < HEAD_BYTES:
            self._head = os.pread(number, HEAD_BYTES, 0)
        size = os.fstat(number).st_size
        is_cut = bool(self._most_bytes) and size - self._offset > self._most_bytes
        start = size - self._most_bytes if is_cut else self._offset
        self.was_cut |= is_cut
        data = os.pread(number, max(0, size - start), start)
        whole = data.rpartition(b"\n")[0]
        self._offset = start + (len(whole) + 1 if whole or data.startswith(b"\n") else 0)
        lines = whole.split(b"\n") if whole else []
        return lines[1:] if is_cut else lines


async def watch_journal(path: Path, post: Post) -> None:
    """Tell what the journal says, and whether dx runs, until it is cancelled."""
    tail, pid = Tail(path), 0
    was_running: bool | None = None
    try:
        while True:
            events = list(_parse_events(tail.read()))
            pid = next((int(one.fields.get("pid", 0)) for one in reversed(events) if one.name == BEGUN), pid)
            is_running = _is_running(pid)
            if events or is_running != was_running:
                was_running = is_running
                post(JournalRead(events, is_running))
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        tail.close()


async def watch_log(path: Path, post: Post, most_bytes: int = LOG_BYTES) -> None:
    """Tell what the log has, and then its further lines, until it is cancelled."""
    tail, is_first = Tail(path, most_bytes), True
    try:
        while True:
            lines = list(_parse_log(tail.read()))
            if tail.was_cut and not is_first:
                lines.insert(0, RawLine(time.time_ns(), "dx", f"… left out: more than {path.name} shows at once", "…"))
            if lines or is_first:
                post(LogRead(lines, is_first))
                is_first = False
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        tail.close()


def _parse_events(lines: Sequence[bytes]) -> Iterator[DevEvent]:
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            fields = json.loads(line)
            yield DevEvent(_read_time(fields["time"]), str(fields["source"]), str(fields["event"]), fields)


def _parse_log(lines: Sequence[bytes]) -> Iterator[RawLine]:
    for line in lines:
        moment, _, rest = line.decode(errors="replace").partition("\t")
        source, _, text = rest.partition("\t")
        with suppress(ValueError):
            yield RawLine(_read_time(moment), source, show_controls(text))


def _read_time(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1e9)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return pid > 0


def answer_question(journal: Path, question_id: str, verdict: str) -> str:
    """Answer what `dx dev` asks.

    Raises:
        CliError: the answer can't be written.
    """
    from durable_cli.dev.answers import leave_answer

    try:
        leave_answer(journal.with_suffix(".answer"), question_id, verdict)
    except OSError as error:
        raise CliError(f"the answer can't be written: {error.strerror}", "answer in the window of dx dev") from None
    return f"dx dev was answered: {verdict}"
