"""Queries: what the workflow's code says of itself, now."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from shlex import quote
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import Worker

from durable_cli.errors import CliError
from durable_cli.tui.actions.one_run import ARGUMENTS
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.feed.link import LostError
from durable_cli.tui.feed.queries import METADATA_QUERY, STACK_TRACE_QUERY, Answer, ask_query
from durable_cli.tui.field_checks import check_arguments
from durable_cli.tui.lines import Line, Look
from durable_cli.tui.screens.workflow.run_view import RunView
from durable_cli.tui.times import clock, here_ns
from durable_cli.tui.widgets.columns import Column
from durable_cli.tui.widgets.line_view import LineView
from durable_cli.tui.widgets.nothing_note import NothingNote
from durable_cli.tui.widgets.virtual_table import VirtualTable

__all__ = ["QueriesView"]

BESIDE_WIDTH = 90


class QueryRow(NamedTuple):
    """A query that can be asked."""

    name: str
    title: str
    description: str = ""


BUILT_IN = (
    QueryRow(METADATA_QUERY, "details and handlers", "current details; what it can be told and asked"),
    QueryRow(STACK_TRACE_QUERY, "stack trace", "where its code waits"),
)


class QueriesView(RunView):
    """The queries that are known, and the answer to the last one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "ask_with", "With arguments"),
        Binding("plus", "ask_other", "Another query", key_display="+"),
        Binding("v", "open_whole", "Read it whole", show=False),
        Binding("y", "copy", "Copy the answer", show=False),
    ]
    DEFAULT_CSS = """
    QueriesView #queries { height: 8; }
    QueriesView #answer-side { height: 1fr; width: 1fr; border-top: solid $line; padding: 0 1; }
    QueriesView #answer-note { height: 1; color: $quiet; }
    QueriesView.-beside { layout: horizontal; }
    QueriesView.-beside #queries { height: 1fr; width: 34; }
    QueriesView.-beside #answer-side { width: 1fr; border-top: none; border-left: solid $line; margin: 1 0 0 0; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[QueryRow] = list(BUILT_IN)
        self._arguments: dict[str, str] = {}
        self._answer: Answer | None = None
        self._has_asked = False
        self._failed = ""
        """The query that no server was there to answer."""

    def compose(self) -> ComposeResult:
        yield VirtualTable((Column("Query", 20, grow=1),), self._render_cells, lambda row: row.name, id="queries")
        with Vertical(id="answer-side"):
            yield Static(id="answer-note")
            yield LineView(id="answer")
        yield NothingNote()

    @property
    def main_widget(self) -> Widget:
        return self._table

    @property
    def _table(self) -> VirtualTable[QueryRow]:
        return self.query_one("#queries", VirtualTable)

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE_WIDTH, "-beside")

    def show_run(self) -> None:
        if not self.browser_link.has_server:
            self._say_no_server()
            return
        self._table.set_rows(self._rows)
        if not self._has_asked and self.book.summary is not None:
            self._has_asked = True
            self._ask(METADATA_QUERY)

    def show_summary(self) -> None:
        if not self._has_asked:
            self.show_run()

    def try_again(self) -> None:
        if self._failed:
            self._ask(self._failed)

    def _say_no_server(self) -> None:
        """Say that nobody is there to be asked, and what to do."""
        self._table.display = self.query_one("#answer-side").display = False
        summary = self.book.summary
        workflow_id = summary.row.workflow_id if summary else self.run_screen.workflow_id
        advice = (
            "It is the workflow's code that answers: that takes a worker, and the server that has the run:",
            "",
            f"$ dx tui {quote(workflow_id)}",
        )
        self.query_one(NothingNote).say("A history from a file can't be asked", advice)

    @on(VirtualTable.Activated)
    def ask_row(self, message: VirtualTable.Activated) -> None:
        """Ask the query under the cursor, with the arguments that it was asked with before."""
        self._ask(message.row.name)

    @work
    async def action_ask_with(self) -> None:
        """Ask the query under the cursor with arguments."""
        row = self._table.cursor_row
        if row is None:
            return
        fields = (_arguments_field(self._arguments.get(row.name, "")),)
        values = await self.app.push_screen_wait(FormDialog(f"Ask {row.title}", fields, verb="Ask"))
        if values is not None:
            self._arguments[row.name] = values["arguments"]
            self._ask(row.name)

    @work
    async def action_ask_other(self) -> None:
        """Ask a query by its name."""
        fields = (
            Field("name", "query", required=True, suggestions=[row.name for row in self._rows]),
            _arguments_field(""),
        )
        values = await self.app.push_screen_wait(FormDialog("Ask a query", fields, verb="Ask"))
        if not values:
            return
        name = values["name"]
        if all(row.name != name for row in self._rows):
            self._rows.append(QueryRow(name, name))
            self._table.set_rows(self._rows)
        self._table.move_to(next(index for index, row in enumerate(self._rows) if row.name == name))
        self._arguments[name] = values["arguments"]
        self._ask(name)

    def _ask(self, name: str) -> None:
        _: Worker[None] = self.run_worker(partial(self._ask_and_show, name), group="query", exclusive=True)

    async def _ask_and_show(self, name: str) -> None:
        arguments, screen = self._arguments.get(name, ""), self.run_screen
        title = next(row.title for row in self._rows if row.name == name)
        asked = f"{title}({arguments})" if arguments else title
        self._say(f"{asked}: asking the workflow …")
        self._failed = ""
        try:
            answer = await ask_query(self.browser_link, screen.workflow_id, screen.run_id, name, arguments)
        except CliError as error:
            if self.is_left:
                return
            self._failed = name if isinstance(error, LostError) else ""
            self._say(f"{asked}   {clock(here_ns())}")
            lines = [Line(error.message, Look.ERROR), *([Line(error.hint, Look.QUIET)] if error.hint else [])]
            self.query_one("#answer", LineView).set_lines(lines)
            return
        if self.is_left:
            return
        self._answer = answer
        for definition in answer.queries:
            if all(row.name != definition.name for row in self._rows):
                self._rows.append(QueryRow(definition.name, definition.name, definition.description))
        self._table.set_rows(self._rows)
        self._say(f"{asked}   {clock(here_ns())}")
        self.query_one("#answer", LineView).set_lines(answer.lines)

    def _say(self, words: str) -> None:
        self.query_one("#answer-note", Static).update(Text(words, no_wrap=True, overflow="ellipsis"), layout=False)

    def action_open_whole(self) -> None:
        """Open the answer on the whole screen, uncut."""
        if self._answer is not None:
            from durable_cli.tui.screens.reader import ReaderScreen

            answer = self._answer
            self.app.push_screen(ReaderScreen(self.run_screen.workflow_id, lambda: answer.whole_lines))

    def action_copy(self) -> None:
        """Copy the answer."""
        if self._answer is not None:
            self.app.copy_to_clipboard(self._answer.text)
            self.notify(f"copied {len(self._answer.text):,} characters")

    def _render_cells(self, row: QueryRow) -> Sequence[Text | str]:
        text = Text(row.title)
        if row.description:
            text.append(f"  {row.description}", style=self.palette["quiet"])
        return (text,)


def _arguments_field(value: str) -> Field:
    return Field("arguments", ARGUMENTS, value, '"CHF", 3', check=check_arguments)
