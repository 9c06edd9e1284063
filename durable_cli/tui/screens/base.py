"""What every screen has: the bar at its top, the note, the keys at its foot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, cast

from textual import events, on, work
from textual.binding import ActiveBinding, Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS
from textual.screen import ModalScreen, Screen
from textual.widgets import Input
from textual.worker import Worker

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import LostError, MissingError
from durable_cli.tui.messages import CodecChanged, ConnectionChanged, Trouble, TroubleChanged
from durable_cli.tui.places import PLACES
from durable_cli.tui.widgets.top_bar import TopBar
from durable_cli.tui.widgets.trouble_note import TroubleNote
from durable_cli.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from durable_cli.tui.app import BrowserApp
    from durable_cli.tui.dialogs.form import FormDialog
    from durable_cli.tui.feed.link import Link

__all__ = ["WATCHES", "BrowserScreen", "Change", "FormChange", "Watch"]


# Actions that change something on the server are named so.
CHANGE_PREFIX = "change_"
# Characters with names of their own: the toolkit does not know that an input takes them.
TYPED = frozenset(KEY_NAME_REPLACEMENTS.values())
WATCHES = "watches"
UNDO_SECONDS = 10.0

Watch = Callable[[], Coroutine[None, None, None]]
Change = Callable[["Link"], Awaitable[str]]
"""Does something to the server and says what was done."""
FormChange = Callable[[dict[str, str], "Link"], Awaitable[str]]
"""The same, with the values of a form."""


class _Refusal(NamedTuple):
    """Why something was not done, and what can be done about it."""

    title: str
    hint: str
    severity: Literal["warning", "error"] = "error"
    is_lack: bool = False
    """Whether no other values would be taken either."""


class BrowserScreen(Screen[None]):
    """A screen of the browser; its watches post their messages to it."""

    HAS_PLACE_KEYS: ClassVar[bool] = True
    """Whether the number keys go to the places here; a screen may need them itself."""

    HAS_PAYLOADS: ClassVar[bool] = False
    """Whether payloads are shown here."""

    SHOWS_MISMATCH: ClassVar[bool] = False
    """Whether it is the screen of a mismatch, which needs no way to it."""

    BINDING_GROUP_TITLE = "This screen"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "change_undo", "Undo"),
        Binding("T", "change_time", "Skip time on a local server", show=False),
        # At once, before the next key is looked up: it is one of that place.
        *(Binding(place.key, place.action, f"Go to {place.title}", show=False, priority=True) for place in PLACES),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._undos: list[Change] = []
        """What takes back what was done of late, the last at the end."""
        self._is_watching = self._has_row = False
        self._troubles: dict[str, Trouble] = {}

    @property
    def browser(self) -> BrowserApp:
        """The app, with its own type."""
        return cast("BrowserApp", self.app)

    @property
    def is_left(self) -> bool:
        """Whether it is being taken away: its parts go one by one, and nothing can be shown on it any more."""
        return not self.display

    @property
    def palette(self) -> dict[str, str]:
        """The colours of the theme."""
        return self.app.theme_variables

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what would change something when the browser only reads, and an undo of nothing."""
        if action == "change_undo" and not self._undos:
            return False
        return not (self.browser.is_read_only and action.startswith(CHANGE_PREFIX))

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """What keys and menus offer here; where words are typed, + or @ is a character like the others."""
        active = super().active_bindings
        if isinstance(self.focused, Input):
            active = {key: each for key, each in active.items() if key not in TYPED or each.node is self.focused}
        return active

    def lacks(self, find_target: Callable[[], object | None]) -> bool:
        """Return whether there is nothing to act on; while the screen is made or taken away, there is nothing."""
        return not self.is_mounted or self.is_left or find_target() is None

    @on(VirtualTable.CursorMoved)
    def offer_what_there_is(self, message: VirtualTable.CursorMoved) -> None:
        """Offer what can be done to a row once there is one, and no longer when there is none."""
        if self._has_row != (message.row is not None):
            self._has_row = not self._has_row
            self.refresh_bindings()

    def on_key(self, event: events.Key) -> None:
        """Say why a key does nothing that would change something."""
        if self.browser.is_read_only and any(
            binding.action.removeprefix("screen.").startswith(CHANGE_PREFIX)
            for node in (self.focused or self).ancestors_with_self
            for binding in node._bindings.key_to_bindings.get(event.key, ())
        ):
            self.browser.say_read_only()

    def opened_run(self) -> tuple[str, str, str] | None:
        """Return the workflow id and the run id of the run that is open here, and the view of it."""
        return None

    def make_watches(self) -> Iterable[Watch]:
        """Return what asks the server again and again while the screen is on top."""
        return ()

    def restart_watches(self) -> None:
        """Ask the server anew, at once; not where nothing can be shown any more."""
        self.stop_watches()
        if self.is_left:
            return
        self._is_watching = True
        for watch in self.make_watches():
            _: Worker[None] = self.run_worker(watch, group=WATCHES)

    def stop_watches(self) -> None:
        """Leave the server alone."""
        self._is_watching = False
        self.workers.cancel_group(self, WATCHES)

    def show_namespace(self) -> None:
        """Forget what was shown of another namespace."""
        self._troubles.clear()
        self._show_trouble()
        self.restart_watches()

    def on_mount(self) -> None:
        self._show_trouble()
        self.app.theme_changed_signal.subscribe(self, lambda _: self.show_theme())

    def on_unmount(self) -> None:
        # The signal would hold the screen, and all that was read for it, for good.
        self.app.theme_changed_signal.unsubscribe(self)
        self.browser.cleaner.clean_later()

    def show_theme(self) -> None:
        """Write again what was written in the colours of another theme; what is drawn anew each time needs nothing."""

    def on_screen_resume(self) -> None:
        """Show what may have changed while another screen was on top, and go on watching."""
        self.query_one(TopBar).update_bar()
        self._show_trouble()
        self.browser.show_address()
        if not self._is_watching:
            self.restart_watches()

    def on_screen_suspend(self) -> None:
        """Ask for nothing that nobody sees; behind a dialog, the screen is seen."""
        if isinstance(self.app.screen, ModalScreen):
            self.app.clear_notifications()  # they would lie over it
        else:
            self.stop_watches()

    def on_trouble_changed(self, message: TroubleChanged) -> None:
        message.stop()
        self.take_trouble(message.trouble, message.source)

    def take_trouble(self, trouble: Trouble | None, source: str) -> None:
        """Say that something is refused that the screen asks for, or take that back."""
        if trouble == self._troubles.get(source):
            return
        self._troubles.pop(source, None)
        if trouble is not None:
            self._troubles[source] = trouble
        self._show_trouble()
        self.refresh_bindings()

    def show_connection(self, message: ConnectionChanged) -> None:
        """Say that the server does not answer, or take that back."""
        self._show_trouble()

    def show_codec(self, message: CodecChanged) -> None:
        """Say that payloads can't be decoded, where there are some to see, or take that back."""
        self._show_trouble()

    def _show_trouble(self) -> None:
        """Say what is wrong: first that there is no server."""
        refused = next(iter(self._troubles.values()), self.browser.codec_trouble if self.HAS_PAYLOADS else None)
        for note in self.query(TroubleNote):  # a screen that is still being made has none
            note.show(self.browser.trouble or refused)

    @property
    def is_refused(self) -> bool:
        """Whether something is refused that the screen asks for."""
        return bool(self._troubles)

    def show_dev(self) -> None:
        """Show what `dx dev` has done."""

    def shows_dev(self, source: str) -> bool:
        """Whether it shows itself what `dx dev` does with a worker, so that no word about that is needed here."""
        return False

    # What changes something.

    async def do(self, change: Change, *, undo: Change | None = None, needs: str = "") -> bool:
        """Do something to the server, say what was done or why not, and offer to undo it for a while.

        Args:
            needs: what not every server has, in words.
        """
        refusal = await self._try(change, undo, needs)
        if refusal is not None:
            self._say_refusal(refusal)
        return refusal is None

    async def fill_in(
        self,
        form: FormDialog,
        change: Callable[[Mapping[str, str]], Change],
        *,
        undo: Callable[[Mapping[str, str]], Change | None] | None = None,
        needs: str = "",
    ) -> bool:
        """Do something with what is typed into a form, which stays as it is, and says so, when that is refused.

        Args:
            needs: what not every server has, in words.
        """

        async def send(values: dict[str, str]) -> str:
            refusal = await self._try(change(values), undo(values) if undo else None, needs)
            if refusal is None:
                return ""
            if form.is_current and not refusal.is_lack:
                return f"{refusal.title}\n{refusal.hint}".strip()
            if form.is_current:
                form.action_leave()
            self._say_refusal(refusal)
            return refusal.title

        form.send = send
        return await self.app.push_screen_wait(form) is not None

    def draft(self, *about: str) -> dict[str, str]:
        """Return what was typed into the form of an action on something, when it was last left."""
        return self.browser.drafts.setdefault(about, {})

    def _say_refusal(self, refusal: _Refusal) -> None:
        self.notify(refusal.hint, title=refusal.title, severity=refusal.severity)

    async def _try(self, change: Change, undo: Change | None, needs: str) -> _Refusal | None:
        """Do something and say what was done; return why it was not."""
        absence = self.browser.absence
        if absence is not None:
            return _Refusal(absence.message, absence.hint, "warning")
        try:
            said = await change(self.browser.link)
        except MissingError as error:
            return _Refusal(f"this server has no {needs or 'such thing'}", error.message, "warning", is_lack=True)
        except LostError as error:
            return _Refusal(error.message, "whether it was done is not known; it is not tried again")
        except CliError as error:
            return _Refusal(error.message, error.hint or "")
        self.restart_watches()
        if undo is None:
            self.notify(said)
        else:
            self.notify(f"{said}; u takes it back")
            self._offer_undo(undo)
        return None

    async def ask_and_do(self, form: FormDialog, change: FormChange) -> bool:
        """Ask, and do what was answered; when it can't be done, ask again with what was typed."""
        return await self.fill_in(form, lambda values: partial(change, dict(values)))

    def _offer_undo(self, undo: Change) -> None:
        self._undos.append(undo)
        self.refresh_bindings()
        self.set_timer(UNDO_SECONDS, lambda: self._forget_undo(undo))

    def _forget_undo(self, undo: Change) -> None:
        if undo in self._undos:
            self._undos.remove(undo)
            self.refresh_bindings()

    def forget_undos(self) -> None:
        """Leave what was done as it is: it would be taken back elsewhere."""
        self._undos.clear()
        self.refresh_bindings()

    @work
    async def action_change_time(self) -> None:
        """Move the clock of a local server."""
        from durable_cli.tui.actions.clock import move_clock

        await move_clock(self)

    @work
    async def action_change_undo(self) -> None:
        """Take back what was done last; once more, what was done before it."""
        if self._undos:
            undo = self._undos.pop()
            self.refresh_bindings()
            await self.do(undo)
