"""A run whose history is in a file: all views of it that need no server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from textual.binding import ActiveBinding

from durable_cli.tui.feed.history_file import FileWatch
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.workflow.screen import WorkflowScreen

__all__ = ["FileScreen"]

OF_OTHER_RUNS = frozenset({"query", "open_related"})


class FileScreen(WorkflowScreen):
    """The history in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.stem, "")
        self._file_watch = self._history_watch = FileWatch(path, self.post_message)

    def make_watches(self) -> Iterable[Watch]:
        yield self._file_watch.run

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing that needs a server."""
        return action not in OF_OTHER_RUNS and super().check_action(action, parameters)

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """What keys and menus offer here: not the ways to other runs, whose keys only say that there are none."""
        _, _, view = self.opened_run()
        hidden = {"back", "activate"} if view == "relations" else {"back"}
        return {key: each for key, each in super().active_bindings.items() if each.binding.action not in hidden}

    def open_run(self, workflow_id: str, run_id: str, view: str = "timeline") -> None:
        self.notify(self.browser.link.absence, title="that run is not here")

    def action_back(self) -> None:
        self.notify("q quits; there is nothing behind a history from a file")
