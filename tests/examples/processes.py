"""Run the commands of the examples, as a user would."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
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
