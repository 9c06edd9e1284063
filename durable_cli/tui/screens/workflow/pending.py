"""What the run waits for, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.pending import PendingLine, list_pending
from durable_cli.tui.lines import Line, Look
from durable_cli.tui.screens.workflow.detail_pane import DetailPane
from durable_cli.tui.screens.workflow.selection import SelectionView, selection_lines
from durable_cli.tui.times import now_ns
from durable_cli.tui.widgets.columns import Column
from durable_cli.tui.widgets.virtual_table import VirtualTable

__all__ = ["PendingView"]

COLUMNS = (Column("What", 26, grow=1), Column("How it stands", 40, grow=3))


class PendingView(SelectionView):
    """One line for each thing that the run waits for; its words go on as the time does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "toggle_detail", "Details", show=False)]
    DEFAULT_CSS = """
    PendingView.-beside { layout: horizontal; }
    PendingView VirtualTable { width: 1fr; }
    PendingView #nothing { display: none; padding: 0 1; margin: 1 0 0 0; color: $quiet; }
    PendingView.-empty #nothing { display: block; }
    PendingView.-empty VirtualTable, PendingView.-empty DetailPane { display: none; }
    """

    def compose(self) -> ComposeResult:
        yield Static("The run is over: it waits for nothing.", id="nothing")
        yield VirtualTable(COLUMNS, self._render_cells, _key, id="pending")
        yield DetailPane()

    def on_mount(self) -> None:
        # The words are what the view is for: a narrow table cuts them.
        for pane in self.query(DetailPane):  # none where the run was left meanwhile
            pane.toggle()

    @property
    def main_widget(self) -> Widget:
        return self._table

    @property
    def _table(self) -> VirtualTable[PendingLine]:
        return self.query_one("#pending", VirtualTable)

    def show_run(self) -> None:
        history = self.book.history
        lines = list_pending(self.book, self.book.now_ns(now_ns())) if history.rows else []
        self.set_class(not lines, "-empty")
        is_read = bool(history.rows) and not self.book.missing_events
        words = "The run is over: it waits for nothing." if is_read else "The history is being read."
        self.query_one("#nothing", Static).update(words)
        self._table.set_rows(lines)

    def show_events(self, changed: Collection[Group]) -> None:
        self.show_run()

    def show_summary(self) -> None:
        self.show_run()
        self._show_detail(keep_place=True)

    def tick(self) -> None:
        self.show_run()

    def selected_group(self) -> Group | None:
        row = self._table.cursor_row
        return row.group if row else None

    @on(VirtualTable.Activated)
    def action_toggle_detail(self) -> None:
        """Open or close what is under the cursor."""
        for pane in self.query(DetailPane):  # none where the run was left meanwhile
            pane.toggle()
        self._show_detail()

    @on(VirtualTable.CursorMoved)
    def show_moved(self) -> None:
        """Keep what is open that of the cursor."""
        self._show_detail()

    def _show_detail(self, *, keep_place: bool = False) -> None:
        pane, row = self.query_one(DetailPane), self._table.cursor_row
        if not pane.is_open or row is None:
            return
        lines = [Line(row.what, Look.HEADING), *(Line(word) for word in row.words), Line("")]
        pane.show_lines(lines + selection_lines(self.book.history, row.group, 0), keep_place=keep_place)

    def _render_cells(self, row: PendingLine) -> Sequence[Text | str]:
        sign = "!" if row.is_trouble else "·"
        what = Text.assemble((f"{sign} ", self.palette["warning" if row.is_trouble else "quiet"]), row.what)
        return what, Text(row.text, style=self.palette["warning"] if row.is_trouble else "")


def _key(row: PendingLine) -> str:
    return str(row.group.opened_event_id) if row.group else row.what
