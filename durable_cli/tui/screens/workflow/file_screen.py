"""A run whose history is in a file: all views of it that need no server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from durable_cli.tui.feed.history_file import FileWatch
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.workflow.screen import WorkflowScreen

__all__ = ["FileScreen"]


class FileScreen(WorkflowScreen):
    """The history in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.stem, "")
        self._file_watch = self._history_watch = FileWatch(path, self.post_message)

    def make_watches(self) -> Iterable[Watch]:
        yield self._file_watch.run

    def action_back(self) -> None:
        self.notify("q quits; there is nothing behind a history from a file")
