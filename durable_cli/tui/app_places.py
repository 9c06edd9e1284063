"""Where the browser goes: its places, other namespaces and servers, and the `dx dev` of the project here."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.worker import Worker

from durable_cli.errors import CliError
from durable_cli.tui.app_server import CLOCK, ServerApp
from durable_cli.tui.feed.link import Link
from durable_cli.tui.messages import Connection
from durable_cli.tui.places import FIRST_PLACE, PLACES, PROJECT_PLACE, Place, make_screen
from durable_cli.tui.screens.base import BrowserScreen
from durable_cli.tui.screens.workflows import WorkflowsScreen
from durable_cli.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from durable_cli.tui.attachment import Attachment
    from durable_cli.tui.place_messages import JournalRead
    from durable_cli.tui.screens.batches import BatchesScreen

__all__ = ["PlacesApp"]

BETWEEN = "between"
BATCHES = "batches"
OF_A_SERVER = frozenset({"go_to_place", "choose_namespace", "choose_profile", "open_mismatch"})


class PlacesApp(ServerApp):
    """An app with the places as its modes; `first` is the server that it was started with."""

    MODES: ClassVar = {place.name: partial(make_screen, place) for place in PLACES}
    DEFAULT_MODE = FIRST_PLACE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("at", "choose_profile", "Profile: another server", key_display="@", show=False),
        Binding("M", "open_mismatch", "Mismatch"),
    ]

    def __init__(self, link: Link, first: Link) -> None:
        super().__init__(link)
        self._first_link = first
        self._address = ""
        self.attachment: Attachment | None = None
        self.drafts: dict[tuple[str, ...], dict[str, str]] = {}
        """What was typed into forms that were left, by what they were about."""

    def offers_place(self, place: Place, here: Place) -> bool:
        """Whether the bar shows the way to a place, or that we are there."""
        return self.link.has_server and (place == here or place.name != PROJECT_PLACE or self.attachment is not None)

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
        from durable_cli.tui.dialogs.asking import hold_keys
        from durable_cli.tui.dialogs.pick import PickDialog
        from durable_cli.tui.feed.namespaces import list_namespaces

        if not self.is_reachable():
            return
        try:
            names = await hold_keys(self, list_namespaces(self.link))
        except CliError as error:
            self.notify(error.hint, title=error.message, severity="error")
            return
        chosen = await self.push_screen_wait(PickDialog("Namespace", [(name, name) for name in names]))
        if chosen and chosen != self.link.namespace:
            await self.change_namespace(chosen)

    async def change_namespace(self, namespace: str) -> None:
        """Browse another namespace of the same server; what was open of the old one is closed."""
        self.link.use_namespace(namespace)
        await self._forget_places()
        await self.leave_details()
        screen = cast(BrowserScreen, self.screen)
        screen.query_one(TopBar).update_bar()
        screen.forget_undos()
        screen.show_namespace()
        self.show_address()

    def show_address(self) -> None:
        """Let the address of the web page be that of what is open, so that it is opened again by it.

        The page follows what it is told to open in itself. Of another profile's server an address can say nothing.
        """
        if not self.is_web or self.link.profile != self._first_link.profile or not self.link.namespace:
            return
        from durable_cli.tui.web import links

        screens = (screen for screen in reversed(self.screen_stack) if isinstance(screen, BrowserScreen))
        run = next((run for screen in screens if (run := screen.opened_run())), None)
        place = links.Place(self.link.namespace, screen=self.current_mode)
        if run is not None:
            workflow_id, run_id, view = run
            place = links.Place(self.link.namespace, workflow_id, run_id, view=view)
        elif self.current_mode == FIRST_PLACE:
            place = links.Place(self.link.namespace)
        address = links.write_path(place)
        if address and address != self._address:
            self._address = address
            self.open_url(address, new_tab=False)

    @work
    async def action_choose_profile(self) -> None:
        """Go to the server of another profile of the configuration file."""
        from durable_cli.tui.actions.profile import choose_link

        link = await choose_link(self, self._first_link)
        if link is not None:
            await self.browse(link)

    async def browse(self, link: Link) -> None:
        """Browse another server; nothing of the former one stays on the screens."""
        self.link.close()
        self.workers.cancel_group(self, CLOCK)
        self.link, self.connection, self.trouble, self.codec_trouble = link, Connection.CONNECTING, None, None
        self.take_clock(None)
        here = self.current_mode
        with self.batch_update():
            await self.leave_details()
            self.add_mode(BETWEEN, Screen)  # the mode that is shown can't be taken away
            await self.switch_mode(BETWEEN)
            await self._forget_places()
            await self.switch_mode(here)
            await self.remove_mode(BETWEEN)
        self.connect()

    async def _forget_places(self) -> None:
        """Close what is open in the places that are not looked at, and what was typed for other runs."""
        self.drafts.clear()
        for place in PLACES:
            if place.name != self.current_mode:
                await self.remove_mode(place.name)
                self.add_mode(place.name, partial(make_screen, place))

    # The `dx dev` of the project here

    def follow_dev(self, journal_or_folder: Path) -> None:
        """Attach to a `dx dev`, where there is a project."""
        from durable_cli.tui.attachment import Attachment, find_journal

        journal = find_journal(journal_or_folder)
        if journal is not None:
            self.attachment = Attachment(self, journal)
            _: Worker[None] = self.run_worker(self.attachment.follow, name="dev")
            self.update_bars()

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

    async def action_open_mismatch(self) -> None:
        """Open the run that does not repeat its history, at the event."""
        if self.attachment is not None and self.attachment.book.broken and not isinstance(self.screen, ModalScreen):
            await self.attachment.open_run(*self.attachment.book.broken[0])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a mismatch only where there is one, and other places where there is a server."""
        if action in OF_A_SERVER and not self.link.has_server:
            return False
        if action == "open_mismatch":
            is_shown = isinstance(self.screen, BrowserScreen) and self.screen.SHOWS_MISMATCH
            return self.attachment is not None and bool(self.attachment.book.broken) and not is_shown
        return super().check_action(action, parameters)
