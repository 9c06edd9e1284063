"""A real terminal: tmux runs a program in it, keys are typed, the screen is read."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.server_process import PROJECT_FOLDER

__all__ = ["Terminal", "needs_tmux", "terminal"]

PATIENCE_SECONDS = 60.0


def needs_tmux(test: object) -> object:
    """Mark a test that runs in a terminal."""
    skip = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
    return pytest.mark.needs_tmux(skip(test))


class Terminal:
    """One tmux server with one window."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    def tmux(self, *words: str) -> str:
        """Run a tmux command, and return what it prints."""
        command = ["tmux", "-L", self._socket, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout

    def press(self, *keys: str, pane: int = 0) -> None:
        """Press keys by tmux's names, such as `q`, `Enter`, `C-c`."""
        self.tmux("send-keys", "-t", f"0.{pane}", *keys)

    def screen(self, pane: int = 0) -> str:
        """Return what the screen shows."""
        return self.tmux("capture-pane", "-p", "-t", f"0.{pane}")

    def pane_count(self) -> int:
        return len(self.tmux("list-panes", "-t", "0").splitlines())

    def resize(self, columns: int, lines: int) -> None:
        """Make the window another size; a busy tmux now and then has to be told again."""
        until = time.monotonic() + PATIENCE_SECONDS
        size = f"{columns}x{lines}"
        while self.tmux("display-message", "-p", "-t", "0", "#{pane_width}x#{pane_height}").strip() != size:
            assert time.monotonic() < until, f"never {size}"
            self.tmux("resize-window", "-t", "0", "-x", str(columns), "-y", str(lines))
            time.sleep(0.2)

    def wait_for(self, text: str, pane: int = 0) -> str:
        """Wait until the screen shows a text; return the screen."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            screen = self.screen(pane) if pane < self.pane_count() else ""
            if text in screen:
                return screen
            assert time.monotonic() < until, f"never shown: {text}\n{screen}"
            time.sleep(0.05)


@contextmanager
def terminal(folder: Path, command: Sequence[str], *, columns: int = 120, lines: int = 30) -> Iterator[Terminal]:
    """Run a command in a terminal of its own; the shell below it shows its exit code as `exit N`."""
    socket = f"dx-{uuid.uuid4().hex[:8]}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "TMUX"))}
    environment |= {"PYTHONPATH": str(PROJECT_FOLDER), "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": str(folder)}
    words = ["tmux", "-L", socket, "-f", os.devnull, "new-session", "-d", "-x", str(columns), "-y", str(lines)]
    script = 'trap : INT; cd "$0" && "$@"; echo "exit $?"; exec sleep 600'
    subprocess.run([*words, "sh", "-c", script, str(folder), *command], env=environment, check=True, timeout=30)
    one = Terminal(socket)
    try:
        yield one
    finally:
        subprocess.run(["tmux", "-L", socket, "kill-server"], capture_output=True, timeout=30)
