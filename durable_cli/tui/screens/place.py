"""What the places beside the workflows have in common: a list that is asked for again and again."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from durable_cli.tui.place_messages import NotServed
from durable_cli.tui.screens.base import CHANGE_PREFIX, BrowserScreen
from durable_cli.tui.widgets.columns import Column
from durable_cli.tui.widgets.fixed_text import FixedText
from durable_cli.tui.widgets.key_bar import KeyBar
from durable_cli.tui.widgets.nothing_note import NothingNote
from durable_cli.tui.widgets.top_bar import TopBar
from durable_cli.tui.widgets.trouble_note import TroubleNote
from durable_cli.tui.widgets.virtual_table import VirtualTable
from durable_cli.tui.widgets.words_bar import WordsBar

__all__ = ["ListScreen"]

Row = TypeVar("Row")


class ListScreen(BrowserScreen, Generic[Row]):
    """A list of things, with their count above and what is under the cursor below."""

    NOUN: ClassVar[tuple[str, str]] = ("row", "rows")
    COLUMNS: ClassVar[Sequence[Column]] = ()
    EMPTY: ClassVar[Sequence[str]] = ()
    """What to do when there are none; a line that begins with a $ is a command."""
    MISSING: ClassVar[Sequence[str]] = ()
    """What to do when the server has no such thing."""
    AUTO_FOCUS = "#rows"
    BINDING_GROUP_TITLE = "This list"
    HAS_PANE: ClassVar[bool] = False
    ROW_ACTIONS: ClassVar[frozenset[str]] = frozenset()
    """What is done to the row under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # At once, before the next key is handed to whatever has the focus now: fast typing must not lose its beginning.
        Binding("slash", "narrow", "Narrow", key_display="/", priority=True),
        Binding("escape", "leave", "Back", show=False),
        Binding("n", "app.choose_namespace", "Namespace", show=False),
        Binding("r", "refresh", "Refresh", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._is_missing = False
        self._all_rows: Sequence[Row] = ()
        self._words = ""

    def compose(self) -> ComposeResult:
        yield TopBar(self.detail())
        yield from self.compose_head()
        yield WordsBar(self.show_words, lambda: self.set_focus(self.table))
        yield TroubleNote(id="trouble")
        yield VirtualTable[Row](self.COLUMNS, self.cells, self.key, id="rows")
        yield NothingNote(id="nothing")
        if self.HAS_PANE:
            with VerticalScroll(id="pane", can_focus=False):
                yield Static(id="pane-text")
        yield KeyBar()

    # What a place says of itself.

    def detail(self) -> str:
        """Return what the bar shows behind the place."""
        return ""

    def compose_head(self) -> Iterator[Widget]:
        """Make what is above the list."""
        yield FixedText(id="counts")

    def cells(self, row: Row) -> Sequence[Text | str]:
        """Make the cells of a row."""
        return ()

    def key(self, row: Row) -> Hashable:
        """Return what tells a row from the others."""
        return row

    def headline(self, rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
        """Yield what is said behind the count, each with the name of its colour."""
        return iter(())

    def pane(self, row: Row) -> RenderableType:
        """Draw what is known of the row under the cursor."""
        return ""

    async def open(self, row: Row) -> None:
        """Go into a row."""

    # What it does.

    @property
    def table(self) -> VirtualTable[Row]:
        """The list."""
        return self.query_one("#rows", VirtualTable)

    def on_mount(self) -> None:
        self.set_focus(self.table)

    def take_rows(self, rows: Sequence[Row]) -> None:
        """Show what the server has told."""
        self._set_missing(False)
        self._all_rows = rows
        self.table.set_rows([row for row in rows if self._has_words(row)] if self._words else rows)
        self.show_headline()
        if rows:
            self._show_list()
        else:
            namespace = self.browser.link.namespace
            self._show_nothing(f"No {self.NOUN[1]} in namespace {namespace}", self.EMPTY)
        self.show_pane()

    def show_headline(self) -> None:
        """Write how many there are, and what is to be said of them."""
        rows = self._all_rows
        noun = self.NOUN[len(rows) != 1]
        line = Text.assemble((f"{len(rows):,} {noun}", "bold"), no_wrap=True, overflow="ellipsis")
        if self._words:
            line.append(f"   {len(self.table.rows):,} shown", style=self.palette["accent"])
        for words, variable in self.headline(rows):
            if line.cell_len + 3 + cell_len(words) > self.size.width - 2:
                break  # words that are cut say nothing
            line.append("   ").append(Text(words, style=self.palette[variable]))
        for counts in self.query("#counts").results(FixedText):
            counts.show(line)

    def on_resize(self) -> None:
        if self._all_rows:
            self.show_headline()

    def show_theme(self) -> None:
        if not self._is_missing:
            self.show_headline()
        self.show_pane()

    def _show_list(self) -> None:
        self.query_one(NothingNote).hide()
        if not self.table.display:
            self.table.display = True
            self.set_focus(self.table)

    def _show_nothing(self, title: str, advice: Sequence[str]) -> None:
        self.table.display = False
        self.query_one(NothingNote).say(title, advice)

    def _set_missing(self, is_missing: bool) -> None:
        if self._is_missing != is_missing:
            self._is_missing = is_missing
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing that the server can't do or that needs a row; in the bar of words, `/` is a character."""
        if action in self.ROW_ACTIONS and self.lacks(lambda: self.table.cursor_row):
            return False
        if self._is_missing and (action == "narrow" or action.startswith(CHANGE_PREFIX)):
            return False
        if action == "narrow" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def show_pane(self) -> None:
        """Draw what is under the cursor."""
        if not self.HAS_PANE:
            return
        row = self.table.cursor_row
        self.query_one("#pane").display = row is not None
        if row is not None:
            self.query_one("#pane-text", Static).update(self.pane(row))

    def on_not_served(self, message: NotServed) -> None:
        """Say that the server has no such thing, and what to do."""
        self.take_rows(())
        for counts in self.query("#counts").results(FixedText):
            counts.show(Text())
        self._show_nothing(f"This server has no {self.NOUN[1]}", (*self.MISSING, "", message.message))
        self._set_missing(True)
        self.show_pane()

    def show_namespace(self) -> None:
        self._all_rows = ()
        self.table.set_rows(())
        super().show_namespace()

    @on(VirtualTable.CursorMoved)
    def follow_cursor(self) -> None:
        """Show what is under the cursor now."""
        self.show_pane()

    @on(VirtualTable.Activated)
    async def open_row(self, message: VirtualTable.Activated) -> None:
        """Open a row."""
        await self.open(message.row)

    # Narrowing the list.

    def _has_words(self, row: Row) -> bool:
        text = " ".join(str(cell) for cell in self.cells(row)).lower()
        return all(word in text for word in self._words.lower().split())

    def action_narrow(self) -> None:
        """Show only the lines that have some words."""
        self.query_one(WordsBar).open()

    def show_words(self, words: str) -> None:
        """Show only the lines that have these words."""
        if words != self._words:
            self._words = words
            if not self._is_missing:
                self.take_rows(self._all_rows)

    def action_leave(self) -> None:
        """Show all lines again, or go back where we came from."""
        if not self.is_mounted:
            return
        bar = self.query_one(WordsBar)
        if bar.display:
            bar.show_all()
        elif len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def action_refresh(self) -> None:
        """Ask the server at once."""
        self.restart_watches()
