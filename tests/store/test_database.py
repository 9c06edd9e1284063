"""Opening the database file: what is made, what is refused untouched, who else may have it open."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import database as database_module
from engine.store.database import Database, DatabaseError, lock_path, open_database
from engine.store.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION
from engine.store.views import create_views
from tests.store.stored_runs import StoredRuns


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder with its bytes, lock files aside."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-lock")}


def schema_of(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def test_new_file_has_the_schema_and_says_whose_it_is(path: Path) -> None:
    open_database(path, {}).close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    tables = {name for kind, name, _ in schema_of(connection) if kind == "table"}
    assert tables == {"namespaces", "runs", "events", "activities", "buffered_events", "request_ids", "clock"}
    connection.close()


def test_opening_again_changes_nothing(path: Path) -> None:
    open_database(path, {}).close()
    first = sqlite3.connect(path)
    before = schema_of(first)
    first.close()
    open_database(path, {}).close()
    second = sqlite3.connect(path)
    assert schema_of(second) == before
    second.close()


def test_file_of_every_older_schema_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration runs once, in order, and keeps what is in the file."""
    open_database(path, {}).close()
    with StoredRuns(path) as stored:
        stored.start("kept")
    added = "CREATE TABLE added (x INTEGER)", "ALTER TABLE added ADD COLUMN y INTEGER"
    monkeypatch.setattr(database_module, "MIGRATIONS", (*MIGRATIONS, *added))
    monkeypatch.setattr(database_module, "SCHEMA_VERSION", SCHEMA_VERSION + 2)
    for _ in range(2):
        database = open_database(path, {})
        assert database.writer.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 2,)
        assert [row[1] for row in database.writer.execute("PRAGMA table_info(added)")] == ["x", "y"]
        assert database.writer.execute("SELECT workflow_id FROM runs").fetchall() == [("kept",)]
        database.close()


def test_failing_migration_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database(path, {}).close()
    monkeypatch.setattr(
        database_module, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE half (x); SELECT no_such_function()")
    )
    with pytest.raises(DatabaseError):
        open_database(path, {})
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchall() == []
    connection.close()


def test_file_of_a_newer_version_is_refused_untouched(path: Path) -> None:
    open_database(path, {}).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = contents(path.parent)
    with pytest.raises(DatabaseError, match=f"newer dx .schema {SCHEMA_VERSION + 1}, this one knows {SCHEMA_VERSION}"):
        open_database(path, {})
    assert contents(path.parent) == before


def test_database_of_another_program_is_refused_untouched(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    before = contents(path.parent)
    with pytest.raises(DatabaseError, match="another program"):
        open_database(path, {})
    assert contents(path.parent) == before
    assert not lock_path(path).exists()


@pytest.mark.parametrize("data", [b"not a database at all\n" * 500, b"x", b"SQLite format 2\0" + bytes(5000)])
def test_file_that_is_no_database_is_refused_untouched(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(DatabaseError, match="not a SQLite database"):
        open_database(path, {})
    assert contents(path.parent) == {path.name: data}


@pytest.mark.parametrize("size", [17, 3000, 4095])
def test_file_cut_off_in_its_first_page_is_refused_untouched(path: Path, size: int) -> None:
    open_database(path, {}).close()
    data = path.read_bytes()[:size]
    path.write_bytes(data)
    with pytest.raises(DatabaseError, match="cut off"):
        open_database(path, {})
    assert path.read_bytes() == data


def test_damaged_file_is_refused_untouched(path: Path) -> None:
    """The header is right, the pages are not."""
    open_database(path, {}).close()
    data = bytearray(path.read_bytes())
    data[100:] = os.urandom(len(data) - 100)
    path.write_bytes(data)
    with pytest.raises(DatabaseError, match=r"history\.db"):
        open_database(path, {})
    assert path.read_bytes() == data


def test_truncated_file_is_refused_untouched(path: Path) -> None:
    open_database(path, {}).close()
    data = path.read_bytes()[:5000]
    path.write_bytes(data)
    with pytest.raises(DatabaseError, match=r"history\.db"):
        open_database(path, {})
    assert path.read_bytes() == data


def test_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    open_database(path, {}).close()
    assert path.stat().st_size > 0


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="is a folder"):
        open_database(tmp_path, {})


def test_file_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="does not exist"):
        open_database(tmp_path / "nowhere" / "history.db", {})
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def common_user() -> Iterator[Path]:
    """Give a folder of a user whom permissions hold back: root gives up its rights meanwhile."""
    with tempfile.TemporaryDirectory(prefix="dx-test-") as name:
        if os.geteuid():
            yield Path(name)
            return
        os.chown(name, 65534, 65534)
        os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            os.seteuid(0)


def test_unwritable_file_is_refused_untouched() -> None:
    with common_user() as folder:
        path = folder / "history.db"
        open_database(path, {}).close()
        before = contents(folder)
        path.chmod(stat.S_IRUSR)
        with pytest.raises(DatabaseError, match=r"can't open the database file .*: Permission denied"):
            open_database(path, {})
        assert contents(folder) == before


