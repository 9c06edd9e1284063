"""What every screen has: the bar at its top, the note, the keys at its foot."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.screen import ModalScreen, Screen

from durable_cli.tui.messages import ConnectionChanged, TroubleChanged
from durable_cli.tui.widgets.trouble_note import TroubleNote

if TYPE_CHECKING:
    from durable_cli.tui.app import BrowserApp

__all__ = ["WATCHES", "BrowserScreen"]


# Actions that change something on the server are named so.
CHANGE_PREFIX = "change_"
WATCHES = "watches"


class BrowserScreen(Screen[None]):
    """A screen of the browser; its watches post their messages to it."""

    _is_left = False

    @property
    def browser(self) -> BrowserApp:
        """The app, with its own type."""
        return cast("BrowserApp", self.app)

    @property
    def palette(self) -> dict[str, str]:
        """The colours of the theme."""
        return self.app.theme_variables

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what would change something when the browser only reads."""
        return not (self.browser.is_read_only and action.startswith(CHANGE_PREFIX))

    def follow(self) -> None:
        """Start the watches of the screen as workers of the group `WATCHES`; they end while another one is in front."""

    def on_screen_suspend(self) -> None:
        """End the watches when another screen, not a dialog, comes in front."""
        if not isinstance(self.app.screen, ModalScreen):
            self._is_left = True
            self.workers.cancel_group(self, WATCHES)

    def on_screen_resume(self) -> None:
        if self._is_left:
            self._is_left = False
            self.follow()

    def on_mount(self) -> None:
        self.query_one(TroubleNote).show(self.browser.trouble)

    def on_trouble_changed(self, message: TroubleChanged) -> None:
        """Say that what is asked for is refused."""
        message.stop()
        self.query_one(TroubleNote).show(message.trouble or self.browser.trouble)

    def show_connection(self, message: ConnectionChanged) -> None:
        """Say that the server does not answer, or take that back."""
        self.query_one(TroubleNote).show(message.trouble)
