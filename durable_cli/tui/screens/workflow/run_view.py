"""What every view of a run has: the run's book, and what is selected in the view."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from textual.containers import Vertical
from textual.widget import Widget

from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.run_book import RunBook
from durable_cli.tui.screens.workflow.detail_pane import DetailPane

if TYPE_CHECKING:
    from durable_cli.tui.feed.link import Link
    from durable_cli.tui.screens.workflow.screen import WorkflowScreen

__all__ = ["RunView"]

READING_ACTIONS = frozenset({"open_whole", "copy_value", "copy_event", "copy_result", "copy_input", "export"})


class RunView(Vertical):
    """A view of one run. It is told of news while it is shown, and of everything once when it is shown again."""

    BINDING_GROUP_TITLE = "This view"
    DEFAULT_CSS = "RunView { height: 1fr; }"

    @property
    def run_screen(self) -> WorkflowScreen:
        """The screen that the view is on."""
        return cast("WorkflowScreen", self.screen)

    @property
    def book(self) -> RunBook:
        """What is known of the run."""
        return self.run_screen.book

    @property
    def browser_link(self) -> Link:
        """The server."""
        return self.run_screen.browser.link

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing to read, copy or save of a run that is not there."""
        if action in READING_ACTIONS and self.run_screen.lacks(self.run_screen.target_run):
            return False
        return super().check_action(action, parameters)

    @property
    def palette(self) -> dict[str, str]:
        """The colours of the theme."""
        return self.app.theme_variables

    @property
    def is_left(self) -> bool:
        """Whether it is being taken away, alone or with its screen."""
        return not self.is_attached or self.run_screen.is_left

    @property
    def main_widget(self) -> Widget:
        """What takes the keys when the view is opened."""
        return next(widget for widget in self.query("*") if widget.focusable)

    def on_resize(self) -> None:
        # A view has one pane of details, or none.
        for pane in self.query(DetailPane):
            self.set_class(pane.place(self.size.width), "-beside")

    def show_run(self) -> None:
        """Show the run as it is now: the view is opened."""

    def show_events(self, changed: Collection[Group]) -> None:
        """Show further events; `changed` are the older groups that they belong to."""

    def show_decoded(self, changed: Collection[Group]) -> None:
        """Show payloads that could not be decoded before."""
        self.show_events(changed)

    def show_summary(self) -> None:
        """Show what the server says now."""

    def try_again(self) -> None:
        """Ask again for what could not be had: the server is back."""

    def tick(self) -> None:
        """Let the time go on, once a second while the run is open."""

    def show_theme(self) -> None:
        """Write again what was written in the colours of another theme."""

    def selected_group(self) -> Group | None:
        """Return the group under the cursor."""
        return None

    def selected_event_id(self) -> int | None:
        """Return the event under the cursor, or the one that opened the group under it."""
        group = self.selected_group()
        return group.opened_event_id if group else None
