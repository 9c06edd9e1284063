"""Database files of servers "in memory": each in a folder of its own that nobody needs once its server is gone.

A server that is killed leaves its folder behind, and some SDKs end their test servers in no other way: the next server
removes what it finds. Whether a server lives is told by its lock, which the system gives up when the process ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["FILE_NAME", "make_folder", "remove_abandoned"]

FILE_NAME = "history.db"
_PREFIX = "dx-memory-"
_LOCK_NAME = f"{FILE_NAME}-lock"
# A younger one may belong to a server that is just about to take its lock.
_YOUNG_SECONDS = 10.0
# So that a start stays quick, however many there are; the next one goes on.
_MOST_AT_ONCE = 20


def make_folder() -> Path:
    """Make a folder for a private file."""
    return Path(tempfile.mkdtemp(prefix=_PREFIX))


def remove_abandoned() -> None:
    """Remove the folders of servers that were killed; what can't be removed stays."""
    for folder in itertools.islice(_find_abandoned(), _MOST_AT_ONCE):
        shutil.rmtree(folder, ignore_errors=True)


def _find_abandoned() -> Iterator[Path]:
    with os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX):
                with contextlib.suppress(OSError):
                    folder = Path(entry.path)
                    if _is_abandoned(folder / _LOCK_NAME):
                        yield folder


def _is_abandoned(lock: Path) -> bool:
    """Say whether nobody holds the lock; OSError where there is none, or it belongs to someone else."""
    if time.time() - lock.stat().st_mtime < _YOUNG_SECONDS:
        return False
    lock_fd = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock_fd)
    return True
