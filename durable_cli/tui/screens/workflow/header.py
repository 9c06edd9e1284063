"""The summary above the views: what the run is, and what it waits for or how it ended."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from durable_cli.tui.history.kinds import State
from durable_cli.tui.history.pending import list_pending
from durable_cli.tui.history.run_book import RunBook
from durable_cli.tui.status import status_text
from durable_cli.tui.times import now_ns, rough_span, short_span
from durable_cli.tui.widgets.text_lines import TextLines

__all__ = ["RunHeader"]

ROOMY_HEIGHT = 32
"""From so many lines on the screen there is room for all of it."""
PENDING_LINES = 3
KEPT_NS = 1_000_000_000
"""A run began so long after its first event where a reset kept events of an earlier one."""


class RunHeader(TextLines):
    """Two lines on a small terminal, more where there is room."""

    DEFAULT_CSS = "RunHeader { height: auto; padding: 0 1; margin: 1 0 0 0; }"

    def show_book(self, book: RunBook) -> None:
        """Draw what is known now."""
        colors = self.app.theme_variables
        is_roomy = self.screen.size.height >= ROOMY_HEIGHT
        lines = [self._first_line(book, colors)]
        if is_roomy:
            lines += _field_lines(book, colors)
        waits = list(_last_lines(book, colors))
        shown = waits[:PENDING_LINES] if is_roomy else waits[:1]
        if len(waits) > len(shown) and shown:
            shown[-1].append(f"   and {len(waits) - len(shown)} more (key 4)", style=colors["quiet"])
        lines += shown
        self.show(lines)

    def _first_line(self, book: RunBook, colors: dict[str, str]) -> Text:
        now = now_ns()
        line = Text()
        if book.summary is not None:
            status = book.summary.row.status
            line.append_text(status_text(status, colors))
        if not book.start_time_ns:
            return line.append("not read yet", style=colors["quiet"])
        span = rough_span if book.is_open else short_span
        run = book.history.run
        row = book.summary.row if book.summary else None
        end_ns = book.end_time_ns(now)
        in_all = span(max(0, end_ns - book.start_time_ns))
        if row is not None and row.start_time_ns - book.start_time_ns > KEPT_NS:
            line.append(f"  {span(max(0, end_ns - row.start_time_ns))}", style="bold")
            line.append(f" since the reset, {in_all} in all   ", style=colors["quiet"])
        else:
            line.append(f"  {in_all}   ", style="bold")
        line.append(row.workflow_type if row else run.name if run else "")
        if book.summary is not None and book.summary.summary:
            line.append(f"   {book.summary.summary}", style=colors["quiet"])
        if row is not None:
            line.append(f"   run {row.run_id}", style=colors["quiet"])
        return line


def _field_lines(book: RunBook, colors: dict[str, str]) -> Iterator[Text]:
    if book.summary is None:
        return
    line = Text()
    wide = ("memo", "attributes")
    rows = len(book.history.rows) or book.summary.row.history_length
    for label, value in (*book.summary.fields, ("history", f"{rows:,} events")):
        if label not in wide:
            line.append("" if not line else "   ").append(f"{label} ", style=colors["quiet"]).append(value)
    yield line
    for label, value in book.summary.fields:
        if label in wide:
            yield Text.assemble((f"{label} ", colors["quiet"]), value)


def _last_lines(book: RunBook, colors: dict[str, str]) -> Iterator[Text]:
    if book.missing_events and book.summary is not None:
        read, known = len(book.history.rows), book.summary.row.history_length
        yield Text(f"reading the history: {read:,} of {known:,} events", style=colors["quiet"])
    elif book.is_open:
        yield from _waiting_lines(book, colors)
    else:
        yield from _end_lines(book, colors)


def _waiting_lines(book: RunBook, colors: dict[str, str]) -> Iterator[Text]:
    if book.history.run is None:
        return
    for number, pending in enumerate(list_pending(book, book.now_ns(now_ns()))):
        line = Text("           " if number else "waits for  ", style=colors["quiet"])
        line.append(pending.what, style=colors["foreground"])
        style = colors["warning"] if pending.is_trouble else colors["foreground"]
        yield line.append("  ").append(pending.text, style=style)


def _end_lines(book: RunBook, colors: dict[str, str]) -> Iterator[Text]:
    run = book.history.run
    if run is None or run.end_time_ns is None:
        return
    if run.failure:
        reason = f'"{run.failure}"' if run.state is State.TERMINATED else run.failure
        said = "" if run.failure.endswith(run.state.value) else f"{run.state.value}: "
        yield Text.assemble((said, colors["quiet"]), (reason if said else run.failure, colors["error"]))
    elif run.outcome and run.state is not State.CONTINUED:
        yield Text.assemble(("result ", colors["quiet"]), run.outcome)
    if run.next_run_id:
        given = (" with ", colors["quiet"]), run.outcome
        is_given = run.state is State.CONTINUED and bool(run.outcome)
        yield Text.assemble(("goes on as run ", colors["quiet"]), run.next_run_id, *(given if is_given else ()))
