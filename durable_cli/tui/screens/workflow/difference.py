"""This run beside another one: what was the same, and where they part."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from difflib import ndiff
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from durable_cli.errors import CliError
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.feed.relations import find_previous_run
from durable_cli.tui.feed.run import load_history
from durable_cli.tui.group_looks import group_text
from durable_cli.tui.history.alignment import Pair, align
from durable_cli.tui.history.groups import Group, History
from durable_cli.tui.history.visible import VisibleGroups
from durable_cli.tui.lines import Line, Look
from durable_cli.tui.screens.workflow.detail_pane import DetailPane
from durable_cli.tui.screens.workflow.selection import SelectionView, expand_home, selection_lines
from durable_cli.tui.times import clock
from durable_cli.tui.widgets.columns import Column
from durable_cli.tui.widgets.virtual_table import VirtualTable

__all__ = ["DifferenceView"]

COLUMNS = (
    Column(" ", 1),
    Column("This run", 24, grow=2),
    Column("The other", 24, grow=2),
    Column("Difference", 18, grow=1),
)


class DifferenceView(SelectionView):
    """Groups of two runs, aligned; the first difference is under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "toggle_detail", "Details", show=False),
        Binding("n", "find(1)", "Next difference"),
        Binding("N", "find(-1)", "Difference before", show=False),
        Binding("x", "choose", "Another run"),
        Binding("r", "compare", "Compare again", show=False),
    ]
    DEFAULT_CSS = """
    DifferenceView.-beside { layout: horizontal; }
    DifferenceView #difference-main { width: 1fr; height: 1fr; }
    DifferenceView #difference-note { height: auto; padding: 0 1; color: $quiet; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._other: tuple[str, str] | None = None
        self._history: History | None = None
        self._has_looked = False
        self._has_failed = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a next difference only where there are pairs."""
        if action == "find" and not (self.is_mounted and self._table.rows):
            return False
        return super().check_action(action, parameters)

    def compose(self) -> ComposeResult:
        with Vertical(id="difference-main"):
            yield VirtualTable(COLUMNS, self._render_cells, _key, id="pairs")
            yield Static(id="difference-note")
        yield DetailPane()

    @property
    def main_widget(self) -> Widget:
        return self._table

    @property
    def _table(self) -> VirtualTable[Pair]:
        return self.query_one("#pairs", VirtualTable)

    def show_run(self) -> None:
        if not self._has_looked and self.book.summary is not None:
            self._has_looked = True
            if self.browser_link.has_server:
                self._compare_with_previous()
            else:
                self._say(f"{self.browser_link.absence}; x compares it with the history in another file")

    def show_summary(self) -> None:
        if not self._has_looked:
            self.show_run()

    def try_again(self) -> None:
        if self._has_failed:
            self._has_failed = False
            if self._other is not None:
                self.action_compare()
            else:
                self._compare_with_previous()

    @work(exclusive=True)
    async def _compare_with_previous(self) -> None:
        """Take the run before this one, where there is one."""
        screen = self.run_screen
        self._say("looking for the run before this one …")
        try:
            start_ns = self.book.summary.row.start_time_ns if self.book.summary else 0
            run_id = await find_previous_run(self.browser_link, screen.workflow_id, screen.run_id, start_ns)
        except CliError as error:
            self._has_failed = True
            self._say(f"{error.message}; x chooses a run by its id")
            return
        if not run_id:
            self._say("there is no run of this workflow before this one; x chooses another one by its id")
            return
        self._other = (screen.workflow_id, run_id)
        await self._compare()

    @work(exclusive=True)
    async def action_compare(self) -> None:
        """Read the other run again, and compare."""
        if self._other is not None:
            await self._compare()

    @work(exclusive=True)
    async def action_choose(self) -> None:
        """Choose the run to compare with."""
        if self.browser_link.has_server:
            workflow_id, run_id = self._other or (self.run_screen.workflow_id, "")
            fields = [
                Field("workflow", "workflow id", workflow_id, required=True),
                Field("run", "run id", run_id, "empty: its latest run"),
            ]
        else:
            path = self._other[0] if self._other else ""
            fields = [Field("workflow", "history in a file", path, "other_history.json", required=True)]
        values = await self.app.push_screen_wait(FormDialog("Compare with", fields, verb="Compare"))
        if values:
            self._other = (values["workflow"], values.get("run", ""))
            await self._compare()

    async def _load(self, workflow_id_or_path: str, run_id: str) -> History:
        """Read the history of another run, or, where this one is from a file, the one in another file."""
        if self.browser_link.has_server:
            return await load_history(self.browser_link, workflow_id_or_path, run_id)
        from durable_cli.tui.feed.history_file import load_file

        return await load_file(expand_home(workflow_id_or_path))

    async def _compare(self) -> None:
        assert self._other is not None
        self._say(f"reading {self._other[0]} …")
        try:
            self._history = await self._load(*self._other)
        except CliError as error:
            self._has_failed = True
            self._say(f"{error.message}; x chooses another run")
            return
        here, there = _groups(self.book.history), _groups(self._history)
        pairs = await asyncio.to_thread(align, here, there)
        if self.is_left:
            return
        self._table.set_rows(pairs)
        self._table.move_to(0)
        if pairs and not pairs[0].difference:
            self.action_find(1)
        self._say_result(pairs)

    def _say_result(self, pairs: Sequence[Pair]) -> None:
        assert self._other is not None
        differences = [pair for pair in pairs if pair.difference]
        name, run_id = self._other
        if not self.browser_link.has_server:
            name = Path(name).name
        other = f"{name} {run_id[-8:]}" if run_id else name
        if not differences:
            self._say(f"compared with {other}: all {len(pairs):,} groups agree")
            return
        first = differences[0]
        group = first.here or first.there
        assert group is not None
        self._say(
            f"compared with {other}: {len(differences):,} of {len(pairs):,} differ, "
            f"first at {group.title} (event {group.opened_event_id}): {first.difference}"
        )

    def _say(self, words: str) -> None:
        if not self.is_left:
            self.query_one("#difference-note", Static).update(Text(words))

    def selected_group(self) -> Group | None:
        row = self._table.cursor_row
        return row.here if row else None

    def action_find(self, direction: int) -> None:
        """Go to the next difference, or to the one before."""
        rows, index = self._table.rows, self._table.cursor + direction
        while 0 <= index < len(rows):
            if rows[index].difference:
                self._table.move_to(index)
                return
            index += direction

    @on(VirtualTable.Activated)
    def action_toggle_detail(self) -> None:
        """Open or close what differs under the cursor."""
        self.query_one(DetailPane).toggle()
        self._show_detail()

    @on(VirtualTable.CursorMoved)
    def show_moved(self) -> None:
        """Keep what is open that of the cursor."""
        self._show_detail()

    def _show_detail(self) -> None:
        pane, row = self.query_one(DetailPane), self._table.cursor_row
        if not pane.is_open or row is None or self._history is None:
            return
        here = _texts(self.book.history, row.here)
        there = _texts(self._history, row.there)
        legend = [Line("+ this run", Look.ADDED), Line("- the other", Look.REMOVED), Line("")]
        looks = {"+": Look.ADDED, "-": Look.REMOVED}
        compared = (text for text in ndiff(there, here) if not text.startswith("?"))
        pane.show_lines(legend + [Line(text, looks.get(text[0], Look.TEXT)) for text in compared])

    def _render_cells(self, row: Pair) -> Sequence[Text | str]:
        colors = self.palette
        sign, variable = ("=", "quiet") if not row.difference else ("≠", "warning")
        if row.here is None or row.there is None:
            sign, variable = ("-", "error") if row.here is None else ("+", "success")
        return (
            Text(sign, style=colors[variable]),
            self._side(row.here),
            self._side(row.there),
            Text(row.difference, style=colors["warning"]),
        )

    def _side(self, group: Group | None) -> Text:
        if group is None:
            return Text("")
        text = group_text(group, self.palette)
        return text.append(f"  {group.opened_event_id}", style=self.palette["quiet"])


def _groups(history: History) -> list[Group]:
    visible = VisibleGroups(history)
    visible.update()
    return visible.groups


def _texts(history: History, group: Group | None) -> list[str]:
    """Return what a group carries, without when it was: times always differ."""
    lines = selection_lines(history, group, 0)
    end = next((i for i, line in enumerate(lines) if line == Line("events", Look.HEADING)), len(lines))
    when = [f"at {clock(group.start_time_ns, with_date=True)}"] if group else []
    return [line.text for line in lines[:end]] + when


def _key(pair: Pair) -> tuple[int, int]:
    return (
        pair.here.opened_event_id if pair.here else 0,
        pair.there.opened_event_id if pair.there else 0,
    )
