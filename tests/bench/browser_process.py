"""The history browser as a process in a terminal of its own: what it paints is read, keys are pressed."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

__all__ = ["BrowserProcess", "browser_process"]

COLUMNS, LINES = 140, 45
QUIET_SECONDS = 0.004
"""A paint is over when nothing more was written for so long."""
PATIENCE_SECONDS = 60.0


class BrowserProcess:
    """A running `dx tui`; `started` is when its process was (perf_counter)."""

    def __init__(self, terminal_fd: int, process: subprocess.Popen[bytes], started: float) -> None:
        self._terminal_fd = terminal_fd
        self._process = psutil.Process(process.pid)
        self.started = started

    def _read(self, timeout_seconds: float) -> bytes:
        if not select.select([self._terminal_fd], [], [], timeout_seconds)[0]:
            return b""
        return os.read(self._terminal_fd, 1 << 20)

    def wait_for(self, text: str) -> float:
        """Read until a text was painted; return the time of it.

        Raises:
            RuntimeError: it never was.
        """
        painted, until = b"", time.perf_counter() + PATIENCE_SECONDS
        while text.encode() not in painted:
            if time.perf_counter() > until:
                raise RuntimeError(f"the browser never painted {text!r}: {painted[-2000:].decode(errors='replace')}")
            painted += self._read(0.1)
        return time.perf_counter()

    def settle(self, seconds: float) -> None:
        """Let the browser be for so long."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self._read(left)

    def press(self, key: str) -> float:
        """Press a key, and return the seconds until what it changes is painted.

        Raises:
            RuntimeError: nothing is.
        """
        while self._read(0):
            pass
        pressed = painted = time.perf_counter()
        os.write(self._terminal_fd, key.encode())
        if not self._read(PATIENCE_SECONDS):
            raise RuntimeError(f"the browser painted nothing for {key!r}")
        painted = time.perf_counter()
        while self._read(QUIET_SECONDS):
            painted = time.perf_counter()
        return painted - pressed

    def cpu_seconds(self) -> float:
        """Return the CPU time of all threads since the start."""
        times = self._process.cpu_times()
        return times.user + times.system

    def rss_bytes(self) -> int:
        """Return the resident memory."""
        return int(self._process.memory_info().rss)


@contextmanager
def browser_process(address: str, *arguments: str) -> Iterator[BrowserProcess]:
    """Run `dx tui` on a server; it ends with the block."""
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "durable_cli", "tui", "--address", address, "--disable-config-env", *arguments]
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env=environment, start_new_session=True)
    os.close(far)
    try:
        yield BrowserProcess(near, process, started)
    finally:
        process.kill()
        process.wait()
        os.close(near)
