"""The terminal's keys, one at a time and without echo; the terminal is as before when that ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Callable
from contextlib import suppress
from typing import Any

__all__ = ["Terminal", "has_terminal"]

ESCAPE = "\x1b"


def has_terminal() -> bool:
    """Whether a person is there: stdin and stdout are a terminal, and dx is in its foreground."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return False


class Terminal:
    """Reads keys from stdin while it is open; Ctrl-C and Ctrl-Z stay signals."""

    def __init__(self, on_key: Callable[[str], None]) -> None:
        self._on_key = on_key
        self._fd = sys.stdin.fileno()
        self._saved: list[Any] | None = None

    @property
    def path(self) -> str:
        """The terminal's device, for the guard."""
        return os.ttyname(self._fd)

    def open(self) -> None:
        """Begin to read keys."""
        self._saved = termios.tcgetattr(self._fd)
        tty.setcbreak(self._fd, termios.TCSANOW)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._fd, self._read)
        loop.add_signal_handler(signal.SIGCONT, self._resume)

    def lend(self) -> None:
        """Let another program have the keys; the terminal is as it was before `open`."""
        asyncio.get_running_loop().remove_reader(self._fd)
        if self._saved is not None:
            termios.tcsetattr(self._fd, termios.TCSANOW, self._saved)

    def take_back(self) -> None:
        """Read keys again."""
        if self._saved is not None:
            with suppress(termios.error):
                tty.setcbreak(self._fd, termios.TCSANOW)
            asyncio.get_running_loop().add_reader(self._fd, self._read)

    def close(self) -> None:
        """Leave the terminal as it was."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._fd)
        loop.remove_signal_handler(signal.SIGCONT)
        if self._saved is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._fd, termios.TCSANOW, self._saved)
            self._saved = None

    def _resume(self) -> None:
        """Take the keys again after Ctrl-Z and `fg`: the shell has set the terminal its own way."""
        with suppress(termios.error):
            tty.setcbreak(self._fd, termios.TCSANOW)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, 1024)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._fd)
            return
        text = data.decode(errors="ignore")
        if text.startswith(ESCAPE):
            # Arrows and function keys come as sequences, and mean nothing here.
            text = ESCAPE if text == ESCAPE else ""
        for key in text:
            self._on_key(key)
