"""Input and result: what the run was given, and what came of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from durable_cli.tui.history.groups import Group
from durable_cli.tui.lines import Line, Look, plain_text, show_controls
from durable_cli.tui.screens.workflow.run_view import RunView
from durable_cli.tui.widgets.line_view import LineView

__all__ = ["ValuesView"]

BESIDE_WIDTH = 120


class ValuesView(RunView):
    """The result and the input, beside each other where there is room."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "open_whole", "Read it whole"),
        Binding("y", "copy_result", "Copy the result"),
        Binding("Y", "copy_input", "Copy the input"),
    ]
    DEFAULT_CSS = """
    ValuesView LineView { width: 1fr; margin: 1 0 0 0; padding: 0 1; }
    ValuesView #values-input { border-left: solid $line; }
    """

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield LineView(id="values-result")
            yield LineView(id="values-input")

    @property
    def main_widget(self) -> Widget:
        return self.query_one("#values-result")

    def show_run(self) -> None:
        self._show()

    def show_events(self, changed: Collection[Group]) -> None:
        run = self.book.history.run
        if any(group is run for group in changed) or not self.query_one("#values-result", LineView).lines:
            self._show()

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        given, came = self._input(), self._result()
        is_beside = self.size.width >= BESIDE_WIDTH
        self.query_one("#values-input").display = is_beside
        self.query_one("#values-input", LineView).set_lines(given)
        both = came if is_beside else [*came, Line(""), *given]
        self.query_one("#values-result", LineView).set_lines(both)

    def _input(self, *, is_whole: bool = False) -> list[Line]:
        history, summary = self.book.history, self.book.summary
        if not history.rows:
            return []
        from durable_cli.tui.feed.documents import input_lines

        lines = input_lines(history.row(1).serialized, is_whole=is_whole)
        if summary is not None and summary.details:
            lines += [Line(""), Line("details", Look.HEADING)]
            lines += [Line(show_controls(text)) for text in summary.details.splitlines()]
        return lines

    def _result(self, *, is_whole: bool = False) -> list[Line]:
        run = self.book.history.run
        if run is None:
            return []
        if run.is_open:
            return [Line("result", Look.HEADING), Line("none yet: the run goes on", Look.QUIET)]
        from durable_cli.tui.feed.documents import result_lines

        return result_lines(self.book.history.row(run.event_ids[-1]).serialized, is_whole=is_whole)

    def selected_group(self) -> Group | None:
        return self.book.history.run

    def action_open_whole(self) -> None:
        """Open input and result on the whole screen, uncut."""
        from durable_cli.tui.screens.reader import ReaderScreen

        def make_lines() -> list[Line]:
            return [*self._result(is_whole=True), Line(""), *self._input(is_whole=True)]

        self.app.push_screen(ReaderScreen(f"{self.run_screen.workflow_id}: input and result", make_lines))

    def action_copy_result(self) -> None:
        """Copy the result, or the failure."""
        run = self.book.history.run
        if run is not None and not run.is_open:
            from durable_cli.tui.feed.documents import values_text

            self._copy(values_text([self.book.history.row(run.event_ids[-1]).serialized]) or plain_text(self._result()))

    def action_copy_input(self) -> None:
        """Copy the input."""
        if self.book.history.rows:
            from durable_cli.tui.feed.documents import input_text

            self._copy(input_text(self.book.history.row(1).serialized))

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        self.notify(f"copied {len(text):,} characters")
