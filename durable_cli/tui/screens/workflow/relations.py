"""The runs around this one, as a tree: enter opens one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from durable_cli.errors import CliError
from durable_cli.tui.feed.relations import load_chain, load_children, load_parents
from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.kinds import Kind
from durable_cli.tui.history.relations import Node, RelatedRun, TreeRow, children_of, flatten, grow_tree
from durable_cli.tui.screens.workflow.run_view import RunView
from durable_cli.tui.status import status_text
from durable_cli.tui.times import clock, now_ns, short_span
from durable_cli.tui.widgets.columns import Column
from durable_cli.tui.widgets.virtual_table import VirtualTable

__all__ = ["RelationsView"]

COLUMNS = (
    Column("Workflow", 34, grow=4),
    Column("Type", 10, grow=1, rank=2),
    Column("Status", 16),
    Column("How", 18, grow=2),
    Column("Started", 12, rank=3),
    Column("Took", 8, right=True, rank=1),
)


class RelationsView(RunView):
    """Parents, the runs of this workflow, and children."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,left,h", "unfold", "Its children", key_display="→"),
        Binding("r", "load", "Look again", show=False),
    ]
    DEFAULT_CSS = "RelationsView #note { display: none; padding: 0 1; color: $quiet; height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parents: list[RelatedRun] = []
        self._chain: list[RelatedRun] = []
        self._roots: list[Node] = []
        self._is_loaded = False
        self._has_failed = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Look for no other runs where there is no server."""
        if action in ("unfold", "load") and not self.browser_link.has_server:
            return False
        return super().check_action(action, parameters)

    def compose(self) -> ComposeResult:
        yield VirtualTable(COLUMNS, self._render_cells, _key, id="relations")
        yield Static(id="note")

    @property
    def main_widget(self) -> Widget:
        return self._table

    @property
    def _table(self) -> VirtualTable[TreeRow]:
        return self.query_one("#relations", VirtualTable)

    def show_run(self) -> None:
        if not self._is_loaded and self.book.summary is not None:
            self._is_loaded = True
            self.action_load()
        self._grow()

    def show_summary(self) -> None:
        if not self._is_loaded:
            self.show_run()

    def show_events(self, changed: Collection[Group]) -> None:
        self._grow()

    def try_again(self) -> None:
        if self._has_failed:
            self.action_load()

    @work(exclusive=True)
    async def action_load(self) -> None:
        """Ask the server for the runs around this one."""
        link, screen, summary = self.browser_link, self.run_screen, self.book.summary
        if summary is None:
            return
        if not link.has_server:
            self._show_notes([f"{link.absence}; what else belongs to this run, a server would know"])
            self._grow()
            return
        notes = []
        try:
            self._chain = await load_chain(link, screen.workflow_id)
        except CliError as error:
            notes.append(error.message)
        try:
            self._parents = await load_parents(link, summary.parent)
        except CliError as error:
            notes.append(error.message)
        if self.is_left:
            return
        self._has_failed = bool(notes)
        self._show_notes(notes)
        self._grow()
        self._table.move_to(next((i for i, row in enumerate(self._table.rows) if row.node.is_this), 0))

    def _show_notes(self, notes: Sequence[str]) -> None:
        note = self.query_one("#note", Static)
        note.display = bool(notes)
        note.update("\n".join(notes))

    def _grow(self) -> None:
        """Make the tree of what is known; what was unfolded stays so."""
        run_id, summary = self.run_screen.run_id, self.book.summary
        chain = list(self._chain)
        if summary is not None and all(run.run_id != run_id for run in chain):
            row = summary.row
            times = row.start_time_ns, row.close_time_ns
            chain.append(RelatedRun(row.workflow_id, row.run_id, row.workflow_type, row.status, *times))
        known = {_key(row): row.node for row in flatten(self._roots)}
        self._roots = grow_tree(self._parents, chain, run_id, children_of(self.book.history.groups))
        for root in self._roots:
            _keep_unfolded(root, known)
        self._table.set_rows(list(flatten(self._roots)))

    def on_click(self, event: events.Click) -> None:
        """Unfold by a click on the sign before a run."""
        place, row = event.get_content_offset(self._table), self._table.cursor_row
        if place is not None and place.y > 0 and row is not None:
            title, within = self._table.column_at(place.x)
            if title == "Workflow" and 0 <= within - len(row.guide) < 2:
                self.action_unfold()

    @work
    async def action_unfold(self) -> None:
        """Show the children of a run, or hide them."""
        row = self._table.cursor_row
        if row is None:
            return
        node = row.node
        if node.children is None:
            try:
                runs = await load_children(self.browser_link, node.run.workflow_id, node.run.run_id)
            except CliError as error:
                self.notify(error.hint or "", title=error.message, severity="warning")
                return
            if self.is_left:
                return
            node.children = [Node(run) for run in runs]
            if not runs:
                self.notify("it has no children")
        node.is_unfolded = not node.is_unfolded
        self._table.set_rows(list(flatten(self._roots)))

    @on(VirtualTable.Activated)
    def open_row(self, message: VirtualTable.Activated) -> None:
        """Open the run under the cursor."""
        node: Node = message.row.node
        if node.is_this:
            self.notify("this is the run that you are looking at")
        else:
            self.run_screen.open_run(node.run.workflow_id, node.run.run_id)

    def selected_group(self) -> Group | None:
        row = self._table.cursor_row
        if row is None:
            return None
        children = (group for group in self.book.history.groups if group.kind is Kind.CHILD)
        return next((group for group in children if group.run_id == row.node.run.run_id), None)

    def _render_cells(self, row: TreeRow) -> Sequence[Text | str]:
        run, colors = row.node.run, self.palette
        fold = "" if row.node.children == [] else "▾ " if row.node.is_unfolded else "▸ "
        name = Text.assemble((row.guide, colors["line"]), (fold, colors["quiet"]))
        name.append(run.workflow_id, style="bold" if row.node.is_this else "")
        name.append(f"  {run.run_id[-8:]}", style=colors["quiet"])
        how = Text("this run" if row.node.is_this else run.how, style=colors["accent" if row.node.is_this else "quiet"])
        if row.node.is_this and run.how:
            how.append(f", {run.how}", style=colors["quiet"])
        took = short_span(max(0, (run.close_time_ns or now_ns()) - run.start_time_ns)) if run.start_time_ns else ""
        return (
            name,
            run.workflow_type,
            status_text(run.status, colors) if run.status else Text("not started", style=colors["quiet"]),
            how,
            Text(clock(run.start_time_ns) if run.start_time_ns else "", style=colors["quiet"]),
            took,
        )


def _key(row: TreeRow) -> tuple[str, str]:
    return row.node.run.workflow_id, row.node.run.run_id


def _keep_unfolded(node: Node, known: dict[tuple[str, str], Node]) -> None:
    before = known.get((node.run.workflow_id, node.run.run_id))
    if before is not None:
        node.is_unfolded = before.is_unfolded
        if node.children is None:
            node.children = before.children
            return
    for child in node.children or ():
        _keep_unfolded(child, known)
