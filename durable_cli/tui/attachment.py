"""The browser attached to the `dx dev` of the project here: what that does is told on whatever screen is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from durable_cli.dev.journal import FILENAME
from durable_cli.dev.project.nearest import find_nearest
from durable_cli.tui.dev.book import DevBook
from durable_cli.tui.dev.rows import BrokenRun, Notice, Reload
from durable_cli.tui.dev.words import say_run
from durable_cli.tui.feed.dev import watch_journal
from durable_cli.tui.place_messages import JournalRead

if TYPE_CHECKING:
    from durable_cli.tui.app_places import PlacesApp

__all__ = ["Attachment", "find_journal"]

LOOPBACK = ("localhost:", "127.0.0.1:", "[::1]:")


class Attachment:
    """What is known of `dx dev`, and what the browser does about it."""

    def __init__(self, app: PlacesApp, journal: Path) -> None:
        self.journal = journal
        self.log = journal.with_suffix(".log")
        self.folder = journal.parent.parent
        self.book = DevBook()
        self.is_known = False
        """Whether the journal was looked at."""
        self._app = app

    async def follow(self) -> None:
        """Follow the journal until it is cancelled."""
        await watch_journal(self.journal, self._app.post_message)

    def take(self, message: JournalRead) -> Sequence[Notice]:
        """Take what the journal says, and return what is worth a word where it is not shown."""
        book, was_known = self.book, self.is_known
        was_running = book.is_running
        self.is_known = True
        notices = list(book.take(message.events))
        book.is_running = message.is_running
        if was_known and was_running and not book.is_running:
            return [Notice("dx dev", "has ended", "warning")]
        if not was_known and book.broken:
            source, run = book.broken[0]
            return [Notice(source, say_run(run), "warning", is_mismatch=True)]
        return notices if book.is_running else ()

    def say(self, notices: Iterable[Notice]) -> None:
        """Say a few words on the screen that is open; where that is of another server, with the server they are of."""
        elsewhere = self.other_address
        for notice in notices:
            text = f"{notice.source}{f' at {elsewhere}' if elsewhere else ''}: {notice.text}"
            if notice.is_mismatch:
                text += "; M says more" if elsewhere else "; M opens it"
            self._app.notify(text, severity=notice.severity)

    def is_same_server(self) -> bool:
        """Whether the browser looks at the server that dx works with."""
        return _plain(self.book.address) == _plain(self._app.link.address)

    @property
    def other_address(self) -> str:
        """The address of the server that dx works with, where another one is browsed; that one has to be known."""
        return "" if self.is_same_server() or not self.browsed_address else self.book.address

    @property
    def browsed_address(self) -> str:
        """The address of the server that is browsed."""
        return self._app.link.address

    async def open_run(self, source: str, run: BrokenRun) -> None:
        """Open a run that does not repeat its history, at the event, beside the source line.

        Another server may have a run of that name, which is another one: then it is said where the run is.
        """
        from durable_cli.tui.screens.dev_mismatch import MismatchScreen

        app = self._app
        app.clear_notifications()
        reload = self.book.last_reload(source)
        if not run.workflow_id or not self.is_same_server():
            if reload is not None:
                await self.open_report(reload)
            elif self.other_address:
                self._app.notify(self.say_elsewhere(), title=source, severity="warning")
            return
        namespace = self.book.namespaces.get(source, app.link.namespace)
        if namespace != app.link.namespace:
            await app.change_namespace(namespace)
        await app.push_screen(MismatchScreen(source, run))

    def say_elsewhere(self) -> str:
        """Say that the runs of dx are on another server than the one that is browsed."""
        return f"its runs are at {self.other_address}; you browse {self.browsed_address} (@ changes that)"

    async def open_report(self, reload: Reload) -> None:
        """Show all that is known of a reload."""
        from durable_cli.tui.dev.report import reload_lines
        from durable_cli.tui.lines import Line, Look
        from durable_cli.tui.screens.reader import ReaderScreen

        first = [Line(self.say_elsewhere(), Look.HEADING), Line("")] if self.other_address else []
        await self._app.push_screen(ReaderScreen(reload.source, lambda: [*first, *reload_lines(reload, self.folder)]))


def find_journal(place: Path) -> Path | None:
    """Return the journal itself, or where that of the project is that a folder belongs to; None outside of projects."""
    if place.suffix == ".jsonl":
        return place
    try:
        file = find_nearest(place.absolute())
    except OSError:  # the current folder is gone
        return None
    return file.parent / ".dx" / FILENAME if file is not None else None


def _plain(address: str) -> str:
    """Return an address with one name for this machine."""
    for name in LOOPBACK:
        if address.startswith(name):
            return f"localhost:{address.removeprefix(name)}"
    return address
