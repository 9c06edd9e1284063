"""Move what is committed from the write-ahead log into the database file, beside the writer.

SQLite's own checkpoint runs inside a commit and waits for the disk: every caller of the server would wait with it. This
one runs on a thread and a connection of its own, as a passive checkpoint, which hinders neither writer nor readers.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

__all__ = ["Checkpoints"]

RUNS_BETWEEN_CHECKPOINTS = 400
"""How many runs may be written in between: some ten megabytes of log."""


class Checkpoints:
    """Counts what is written and starts a checkpoint when it is time; one at a time."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self._path = path
        self._synchronous = synchronous
        self._written_runs = 0
        self._thread: threading.Thread | None = None

    def note_commit(self, written_runs: int) -> None:
        """Count a commit's runs."""
        self._written_runs += written_runs
        if self._written_runs < RUNS_BETWEEN_CHECKPOINTS or (self._thread is not None and self._thread.is_alive()):
            return
        self._written_runs = 0
        self._thread = threading.Thread(target=self._checkpoint, name="checkpoint", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait for a running checkpoint."""
        if self._thread is not None:
            self._thread.join()

    def _checkpoint(self) -> None:
        # What can't be moved now (disk full) stays in the log, where it is as safe; the next one tries again.
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(self._path)) as connection:
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
