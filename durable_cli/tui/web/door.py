"""The web page of a server that nobody may ever look at.

The port is open at once; the page's process comes with the first visitor.

This is on the way to a ready server, so nothing but the standard library is imported.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

__all__ = ["Door", "end_with_stdin"]

AGAIN_SECONDS = 1.0


class Door:
    """A listening port; the first connection to it starts `dx ui`, which takes the port over."""

    def __init__(self, ip: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: the port can't be had.
        """
        self._listener = socket.create_server((ip, port))
        self.port: int = self._listener.getsockname()[1]

    def watch(self, options: Sequence[str]) -> None:
        """Wait for the first visitor, in the background; when the page's process dies, wait for the next one."""
        threading.Thread(target=self._watch, args=(options,), name="ui-door", daemon=True).start()

    def _watch(self, options: Sequence[str]) -> None:
        while True:
            select.select([self._listener], [], [])
            command = [sys.executable, "-m", "durable_cli", "ui", "--listen-fd", str(self._listener.fileno())]
            # Its standard input is a pipe that closes with this process, however that ends: then it ends, too.
            page = subprocess.Popen(
                [*command, *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[self._listener.fileno()],
                start_new_session=True,
            )
            page.wait()
            time.sleep(AGAIN_SECONDS)


def end_with_stdin() -> None:
    """End this process, with all that it started, as soon as its standard input closes."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.killpg(0, 15)

    threading.Thread(target=wait, name="end-with-stdin", daemon=True).start()
