"""The history browser of `dx dev`: beside the log where tmux can split the window, else in the log's place."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from durable_cli.dev.events import Note
from durable_cli.dev.report import Reporter
from durable_cli.dev.terminal import Terminal
from durable_cli.dev.view.view import View

__all__ = ["Browser"]


class Browser:
    """Opens `dx tui` on the server that dx works with.

    Args:
        find_options: gives the words that say which server that is.
        terminal: whose keys the browser has while it is in the log's place.
    """

    def __init__(self, view: View, dx: Reporter, terminal: Terminal, find_options: Callable[[], Sequence[str]]) -> None:
        self._view = view
        self._dx = dx
        self._terminal = terminal
        self._find_options = find_options
        self._process: asyncio.subprocess.Process | None = None
        self._pane = ""

    async def open(self, *words: str, beside: bool = False) -> None:
        """Open it with these further words of `dx tui`; when it has the log's place, return once it is left."""
        command = [sys.executable, "-P", "-m", "durable_cli", "tui", *self._find_options(), *words]
        if "TMUX" in os.environ and beside:
            await self._open_beside(command)
        elif self._process is None:
            await self._open_in_place(command)

    async def _open_beside(self, command: Sequence[str]) -> None:
        try:
            tmux = await asyncio.create_subprocess_exec(
                *("tmux", "split-window", "-h", "-d", "-P", "-F", "#{pane_id}", *command),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            pane, said = await tmux.communicate()
            self._pane = pane.decode().strip()
        except OSError as error:
            said, code = str(error).encode(), 1
        else:
            code = tmux.returncode or 0
        if code:
            reason = said.decode(errors="replace").strip()
            self._dx.tell(Note(f"tmux opens no pane for the browser: {reason}; press o to open it here", "warn"))

    async def _open_in_place(self, command: Sequence[str]) -> None:
        # The browser ends when this pipe closes, so it does not outlive dx, however that ends.
        reading, writing = os.pipe()
        self._terminal.lend()
        try:
            with self._view.held():
                self._process = await asyncio.create_subprocess_exec(
                    *command, "--end-with-fd", str(reading), pass_fds=[reading]
                )
                os.close(reading)
                code = await self._process.wait()
        finally:
            self._process = None
            os.close(writing)
            self._terminal.take_back()
        if code:
            self._dx.tell(Note(f"the browser ended with exit code {code}", "warn"))

    async def close(self) -> None:
        """Leave the browser: in the log's place, and beside it."""
        if self._pane:
            await self._close_pane()
        process = self._process
        if process is not None:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    async def _close_pane(self) -> None:
        """Close the pane beside the log; it may be gone already, and tmux too."""
        quiet = asyncio.subprocess.DEVNULL
        with suppress(OSError):
            tmux = await asyncio.create_subprocess_exec(
                "tmux", "kill-pane", "-t", self._pane, stdout=quiet, stderr=quiet
            )
            await tmux.wait()
