"""The browser itself: the connection, the themes, and which screen comes first."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.worker import Worker

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.feed.link import AGAIN_HINT, Link
from durable_cli.tui.messages import ClockRead, CodecChanged, Connection, ConnectionChanged, Trouble
from durable_cli.tui.palette import ActionProvider
from durable_cli.tui.places import FIRST_PLACE, PLACES, PROJECT_PLACE, Place, make_screen
from durable_cli.tui.preferences import load_preferences, save_preferences
from durable_cli.tui.screens.base import BrowserScreen
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.screens.workflows import WorkflowsScreen
from durable_cli.tui.server_clock import ServerClock
from durable_cli.tui.theme import DEFAULT_THEME, THEMES
from durable_cli.tui.times import set_server_clock
from durable_cli.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from durable_cli.tui.attachment import Attachment
    from durable_cli.tui.place_messages import JournalRead
    from durable_cli.tui.screens.batches import BatchesScreen

__all__ = ["BrowserApp"]

CONNECT, CLOCK = "connect", "clock"
LATEST_SECONDS = 0.5
BETWEEN = "between"
BATCHES = "batches"


class BrowserApp(App[None]):
    """Browses one server, or the history in a file; `workflow_id` or `place` is what it opens at once.

    Args:
        end_with_fd: a pipe; when it closes, the browser ends.
        dev_journal: of the `dx dev` to attach to, or a folder in a project that has one.
    """

    TITLE = "dx"
    CSS_PATH = "browser.tcss"
    COMMANDS = App.COMMANDS | {ActionProvider}
    MODES: ClassVar = {place.name: partial(make_screen, place) for place in PLACES}
    DEFAULT_MODE = FIRST_PLACE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("question_mark", "show_help_panel", "Keys", key_display="?"),
        Binding("ctrl+t", "next_theme", "Theme", show=False),
        Binding("P", "choose_profile", "Profile: another server", show=False),
        Binding("M", "open_mismatch", "Mismatch"),
        *(Binding(place.key, place.action, f"Go to {place.title}", show=False) for place in PLACES),
    ]

    def __init__(
        self,
        global_options: GlobalOptions,
        connection: ConnectionOptions,
        *,
        workflow_id: str = "",
        run_id: str = "",
        place: str = "",
        history_file: Path | None = None,
        is_read_only: bool = False,
        end_with_fd: int | None = None,
        dev_journal: Path | None = None,
    ) -> None:
        super().__init__()
        self.link = self._first_link = Link(global_options, connection, self.post_message)
        self._history_file = history_file
        if history_file is not None:
            from durable_cli.tui.feed.history_file import FileLink

            self.link = FileLink(history_file, self.post_message)
        self.is_read_only = is_read_only or history_file is not None
        self._end_with_fd = end_with_fd
        self._has_begun = False
        self.attachment: Attachment | None = None
        self._dev_journal = dev_journal
        self.connection = Connection.CONNECTING
        self.trouble: Trouble | None = None
        self.codec_trouble: Trouble | None = None
        self.decodings = 0
        """How often the codec server has come back: what was read before may be read better now."""
        self.clock: ServerClock | None = None
        """The server's own clock, when it has one."""
        self._opens = (workflow_id, run_id)
        self._begins_at = place if any(place == each.name for each in PLACES) else FIRST_PLACE
        for theme in THEMES:
            self.register_theme(theme)
        self.preferences = load_preferences()
        self.theme = self.preferences.theme if self.preferences.theme in self.available_themes else DEFAULT_THEME

    def on_mount(self) -> None:
        workflow_id, run_id = self._opens
        if self._history_file is not None:
            from durable_cli.tui.screens.workflow.file_screen import FileScreen

            self.push_screen(FileScreen(self._history_file))
        elif workflow_id:
            self.push_screen(WorkflowScreen(workflow_id, run_id))
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
        self._connect()
        if self._dev_journal is not None:
            self._follow_dev(self._dev_journal)

    def _connect(self) -> None:
        _: Worker[None] = self.run_worker(self.link.keep_connected, group=CONNECT, exclusive=True)

    def _end(self, pipe: int) -> None:
        asyncio.get_running_loop().remove_reader(pipe)
        self.exit()

    def on_connection_changed(self, message: ConnectionChanged) -> None:
        """Show on whatever screen is open whether the server answers."""
        if message.link is not self.link:
            return
        if message.connection is not self.connection:
            self.workers.cancel_group(self, CLOCK)
            if message.connection is Connection.CONNECTED:
                self.follow_clock()
        if message.trouble is not None and self.link.profile:
            hint = f"{message.trouble.hint}\nP goes to another profile".strip()
            message.trouble = Trouble(message.trouble.message, hint)
        self.connection, self.trouble = message.connection, message.trouble
        self._update_bars()
        for screen in self.screen_stack:
            if isinstance(screen, BrowserScreen):
                screen.show_connection(message)

    def _update_bars(self) -> None:
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
            self._take_clock(message.clock)

    def _take_clock(self, clock: ServerClock | None) -> None:
        badge = self.clock.badge if self.clock is not None else ""
        self.clock = clock
        if clock is None or not clock.is_moved:
            set_server_clock()
        else:
            set_server_clock(clock.ahead_ns, stands_at_ns=clock.time_ns if clock.mode == "paused" else 0)
        if badge != (clock.badge if clock is not None else ""):
            self._update_bars()

    def on_codec_changed(self, message: CodecChanged) -> None:
        """Let the screens that show payloads say that the codec server is away, or read them anew."""
        self.codec_trouble = message.trouble
        self.decodings += message.trouble is None
        for screen in self.screen_stack:
            if isinstance(screen, BrowserScreen):
                screen.show_codec(message)

    def is_reachable(self) -> bool:
        """Return whether the server may be asked for something now; say so when not, rather than do it much later."""
        if self.link.is_connected and self.connection is not Connection.LOST:
            return True
        trouble = self.trouble or Trouble(self.link.absence)
        hint = "\n".join(line for line in trouble.hint.splitlines() if line != AGAIN_HINT)
        self.notify(f"nothing was done\n{hint}".rstrip(), title=trouble.message, severity="warning", timeout=5)
        return False

    # The `dx dev` of the project here

    def _follow_dev(self, journal_or_folder: Path) -> None:
        from durable_cli.tui.attachment import Attachment, find_journal

        journal = find_journal(journal_or_folder)
        if journal is not None:
            self.attachment = Attachment(self, journal)
            self.run_worker(self.attachment.follow(), name="dev")
            for bar in self.screen.query(TopBar):
                bar.update_bar()

    def on_journal_read(self, message: JournalRead) -> None:
        """Show what dx dev does, or say it where another screen is open."""
        if self.attachment is None:
            return
        notices = self.attachment.take(message)
        screen = self.screen
        for each in self.screen_stack:
            if isinstance(each, BrowserScreen):
                each.show_dev()
        self.attachment.say(
            notice for notice in notices if not (isinstance(screen, BrowserScreen) and screen.shows_dev(notice.source))
        )
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a mismatch only where there is one."""
        if action == "open_mismatch":
            is_shown = isinstance(self.screen, BrowserScreen) and self.screen.SHOWS_MISMATCH
            return self.attachment is not None and bool(self.attachment.book.broken) and not is_shown
        return super().check_action(action, parameters)

    async def action_open_mismatch(self) -> None:
        """Open the run that does not repeat its history, at the event."""
        if self.attachment is not None and self.attachment.book.broken and not isinstance(self.screen, ModalScreen):
            await self.attachment.open_run(*self.attachment.book.broken[0])

    def offers_place(self, place: Place) -> bool:
        """Whether the bar shows the way to a place."""
        return place.name != PROJECT_PLACE or self.attachment is not None

    async def action_go_to_place(self, name: str) -> None:
        """Show a main screen as it was left; when one is there already, its first screen."""
        if isinstance(self.screen, ModalScreen):
            return
        if name == self.current_mode:
            await self.leave_details()
        else:
            await self.switch_mode(name)

    async def leave_details(self) -> None:
        """Go back to the first screen of this place."""
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    async def show_runs(self, query: str) -> None:
        """Show the workflows that match a list filter."""
        await self.switch_mode(FIRST_PLACE)
        await self.leave_details()
        cast(WorkflowsScreen, self.screen).take_filter(query)

    async def show_batch(self, job_id: str) -> None:
        """Show a batch job and how far it is."""
        await self.switch_mode(BATCHES)
        await self.leave_details()
        cast("BatchesScreen", self.screen).show_job(job_id)

    @work
    async def action_choose_namespace(self) -> None:
        """Go to another namespace."""
        from durable_cli.tui.dialogs.pick import PickDialog
        from durable_cli.tui.feed.namespaces import list_namespaces

        if not self.is_reachable():
            return
        try:
            names = await list_namespaces(self.link)
        except CliError as error:
            self.notify(error.hint, title=error.message, severity="error")
            return
        chosen = await self.push_screen_wait(PickDialog("Namespace", [(name, name) for name in names]))
        if chosen and chosen != self.link.namespace:
            await self.change_namespace(chosen)

    @work
    async def action_choose_profile(self) -> None:
        """Go to the server of another profile of the configuration file."""
        from durable_cli.tui.profile_choice import choose_link

        link = await choose_link(self, self._first_link)
        if link is not None:
            await self.browse(link)

    async def browse(self, link: Link) -> None:
        """Browse another server; nothing of the former one stays on the screens."""
        self.link.close()
        self.workers.cancel_group(self, CLOCK)
        self.link, self.connection, self.trouble, self.codec_trouble = link, Connection.CONNECTING, None, None
        self._take_clock(None)
        here = self.current_mode
        with self.batch_update():
            await self.leave_details()
            self.add_mode(BETWEEN, Screen)  # the mode that is shown can't be taken away
            await self.switch_mode(BETWEEN)
            await self._forget_places()
            await self.switch_mode(here)
            await self.remove_mode(BETWEEN)
        self._connect()

    async def _forget_places(self) -> None:
        """Close what is open in the places that are not looked at."""
        for place in PLACES:
            if place.name != self.current_mode:
                await self.remove_mode(place.name)
                self.add_mode(place.name, partial(make_screen, place))

    async def change_namespace(self, namespace: str) -> None:
        """Browse another namespace of the same server; what was open of the old one is closed."""
        self.link.use_namespace(namespace)
        await self._forget_places()
        await self.leave_details()
        screen = cast(BrowserScreen, self.screen)
        screen.query_one(TopBar).update_bar()
        screen.show_namespace()

    def keep_preferences(self) -> None:
        """Write down what is preferred now."""
        save_preferences(self.preferences)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our own colours for themes that do not know them."""
        return dict(THEMES[0].variables)

    def watch_theme(self, theme: str) -> None:
        if self.is_running and theme != (self.preferences.theme or DEFAULT_THEME):
            self.preferences.theme = "" if theme == DEFAULT_THEME else theme
            self.keep_preferences()

    def action_next_theme(self) -> None:
        """Take the next theme."""
        names = [theme.name for theme in THEMES]
        following = names.index(self.theme) + 1 if self.theme in names else 0
        self.theme = names[following % len(names)]

    def action_show_help_panel(self) -> None:
        """Show or hide what the keys do here."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            super().action_show_help_panel()
