"""Scenes of what opens over a screen: questions, forms, choices, the palette, the help, what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from durable_cli.tui.batch_order import ManyRuns, Refusal
from durable_cli.tui.dialogs.answer import AnswerDialog
from durable_cli.tui.dialogs.progress import ProgressDialog
from durable_cli.tui.feed.actions_start import Model
from durable_cli.tui.lines import json_lines
from durable_cli.tui.rows import Ending
from durable_cli.tui.screens.base import BrowserScreen
from tests.tui.scenes import Still, scene
from tests.tui.scenes.places import schedules
from tests.tui.scenes.runs import open_order
from tests.tui.scenes.workflows import list_runs


@scene()
async def dialog_signal(still: Still) -> None:
    await open_order(still, "s")


@scene()
async def dialog_signal_refused(still: Still) -> None:
    await open_order(still, "s", *"add_item", "tab", *"{sku", "ctrl+s")


@scene(themes=("dx-dark", "dx-light", "dx-contrast"))
async def dialog_cancel(still: Still) -> None:
    await open_order(still, "c")


@scene()
async def dialog_terminate(still: Still) -> None:
    await open_order(still, "t")


@scene()
async def dialog_terminate_marked(still: Still) -> None:
    await list_runs(still)
    await still.press("space", "space", "space", "t")


@scene()
async def dialog_sort(still: Still) -> None:
    await list_runs(still)
    await still.press("o", "down", "down")


@scene()
async def dialog_columns(still: Still) -> None:
    await list_runs(still)
    await still.press("w", "down")


@scene()
async def dialog_saved_filters(still: Still) -> None:
    still.app.preferences.filters = {
        "failed today": "ExecutionStatus = 'Failed' AND CloseTime > '2023-11-14T00:00:00Z'",
        "山田": "Customer = '山田 太郎'",
    }
    await list_runs(still)
    await still.press("F", "down")


@scene()
async def dialog_save_filter(still: Still) -> None:
    await list_runs(still)
    await still.press("ctrl+f", *"mine")


@scene()
async def dialog_new_schedule(still: Still) -> None:
    await schedules(still)
    await still.press("plus")


@scene()
async def dialog_backfill(still: Still) -> None:
    await schedules(still)
    await still.press("f")


@scene()
async def dialog_query_arguments(still: Still) -> None:
    await open_order(still, "6", "i")


@scene()
async def dialog_metrics_page(still: Still) -> None:
    await still.press("8", "m")


@scene()
async def palette(still: Still) -> None:
    await open_order(still, "ctrl+p")
    await still.until(lambda: bool(still.app.screen.query("CommandList").results()))


@scene()
async def palette_search(still: Still) -> None:
    await open_order(still, "ctrl+p", *"tim")


@scene()
async def help_panel(still: Still) -> None:
    await open_order(still, "question_mark")


@scene()
async def said(still: Still) -> None:
    await list_runs(still)
    screen = still.app.screen
    assert isinstance(screen, BrowserScreen)
    screen.notify("signalled order-2026-000417-zürich; u takes it back")
    screen.notify("it is closed", title="can't signal workflow 'order-418'", severity="error")
    screen.notify("nobody polls task queue orders", severity="warning")
    await still.pilot.pause()


@scene()
async def dialog_actions(still: Still) -> None:
    await open_order(still, "full_stop", "down")


@scene()
async def dialog_reset(still: Still) -> None:
    await open_order(still, "down", "down", "down", "R")


@scene()
async def dialog_start(still: Still) -> None:
    model = Model(
        "order-418", "OrderWorkflow", "orders", '{\n  "customer": "山田"\n}', run_timeout="2h", also=("memo",)
    )
    still.answer("feed.actions_start", read_model=model)
    await open_order(still, "S")
    await still.until(lambda: "Start a workflow like" in still.app.export_screenshot())


@scene()
async def dialog_update(still: Still) -> None:
    await open_order(still, "U")


@scene()
async def dialog_batch(still: Still) -> None:
    await list_runs(still)
    await still.press("space", "space", "b", "down")


@scene()
async def dialog_progress(still: Still) -> None:
    await list_runs(still)
    progress = ManyRuns(400)
    progress.done_run_ids |= {str(number) for number in range(213)}
    progress.refusals += [Refusal(f"order-{number}", "", "it is closed") for number in range(3)]
    working = asyncio.get_running_loop().create_future()
    await still.app.push_screen(ProgressDialog("Terminate 400 runs", progress, working))


@scene()
async def dialog_answer(still: Still) -> None:
    async def answer(tell: Callable[[str], None]) -> Ending:
        tell("accepted, it goes on")
        lines = json_lines({"city": "大阪市", "fee": 12.5})
        return Ending("completed: change_address", lines, lines)

    await open_order(still)
    await still.app.push_screen(AnswerDialog("Update change_address of order-2026-000417-zürich", answer))


@scene()
async def dialog_answer_waiting(still: Still) -> None:
    async def answer(tell: Callable[[str], None]) -> Ending:
        tell("sent; it waits for a worker")
        return await asyncio.get_running_loop().create_future()

    await open_order(still)
    leaving = "esc waits no longer; the update that was sent stays sent"
    await still.app.push_screen(AnswerDialog("Update change_address of order-418", answer, leaving=leaving))


@scene()
async def dialog_update_refused(still: Still) -> None:
    still.answer("feed.actions_update", send_update=Ending("", refusal="rejected: ValueError: 10 are too many"))
    await open_order(still, "U", *"add_item", "tab", *'"ink", 10', "ctrl+s")
    await still.until(lambda: "too many" in still.app.export_screenshot())
