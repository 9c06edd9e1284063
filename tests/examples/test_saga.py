"""The saga example books everything or nothing, whoever cancels, and whatever crashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError

from tests.examples.conftest import EXAMPLES, DurableServer
from tests.examples.histories import closed_activities, events_of, load_events, poll, scheduled_activities
from tests.examples.processes import working
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.timeout(200)

FOLDER = EXAMPLES / "saga"
# The car rental answers at the second attempt.
BOOKED = [("book_hotel", "Completed", 1), ("book_car", "Completed", 2), ("book_flight", "Completed", 1)]
SOLD_OUT = [
    *BOOKED[:2],
    ("book_flight", "Failed", 1),
    ("cancel_flight", "Completed", 1),
    ("cancel_car", "Completed", 2),
    ("cancel_hotel", "Completed", 1),
]


@pytest.fixture(scope="module")
def output(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Walk through all scenarios and return what was printed."""
    with working(FOLDER, server.address, tmp_path_factory.mktemp("saga")) as example:
        done = example.main()
        assert done.returncode == 0, done.stdout + done.stderr + example.worker_log.read_text()
        yield done.stdout


def workflow_id(output: str, name: str) -> str:
    """Return the id that the walk printed for a scenario."""
    return re.search(rf"started (trip-{name}-[0-9a-f]+)\n", output).group(1)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "status", "activities", "ending"),
    [
        ("booked", WorkflowExecutionStatus.COMPLETED, BOOKED, "result: Reservations(hotel='hotel-booked-"),
        ("sold-out", WorkflowExecutionStatus.FAILED, SOLD_OUT, "ended: ApplicationError: SoldOutError: no flight"),
        ("too-late", WorkflowExecutionStatus.FAILED, SOLD_OUT, "ended: ApplicationError: SoldOutError: no flight"),
    ],
)
async def test_trip_is_booked_as_a_whole_or_undone_in_reverse(
    server: ServerProcess,
    output: str,
    name: str,
    status: WorkflowExecutionStatus,
    activities: list[tuple[str, str, int]],
    ending: str,
) -> None:
    client = await Client.connect(server.address)
    handle = client.get_workflow_handle(workflow_id(output, name))
    assert (await handle.describe()).status == status
    assert closed_activities(await load_events(handle)) == activities
    assert f"  {ending}" in output.partition(f"started {handle.id}\n")[2].partition("\n\n")[0]


async def test_cancelled_trip_undoes_what_it_had_begun(server: ServerProcess, output: str) -> None:
    client = await Client.connect(server.address)
    handle = client.get_workflow_handle(workflow_id(output, "cancelled"))
    activities = scheduled_activities(await load_events(handle))
    booked = [name for name in activities if name.startswith("book_")]
    assert booked == ["book_hotel", "book_car", "book_flight"][: len(booked)]
    assert activities == booked + [name.replace("book_", "cancel_") for name in reversed(booked)]
    assert (await handle.describe()).status == WorkflowExecutionStatus.CANCELED


async def test_cancellation_comes_too_late_for_a_trip_that_is_being_undone(server: ServerProcess, output: str) -> None:
    client = await Client.connect(server.address)
    events = await load_events(client.get_workflow_handle(workflow_id(output, "too-late")))
    [cancel_requested] = events_of(events, "WorkflowExecutionCancelRequested")
    last_undone = events_of(events, "ActivityTaskCompleted")[-1]
    assert cancel_requested.event_id < last_undone.event_id
    assert events_of(events, "ActivityTaskCancelRequested") == []


async def test_undoing_survives_a_kill_of_the_server(durable_server: DurableServer, tmp_path: Path) -> None:
    with working(FOLDER, durable_server.address, tmp_path):
        client = await Client.connect(durable_server.address)
        trip = {"trip_id": "1", "destination": "Lisbon", "sold_out": "flight"}
        handle = await client.start_workflow("TripWorkflow", trip, id="trip-1", task_queue="trips")
        await poll(lambda: handle.query("get_steps"), lambda steps: "cancel_flight" in steps)
        before = await load_events(handle)
        durable_server.kill()
        durable_server.start_again()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        events = await load_events(handle)
        assert events[: len(before)] == before
        assert [closed[:2] for closed in closed_activities(events)] == [closed[:2] for closed in SOLD_OUT]
