"""The processes of the demo: a server, a worker and the `dx` commands, in one temporary folder."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("worker.py")
# Long enough to be killed in the middle of a call.
LATENCY_SECONDS = "2.5"
READY_TIMEOUT_SECONDS = 20


class DemoError(Exception):
    """Something did not go as the demo promises; the message says what."""


class Stage:
    """Starts, kills and asks; `close` ends everything that is still running."""

    def __init__(self, folder: Path) -> None:
        """Keep the database, the ledger and the logs in `folder`."""
        self.folder = folder
        self.address = f"127.0.0.1:{_find_free_port()}"
        self.database = folder / "history.db"
        self._ledger = folder / "ledger.jsonl"
        self._server: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        # The user's own settings must not lead the demo to another server.
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        empty_config = folder / "temporal.toml"
        empty_config.touch()
        self._environment |= {
            "TEMPORAL_ADDRESS": self.address,
            "TEMPORAL_CONFIG_FILE": str(empty_config),
            "ORDER_LEDGER": str(self._ledger),
            "ORDER_LATENCY_SECONDS": LATENCY_SECONDS,
        }

    def server_command(self) -> list[str]:
        """Return the words after `dx` that start the server."""
        ip, port = self.address.split(":")
        return ["server", "start-dev", "--ip", ip, "--port", port, "--headless", "--db-filename", str(self.database)]

    def start_server(self) -> int:
        """Start the server, wait until it takes connections, return its pid."""
        self._server = self._start("server", [*_dx(), *self.server_command()])
        until = time.monotonic() + READY_TIMEOUT_SECONDS
        while not self._takes_connections():
            self.check_alive()
            if time.monotonic() > until:
                raise DemoError(f"the server did not get ready:\n{self._log_tail('server')}")
            time.sleep(0.02)
        return self._server.pid

    def start_worker(self) -> int:
        """Start the worker and return its pid."""
        self._worker = self._start("worker", [sys.executable, str(WORKER)])
        return self._worker.pid

    def kill_server(self) -> None:
        """SIGKILL the server."""
        self._server = self._kill("server", self._server)

    def kill_worker(self) -> None:
        """SIGKILL the worker."""
        self._worker = self._kill("worker", self._worker)

    def check_alive(self) -> None:
        """Raise if a process has ended that the demo did not kill."""
        for name, process in (("server", self._server), ("worker", self._worker)):
            if process and process.poll() is not None:
                raise DemoError(f"the {name} ended by itself ({process.returncode}):\n{self._log_tail(name)}")

    def dx(self, *words: str) -> str:
        """Run a `dx` command and return what it printed."""
        try:
            done = subprocess.run(
                [*_dx(), *words], env=self._environment, cwd=self.folder, capture_output=True, text=True, timeout=40
            )
        except subprocess.TimeoutExpired:
            raise DemoError(f"`dx {' '.join(words)}` gave no answer within 40 seconds") from None
        if done.returncode != 0:
            raise DemoError(f"`dx {' '.join(words)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def history(self, workflow_id: str) -> list[dict[str, Any]]:
        """Return the events of the workflow's history."""
        return self._dx_json("workflow", "show", "--workflow-id", workflow_id)["events"]

    def result(self, workflow_id: str) -> Any:
        """Return the workflow's result."""
        return self._dx_json("workflow", "result", "--workflow-id", workflow_id)["result"]

    def ledger(self) -> list[dict[str, Any]]:
        """Return the lines of the ledger; one that is just being written waits for the next time."""
        if not self._ledger.exists():
            return []
        return [json.loads(line) for line in self._ledger.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def close(self) -> None:
        """End whatever is running."""
        for process in (self._worker, self._server):
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(2)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _takes_connections(self) -> bool:
        ip, port = self.address.split(":")
        try:
            socket.create_connection((ip, int(port)), timeout=1).close()
        except OSError:
            return False
        return True

    def _dx_json(self, *words: str) -> Any:
        output = self.dx(*words, "--output", "json")
        try:
            return json.loads(output)
        except ValueError:
            raise DemoError(f"`dx {' '.join(words)}` did not print JSON:\n{output}") from None

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with self._log(name).open("ab") as log:
            return subprocess.Popen(
                command,
                env=self._environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _kill(self, name: str, process: subprocess.Popen[bytes] | None) -> None:
        if process is None or process.poll() is not None:
            raise DemoError(f"there is no {name} to kill:\n{self._log_tail(name)}")
        process.kill()
        process.wait()

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _log_tail(self, name: str) -> str:
        return "\n".join(self._log(name).read_text(errors="replace").splitlines()[-15:])


def _dx() -> list[str]:
    return [sys.executable, "-m", "durable_cli"]


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
