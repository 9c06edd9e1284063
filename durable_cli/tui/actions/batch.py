"""Do something to many runs: ask what and to whom, then let a batch job of the server do it, or do it from here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from durable_cli.errors import CliError
from durable_cli.tui.actions.one_run import ARGUMENTS
from durable_cli.tui.batch_order import OPERATIONS, BatchOrder, ManyRuns, Operation, Run, order_filter
from durable_cli.tui.dialogs.asking import hold_keys
from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.dialogs.progress import ProgressDialog
from durable_cli.tui.feed.actions_reset import POINT_TYPES
from durable_cli.tui.feed.many_runs import (
    SLOTS,
    RunAction,
    act_on_runs,
    count_matching,
    find_runs,
    has_batches,
    make_action,
    start_batch,
)

if TYPE_CHECKING:
    from durable_cli.tui.actions.run import RunActionsScreen

__all__ = ["act_on_all", "order_batch"]

QUICK_SECONDS = 0.5
MANY_RUNS = 1000
REASON = Field("reason", "reason", placeholder="from dx tui")
FIELDS: dict[str, Sequence[Field]] = {
    "signal": (Field("name", "signal", required=True), Field("arguments", ARGUMENTS, is_arguments=True)),
    "terminate": (REASON,),
    "reset": (Field("point", "each goes on from", choices=tuple(POINT_TYPES)), REASON),
}
"""What must be known of an operation, by its name."""


async def order_batch(screen: RunActionsScreen, query: str, marked: Sequence[Run]) -> None:
    """Ask what shall be done to the marked runs, or else to all that match a list filter, and do it."""
    if not screen.browser.is_reachable():
        return
    whom = f"{len(marked):,} marked runs" if marked else f"all that match {query}" if query else "all runs"
    options = [(each.name, f"{each.title:<11}{each.warning}") for each in OPERATIONS.values()]
    chosen = await screen.app.push_screen_wait(PickDialog(f"To {whom}", options))
    if chosen is None:
        return
    operation = OPERATIONS[chosen]
    order = await _fill_in(screen, operation, whom)
    if order is None:
        return
    link = screen.browser.link
    try:
        is_batch = await hold_keys(screen.app, has_batches(link))
        order = replace(order, query=order_filter(operation, query, is_for_batch=is_batch), runs=marked)
        count = len(marked) or await hold_keys(screen.app, count_matching(link, order.query))
        if not count:
            screen.notify("nothing was done", title="no run matches", severity="warning")
            return
        if await screen.app.push_screen_wait(_question(order, count, is_batch=is_batch)):
            if not is_batch and count > MANY_RUNS:
                screen.notify(f"finding all {count:,} runs first")
            await _carry_out(screen, order, is_batch=is_batch)
    except CliError as error:
        screen.notify(error.hint or "", title=error.message, severity="error")


async def _fill_in(screen: RunActionsScreen, operation: Operation, whom: str) -> BatchOrder | None:
    fields = FIELDS.get(operation.name)
    if fields is None:
        return BatchOrder(operation)
    form = FormDialog(f"{operation.title} {whom}", fields, verb="Next", note="How many they are is asked next.")
    values = await screen.app.push_screen_wait(form)
    if values is None:
        return None
    return BatchOrder(
        operation,
        reason=values.get("reason", ""),
        signal_name=values.get("name", ""),
        arguments=values.get("arguments", ""),
        reset_point=values.get("point", ""),
    )


def _question(order: BatchOrder, count: int, *, is_batch: bool) -> ConfirmDialog:
    operation = order.operation
    runs = f"{count:,} {'run' if count == 1 else 'runs'}"
    what = f"{operation.title} {order.signal_name} to {runs}?" if order.signal_name else f"{operation.title} {runs}?"
    if order.runs:
        whom = "Those that are marked."
    elif order.query:
        whom = f"All that match   {order.query}"
    else:
        whom = "All of the namespace."
    how = (
        "A batch job of the server does it; the batches screen follows it, and can stop it."
        if is_batch
        else f"This server has no batch jobs: it is done from here, {SLOTS} at a time, and can be stopped."
    )
    return ConfirmDialog(what, f"{whom}\n\n{operation.warning} There is no undo.\n{how}", verb=operation.title)


async def _carry_out(screen: RunActionsScreen, order: BatchOrder, *, is_batch: bool) -> None:
    link = screen.browser.link
    if is_batch:
        job_id = await start_batch(link, order)
        await screen.browser.show_batch(job_id)
        screen.app.notify(f"started batch {job_id}")
        return
    runs = order.runs or await find_runs(link, order.query)
    operation = order.operation
    title = f"{operation.title} {len(runs):,} {'run' if len(runs) == 1 else 'runs'}"
    await act_on_all(screen, title, runs, make_action(order), operation.done)


async def act_on_all(
    screen: RunActionsScreen, title: str, runs: Sequence[Run], action: RunAction, done: str
) -> ManyRuns:
    """Do something to each run from here; what takes long is followed and can be stopped; say how it went.

    Args:
        done: what was done, in a word or two that stand before the number.
    """
    progress = ManyRuns(len(runs))
    working = asyncio.ensure_future(act_on_runs(screen.browser.link, runs, action, progress))
    try:
        await asyncio.wait((working,), timeout=QUICK_SECONDS)
        if not working.done() or progress.refusals or progress.stopped:
            await screen.app.push_screen_wait(ProgressDialog(title, progress, working))
        await working
    finally:
        working.cancel()
    screen.restart_watches()
    screen.show_progress(progress)
    is_whole = progress.done == progress.total
    screen.notify(progress.words(done), severity="information" if is_whole else "warning")
    return progress
