"""Ends what dx has started once dx is gone, however it went: a small process that imports only the standard library.

It runs as a script, in two ways:

- `guard.py watch FD` reads lines from a pipe that only dx holds open: `+N` and `-N` name process groups, `tty PATH` a
  terminal that dx reads keys from, `now` kills all groups at once. At the end of the pipe dx is gone: what is left of
  the groups is ended, and the terminal echoes again.
- `guard.py run FD WORD…` writes its own process group to the pipe and becomes the command. So a command is known to the
  guard before it does anything, and dx can't die in between.
"""

from __future__ import annotations

import os
import signal
import sys
import termios
import time
from contextlib import suppress

__all__ = ["become", "end_groups", "watch"]

GRACE_SECONDS = 3.0
POLL_SECONDS = 0.02
EXIT_NOT_FOUND = 127
EXIT_NOT_EXECUTABLE = 126


def watch(pipe: int) -> None:
    """Follow which groups there are until the pipe ends, then end them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    terminal = ""
    rest = b""
    while chunk := os.read(pipe, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            word = line.decode()
            if word.startswith("+"):
                groups.add(int(word))
            elif word.startswith("-"):
                groups.discard(-int(word))
            elif word.startswith("tty"):
                terminal = word[4:]
            elif word == "now":
                end_groups(groups, grace_seconds=0)
                return
    if terminal:
        restore_terminal(terminal)
    end_groups(groups)


def end_groups(groups: set[int], grace_seconds: float = GRACE_SECONDS) -> None:
    """Send SIGTERM to the groups, and SIGKILL to those that are still there after the grace time."""
    left = {group for group in groups if send(group, signal.SIGTERM)}
    until = time.monotonic() + grace_seconds
    while left and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Send a signal to a process group; False when there is no such group any more."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says this of a group that holds only ended processes
        return False
    return True


def restore_terminal(path: str) -> None:
    """Let a terminal echo and take whole lines again."""
    with suppress(OSError, termios.error):
        terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
        attributes = termios.tcgetattr(terminal)
        attributes[3] |= termios.ECHO | termios.ICANON
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)
        os.close(terminal)


def become(pipe: int, words: list[str]) -> None:
    """Write the own group to the pipe, then become the command."""
    os.set_inheritable(pipe, False)
    try:
        os.write(pipe, b"+%d\n" % os.getpgrp())
    except BrokenPipeError:
        leave(EXIT_NOT_EXECUTABLE, "the guard of dx was killed; start dx again")
    try:
        os.execvp(words[0], words)
    except FileNotFoundError:
        leave(EXIT_NOT_FOUND, f"there is no command {words[0]!r}")
    except OSError as error:
        leave(EXIT_NOT_EXECUTABLE, f"{words[0]!r} can't be run: {error.strerror}")


def leave(code: int, message: str) -> None:
    """Say why the command did not start, and exit."""
    sys.stderr.write(f"{message}\n")
    sys.exit(code)


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(int(sys.argv[2]))
    else:
        become(int(sys.argv[2]), sys.argv[3:])
