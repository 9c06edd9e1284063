"""Open the database file: one writer connection, a lock against a second server, read-only connections beside it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from engine.store.checkpoint import Checkpoints
from engine.store.migration_functions import create_migration_functions
from engine.store.private_file import FILE_NAME, make_folder, remove_abandoned
from engine.store.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION

__all__ = ["Database", "DatabaseError", "open_database"]

PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "normal",
    "cache_size": "-16000",
    "temp_store": "memory",
    "wal_autocheckpoint": "0",  # see checkpoint.py
}
ALLOWED_PRAGMAS = frozenset({*PRAGMAS, "busy_timeout", "journal_size_limit", "mmap_size"})


class DatabaseError(Exception):
    """The file can't be used; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Database:
    """An open database file.

    `writer` is the one connection that writes; it has no implicit transactions.
    """

    def __init__(self, path: Path, writer: sqlite3.Connection, lock_fd: int, folder: Path | None) -> None:
        self.path = path
        self.writer = writer
        self._lock_fd = lock_fd
        self._folder = folder
        (synchronous,) = writer.execute("PRAGMA synchronous").fetchone()
        self._checkpoints = Checkpoints(path, str(synchronous))

    def connect_reader(self) -> sqlite3.Connection:
        """Return a new read-only connection."""
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=64)

    def note_commit(self, written_runs: int) -> None:
        """Count a commit, for the log to be checkpointed in time."""
        self._checkpoints.note_commit(written_runs)

    def close(self) -> None:
        """Checkpoint and close; a private file is removed."""
        self._checkpoints.stop()
        with contextlib.suppress(sqlite3.Error):
            self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.writer.close()
        if self._folder is not None:
            for file in self._folder.iterdir():
                file.unlink()
            self._folder.rmdir()
        else:
            lock_path(self.path).unlink(missing_ok=True)
        os.close(self._lock_fd)


def lock_path(path: Path) -> Path:
    """Return the lock file beside a database file."""
    return path.with_name(path.name + "-lock")


def open_database(path: Path | None, pragmas: Mapping[str, str]) -> Database:
    """Open `path`, creating or migrating it; None makes a private temporary file.

    Raises:
        DatabaseError: not readable, not a dx database, of a newer version, or in use by another server.
    """
    unknown = sorted(set(pragmas) - ALLOWED_PRAGMAS)
    if unknown:
        allowed = ", ".join(sorted(ALLOWED_PRAGMAS))
        raise DatabaseError(f"SQLite pragma {unknown[0]!r} can't be set here", f"use one of: {allowed}")
    folder = None
    if path is None:
        remove_abandoned()
        folder = make_folder()
        path = folder / FILE_NAME
        pragmas = {"synchronous": "off", **pragmas}
    elif not path.parent.is_dir():
        raise DatabaseError(f"the folder of the database file does not exist: {path.parent}", "create it first")
    elif path.is_dir():
        raise DatabaseError(f"the database file is a folder: {path}", "name a file in it")
    lock_fd = _lock(path)
    try:
        writer = _open_writer(path, {**PRAGMAS, **pragmas})
    except BaseException:
        lock_path(path).unlink(missing_ok=True)
        os.close(lock_fd)
        if folder is not None:
            shutil.rmtree(folder)
        raise
    return Database(path, writer, lock_fd, folder)


def _lock(path: Path) -> int:
    try:
        lock_fd = os.open(lock_path(path), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DatabaseError(
            f"can't write beside the database file {path}: {error.strerror}", "check its folder's permissions"
        ) from None
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock_fd)
        raise DatabaseError(
            f"another server uses the database file {path}", "stop it first, or give this one another --db-filename"
        ) from None
    return lock_fd


def _open_writer(path: Path, pragmas: Mapping[str, str]) -> sqlite3.Connection:
    try:
        if path.exists():
            _check_header(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    except (sqlite3.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DatabaseError(f"can't open the database file {path}: {reason}", "check its permissions") from None
    try:
        _check_owner(connection, path)
        for name, value in pragmas.items():
            if not value.lstrip("-").isalnum():
                raise DatabaseError(f"bad value of SQLite pragma {name}: {value!r}", "give a word or a number")
            connection.execute(f"PRAGMA {name}={value}")
        _migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        raise DatabaseError(
            f"can't use the database file {path}: {error}", "check that it is writable and not damaged"
        ) from None
    except DatabaseError:
        connection.close()
        raise
    return connection


def _check_header(path: Path) -> None:
    # SQLite would open a read-only file without a word, and fail at the first write.
    with path.open("r+b") as file:
        header = file.read(18)
        size = file.seek(0, os.SEEK_END)
    if header and header[:16] != b"SQLite format 3\0":
        raise DatabaseError(f"{path} is not a SQLite database", "name another file with --db-filename")
    # SQLite would take a file without a whole first page for an empty one. (A page size of 1 means 65,536.)
    page_size = int.from_bytes(header[16:18], "big")
    if header and size < max(512, 65_536 if page_size == 1 else page_size):
        raise DatabaseError(
            f"{path} is cut off inside its first page", "restore it, or name another file; it was not touched"
        )


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not ours or too new, without writing to it."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application_id != APPLICATION_ID and (tables or application_id):
        raise DatabaseError(
            f"{path} is a SQLite database of another program",
            "name another file with --db-filename; it was not touched",
        )
    if version > SCHEMA_VERSION:
        raise DatabaseError(
            f"{path} was written by a newer dx (schema {version}, this one knows {SCHEMA_VERSION})",
            "upgrade dx, or name another file; it was not touched",
        )


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    create_migration_functions(connection)
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script}; PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={number}; COMMIT;"
        )
