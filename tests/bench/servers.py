"""Start the servers that are compared, and read what a process uses."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

from tests.support.server_process import ServerProcess, find_free_port, launch_dx, launch_reference

from .http2 import CallError, Connection

KINDS = ("dx", "reference")
STORAGES = ("memory", "file", "file, full")


@dataclass(frozen=True)
class Server:
    """A running server: which `kind`, on which `storage`, and its file (None in memory)."""

    kind: str
    storage: str
    process: ServerProcess
    db_filename: Path | None

    @property
    def address(self) -> str:
        return self.process.address

    def cpu_seconds(self) -> float:
        """Return the CPU time of all threads since the start."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def rss_bytes(self) -> int:
        """Return the resident memory."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def end(self) -> None:
        """End the server; the reference, which takes a second to stop, without ceremony."""
        if self.kind == "reference":
            self.process.kill()
        else:
            self.process.stop()

    def stop_and_measure_file_bytes(self) -> int:
        """Stop the server, move its write-ahead log into the file, and return the file's size."""
        self.process.stop()
        assert self.db_filename is not None
        connection = sqlite3.connect(self.db_filename)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return self.db_filename.stat().st_size


def launch(kind: str, storage: str, folder: Path, db_filename: Path | None = None, port: int | None = None) -> Server:
    """Start a server of `kind` on a fresh `storage`, or on the file `db_filename`; the caller ends it."""
    arguments: list[str] = []
    if storage != "memory":
        db_filename = db_filename or Path(tempfile.mkdtemp(dir=folder)) / "history.db"
        arguments = ["--sqlite-pragma", f"synchronous={'full' if storage == 'file, full' else 'normal'}"]
    start = launch_dx if kind == "dx" else launch_reference
    return Server(kind, storage, start(folder, *arguments, db_filename=db_filename, port=port), db_filename)


@contextmanager
def launched(kinds: Sequence[str], storages: Sequence[str], folder: Path) -> Iterator[list[Server]]:
    """Run one fresh server per storage and kind, side by side; all end with the block."""
    servers: list[Server] = []
    try:
        for storage in storages:
            servers.extend(launch(kind, storage, folder) for kind in kinds)
        yield servers
    finally:
        for server in servers:
            server.end()


async def answers(address: str) -> bool:
    """Tell whether the server at `address` answers GetSystemInfo now."""
    try:
        connection = await Connection.open(address)
    except OSError:
        return False
    try:
        await asyncio.wait_for(connection.call("GetSystemInfo", GetSystemInfoRequest()), 1)
    except (CallError, TimeoutError):
        return False
    finally:
        connection.close()
    return True


async def seconds_to_ready(kind: str, storage: str, folder: Path) -> float:
    """Start a fresh server, end it, and return the seconds from the start of its process to its first answer."""
    port = find_free_port()
    started = time.perf_counter()
    launching = asyncio.create_task(asyncio.to_thread(launch, kind, storage, folder, port=port))
    while not await answers(f"127.0.0.1:{port}") and not (launching.done() and launching.exception()):  # noqa: ASYNC110 (the port is all there is to watch)
        await asyncio.sleep(0.005)
    seconds = time.perf_counter() - started
    server = await launching
    server.end()
    return seconds
