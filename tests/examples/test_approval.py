"""The approval example ends with the first decision that counts, or without one, and waits through a crash."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.examples.conftest import EXAMPLES, DurableServer
from tests.examples.histories import events_of, load_events, poll, types_of
from tests.examples.processes import working
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.timeout(200)

FOLDER = EXAMPLES / "approval"
REQUEST = {"subject": "a new laptop", "requester": "tom", "approver": "ann", "manager": "max"}
ASKED = ("ann", "tom asks for a new laptop")
REMINDED = ("ann", "tom still waits for a new laptop")
ESCALATED = ("max", "ann does not answer tom")


@pytest.fixture(scope="module")
def output(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Walk through all scenarios and return what was printed."""
    with working(FOLDER, server.address, tmp_path_factory.mktemp("approval")) as example:
        done = example.main()
        assert done.returncode == 0, done.stdout + done.stderr + example.worker_log.read_text()
        yield done.stdout


@pytest.mark.parametrize(
    ("name", "result", "messages", "timers"),
    [
        ("approved", ("approved", "ann"), [ASKED, ("tom", "a new laptop: approved")], (0, 1)),
        ("rejected", ("rejected", "ann"), [ASKED, ("tom", "a new laptop: rejected")], (0, 1)),
        (
            "escalated",
            ("approved", "max"),
            [ASKED, REMINDED, ESCALATED, ("tom", "a new laptop: approved")],
            (2, 1),
        ),
        (
            "timed-out",
            ("timed out", None),
            [ASKED, REMINDED, ESCALATED, ("tom", "a new laptop: timed out")],
            (3, 0),
        ),
    ],
)
async def test_request_ends_with_the_first_decision_or_without_one(
    server: ServerProcess,
    output: str,
    name: str,
    result: tuple[str, str | None],
    messages: list[tuple[str, str]],
    timers: tuple[int, int],
) -> None:
    client = await Client.connect(server.address)
    workflow_id = re.search(rf"started (approval-{name}-\S+)", output).group(1)  # type: ignore[union-attr]
    handle = client.get_workflow_handle(workflow_id)
    answer = await handle.result()
    assert (answer["status"], answer["decision"] and answer["decision"]["by"]) == result
    assert await handle.query("get_status") == answer["status"]
    events = await load_events(handle)
    sent = [
        tuple(json.loads(payload.data) for payload in event.activity_task_scheduled_event_attributes.input.payloads)
        for event in events_of(events, "ActivityTaskScheduled")
    ]
    assert sent == messages
    types = types_of(events)
    assert (types.count("TimerFired"), types.count("TimerCanceled")) == timers


def test_decision_of_somebody_else_changes_nothing(output: str) -> None:
    assert "  status after somebody else's yes: asked\n" in output


async def test_timer_that_comes_due_while_the_server_is_dead_fires_when_it_is_back(
    durable_server: DurableServer, tmp_path: Path
) -> None:
    with working(FOLDER, durable_server.address, tmp_path):
        client = await Client.connect(durable_server.address)
        request = REQUEST | {"remind_after_seconds": 2}
        handle = await client.start_workflow("ApprovalWorkflow", request, id="laptop-1", task_queue="approvals")
        before = await poll(lambda: load_events(handle), lambda events: "TimerStarted" in types_of(events))
        durable_server.kill()
        await asyncio.sleep(2)
        durable_server.start_again()
        await poll(lambda: handle.query("get_status"), lambda status: status == "reminded")
        await handle.signal("decide", {"by": "ann", "is_approved": True})
        assert (await handle.result())["status"] == "approved"
        assert (await load_events(handle))[: len(before)] == before