def test_unreadable_file_is_refused_untouched() -> None:
    with common_user() as folder:
        path = folder / "history.db"
        open_database(path, {}).close()
        before = contents(folder)
        path.chmod(0)
        with pytest.raises(DatabaseError, match=r"can't open the database file .*: Permission denied"):
            open_database(path, {})
        path.chmod(stat.S_IRUSR)
        assert contents(folder) == before


def test_file_in_an_unwritable_folder_is_refused() -> None:
    with common_user() as folder:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
        with pytest.raises(DatabaseError, match="can't write beside"):
            open_database(folder / "history.db", {})
        folder.chmod(stat.S_IRWXU)
        assert list(folder.iterdir()) == []


def test_second_server_on_a_file_is_refused(path: Path) -> None:
    first = open_database(path, {})
    with pytest.raises(DatabaseError, match="another server uses"):
        open_database(path, {})
    first.writer.execute("SELECT count(*) FROM runs")
    first.close()
    open_database(path, {}).close()


def test_second_server_in_another_process_is_refused(path: Path) -> None:
    first = open_database(path, {})
    program = f"from pathlib import Path; from engine.store.database import *; open_database(Path({str(path)!r}), {{}})"
    second = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2]
    )
    assert second.returncode == 1
    assert "another server uses the database file" in second.stderr
    first.close()


def test_closing_leaves_one_file(path: Path) -> None:
    open_database(path, {}).close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_private_file_is_gone_at_the_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    database = open_database(None, {})
    assert database.path.is_relative_to(tmp_path)
    assert stat.S_IMODE(database.path.parent.stat().st_mode) == 0o700
    reader = database.connect_reader()
    assert reader.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    reader.close()
    database.close()
    assert list(tmp_path.iterdir()) == []


def test_pragmas_are_the_users_or_the_defaults(path: Path) -> None:
    database = open_database(path, {"synchronous": "full"})
    assert database.writer.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
    database = open_database(path, {})
    assert database.writer.execute("PRAGMA synchronous").fetchone() == (1,)
    database.close()


def test_private_file_is_gone_when_it_could_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(DatabaseError, match="pragma"):
        open_database(None, {"synchronous": "full; DROP TABLE runs"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("pragmas", [{"user_version": "7"}, {"synchronous": "full; DROP TABLE runs"}])
def test_bad_pragma_is_refused_and_the_file_is_free_again(path: Path, pragmas: dict[str, str]) -> None:
    with pytest.raises(DatabaseError, match="pragma"):
        open_database(path, pragmas)
    open_database(path, {}).close()


def test_readers_see_what_is_committed_and_write_nothing(path: Path) -> None:
    database = open_database(path, {})
    reader = database.connect_reader()
    database.writer.execute("BEGIN IMMEDIATE")
    database.writer.execute("INSERT INTO request_ids VALUES (1, 'r', 1)")
    assert reader.execute("SELECT count(*) FROM request_ids").fetchone() == (0,)
    database.writer.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM request_ids").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM request_ids")
    reader.close()
    database.close()


def test_file_of_a_killed_process_opens_by_itself(path: Path) -> None:
    """The process ends without a word, its changes still beside the file in the write-ahead log."""
    program = f"""
import os, signal
from pathlib import Path
from tests.store.stored_runs import StoredRuns
stored = StoredRuns(Path({str(path)!r}))
for number in range(20):
    stored.start(f"w{{number}}")
stored.database.writer.execute("BEGIN IMMEDIATE")
stored.database.writer.execute("DELETE FROM runs")
os.kill(os.getpid(), signal.SIGKILL)
"""
    finished = subprocess.run([sys.executable, "-c", program], timeout=60, cwd=Path(__file__).parents[2])
    assert finished.returncode == -9
    assert path.with_name(path.name + "-wal").stat().st_size > 0
    assert lock_path(path).exists()
    database = open_database(path, {})
    assert database.writer.execute("SELECT count(*) FROM runs").fetchone() == (20,)
    database.close()


def test_views_are_readable_with_the_sqlite3_module(path: Path) -> None:
    with StoredRuns(path) as stored:
        stored.start("order-1", run_key=7)
        for _ in range(2):  # they are made anew at every start
            create_views(stored.database.writer)
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    (workflow,) = connection.execute("SELECT * FROM workflows").fetchall()
    assert (workflow["namespace"], workflow["workflow_id"], workflow["status"]) == ("default", "order-1", "Running")
    assert workflow["start_time"].endswith("Z")
    assert workflow["close_time"] is None
    assert workflow["history_length"] == 2
    events = connection.execute("SELECT event_id, event_type, event_time FROM history ORDER BY event_id").fetchall()
    assert [tuple(event)[:2] for event in events] == [(1, "WorkflowExecutionStarted"), (2, "WorkflowTaskScheduled")]
    connection.close()


def test_close_can_follow_a_writer_that_is_gone(path: Path) -> None:
    database: Database = open_database(path, {})
    database.writer.close()
    database.close()
    open_database(path, {}).close()
