"""Scenes of one run: its views, and the states that it can be in."""

from __future__ import annotations

from dataclasses import replace

from temporalio.api.failure.v1 import ActivityFailureInfo, ApplicationFailureInfo, Failure

from durable_cli.tui.feed.events import EventReader
from durable_cli.tui.feed.queries import Answer, Definition
from durable_cli.tui.history.relations import RelatedRun
from durable_cli.tui.lines import Line, Look, json_lines
from durable_cli.tui.messages import CodecChanged, HistoryGrew, HistoryRead, RunDescribed, Trouble, TroubleChanged
from durable_cli.tui.rows import PendingActivity, PendingTask, RunRow, RunSummary
from durable_cli.tui.screens.workflow import WorkflowScreen
from tests.tui.histories import SECOND_NS, START_NS, Story, value, values
from tests.tui.scenes import NOW_NS, Still, ago, scene

ORDER_ID = "order-2026-000417-zürich"
RUN_ID = "019a1c52-7b1e-7d10-9b3c-5f3f5f6f0001"
SHIP_RUN_ID = "019a1c52-9c44-7a02-8d51-0d5a4b7e0002"
ORDER = {
    "customer": {"name": "山田 太郎", "email": "taro@example.jp", "vip": True},
    "items": [{"sku": "mug-🍵", "count": 2, "price": 12.5}, {"sku": "poster", "count": 1, "price": 30}],
    "greeting": "שלום, الطلب رقم 417",
    "discount": None,
}
DECLINED = Failure(
    message="card was declined by the bank",
    stack_trace=(
        '  File "/srv/shop/.venv/lib/python3.13/site-packages/temporalio/worker/_activity.py", line 601, in run\n'
        "    return await self.execute(input)\n"
        '  File "/srv/shop/payments.py", line 48, in charge_payment\n'
        "    raise Declined(answer.reason)\n"
    ),
    application_failure_info=ApplicationFailureInfo(
        type="Declined", non_retryable=True, details=values({"code": 51, "理由": "残高不足"})
    ),
    cause=Failure(
        message="HTTP 402 from gateway eu-1", application_failure_info=ApplicationFailureInfo(type="GatewayError")
    ),
)


def order_story() -> Story:
    """An order that is under way: everything that a history can have, and much that is not over."""
    story = Story().start(input=values(ORDER), task_queue={"name": "orders"}, identity="4711@till-3")
    story.task()
    story.add("marker_recorded", 4, marker_name="core_patch", details={"patch-data": values({"id": "gift-wrap"})})
    reserve = story.schedule("reserve_stock", ORDER["items"], activity_id="1", at=4)
    story.complete(reserve, {"reserved": True, "warehouse": "Basel"}, at=7)
    charge = story.schedule("charge_payment", {"amount": 55, "currency": "CHF"}, activity_id="2", at=8)
    story.add("activity_task_started", 24, scheduled_event_id=charge, attempt=3, last_failure=DECLINED.cause)
    story.add("activity_task_completed", 28, scheduled_event_id=charge, result=values({"receipt": "r-88213"}))
    child = story.add(
        "start_child_workflow_execution_initiated",
        30,
        workflow_id=f"{ORDER_ID}-shipping",
        workflow_type={"name": "Shipping"},
        input=values("Basel"),
    )
    story.add(
        "child_workflow_execution_started",
        31,
        initiated_event_id=child,
        workflow_execution={"workflow_id": f"{ORDER_ID}-shipping", "run_id": SHIP_RUN_ID},
        workflow_type={"name": "Shipping"},
    )
    story.add("timer_started", 32, timer_id="4", start_to_fire_timeout={"seconds": 120}, label="delivery window")
    story.add("workflow_execution_signaled", 40, signal_name="add_note", input=values("נא לצלצל פעמיים"))
    update = story.add(
        "workflow_execution_update_accepted",
        52,
        protocol_instance_id="u-1",
        accepted_request={"input": {"name": "change_address", "args": values({"city": "大阪市"})}},
    )
    story.add(
        "workflow_execution_update_completed",
        58,
        meta={"update_id": "u-1"},
        accepted_event_id=update,
        outcome={"success": values("ok")},
    )
    photo = story.schedule("take_photo_of_parcel", activity_id="5", at=60)
    story.add("activity_task_started", 62, scheduled_event_id=photo, attempt=1)
    story.add("activity_task_failed", 66, scheduled_event_id=photo, failure=DECLINED.cause)
    story.schedule("notify_customer", "taro@example.jp", activity_id="6", at=68)
    story.schedule("pack_parcels", activity_id="7", at=70)
    story.add("nexus_operation_scheduled", 72, endpoint="billing", service="Invoices", operation="create")
    return story


