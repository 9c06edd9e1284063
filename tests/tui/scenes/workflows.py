"""Scenes of the list of workflows, and of the troubles that a browser may have."""

from __future__ import annotations

from durable_cli.tui.messages import Connection, RunsCounted, RunsListed, Trouble, TroubleChanged
from durable_cli.tui.rows import RunRow
from tests.tui.histories import SECOND_NS
from tests.tui.scenes import NOW_NS, Still, ago, scene

EVERYWHERE = ("dx-dark", "dx-light", "dx-contrast")


def make_runs() -> list[RunRow]:
    """Every status, ids of every length and script."""
    names = (
        ("order-2026-000417-zürich", "OrderWorkflow", 1, "orders"),
        ("注文-二〇二六年-〇〇四一七", "注文ワークフロー", 1, "orders"),
        ("הזמנה-417", "OrderWorkflow", 8, "orders"),
        ("🍵-subscription-السبت", "SubscriptionWorkflow", 2, "subscriptions"),
        ("payment-reconciliation/eu-central-1/2026-11-26T06:00:00Z/shard-0017-of-0064", "Reconcile", 3, "ledger"),
        ("report\x1b[31m\n-with-controls", "ReportWorkflow", 4, "reports"),
        ("import-of-the-old-catalogue", "ImportCatalogueIntoTheNewShopSystemWorkflow", 5, "imports-with-a-long-name"),
        ("heartbeat-of-the-till", "TillWorkflow", 6, "tills"),
        ("refund-88213", "RefundWorkflow", 7, "payments"),
        ("x", "Y", 99, "z"),
    )
    rows = []
    for index in range(60):
        workflow_id, workflow_type, status, task_queue = names[index % len(names)]
        start_ns = ago(seconds=index * index * 37 + 4)
        took_ns = (index * 7_919 % 600 + 1) * SECOND_NS // 3
        close_ns = 0 if status in (1, 8) else min(start_ns + took_ns, NOW_NS)
        row = RunRow(
            f"{workflow_id}{f'-{index}' if index >= len(names) else ''}",
            f"019a1c52-7b1e-7d10-9b3c-{index:012}",
            workflow_type,
            status,
            start_ns,
            close_ns,
            task_queue,
            index * index * 13 + 3,
        )
        rows.append(row)
    return rows


async def list_runs(still: Still) -> None:
    counts = {1: 1_204, 2: 58_311, 3: 12, 4: 3, 5: 1, 6: 940, 7: 2, 8: 1}
    await still.tell(RunsListed("default", "", b"", make_runs(), b"next"), RunsCounted("default", "", counts))


@scene(sizes=((80, 24), (140, 45), (250, 70)), themes=EVERYWHERE)
async def workflows(still: Still) -> None:
    await list_runs(still)


@scene()
async def workflows_marked(still: Still) -> None:
    await list_runs(still)
    await still.press("space", "down", "space", "space")


@scene()
async def workflows_sorted(still: Still) -> None:
    await list_runs(still)
    await still.press("end", "o", "down", "down", "enter")


@scene()
async def workflows_filter(still: Still) -> None:
    await list_runs(still)
    await still.press("slash", *"ExecutionStatus = 'Run")


@scene()
async def workflows_filter_refused(still: Still) -> None:
    await still.press("slash", *"Nonsense = 1", "enter")
    hint = "its search attributes: temporal operator search-attribute list"
    await still.tell(TroubleChanged(Trouble("can't list workflows: invalid query: Nonsense is no attribute", hint)))


@scene()
async def workflows_none(still: Still) -> None:
    await still.tell(RunsListed("default", "", b"", [], b""), RunsCounted("default", "", {}))


@scene(is_read_only=True)
async def workflows_read_only(still: Still) -> None:
    await list_runs(still)


@scene(namespace="a-namespace-with-a-rather-long-name", address="temporal-frontend.production.svc.example.com:7233")
async def workflows_long_names(still: Still) -> None:
    namespace = still.app.link.namespace
    await still.tell(RunsListed(namespace, "", b"", make_runs(), b""), RunsCounted(namespace, "", {1: 60}))


@scene(themes=EVERYWHERE)
async def trouble_no_server(still: Still) -> None:
    trouble = Trouble("nothing listens at localhost:7233", "start one with `dx server start-dev`; it is tried again")
    await still.connect(Connection.LOST, trouble)


@scene()
async def trouble_lost(still: Still) -> None:
    await list_runs(still)
    trouble = Trouble("localhost:7233 does not answer", "it is tried again by itself; is the server still up?")
    await still.connect(Connection.LOST, trouble)


@scene()
async def trouble_slow(still: Still) -> None:
    await list_runs(still)
    trouble = Trouble("localhost:7233 has not answered for 5 s", "it is waited for; what is shown is what it said last")
    await still.connect(Connection.SLOW, trouble)
