"""The list of workflows: live, counted, filtered, sorted, with the columns that one wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, cast

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input
from textual.worker import Worker

from durable_cli.errors import CliError
from durable_cli.tui.actions.one_run import TargetRun
from durable_cli.tui.actions.run import RunActionsScreen
from durable_cli.tui.actions.saved_filters import SavedFiltersScreen
from durable_cli.tui.batch_order import ManyRuns, Run
from durable_cli.tui.counts_line import draw_counts
from durable_cli.tui.dialogs.pick import PickDialog, PickSeveralDialog
from durable_cli.tui.feed.runs import list_runs, watch_runs
from durable_cli.tui.feed.search_attributes import list_search_attributes
from durable_cli.tui.filter.completion import ATTRIBUTES, Choice, find_choices, merge_attributes
from durable_cli.tui.filter.refusal import explain_refusal
from durable_cli.tui.messages import RunsCounted, RunsListed, Trouble
from durable_cli.tui.rows import RunRow
from durable_cli.tui.run_columns import RUN_COLUMNS, USUAL_COLUMNS
from durable_cli.tui.run_list import RunList
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.times import now_ns
from durable_cli.tui.widgets.filter_bar import ChoiceLine, FilterBar
from durable_cli.tui.widgets.fixed_text import FixedText
from durable_cli.tui.widgets.key_bar import KeyBar
from durable_cli.tui.widgets.nothing_note import NothingNote, nothing_words
from durable_cli.tui.widgets.top_bar import TopBar
from durable_cli.tui.widgets.trouble_note import TroubleNote
from durable_cli.tui.widgets.virtual_table import VirtualTable

__all__ = ["WorkflowsScreen"]

PAGE = "page"
SEEN_ROWS = 1000


class WorkflowsScreen(SavedFiltersScreen, RunActionsScreen):
    """All runs of the namespace, newest first."""

    RUN_ACTIONS = RunActionsScreen.RUN_ACTIONS | {"open", "mark", "mark_all", "mark_range", "sort"}
    AUTO_FOCUS = "#runs"
    BINDING_GROUP_TITLE = "This list"
    BINDINGS: ClassVar[list[BindingType]] = [
        # At once, before the next key is handed to whatever has the focus now: fast typing must not lose its beginning.
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("escape", "leave_filter", "Leave the filter"),
        Binding("enter", "open", "Open", show=True),
        Binding("space", "mark", "Mark", show=False),
        Binding("a", "mark_all", "Mark all that are loaded", show=False),
        Binding("shift+down", "mark_range(1)", "Mark downwards", show=False),
        Binding("shift+up", "mark_range(-1)", "Mark upwards", show=False),
        Binding("b", "change_batch", "Batch", tooltip="Do something to all that match, or to the marked"),
        Binding("o", "sort", "Sort", show=False),
        Binding("w", "columns", "Columns", show=False),
        Binding("n", "app.choose_namespace", "Namespace"),
        Binding("r", "refresh", "Refresh", show=False),
        Binding("plus", "change_create", "Start a workflow", key_display="+"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._query = ""
        self._list = RunList()
        self._asked_token = b""
        self._sorted_by = ""
        self._counts: dict[int, int] | None = None
        self._attributes = ATTRIBUTES
        self._is_fresh = False
        """Whether the server has not said yet what it thinks of the filter."""

    def compose(self) -> ComposeResult:
        yield TopBar()
        yield FixedText(id="counts")
        placeholder = "list filter, such as ExecutionStatus = 'Running'; tab completes"
        yield FilterBar(
            self._find_choices, self.take_filter, self.action_leave_filter, id="filter", placeholder=placeholder
        )
        yield ChoiceLine(id="choices")
        yield TroubleNote(id="trouble")
        yield VirtualTable((), self._render_cells, _identity, id="runs")
        yield NothingNote()
        yield KeyBar()

    @property
    def shown_filter(self) -> str:
        return self._query

    @property
    def table(self) -> VirtualTable[RunRow]:
        """The table of runs."""
        return self.query_one("#runs", VirtualTable)

    def on_mount(self) -> None:
        self._take_columns(self.browser.preferences.columns)
        self.set_focus(self.table)  # at once, here and below: later, it would take the keys from a bar that was opened
        self._learn_attributes()

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_runs, self.browser.link, self._query, self._visible_tokens, self.post_message)

    @work(group="attributes", exclusive=True)
    async def _learn_attributes(self) -> None:
        try:
            self._attributes = merge_attributes(await list_search_attributes(self.browser.link))
        except CliError:
            self._attributes = ATTRIBUTES  # a server that does not say: those that every server has

    def _visible_tokens(self) -> list[bytes]:
        if self._sorted_by:
            return []  # what is on the screen is from many pages
        first, last = self.table.window
        return list(self._list.tokens_between(first, last))

    def target_runs(self) -> list[tuple[str, str]]:
        row, marked = self.table.cursor_row, self._marked
        if not marked:
            return [_identity(row)] if row else []
        # What is marked is meant, also when it does not match the filter any more.
        listed = [_identity(each) for each in self._list.rows if _identity(each) in marked]
        return [*listed, *sorted(marked.difference(listed))]

    @property
    def _marked(self) -> set[Run]:
        return cast("set[Run]", self.table.marked)

    def target_run(self) -> TargetRun | None:
        row = self.table.cursor_row
        return TargetRun(row.workflow_id, row.run_id, row.status) if row else None

    def any_target(self) -> object | None:
        return next(iter(self._marked), None) or self.target_run()

    def acts_on_closed_run(self) -> bool:
        return not self.table.marked and super().acts_on_closed_run()

    @work
    async def action_change_create(self) -> None:
        """Start a workflow."""
        await self.ask_and_start(None)

    # What the feed tells.

    def _is_about_this(self, message: RunsListed | RunsCounted) -> bool:
        """Return whether it is about the filter and the namespace that are shown now."""
        return (message.of_namespace, message.query) == (self.browser.link.namespace, self._query)

    def on_runs_listed(self, message: RunsListed) -> None:
        if not self._is_about_this(message):
            return
        if self._list.take(message.token, message.rows, message.next_page_token):
            self._show_rows()
        else:
            self.table.refresh_changed()  # times go on
        self._show_nothing()

    def _show_nothing(self) -> None:
        """Say what to do where the list would be, when there are none."""
        note, is_empty = self.query_one(NothingNote), not self._list.rows
        if is_empty:
            link, is_read_only = self.browser.link, self.browser.is_read_only
            note.say(*nothing_words(link.address, link.namespace, self._query, is_read_only=is_read_only))
        else:
            note.hide()
        if self.table.display == is_empty:
            if self.focused is self.table:
                self.set_focus(None)  # else the filter bar would get it, and the keys with it
            self.table.display = not is_empty
            if not is_empty and not isinstance(self.focused, Input):
                self.set_focus(self.table)

    def _show_rows(self) -> None:
        rows = self._list.rows
        if self._sorted_by:
            rows = sorted(rows, key=RUN_COLUMNS[self._sorted_by].sort_key)
        self.table.set_rows(rows)

    def on_runs_counted(self, message: RunsCounted) -> None:
        if self._is_about_this(message):
            self._counts = message.counts
            self._show_counts()

    def _show_counts(self) -> None:
        title = RUN_COLUMNS[self._sorted_by].column.title.lower() if self._sorted_by else ""
        sorted_words = f"by {title}, of {len(self._list.rows):,} loaded" if title else ""
        room, marked = self.size.width - 2, len(self.table.marked)
        line = draw_counts(self._counts, room, self.palette, marked=marked, sorted_words=sorted_words)
        self.query_one("#counts", FixedText).show(line)
        self.offer_what_it_takes()

    def show_theme(self) -> None:
        self._show_counts()

    def on_resize(self) -> None:
        if self._counts:
            self._show_counts()

    @on(VirtualTable.NearEnd)
    def load_more(self) -> None:
        """Load the next page when the end of the loaded rows comes into sight."""
        token = self._list.next_token
        if token and token != self._asked_token:
            self._asked_token = token
            ask = partial(list_runs, self.browser.link, self._query, token, self.post_message)
            _: Worker[None] = self.run_worker(ask, group=PAGE)

    # What the keys do.

    @on(VirtualTable.Activated)
    def open_row(self, message: VirtualTable.Activated) -> None:
        """Open a run."""
        self.app.push_screen(WorkflowScreen(message.row.workflow_id, message.row.run_id))

    def action_open(self) -> None:
        self.table.action_activate()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away, and go on to the next."""
        row = self.table.cursor_row
        if row is not None:
            self.table.marked ^= {_identity(row)}
            self.table.action_move(1)
            self._show_counts()

    def action_mark_all(self) -> None:
        """Mark all rows that are loaded; when there are marks, take them away."""
        self.table.marked = set() if self.table.marked else {_identity(row) for row in self._list.rows}
        self.table.refresh()
        self._show_counts()

    def action_mark_range(self, by: int) -> None:
        """Mark the run under the cursor and the next one, and go there."""
        row = self.table.cursor_row
        if row is not None:
            self.table.action_move(by)
            self.table.marked |= {_identity(row), _identity(self.table.cursor_row or row)}
            self.table.refresh()
            self._show_counts()

    @on(VirtualTable.RangeChosen)
    def mark_range(self, message: VirtualTable.RangeChosen) -> None:
        """Mark the runs from the cursor to where the mouse has chosen."""
        self.table.marked |= {_identity(row) for row in message.rows}
        self.table.refresh()
        self._show_counts()

    @work
    async def action_change_batch(self) -> None:
        """Do something to the marked runs, or else to all that match the filter."""
        from durable_cli.tui.actions.batch import order_batch

        await order_batch(self, self._query, self.target_runs() if self.table.marked else ())

    def show_progress(self, progress: ManyRuns) -> None:
        """Keep the marks of those that it was not done to, and no others."""
        self.table.marked = {run for run in self._marked if run[1] not in progress.done_run_ids}
        self.table.marked |= {(refusal.workflow_id, refusal.run_id) for refusal in progress.refusals}
        self.table.refresh()
        self._show_counts()

    @work
    async def action_sort(self) -> None:
        """Choose what the loaded rows are sorted by."""
        options = [("", "as the server lists them"), *((key, each.column.title) for key, each in RUN_COLUMNS.items())]
        chosen = await self.app.push_screen_wait(PickDialog("Sort by", options))
        if chosen is not None:
            self._sort(chosen)

    @on(VirtualTable.HeadClicked)
    def sort_by_head(self, message: VirtualTable.HeadClicked) -> None:
        """Sort by the column that was clicked; once more, and the rows stand as the server lists them."""
        key = next((key for key in self._columns if RUN_COLUMNS[key].column.title == message.title), "")
        self._sort("" if key == self._sorted_by else key)

    def _sort(self, key: str) -> None:
        self._sorted_by = key
        self._show_rows()
        self._show_counts()

    @work
    async def action_columns(self) -> None:
        """Choose the columns; they are kept."""
        options = [(key, each.column.title) for key, each in RUN_COLUMNS.items()]
        chosen = await self.app.push_screen_wait(PickSeveralDialog("Columns", options, self._columns))
        if chosen:
            self.browser.preferences.columns = [] if chosen == list(USUAL_COLUMNS) else chosen
            self.browser.keep_preferences()
            self._take_columns(chosen)

    def _take_columns(self, keys: Sequence[str]) -> None:
        self._columns = [key for key in keys if key in RUN_COLUMNS] or list(USUAL_COLUMNS)
        self.table.set_columns([RUN_COLUMNS[key].column for key in self._columns])

    def action_refresh(self) -> None:
        """Ask the server at once; what is marked stays so."""
        if self.browser.is_reachable():
            marked = self.table.marked
            self._begin()
            self.table.marked = marked
            self._show_counts()

    def _begin(self) -> None:
        self._list, self._asked_token, self._counts = RunList(), b"", None
        self.table.marked = set()
        self.table.set_rows(self._list.rows)
        self.table.display = True
        self.query_one(NothingNote).hide()
        self.workers.cancel_group(self, PAGE)
        self._show_counts()
        self.restart_watches()

    def show_namespace(self) -> None:
        self._begin()
        self._learn_attributes()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the filter bar its key is a character like others; a bar is left only where it was gone away from."""
        if action == "filter" and isinstance(self.focused, Input):
            return False
        if action == "leave_filter" and self.lacks(self._left_bar):
            return False
        return super().check_action(action, parameters)

    def _left_bar(self) -> FilterBar | None:
        """Return the bar where it shows something else than the filter that is in force."""
        bar = self.query_one(FilterBar)
        return bar if bar.display and (bar.value != self._query or not bar.value) else None

    def action_filter(self) -> None:
        """Open the filter bar, with the filter that is shown."""
        self.query_one(FilterBar).open()

    def take_filter(self, query: str) -> None:
        """Show the runs that match."""
        self._query, self._is_fresh = query, True
        bar = self.query_one(FilterBar)
        bar.value = query
        bar.display = bool(query)
        self._begin()
        self.set_focus(self.table)  # at once: the list may be empty, and hidden, before the next key

    def action_leave_filter(self) -> None:
        """Leave the filter as it was; also when its bar was left by tab or by a click."""
        bar = self.query_one(FilterBar)
        bar.value = self._query
        bar.display = bool(self._query)
        self.set_focus(self.table)
        self.refresh_bindings()

    def _find_choices(self, text: str) -> Sequence[Choice]:
        """Return what may come next in the filter, from what the server and the list know."""
        rows = self._list.rows[:SEEN_ROWS]
        values = {
            "WorkflowType": sorted({row.workflow_type for row in rows}),
            "TaskQueue": sorted({row.task_queue for row in rows}),
            "WorkflowId": [row.workflow_id for row in rows],
        }
        return find_choices(text, self._attributes, values, datetime.fromtimestamp(now_ns() / 1e9, UTC))

    @on(FilterBar.ChoicesChanged)
    def show_choices(self, message: FilterBar.ChoicesChanged) -> None:
        """Show what may come next in the filter."""
        self.query_one(ChoiceLine).show(message.choices, message.picked)

    def action_take_choice(self, index: int) -> None:
        self.query_one(FilterBar).take(index)

    def take_trouble(self, trouble: Trouble | None, source: str) -> None:
        """Say why the filter is refused, and go back into it once, where it goes wrong."""
        refusal = explain_refusal(trouble.message, self._query, self._attributes) if trouble is not None else None
        if refusal is not None:
            trouble = Trouble(refusal.message, refusal.advice)
            self.query_one("#counts", FixedText).show(Text())
            if self._is_fresh:
                self.query_one(FilterBar).correct(refusal.position)
        self._is_fresh = False
        super().take_trouble(trouble, source)

    def _render_cells(self, row: RunRow) -> Sequence[Text | str]:
        now = now_ns()
        return [RUN_COLUMNS[key].render(row, now, self.palette) for key in self._columns]


def _identity(row: RunRow) -> Run:
    return row.workflow_id, row.run_id