def order_summary(events: int) -> RunSummary:
    row = RunRow(ORDER_ID, RUN_ID, "OrderWorkflow", 1, START_NS, 0, "orders", events)
    fields = (
        ("task queue", "orders"),
        ("started", "2023-11-14 22:13:20.000"),
        ("version", "shop 2026.11.3"),
        ("memo", 'channel="web"'),
        ("attributes", 'Customer="山田 太郎"  Amount=55'),
    )
    notify = PendingActivity(
        "6", "notify_customer", 1, 4, 10, "MailError: 503 from mail.example.jp", ago(seconds=6), ago(seconds=-14)
    )
    pack = PendingActivity(
        "7",
        "pack_parcels",
        2,
        1,
        started_time_ns=ago(seconds=23),
        heartbeat='{"parcel": 2, "of": 3}',
        heartbeat_time_ns=ago(seconds=2),
        worker_identity="1207@pack-station-2",
    )
    return RunSummary(
        row, fields, summary="Order of 山田 太郎", activities=(notify, pack), parent=("cart-88", "parent-run")
    )


def failed_story() -> Story:
    story = Story().start(input=values({"order": 418}))
    story.task()
    story.complete(story.schedule("reserve_stock", {"order": 418}, at=4), {"reserved": True}, at=5)
    charge = story.schedule("charge_payment", {"amount": 910}, activity_id="2", at=6)
    story.add("activity_task_started", 7, scheduled_event_id=charge, attempt=2)
    story.add("activity_task_failed", 9, scheduled_event_id=charge, failure=DECLINED)
    failure = Failure(
        message="order 418 can't be paid",
        stack_trace='  File "/srv/shop/workflows.py", line 31, in run\n    await self.pay(order)\n',
        application_failure_info=ApplicationFailureInfo(type="OrderRefused"),
        cause=Failure(
            message="Activity task failed",
            activity_failure_info=ActivityFailureInfo(activity_type={"name": "charge_payment"}, activity_id="2"),
            cause=DECLINED,
        ),
    )
    story.add("workflow_execution_failed", 10, failure=failure)
    return story


def closed_summary(story: Story, status: int) -> RunSummary:
    row = RunRow(
        "order-418", RUN_ID, "OrderWorkflow", status, START_NS, START_NS + 10 * SECOND_NS, "orders", len(story.events)
    )
    return RunSummary(row, (("task queue", "orders"), ("started", "2023-11-14 22:13:20.000")))


async def open_run(still: Still, story: Story, summary: RunSummary, *keys: str) -> None:
    """Open a run that the feed has told all of."""
    await still.app.push_screen(WorkflowScreen(summary.row.workflow_id, summary.row.run_id))
    await still.pilot.pause()
    await tell_run(still, story, summary)
    if keys:
        await still.press(*keys)


async def tell_run(still: Still, story: Story, summary: RunSummary) -> None:
    rows, steps = EventReader().read(story.events)
    await still.tell(RunDescribed(summary), HistoryGrew(rows, steps), HistoryRead())


async def tell_order(still: Still) -> None:
    story = order_story()
    await tell_run(still, story, order_summary(len(story.events)))


async def open_order(still: Still, *keys: str) -> None:
    story = order_story()
    await open_run(still, story, order_summary(len(story.events)), *keys)


async def open_failed(still: Still, *keys: str) -> None:
    story = failed_story()
    await open_run(still, story, closed_summary(story, 3), *keys)


@scene(sizes=((80, 24), (140, 45), (250, 70)), themes=("dx-dark", "dx-light", "dx-contrast"))
async def run_timeline(still: Still) -> None:
    await open_order(still)


@scene()
async def run_timeline_detail(still: Still) -> None:
    await open_order(still, "down", "down", "down", "enter")


@scene()
async def run_timeline_zoomed(still: Still) -> None:
    await open_order(still, "down", "down", "down", "z", "w")


@scene()
async def run_history(still: Still) -> None:
    await open_order(still, "2", "down", "down", "down", "right")


@scene()
async def run_history_all_events(still: Still) -> None:
    await open_order(still, "2", "a", "end", "enter")


@scene()
async def run_history_search(still: Still) -> None:
    await open_order(still, "2", "slash", *"parcel", "enter")


@scene()
async def run_values(still: Still) -> None:
    await open_order(still, "3")


@scene(themes=("dx-dark", "dx-light", "dx-contrast"))
async def run_failure(still: Still) -> None:
    await open_failed(still, "3")


@scene()
async def run_failed_timeline(still: Still) -> None:
    await open_failed(still, "exclamation_mark", "enter")


@scene()
async def run_result(still: Still) -> None:
    story = Story().start(input=values(ORDER, 3, "x" * 300))
    story.task()
    story.add(
        "workflow_execution_completed", 10, result=values({"order": ORDER, "notes": ["良い", "שלום", "👍🏽"] * 8})
    )
    await open_run(still, story, closed_summary(story, 2), "3")


