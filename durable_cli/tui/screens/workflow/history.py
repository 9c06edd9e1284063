"""The history: grouped, or every event; searched, followed, unfolded, read."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.worker import Worker

from durable_cli.tui.group_looks import given_text, group_text, state_look
from durable_cli.tui.history.groups import Group, find_trouble
from durable_cli.tui.history.moment import group_then
from durable_cli.tui.history.search import Search
from durable_cli.tui.history.visible import CompactRow, CompactRows, VisibleGroups
from durable_cli.tui.rows import EventRow
from durable_cli.tui.screens.workflow.detail_pane import DetailPane
from durable_cli.tui.screens.workflow.selection import SelectionView, selection_lines
from durable_cli.tui.times import clock, now_ns, short_span
from durable_cli.tui.widgets.columns import Column
from durable_cli.tui.widgets.entry_bar import SearchBar
from durable_cli.tui.widgets.fixed_text import FixedText
from durable_cli.tui.widgets.virtual_table import VirtualTable

__all__ = ["HistoryView"]

COMPACT_COLUMNS = (
    Column("Id", 5, right=True),
    Column("Time", 12, rank=3),
    Column("After", 7, right=True, rank=2),
    Column("What", 28, grow=2),
    Column("Took", 8, right=True, rank=1),
    Column("Detail", 18, grow=4),
)
FULL_COLUMNS = (
    Column("Id", 5, right=True),
    Column("Time", 12, rank=2),
    Column("After", 7, right=True, rank=1),
    Column("Event", 30, grow=1),
    Column("Detail", 18, grow=4),
)


class HistoryView(SelectionView):
    """The events of the run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "toggle_full", "All events"),
        Binding("right,l,left,h", "unfold", "Unfold", key_display="→", show=False),
        # At once, before the next key is handed to the list.
        Binding("slash", "search", "Search", key_display="/", priority=True),
        Binding("escape", "leave_search", "Leave the search"),
        Binding("n", "find(1)", "Next match", show=False),
        Binding("N", "find(-1)", "Match before", show=False),
        Binding("exclamation_mark", "find_trouble", "Next failure", key_display="!", show=False),
        Binding("f", "follow", "Follow"),
        Binding("w", "toggle_tasks", "Workflow tasks", show=False),
    ]
    DEFAULT_CSS = """
    HistoryView.-beside { layout: horizontal; }
    HistoryView > #history-main { height: 1fr; width: 1fr; }
    HistoryView #history-note { height: 1; padding: 0 1; color: $quiet; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._compact: CompactRows | None = None
        self._is_full = False
        self._follows = False
        self._search: Search | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="history-main"):
            yield VirtualTable(COMPACT_COLUMNS, self._render_cells, _key, id="events")
            yield FixedText(id="history-note")
            yield SearchBar(self.start_search, self.action_leave_search)
        yield DetailPane()

    @property
    def _table(self) -> VirtualTable[CompactRow | EventRow]:
        return self.query_one("#events", VirtualTable)

    @property
    def _rows(self) -> Sequence[CompactRow | EventRow]:
        return self.book.history.rows if self._is_full or self._compact is None else self._compact.rows

    @property
    def main_widget(self) -> Widget:
        return self._table

    # News

    def show_run(self) -> None:
        if self._compact is None:
            self._compact = CompactRows(VisibleGroups(self.book.history))
        self.show_events(())

    def show_events(self, changed: Collection[Group]) -> None:
        if self._compact is None:
            return
        before = self._compact.rows
        self._compact.update()
        if self._table.rows is self._rows and (self._is_full or before is self._compact.rows):
            self._table.grow_rows(self._rows)
            self._show_changed(changed)
        else:
            self._table.set_rows(self._rows)
        if self._follows:
            self._table.action_move_to_last()
        if self._search is not None:
            self._look()
        self._show_note()
        if self.selects_group() and self.selected_group() in changed:
            self._show_detail(keep_place=True)

    def show_decoded(self, changed: Collection[Group]) -> None:
        if self._search is not None:
            self._search = Search(self._search.text, self.book.history.rows)
        self._table.set_rows(self._rows)
        self.show_events(changed)
        self._show_detail(keep_place=True)

    def tick(self) -> None:
        self._show_changed(())

    def _show_changed(self, changed: Collection[Group]) -> None:
        """Draw groups again that go on, or have changed."""
        if not self._is_full and self._compact is not None:
            first, last = self._table.window
            rows = self._compact.rows[first : last + 1]
            self._table.refresh_rows(
                first + place for place, row in enumerate(rows) if row.group.is_open or row.group in changed
            )

    # What is selected

    def selects_group(self) -> bool:
        row = self._table.cursor_row
        return isinstance(row, CompactRow) and not row.event_id

    def selected_group(self) -> Group | None:
        row = self._table.cursor_row
        if isinstance(row, EventRow):
            return self.book.history.group_of(row.event_id)
        return row.group if row else None

    def selected_event_id(self) -> int | None:
        row = self._table.cursor_row
        if isinstance(row, EventRow):
            return row.event_id
        return (row.event_id or row.group.opened_event_id) if row else None

    def show_event(self, event_id: int) -> None:
        """Put the cursor on an event, among all events."""
        if not self._is_full:
            self.action_toggle_full()
        self._table.move_to(event_id - 1)

    @on(VirtualTable.Activated)
    def toggle_detail(self) -> None:
        """Open or close what is under the cursor."""
        self.query_one(DetailPane).toggle()
        self._show_detail()

    @on(VirtualTable.CursorMoved)
    def show_moved(self) -> None:
        """Keep what is open that of the cursor."""
        self._show_detail()
        if self._search is not None:
            self._show_note()

    def _show_detail(self, *, keep_place: bool = False) -> None:
        pane, group = self.query_one(DetailPane), self.selected_group()
        if pane.is_open and group is not None:
            event_id = 0 if self.selects_group() else self.selected_event_id() or 0
            pane.show_lines(selection_lines(self.book.history, group, event_id), keep_place=keep_place)

    # Ways to see it

    def action_toggle_full(self) -> None:
        """Show every event, or groups; the cursor stays where it is."""
        event_id = self.selected_event_id() or 1
        self._is_full = not self._is_full
        self._table.set_columns(FULL_COLUMNS if self._is_full else COMPACT_COLUMNS)
        index = self._index_of(event_id)
        self._table.set_rows(self._rows, cursor=index if index is not None else self._table.cursor)
        self._show_detail()
        self._show_note()

    def _index_of(self, event_id: int) -> int | None:
        """Return the row of an event, or of its group; None when it is not there to see."""
        if self._is_full or self._compact is None:
            return event_id - 1
        return self._compact.index_of(self.book.history.group_of(event_id), event_id)

    def _go_to(self, event_id: int) -> bool:
        """Put the cursor on an event, or on its group where it opened that; return whether it is there to see."""
        if not self._is_full and self._compact is not None:
            group = self.book.history.group_of(event_id)
            if event_id != group.opened_event_id and self._compact.unfold(group):
                self._table.set_rows(self._rows)
        index = self._index_of(event_id)
        if index is not None:
            self._table.move_to(index)
        return index is not None

    def action_unfold(self) -> None:
        """Show the events of a group below it, or hide them."""
        row = self._table.cursor_row
        if isinstance(row, CompactRow) and self._compact is not None:
            self._compact.toggle(row.group)
            self._table.set_rows(self._rows, cursor=self._compact.index_of(row.group, 0))

    def on_click(self, event: events.Click) -> None:
        """Unfold by a click on the sign before a group."""
        place = event.get_content_offset(self._table)
        if place is not None and place.y > 0:
            title, within = self._table.column_at(place.x)
            if title == "What" and within < 2:
                self.action_unfold()

    def action_find_trouble(self) -> None:
        """Go to the next thing that went wrong, from the cursor on, then from the start."""
        groups, here = self.book.history.groups, self.selected_group()
        found = find_trouble(groups, here)
        if found is None:
            self.notify("nothing went wrong")
        else:
            self._go_to(found.opened_event_id)

    def action_toggle_tasks(self) -> None:
        """Show workflow tasks, or fold them away."""
        if self._compact is not None:
            self._compact.toggle_tasks()
            self._table.set_rows(self._rows)

    def action_follow(self) -> None:
        """Stay at what is newest, or stop that."""
        self._follows = not self._follows
        if self._follows:
            self._table.action_move_to_last()
        self._show_note()

    # Search

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the search bar, its key is a character like the others."""
        if action == "search" and isinstance(self.screen.focused, SearchBar):
            return False
        if action == "leave_search" and not any(bar.display for bar in self.query(SearchBar)):
            return False
        return super().check_action(action, parameters)

    def action_search(self) -> None:
        """Open the search bar; what was looked for before is kept until something else is typed."""
        self.query_one(SearchBar).open()

    def action_leave_search(self) -> None:
        """Leave the search as it was; also when its bar was left by tab or by a click."""
        bar = self.query_one(SearchBar)
        bar.value = self._search.text if self._search is not None else ""
        bar.display = False
        self.screen.set_focus(self._table)
        self.screen.refresh_bindings()

    def start_search(self, text: str) -> None:
        """Find what was typed, from the cursor on."""
        self._search = Search(text, self.book.history.rows) if text else None
        self.action_leave_search()
        self._look(is_first=True)

    def _look(self, *, is_first: bool = False) -> None:
        _: Worker[None] = self.run_worker(partial(self._look_on, is_first), group="search", exclusive=True)

    async def _look_on(self, is_first: bool) -> None:
        search = self._search
        if search is not None:
            for _ in search.steps():
                self._show_note()
                await asyncio.sleep(0)
                if self.is_left:
                    return
            if is_first:
                here = (self.selected_event_id() or 1) - 1
                self._move_to_match(search, here, is_backward=False)
        self._show_note()

    def action_find(self, direction: int) -> None:
        """Go to the next match, or to the one before."""
        if self._search is None:
            self.action_search()
            return
        self._move_to_match(self._search, self.selected_event_id() or 0, is_backward=direction < 0)

    def _move_to_match(self, search: Search, event_id: int, *, is_backward: bool) -> None:
        """Go to the next match that there is to see."""
        for _ in search.matches:
            found = search.find_next(event_id, is_backward=is_backward)
            if found is None:
                return
            if self._go_to(found):
                break
            event_id = found
        else:
            if search.matches:
                self.notify("what was found is in workflow tasks: w shows them")
        self._show_note()

    def _show_note(self) -> None:
        history = self.book.history
        words = [f"{len(history.rows):,} events" if self._is_full else f"{len(history.rows):,} events, grouped"]
        if self._follows:
            words.append("following")
        if self._search is not None:
            number = self._search.number_of(self.selected_event_id() or 0)
            count = len(self._search.matches)
            found = f"{number} of {count:,}" if number else f"{count:,} found"
            words.append(f"/{self._search.text}: {found if count else 'not found'}")
        note = Text("   ".join(words), no_wrap=True, overflow="ellipsis")
        self.query_one("#history-note", FixedText).show(note)

    # Cells

    def _render_cells(self, row: CompactRow | EventRow) -> Sequence[Text | str]:
        if isinstance(row, EventRow):
            return self._render_event(row)
        if row.event_id:
            return self._render_unfolded(self.book.history.row(row.event_id))
        group, quiet = row.group, self.palette["quiet"]
        is_unfolded = self._compact is not None and self._compact.is_unfolded(group)
        sign = " " if len(group.event_ids) == 1 else "▾" if is_unfolded else "▸"
        state = self.book.state_of(group)
        what = Text(f"{sign} ", style=quiet).append_text(
            group_text(group, self.palette, None if state is group.state else state)
        )
        if group.label:
            what.append(f"  {group.label}", style=quiet)
        end = self.book.group_end_ns(group, now_ns())
        took = "" if group.is_moment else short_span(max(0, end - group.start_time_ns))
        return (
            Text(str(group.opened_event_id), style=quiet),
            Text(clock(group.start_time_ns), style=quiet),
            Text(self._after(group.start_time_ns), style=quiet),
            what,
            f"{took}…" if group.is_open and self.book.is_open else took,
            self._detail(group),
        )

    def _detail(self, group: Group) -> Text:
        again = f"\N{MULTIPLICATION SIGN}{group.attempt} " if group.attempt > 1 else ""
        detail = Text(again, style=self.palette["warning"])
        if group.is_trouble:
            return detail.append(group.failure or group.state.value, style=self.palette["error"])
        return detail.append_text(given_text(group, self.palette))

    def _render_unfolded(self, row: EventRow) -> Sequence[Text | str]:
        quiet = self.palette["quiet"]
        return (
            Text(str(row.event_id), style=quiet),
            Text(clock(row.event_time_ns), style=quiet),
            Text(self._after(row.event_time_ns), style=quiet),
            Text.assemble(("  └ ", self.palette["line"]), self._event_name(row)),
            "",
            row.summary,
        )

    def _after(self, time_ns: int) -> str:
        """Say how long after the start of the run something was."""
        return f"+{short_span(max(0, time_ns - self.book.start_time_ns))}"

    def _render_event(self, row: EventRow) -> Sequence[Text | str]:
        quiet = self.palette["quiet"]
        return (
            Text(str(row.event_id), style=quiet),
            Text(clock(row.event_time_ns), style=quiet),
            Text(self._after(row.event_time_ns), style=quiet),
            self._event_name(row),
            row.summary,
        )

    def _event_name(self, row: EventRow) -> Text:
        is_quiet = row.name.startswith("WorkflowTask") and not row.name.endswith(("Failed", "TimedOut"))
        state = group_then(self.book.history, self.book.history.group_of(row.event_id), row.event_id).state
        variable = "quiet" if is_quiet else state_look(state).variable
        return Text(row.name, style=self.palette.get(variable, ""))


def _key(row: CompactRow | EventRow) -> tuple[int, int]:
    return (0, row.event_id) if isinstance(row, EventRow) else row.key
