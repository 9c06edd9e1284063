"""Scenes of the main screens: lists, what they lead to, and what they say when there is nothing or trouble."""

from __future__ import annotations

import math
from dataclasses import replace

from durable_cli.tui.messages import (
    ClockRead,
)
from durable_cli.tui.place_messages import (
    BatchesListed,
    DeploymentDescribed,
    DeploymentsListed,
    MetricsRead,
    NamespacesListed,
    NotServed,
    ScheduleDescribed,
    SchedulesListed,
    ServerDescribed,
    TaskQueuesDescribed,
    VersionDescribed,
    WorkersListed,
)
from durable_cli.tui.place_rows import (
    BatchRow,
    DeploymentRow,
    KindRow,
    NamespaceRow,
    PollerRow,
    ServerRow,
    SlotsRow,
    TaskQueueRow,
    VersionDetail,
    VersionRow,
    WorkerRow,
)
from durable_cli.tui.schedules.rows import ActionRow, Calendar, Interval, ScheduleDetail, ScheduleRow, Spec
from durable_cli.tui.server_clock import ServerClock
from tests.tui.histories import SECOND_NS
from tests.tui.scenes import MONOTONIC_S, NOW_NS, Still, ago, scene

# Schedules


NIGHTLY = Spec(calendars=(Calendar(minute=(30,), hour=(2,), day_of_week=(1, 2, 3, 4, 5)),), time_zone="Europe/Zurich")
SCHEDULES = (
    ScheduleRow(
        "nightly-report",
        NIGHTLY,
        "ReportWorkflow",
        False,
        "for the board",
        tuple(NOW_NS + (7 + 24 * day) * 3600 * SECOND_NS for day in range(5)),
        tuple(
            ActionRow(ago(days=day), ago(days=day, seconds=-1), f"report-{day}", f"run-{day}", 2 if day != 2 else 3)
            for day in range(7, 0, -1)
        ),
    ),
    ScheduleRow("ポイント集計", Spec(intervals=(Interval(600),)), "集計", False, "", (NOW_NS + 250 * SECOND_NS,), ()),
    ScheduleRow(
        "retry-failed-payments-of-the-last-quarter-in-all-regions",
        Spec(intervals=(Interval(3600, 300), Interval(86_400))),
        "RetryFailedPayments",
        True,
        "paused by mara: the bank is down",
        (NOW_NS + 3000 * SECOND_NS,),
        (ActionRow(ago(hours=1), ago(hours=1), "retry-1", "run-9", 3),),
    ),
)
DETAIL = ScheduleDetail(
    SCHEDULES[0],
    "report",
    "reports",
    '{"region": "eu"}',
    '{"region": "eu"}',
    "skip",
    (("overlap", "skip"), ("catch up", "within 1 year"), ("started", "1,204"), ("created", "2023-10-01 08:00")),
)


@scene()
async def schedules(still: Still) -> None:
    await still.press("2")
    await still.tell(SchedulesListed(SCHEDULES))


@scene()
async def schedules_not_served(still: Still) -> None:
    await still.press("2")
    await still.tell(NotServed("can't list schedules: unknown method ListSchedules"))


@scene()
async def schedules_none(still: Still) -> None:
    await still.press("2")
    await still.tell(SchedulesListed(()))


@scene()
async def schedule(still: Still) -> None:
    await schedules(still)
    await still.press("enter")
    await still.tell(ScheduleDescribed(DETAIL))


# Task queues and workers


