"""Scenes of the browser that is attached to `dx dev`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from durable_cli.dev import events
from durable_cli.dev.host_events import Checked, Definition, Mismatch
from durable_cli.dev.journal import BEGUN, event_name
from durable_cli.tui.attachment import Attachment
from durable_cli.tui.dev.log_lines import RawLine
from durable_cli.tui.dev.rows import DevEvent
from durable_cli.tui.place_messages import JournalRead, LogRead
from durable_cli.tui.screens.dev_mismatch import MismatchScreen
from tests.tui.scenes import Still, ago, scene
from tests.tui.scenes.runs import tell_order

DEFINITIONS = [Definition("OrderWorkflow", "workflows.py", 12)]
MISMATCH = Mismatch(
    "nondeterminism",
    "order-417",
    "run-17",
    "OrderWorkflow",
    True,
    "activity charge_payment was scheduled, but the code now starts a timer",
    event_id=12,
    event_type="ActivityTaskScheduled",
    command_type="StartTimer",
    file="workflows.py",
    line=31,
    callers=[("workflows.py", 18)],
)


def make_events(*last: Any) -> list[DevEvent]:
    workers = {"orders": "default", "reports": "default"}
    begun = {"pid": 7, "since": "s", "workers": workers}
    told = [
        ("server", events.ServerReady("localhost:7233", ".dx/dev.db", 0.31, 8233)),
        ("orders", events.Starting()),
        ("orders", events.Ready("orders", 0.5, False, DEFINITIONS, DEFINITIONS * 2, 70)),
        ("reports", events.Starting()),
        ("reports", events.Ready("reports", 0.4, False, DEFINITIONS, pid=71)),
        ("orders", events.Changed(["workflows.py"])),
        ("orders", Checked(4, 2, 1, 0.041, [], [])),
        ("orders", events.Ready("orders", 0.27, True, DEFINITIONS, DEFINITIONS * 2, 77)),
        ("orders", events.Changed(["workflows.py", "activities.py"])),
        *(("orders", each) for each in last),
    ]
    return [
        DevEvent(ago(minutes=9), "dx", BEGUN, begun),
        *(
            DevEvent(ago(seconds=200 - 12 * number), source, event_name(each), asdict(each))
            for number, (source, each) in enumerate(told)
        ),
    ]


def make_log() -> list[RawLine]:
    words = ("order 417: reserve_stock", "WARNING the gateway answers 503, 再試行 2", "order 417: charge_payment ok")
    return [
        RawLine(ago(seconds=180 - number * 4), ("orders", "reports")[number % 5 == 4], words[number % 3])
        for number in range(40)
    ]


async def attach(still: Still, *last: Any) -> None:
    still.app.attachment = Attachment(still.app, Path("/srv/shop/.dx/dev.jsonl"))
    still.app.post_message(JournalRead(make_events(*last), True))
    await still.pilot.pause()
    await still.press("9")
    await still.tell(LogRead(make_log(), True))


@scene()
async def dev_reload(still: Still) -> None:
    await attach(still, Checked(4, 2, 1, 0.06, [], []), events.Ready("orders", 0.3, True, DEFINITIONS, pid=78))


@scene(address="us-east-1.tmprl.cloud:7233")
async def dev_elsewhere(still: Still) -> None:
    await attach(still, Checked(4, 2, 1, 0.06, [MISMATCH], []))
    still.app.clear_notifications()


@scene()
async def dev_mismatch(still: Still) -> None:
    held = events.Held(True, True, "question-1", ("keep", "reload", "reset", "terminate"))
    await attach(still, Checked(4, 2, 1, 0.06, [MISMATCH], []), held)
    still.app.clear_notifications()
    await still.until(lambda: isinstance(still.app.screen, MismatchScreen))
    await tell_order(still)
