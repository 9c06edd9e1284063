"""The log is moved into the database file beside the writer."""

from __future__ import annotations

import time
from pathlib import Path

from engine.store.checkpoint import RUNS_BETWEEN_CHECKPOINTS
from engine.store.database import open_database


def test_checkpoint_comes_after_so_many_runs_and_hinders_no_writer(tmp_path: Path) -> None:
    database = open_database(tmp_path / "history.db", {})
    before = database.path.stat().st_size
    writer = database.writer
    writer.execute("BEGIN")
    writer.executemany(
        "INSERT INTO events VALUES (1, ?, 1, 0, ?)", [(number, b"x" * 1000) for number in range(1, 3000)]
    )
    writer.execute("COMMIT")
    database.note_commit(RUNS_BETWEEN_CHECKPOINTS - 1)
    assert database.path.stat().st_size == before
    database.note_commit(1)
    writer.execute("INSERT INTO events VALUES (2, 1, 1, 0, x'00')")
    until = time.monotonic() + 20
    while database.path.stat().st_size < before + 2_000_000:
        assert time.monotonic() < until, "nothing was moved into the file"
        time.sleep(0.01)
    database.close()
    reopened = open_database(tmp_path / "history.db", {})
    assert reopened.writer.execute("SELECT count(*) FROM events").fetchone() == (3000,)
    reopened.close()
