"""The batch operations of the namespace: what they do to many workflows, and how far they are."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType

from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.feed.batches import stop_batch, watch_batches
from durable_cli.tui.place_messages import BatchesListed
from durable_cli.tui.place_rows import BatchRow
from durable_cli.tui.plots import progress_bar
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.place import ListScreen
from durable_cli.tui.times import clock, now_ns, short_span, since
from durable_cli.tui.widgets.columns import Column

__all__ = ["BatchesScreen"]

RUNNING = "Running"
SIGNS = {RUNNING: ("●", "status-running"), "Completed": ("✓", "status-completed"), "Failed": ("✗", "status-failed")}
BAR_WIDTH = 20


class BatchesScreen(ListScreen[BatchRow]):
    """Batch operations, the newest first."""

    NOUN = ("batch operation", "batch operations")
    COLUMNS = (
        Column("State", 12),
        Column("What", 10, grow=1),
        Column("Progress", BAR_WIDTH + 5),
        Column("Done", 12, right=True),
        Column("Failed", 6, right=True),
        Column("Started", 8, rank=1),
        Column("Took", 7, right=True, rank=2),
        Column("Reason", 16, grow=3, rank=3),
    )
    EMPTY = (
        "A batch does something to all workflows that match a list filter:",
        "$ temporal workflow signal --query \"WorkflowType = 'Order'\" --name wake-up",
        "",
        "In the list of workflows b starts one: 1, then / filters, and b says what to do.",
    )
    MISSING = (
        "Workflows can be acted on together in the list: 1, then b does something to all that match the filter, "
        "or to those that are marked: space marks, shift and the arrows mark several, a marks all.",
    )
    HAS_PANE = True
    ROW_ACTIONS = frozenset({"change_stop", "workflows"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "change_stop", "Stop"),
        Binding("w", "workflows", "Runs"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._wanted = ""
        self._can_stop = False

    def show_job(self, job_id: str) -> None:
        """Put the cursor on a job, once it is listed."""
        self._wanted = job_id
        self._find_wanted()

    def _find_wanted(self) -> None:
        for index, row in enumerate(self.table.rows):
            if self._wanted and row.job_id == self._wanted:
                self._wanted = ""
                self.table.move_to(index)

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_batches, self.browser.link, self.post_message)

    def on_batches_listed(self, message: BatchesListed) -> None:
        self.take_rows(message.rows)
        self._find_wanted()

    def key(self, row: BatchRow) -> Hashable:
        return row.job_id

    def headline(self, rows: Sequence[BatchRow]) -> Iterator[tuple[str, str]]:
        for state, (sign, variable) in SIGNS.items():
            count = sum(row.state == state for row in rows)
            if count:
                yield f"{sign} {state} {count:,}", variable

    def cells(self, row: BatchRow) -> Sequence[Text | str]:
        quiet, now = self.palette["quiet"], now_ns()
        sign, variable = SIGNS.get(row.state, ("?", "quiet"))
        color = self.palette[variable]
        started = (
            Text(f"{sign} {row.state}", style=color),
            row.operation,
        )
        times = (
            since(row.start_time_ns, now),
            short_span((row.close_time_ns or now) - row.start_time_ns),
            Text(row.reason, style=quiet),
        )
        if row.total is None:
            return (*started, "", "", "", *times)
        processed = row.completed + row.failed
        done, rest = progress_bar(processed, row.total, BAR_WIDTH)
        percent = f" {processed * 100 // row.total if row.total else 100:>3}%"
        return (
            *started,
            Text.assemble((done, color), (rest, self.palette["line"]), percent),
            f"{row.completed:,}/{row.total:,}",
            Text(f"{row.failed:,}", style=self.palette["error"] if row.failed else quiet),
            *times,
        )

    def pane(self, row: BatchRow) -> RenderableType:
        quiet = self.palette["quiet"]
        text = Text.assemble((f"{row.operation} ", "bold"), (row.query or "the workflows that were named", "bold"))
        for label, value in (
            ("reason", row.reason),
            ("by", row.identity),
            ("started", clock(row.start_time_ns, with_date=True)),
            ("closed", clock(row.close_time_ns, with_date=True) if row.close_time_ns else ""),
            ("job", row.job_id),
        ):
            if value:
                text.append(f"\n{label:<8}", style=quiet).append(value)
        if row.failed:
            text.append("\nThe server does not say which have failed; w shows what matches now.", style=quiet)
        return text

    def show_pane(self) -> None:
        super().show_pane()
        row = self.table.cursor_row
        can_stop = row is not None and row.state == RUNNING
        if self._can_stop != can_stop:
            self._can_stop = can_stop
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to stop what goes on."""
        return False if action == "change_stop" and not self._can_stop else super().check_action(action, parameters)

    async def open(self, row: BatchRow) -> None:
        await self.action_workflows()

    async def action_workflows(self) -> None:
        """Show the runs that match the batch's filter now."""
        row = self.table.cursor_row
        if row is not None and row.query:
            await self.browser.show_runs(row.query)
        elif row is not None:
            self.notify("it names its workflows one by one: no filter finds them")

    @work
    async def action_change_stop(self) -> None:
        """Stop the batch."""
        row = self.table.cursor_row
        if row is None:
            return
        title = f"Stop {row.operation} batch {row.job_id}: what it has done stays done"
        values = await self.app.push_screen_wait(FormDialog(title, (Field("reason", "reason"),), verb="Stop it"))
        if values is not None:
            await self.do(lambda link: stop_batch(link, row.job_id, values["reason"] or "from dx tui"))