@scene()
async def run_pending(still: Still) -> None:
    await open_order(still, "4")


@scene()
async def run_pending_nothing(still: Still) -> None:
    await open_failed(still, "4")


@scene()
async def run_relations(still: Still) -> None:
    times = ago(minutes=9), ago(minutes=4)
    chain = [
        RelatedRun(ORDER_ID, "run-0001", "OrderWorkflow", 6, *times),
        RelatedRun(ORDER_ID, "run-0002", "OrderWorkflow", 5, ago(minutes=4), START_NS, "continued from run-0001"),
        RelatedRun(ORDER_ID, RUN_ID, "OrderWorkflow", 1, START_NS, 0, "reset of run-0002 at event 9"),
    ]
    parents = [RelatedRun("cart-88", "parent-run", "CartWorkflow", 1, ago(hours=2), 0, "parent")]
    still.answer("screens.workflow.relations", load_chain=chain, load_parents=parents)
    await open_order(still, "5")


@scene()
async def run_queries(still: Still) -> None:
    lines = [
        Line("current details", Look.HEADING),
        Line("waits for the parcel"),
        Line(""),
        Line("queries", Look.HEADING),
        Line("price  the price in a currency"),
    ]
    price = Definition("price", "the price in a currency")
    still.answer(
        "screens.workflow.queries", ask_query=Answer(lines, "", (price, Definition("状態", "何を待っているか")))
    )
    await open_order(still, "6")


@scene()
async def run_queries_answer(still: Still) -> None:
    still.answer("screens.workflow.queries", ask_query=Answer(json_lines(ORDER), "", (Definition("order", ""),)))
    await open_order(still, "6")


@scene()
async def run_difference(still: Still) -> None:
    other = order_story()
    other.events[8].activity_task_scheduled_event_attributes.activity_type.name = "charge_card"
    del other.events[20:]
    still.answer("screens.workflow.difference", find_previous_run="run-0002", load_history=other.history())
    await open_order(still, "7")
    await still.until(lambda: "differ" in still.app.export_screenshot())
    await still.press("enter")


@scene()
async def run_difference_without_another(still: Still) -> None:
    still.answer("screens.workflow.difference", find_previous_run="")
    await open_order(still, "7")


@scene()
async def run_time_travel(still: Still) -> None:
    await open_order(still, "8", *["left_square_bracket"] * 9)


@scene(is_read_only=True)
async def run_read_only(still: Still) -> None:
    await open_order(still)


@scene()
async def run_reader(still: Still) -> None:
    await open_failed(still, "3", "v")
    await still.until(lambda: "Declined" in still.app.export_screenshot())


@scene()
async def run_not_found(still: Still) -> None:
    await still.app.push_screen(WorkflowScreen("order-9", ""))
    await still.pilot.pause()
    trouble = Trouble(
        "can't describe workflow 'order-9': not found",
        "it was deleted, its retention is over, or it never was there",
    )
    await still.tell(TroubleChanged(trouble))


@scene()
async def run_without_a_worker(still: Still) -> None:
    story = Story().start(input=values({"order": 419}))
    story.add("workflow_task_scheduled", 0, task_queue={"name": "orders"})
    row = RunRow("order-419", RUN_ID, "OrderWorkflow", 1, START_NS, 0, "orders", 2)
    task = PendingTask(1, START_NS)
    await open_run(still, story, RunSummary(row, (("task queue", "orders"),), workflow_task=task))


@scene()
async def run_paused(still: Still) -> None:
    story = order_story()
    summary = order_summary(len(story.events))
    paused = summary.activities[0]._replace(is_paused=True)
    row = summary.row._replace(status=8)
    summary = replace(
        summary, row=row, pause="mara@ops: the bank is down", activities=(paused,), expiration_time_ns=NOW_NS + 10**12
    )
    await open_run(still, story, summary, "4")


@scene()
async def run_many_events(still: Still) -> None:
    story = Story().start()
    story.task()
    for number in range(60):
        scheduled = story.schedule(f"step_{number:02}", {"n": number, "名": "一" * 20}, activity_id=str(number))
        story.complete(scheduled, {"ok": True})
    story.add("workflow_execution_canceled", details=values("no longer wanted"))
    summary = closed_summary(story, 4)
    row = summary.row._replace(close_time_ns=START_NS + 190 * SECOND_NS)
    await open_run(still, story, replace(summary, row=row, summary=str(value("x").data, "utf-8")), "2", "end")


@scene()
async def run_without_its_codec(still: Still) -> None:
    await open_order(still, "3")
    trouble = Trouble("the codec server at localhost:8081 is away", "payloads are shown as the server keeps them")
    still.app.post_message(CodecChanged(trouble))
    await still.pilot.pause()
