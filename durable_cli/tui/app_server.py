"""What the browser knows of its server: whether it answers, decodes, and how its clock goes."""

from __future__ import annotations

import asyncio
from functools import partial

from textual.worker import Worker

from durable_cli.tui.cleaning import Cleaner
from durable_cli.tui.feed.link import AGAIN_HINT, Link
from durable_cli.tui.messages import ClockRead, CodecChanged, Connection, ConnectionChanged, Trouble
from durable_cli.tui.notices import NoticesApp
from durable_cli.tui.screens.base import BrowserScreen
from durable_cli.tui.server_clock import ServerClock
from durable_cli.tui.times import set_server_clock
from durable_cli.tui.widgets.top_bar import TopBar

__all__ = ["CLOCK", "ServerApp"]

CONNECT, CLOCK = "connect", "clock"


class ServerApp(NoticesApp):
    """An app that looks at one server at a time."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link
        self.cleaner = Cleaner()
        self.connection = Connection.CONNECTING
        self.trouble: Trouble | None = None
        self.codec_trouble: Trouble | None = None
        self.decodings = 0
        """How often the codec server has come back: what was read before may be read better now."""
        self.clock: ServerClock | None = None
        """The server's own clock, when it has one."""
        self.skip: asyncio.Future[bool] | None = None
        """Ends when the clock has skipped the time that it was told to skip; until then it waits for something."""

    def connect(self) -> None:
        """Connect to the server, and stay connected."""
        _: Worker[None] = self.run_worker(self.link.keep_connected, group=CONNECT, exclusive=True)

    def on_connection_changed(self, message: ConnectionChanged) -> None:
        """Show on whatever screen is open whether the server answers."""
        if message.link is not self.link:
            return
        if message.connection is not self.connection:
            self.workers.cancel_group(self, CLOCK)
            if message.connection is Connection.CONNECTED:
                self.follow_clock()
        if message.trouble is not None and self.link.profile:
            hint = f"{message.trouble.hint}\n@ goes to another profile".strip()
            message.trouble = Trouble(message.trouble.message, hint)
        self.connection, self.trouble = message.connection, message.trouble
        self.update_bars()
        self.show_address()
        for screen in self.screen_stack:
            if isinstance(screen, BrowserScreen):
                screen.show_connection(message)

    def show_address(self) -> None:
        """Let the address of the web page be that of what is open; only now the namespace may be known."""

    def update_bars(self) -> None:
        """Draw the bars at the top again."""
        for screen in self.screen_stack:
            for bar in screen.query(TopBar):
                bar.update_bar()

    def follow_clock(self) -> None:
        """Ask at once, and then again and again, how the server's clock goes; most servers have none of their own."""
        from durable_cli.tui.feed.clock import watch_clock

        watch = partial(watch_clock, self.link, self.post_message)
        _: Worker[None] = self.run_worker(watch, group=CLOCK, exclusive=True)

    def on_clock_read(self, message: ClockRead) -> None:
        """Go by the server's clock wherever times are shown."""
        if message.link is self.link:
            self.take_clock(message.clock)

    def take_clock(self, clock: ServerClock | None) -> None:
        """Go by a clock, or by this machine's."""
        badge = self.clock.badge if self.clock is not None else ""
        self.clock = clock
        if clock is None or not clock.is_moved:
            set_server_clock()
        else:
            set_server_clock(clock.ahead_ns, stands_at_ns=clock.time_ns if clock.mode == "paused" else 0)
        if badge != (clock.badge if clock is not None else ""):
            self.update_bars()

    def show_skip(self, skip: asyncio.Future[bool] | None) -> None:
        """Let the bars say that the clock is told to skip time and waits for something."""
        if self.skip is not skip:
            self.skip = skip
            self.update_bars()

    def on_codec_changed(self, message: CodecChanged) -> None:
        """Let the screens that show payloads say that the codec server is away, or read them anew."""
        self.codec_trouble = message.trouble
        self.decodings += message.trouble is None
        for screen in self.screen_stack:
            if isinstance(screen, BrowserScreen):
                screen.show_codec(message)

    def is_reachable(self) -> bool:
        """Return whether the server may be asked for something now; say so when not, rather than do it much later."""
        trouble = self.absence
        if trouble is not None:
            self.notify(trouble.hint, title=trouble.message, severity="warning")
        return trouble is None

    @property
    def absence(self) -> Trouble | None:
        """Why the server can't be asked for anything now, if so."""
        if self.link.is_connected and self.connection is not Connection.LOST:
            return None
        trouble = self.trouble or Trouble(self.link.absence)
        hint = "\n".join(line for line in trouble.hint.splitlines() if line != AGAIN_HINT)
        return Trouble(trouble.message, f"nothing was done\n{hint}".rstrip())
