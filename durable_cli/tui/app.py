"""The browser itself: its themes, and which screen comes first."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Event, InputEvent
from textual.filter import LineFilter, NoColor
from textual.widget import Widget

from durable_cli.errors import explain_bug
from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.app_places import PlacesApp
from durable_cli.tui.feed.link import Link
from durable_cli.tui.palette import ActionProvider
from durable_cli.tui.places import FIRST_PLACE, PLACES
from durable_cli.tui.preferences import load_preferences, save_preferences
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.screens.workflow.screen import VIEWS
from durable_cli.tui.theme import DEFAULT_THEME, SIXTEEN_COLORS, THEMES
from durable_cli.tui.widgets.harmless import HarmlessFilter

__all__ = ["BrowserApp"]

LATEST_SECONDS = 0.5
AWAY_SECONDS = 30.0
"""When no key and no mouse came for so long, nobody is at the browser."""
KEY_HELP = "key-help"


class BrowserApp(PlacesApp):
    """Browses one server, or the history in a file; `workflow_id` (its `view`) or `place` is what it opens at once.

    Args:
        end_with_fd: a pipe; when it closes, the browser ends.
        dev_journal: of the `dx dev` to attach to, or a folder in a project that has one.
    """

    TITLE = "dx"
    CSS_PATH = "browser.tcss"
    COMMANDS: ClassVar = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("question_mark", "show_keys", "Keys", key_display="?"),
        # Before what the key does otherwise on a screen, or in a bar in which something is typed.
        Binding("escape", "hide_keys", "Hide the keys", priority=True),
        Binding("ctrl+t", "next_theme", "Theme", show=False),
    ]

    def __init__(
        self,
        global_options: GlobalOptions,
        connection: ConnectionOptions,
        *,
        workflow_id: str = "",
        run_id: str = "",
        view: str = "",
        place: str = "",
        history_file: Path | None = None,
        is_read_only: bool = False,
        end_with_fd: int | None = None,
        dev_journal: Path | None = None,
    ) -> None:
        link = first = Link(global_options, connection, self.post_message)
        if history_file is not None:
            from durable_cli.tui.feed.history_file import FileLink

            link = FileLink(history_file, self.post_message)
        super().__init__(link, first)
        self._history_file = history_file
        self.why_read_only = "the browser was started with --read-only" if is_read_only else ""
        if history_file is not None:
            self.why_read_only = "a history in a file can't be changed"
        self._end_with_fd = end_with_fd
        self._harmless = HarmlessFilter()
        self._has_begun = False
        self._touched_time = monotonic()
        self._dev_journal = dev_journal if history_file is None else None
        self._opens = (workflow_id, run_id, view if view in VIEWS else next(iter(VIEWS)))
        self._begins_at = place if any(place == each.name for each in PLACES) else FIRST_PLACE
        for theme in (*THEMES, SIXTEEN_COLORS):
            self.register_theme(theme)
        self.preferences = load_preferences()
        self.theme = self._find_theme()
        for name in self.available_themes.keys() - {theme.name for theme in (*THEMES, SIXTEEN_COLORS)}:
            self.unregister_theme(name)  # Textual's own lack the colours that the screens name

    def _find_theme(self) -> str:
        """Return the theme that is preferred, or what can be read where there are only sixteen colours."""
        if self.console.color_system == "standard":
            return SIXTEEN_COLORS.name
        return self.preferences.theme if self.preferences.theme in self.available_themes else DEFAULT_THEME

    def on_mount(self) -> None:
        workflow_id, run_id, view = self._opens
        if self._history_file is not None:
            from durable_cli.tui.screens.workflow.file_screen import FileScreen

            self.push_screen(FileScreen(self._history_file))
        elif workflow_id:
            self.push_screen(WorkflowScreen(workflow_id, run_id, view))
        if self._begins_at != FIRST_PLACE:
            self.call_later(self.switch_mode, self._begins_at)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.exit)
        if self._end_with_fd is not None:
            loop.add_reader(self._end_with_fd, self._end, self._end_with_fd)
        # What the feed needs takes longer to import than all that is drawn first.
        self.call_after_refresh(self._begin)
        # A screen that is covered before it was drawn would never say that it was.
        self.set_timer(LATEST_SECONDS, self._begin)

    def _begin(self) -> None:
        if self._has_begun:
            return
        self._has_begun = True
        self.connect()
        if self._dev_journal is not None:
            self.follow_dev(self._dev_journal)

    def _fatal_error(self) -> None:
        # Textual would write a traceback of several screens.
        if self._exception is None or os.environ.get("DX_DEBUG"):
            super()._fatal_error()
            return
        message, hint = explain_bug(self._exception)
        self.panic(Text.assemble(("error:", "bold red"), f" {message}\n\n", ("hint:", "dim"), f" {hint}"))

    def _end(self, pipe: int) -> None:
        asyncio.get_running_loop().remove_reader(pipe)
        self.exit()

    async def on_event(self, event: Event) -> None:
        if isinstance(event, InputEvent):
            self._touched_time = monotonic()
        await super().on_event(event)

    @property
    def is_unattended(self) -> bool:
        """Whether nobody has touched the browser for a while."""
        return monotonic() - self._touched_time > AWAY_SECONDS

    @property
    def is_read_only(self) -> bool:
        """Whether nothing is changed on the server."""
        return bool(self.why_read_only)

    def say_read_only(self) -> None:
        """Say why a key that would change something does nothing."""
        self.notify(self.why_read_only)

    def keep_preferences(self) -> None:
        """Write down what is preferred now."""
        save_preferences(self.preferences)

    def watch_theme(self, theme: str) -> None:
        if self.is_running and theme != (self.preferences.theme or DEFAULT_THEME):
            self.preferences.theme = "" if theme == DEFAULT_THEME else theme
            self.keep_preferences()

    def action_next_theme(self) -> None:
        """Take the next theme."""
        names = [theme.name for theme in THEMES]
        following = names.index(self.theme) + 1 if self.theme in names else 0
        self.theme = names[following % len(names)]

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what is done to all that is drawn; NO_COLOR is taken at its word, where Textual makes it grey."""
        filters = (NoColor(),) if self.no_color else super().get_line_filters()
        return (*filters, self._harmless)

    def action_save_picture(self) -> None:
        """Save the screen as SVG among the downloads, once the palette is gone."""
        self.set_timer(0.1, self.deliver_screenshot)

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """Draw the screen as SVG; the picture fetches nothing, and needs no font of its own."""
        from durable_cli.tui.screenshot import draw_screen

        return draw_screen(self, title or self.title)

    @property
    def _key_help(self) -> Widget | None:
        """What shows the keys on this screen, if it does."""
        return next((child for child in self.screen.children if child.id == KEY_HELP), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to hide the keys where they are shown."""
        if action == "hide_keys":
            return self._key_help is not None
        return super().check_action(action, parameters)

    async def action_show_keys(self) -> None:
        """Show what the keys do here, then what had no room, and hide it."""
        shown = self._key_help
        if shown is None:
            from durable_cli.tui.widgets.key_help import KeyHelp

            await self.screen.mount(KeyHelp(id=KEY_HELP))
            self.refresh_bindings()
        elif shown.is_vertical_scroll_end:
            await self.action_hide_keys()
        else:
            shown.scroll_page_down(animate=False)

    async def action_hide_keys(self) -> None:
        """Hide what the keys do."""
        shown = self._key_help
        if shown is not None:
            await shown.remove()
            self.refresh_bindings()
