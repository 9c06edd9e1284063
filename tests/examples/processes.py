"""Run the commands of the examples, as a user would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Finished:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


def run(
    command: Sequence[str], *, cwd: Path, timeout_seconds: float, environment: Mapping[str, str] | None = None
) -> Finished:
    """Run a command to its end; one that takes too long is killed with everything that it started."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        raise AssertionError(f"{' '.join(command)} took too long\n{stdout}\n{stderr}") from None
    return Finished(process.returncode, stdout, stderr)


@dataclass
class Example:
    """An example whose worker is running; both keep to `scratch`, and the worker writes to `worker_log`."""

    folder: Path
    scratch: Path
    environment: Mapping[str, str]

    @property
    def worker_log(self) -> Path:
        return self.scratch / "worker.log"

    def main(self, *words: str) -> Finished:
        """Run `main.py` to its end."""
        command = [sys.executable, str(self.folder / "main.py"), *words]
        return run(command, cwd=self.scratch, timeout_seconds=90, environment=self.environment)


@contextmanager
def working(folder: Path, address: str, scratch: Path) -> Iterator[Example]:
    """Run an example's `worker.py` until the block ends; one that ends by itself fails the test with its log."""
    empty_config = scratch / "temporal.toml"
    empty_config.touch()
    example = Example(folder, scratch, {"TEMPORAL_ADDRESS": address, "TEMPORAL_CONFIG_FILE": str(empty_config)})
    with example.worker_log.open("ab") as output:
        worker = subprocess.Popen(
            [sys.executable, str(folder / "worker.py")],
            cwd=scratch,
            env={**os.environ, **example.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield example
        assert worker.poll() is None, example.worker_log.read_text()
    finally:
        worker.kill()
        worker.wait()
