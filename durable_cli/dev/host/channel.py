"""The two ends of the protocol: commands come in on what was stdin, events leave on a pipe of their own.

The user's code, and what it starts, gets neither: file descriptor 0 is empty for it, and the pipes are not inherited.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

EVENTS_FD = "DX_EVENTS_FD"


class Channel:
    """Commands and events; the process ends at once when nobody commands it any more."""

    def __init__(self) -> None:
        self._events_fd = int(os.environ.pop(EVENTS_FD))
        os.set_inheritable(self._events_fd, False)
        self._commands_fd = os.dup(0)
        empty = os.open(os.devnull, os.O_RDONLY)
        os.dup2(empty, 0)
        os.close(empty)
        self._lock = threading.Lock()
        self._commands: queue.Queue[dict[str, Any]] = queue.Queue()
        self._waiting = ThreadPoolExecutor(1, thread_name_prefix="dx_commands_")
        threading.Thread(target=self._read, name="dx_reader", daemon=True).start()

    def send(self, event: str, **values: Any) -> None:
        """Write one event."""
        data = json.dumps({"event": event, **values}).encode() + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._events_fd, data) :]

    def receive(self) -> dict[str, Any]:
        """Wait for the next command; blocks."""
        return self._commands.get()

    async def receive_async(self) -> dict[str, Any]:
        """Wait for the next command."""
        return await asyncio.get_running_loop().run_in_executor(self._waiting, self._commands.get)

    def _read(self) -> None:
        # A thread of its own: the end must be noticed while the user's code blocks the event loop, too.
        with os.fdopen(self._commands_fd, "rb") as commands:
            for line in commands:
                self._commands.put(json.loads(line))
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)