def make_kind(backlog: int, rate: float, *identities: str) -> KindRow:
    kind = "workflow" if rate < 5 else "activity"
    pollers = tuple(
        PollerRow(kind, identity, ago(seconds=12 * index + 1), 100_000, "shop:2026.11.3")
        for index, identity in enumerate(identities)
    )
    return KindRow(backlog, backlog * SECOND_NS // 3, rate, rate * 0.9, pollers)


async def tell_task_queues(still: Still) -> None:
    for moment in range(40):
        wave = 1 + math.sin(moment / 5)
        busy = make_kind(round(120 * wave), 8 * wave, "4711@till-3", "1207@pack-station-2")
        await still.tell(
            TaskQueuesDescribed(
                (
                    TaskQueueRow("orders", make_kind(0, 3.2, "4711@till-3"), busy, (("rate limit", "500/s"),)),
                    TaskQueueRow("支払い", make_kind(0, 0, "1@bank"), make_kind(0, 0)),
                    TaskQueueRow("a-task-queue-that-nobody-polls-any-more", make_kind(17, 0), make_kind(0, 0)),
                    TaskQueueRow("not-asked-yet"),
                )
            )
        )


@scene()
async def task_queues(still: Still) -> None:
    await still.press("3")
    await tell_task_queues(still)


@scene()
async def task_queue(still: Still) -> None:
    await task_queues(still)
    await still.press("enter")
    await tell_task_queues(still)


@scene()
async def workers(still: Still) -> None:
    slots = (
        SlotsRow("workflow", 25, 75, "Fixed", 12_345, 3, 5, ago(seconds=2)),
        SlotsRow("activity", 100, 0, "ResourceBased", 88_213, 17, 5, ago(seconds=1)),
    )
    busy = WorkerRow(
        "key-1",
        "4711@till-3",
        "running",
        "orders",
        "shop 2026.11.3",
        "temporal-python 1.35.0",
        "till-3",
        "4711",
        ago(hours=30),
        ago(seconds=20),
        slots,
        417,
        90_112,
        301,
        0.42,
        0.71,
        "opentelemetry",
    )
    silent = busy._replace(
        key="key-2", identity="1@梱包", host="梱包", heartbeat_time_ns=ago(minutes=9), status="shutting down"
    )
    bare = busy._replace(
        key="key-3", identity="99999@ip-10-0-0-1.eu-central-1.compute.internal", slots=(), status="shutdown"
    )
    await still.press("4")
    await still.tell(WorkersListed((busy, silent, bare)))


# Deployments


VERSIONS = (
    VersionRow("2026.11.4", "Ramping", 20, ago(hours=3), ago(minutes=30), 0),
    VersionRow("2026.11.3", "Current", 0, ago(days=2), ago(days=2), 0),
    VersionRow("2026.11.2", "Draining", 0, ago(days=9), ago(days=2), ago(minutes=1)),
    VersionRow("2026.10.9", "Drained", 0, ago(days=40), ago(days=9), ago(days=8)),
    VersionRow("2026.12.0-rc1", "Created", 0, ago(minutes=4), 0, 0),
)
DEPLOYMENTS = (
    DeploymentRow(
        "shop",
        "2026.11.3",
        ago(days=2),
        "2026.11.4",
        20,
        "2026.11.4",
        ago(days=90),
        (("created", "2023-08-16 22:14"), ("changed last by", "mara@ops")),
    ),
    DeploymentRow("ledger", "", 0, "", 0, "7", ago(days=1)),
)


@scene()
async def deployments(still: Still) -> None:
    await still.press("5")
    await still.tell(DeploymentsListed(DEPLOYMENTS))


@scene()
async def deployment(still: Still) -> None:
    await deployments(still)
    await still.press("enter")
    await still.tell(
        DeploymentDescribed(DEPLOYMENTS[0], VERSIONS),
        VersionDescribed(
            VersionDetail(
                "2026.11.4",
                (("orders", "workflow", 0, 0), ("orders", "activity", 214, 40 * SECOND_NS)),
                'commit="9f3c1d2"',
            )
        ),
    )


# Batches, namespaces, the server


@scene()
async def batches(still: Still) -> None:
    running = BatchRow(
        "7f0c", "signal", "Running", ago(minutes=2), 0, 1_000, 417, 3, "wake them up", "WorkflowType = 'Order'", "mara"
    )
    done = BatchRow("7f0b", "terminate", "Completed", ago(hours=5), ago(hours=4), 88, 88, 0, "掃除", "", "cron")
    failed = BatchRow("7f0a", "reset", "Failed", ago(days=3), ago(days=3, seconds=-9), None, 0, 0, "", "", "")
    await still.press("6")
    await still.tell(BatchesListed((running, done, failed)))


@scene()
async def batches_not_served(still: Still) -> None:
    await still.press("6")
    await still.tell(NotServed("can't list batch operations: unknown method ListBatchOperations"))


@scene()
async def namespaces(still: Still) -> None:
    fields = (
        ("id", "b1f8a3e0-5a3c-4a56-9d67-1c1f2c9a0001"),
        ("cluster", "active"),
        ("search attributes", "Amount, Customer"),
    )
    rows = (
        NamespaceRow("default", "registered", 259_200, "", "", "1", fields),
        NamespaceRow("店舗", "registered", 604_800, "注文と支払い", "shop@example.jp", "2", fields),
        NamespaceRow("temporal-system", "registered", 604_800, "of the server itself", "", "3", fields),
        NamespaceRow("old", "deleted", 86_400, "", "", "4", ()),
    )
    await still.press("7")
    await still.tell(NamespacesListed(rows))


SERVER = ServerRow(
    fields=(
        ("version", "1.32.0"),
        ("cluster", "active"),
        ("id", "b1f8a3e0-5a3c-4a56-9d67-1c1f2c9a0001"),
        ("history in", "sqlite"),
        ("visibility in", "sqlite"),
        ("history shards", "1"),
        ("clients", "temporal-cli 1.5.1, temporal-python 1.35.0"),
    ),
    capabilities=tuple(
        (name, name not in ("schedules", "nexus"))
        for name in (
            "signal and query header",
            "internal error differentiation",
            "schedules",
            "nexus",
            "eager workflow start",
            "upsert memo",
            "sdk metadata",
            "count group by execution status",
        )
    ),
    is_serving=True,
    counts={1: 1_204, 2: 58_311, 3: 12, 7: 2},
    namespaces=4,
)


@scene()
async def server(still: Still) -> None:
    for second in range(240):
        end_s = MONOTONIC_S - 240 + second
        for _ in range(round(4 + 3 * math.sin(second / 9))):
            still.app.link.calls.note(end_s - (3 + second % 7) / 1000, end_s)
    await still.press("8")
    await still.tell(ServerDescribed(SERVER))


@scene()
async def server_metrics(still: Still) -> None:
    still.app.preferences.metrics["localhost:7233"] = "http://localhost:9090/metrics"
    await still.press("8")
    await still.tell(MetricsRead(1.0, {}, "nothing listens there"))
    await still.tell(ServerDescribed(replace(SERVER, is_serving=False)))


@scene()
async def moved_clock(still: Still) -> None:
    await still.press("8")
    await still.tell(ServerDescribed(SERVER))
    clock = ServerClock(
        NOW_NS, 3 * 86_400 * SECOND_NS, "paused", next_time_ns=ago(hours=-2), next_words="timer of order-1"
    )
    still.app.post_message(ClockRead(still.app.link, clock))
    await still.pilot.pause()
