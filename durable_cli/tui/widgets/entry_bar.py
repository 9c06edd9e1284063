"""Bars in which something is typed that enter takes and escape leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from durable_cli.tui.widgets.line_input import LineInput

__all__ = ["EntryBar", "SearchBar"]


class EntryBar(LineInput):
    """Takes keys in the order in which they come, however fast.

    Keys that follow enter or escape before it is worked off are dropped: they are no part of what was typed, and too
    early for whoever typed them to have seen what they would do.
    """

    def __init__(self, take: Callable[[str], None], leave: Callable[[], None], *, id: str, placeholder: str) -> None:
        # What stands in it is gone on with, not replaced.
        super().__init__(id=id, placeholder=placeholder, compact=True, select_on_focus=False)
        self._take_text = take
        self._leave = leave

    async def action_submit(self) -> None:
        """Take what is typed."""
        self._take_text(self.value.strip())

    def action_leave(self) -> None:
        """Leave it as it was."""
        self._leave()

    async def on_key(self, event: events.Key) -> None:
        if self.screen.focused is not self:
            event.stop()
            event.prevent_default()
            return
        bindings = self._bindings.key_to_bindings.get(event.key)
        if bindings and not event.is_printable:
            # Textual would do it once the key has come up to the app, after those that were typed next.
            event.stop()
            event.prevent_default()
            await self.run_action(bindings[0].action)

    def open(self) -> None:
        """Show it, and let it have the keys at once: what is typed next belongs to it."""
        self.display = True
        self.screen.set_focus(self)
        self.cursor_position = len(self.value)


class SearchBar(EntryBar):
    """Takes what is looked for in a history."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Search"),
        Binding("escape", "leave", "Leave"),
    ]
    DEFAULT_CSS = "SearchBar { display: none; height: 1; margin: 0 1; padding: 0 1; border: none; background: $panel; }"

    def __init__(self, take: Callable[[str], None], leave: Callable[[], None]) -> None:
        super().__init__(take, leave, id="search", placeholder="text in names, details and payloads")

    def open(self) -> None:
        """Show it; the first key that is typed replaces what stands in it."""
        super().open()
        self.select_all()
