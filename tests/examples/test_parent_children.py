"""The example of a parent and its children: fan-out, a failed child, close policies, cancellation, a crash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from tests.examples.conftest import EXAMPLES, DurableServer
from tests.examples.histories import closed_activities, events_of, load_events, poll, types_of
from tests.examples.processes import working
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.timeout(200)

FOLDER = EXAMPLES / "parent-children"


@pytest.fixture(scope="module")
def output(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Walk through all scenarios and return what was printed."""
    with working(FOLDER, server.address, tmp_path_factory.mktemp("parent-children")) as example:
        done = example.main()
        assert done.returncode == 0, done.stdout + done.stderr + example.worker_log.read_text()
        yield done.stdout


async def get_handle(server: ServerProcess, output: str, name: str, child: str = "") -> WorkflowHandle[Any, Any]:
    """Return the handle of a scenario's delivery, or of one of its children."""
    workflow_id = re.search(rf"started (delivery-{name}-[0-9a-f]+)\n", output).group(1)  # type: ignore[union-attr]
    client = await Client.connect(server.address)
    return client.get_workflow_handle(f"{workflow_id}/{child}" if child else workflow_id)


@pytest.mark.parametrize(
    ("name", "ending", "children"),
    [
        (
            "delivered",
            ["  delivered: {'book': '1 High Street', 'lamp': '2 Low Road'}", "  returned: {}"],
            {"book": "COMPLETED", "lamp": "COMPLETED", "map": "TERMINATED", "review": "COMPLETED"},
        ),
        (
            "returned",
            [
                "  delivered: {'book': '1 High Street'}",
                "  returned: {'lamp': 'UnknownAddressError: nobody knows where nowhere is'}",
            ],
            {"book": "COMPLETED", "lamp": "FAILED", "map": "TERMINATED", "review": "COMPLETED"},
        ),
        (
            "cancelled",
            ["  on the road; cancelling", "  ended: Workflow cancelled"],
            {"book": "CANCELED", "lamp": "CANCELED", "map": "TERMINATED"},
        ),
    ],
)
async def test_delivery_ends_and_each_child_in_its_way(
    server: ServerProcess, output: str, name: str, ending: list[str], children: dict[str, str]
) -> None:
    parent = await get_handle(server, output, name)
    told = output.partition(f"started {parent.id}\n")[2].partition("\n\n")[0].splitlines()
    assert told == ending + [f"  child {child}: {status}" for child, status in children.items()]
    initiated = events_of(await load_events(parent), "StartChildWorkflowExecutionInitiated")
    assert [event.start_child_workflow_execution_initiated_event_attributes.workflow_id for event in initiated] == [
        f"{parent.id}/{child}" for child in ("map", "book", "lamp", "review") if child in children
    ]


async def test_parcels_fan_out_in_one_workflow_task(server: ServerProcess, output: str) -> None:
    events = await load_events(await get_handle(server, output, "delivered"))
    _, book, lamp, _ = (
        event.start_child_workflow_execution_initiated_event_attributes.workflow_task_completed_event_id
        for event in events_of(events, "StartChildWorkflowExecutionInitiated")
    )
    assert book == lamp


async def test_parent_signals_its_child_as_any_other_workflow(server: ServerProcess, output: str) -> None:
    parent = await get_handle(server, output, "delivered")
    [initiated] = events_of(await load_events(parent), "SignalExternalWorkflowExecutionInitiated")
    attributes = initiated.signal_external_workflow_execution_initiated_event_attributes
    assert attributes.workflow_execution.workflow_id == f"{parent.id}/lamp"
    assert not attributes.child_workflow_only
    events = await load_events(await get_handle(server, output, "delivered", "lamp"))
    [signaled] = events_of(events, "WorkflowExecutionSignaled")
    assert signaled.workflow_execution_signaled_event_attributes.external_workflow_execution.workflow_id == parent.id


async def test_review_outlives_the_delivery(server: ServerProcess, output: str) -> None:
    delivery = await (await get_handle(server, output, "delivered")).describe()
    review = await (await get_handle(server, output, "delivered", "review")).describe()
    assert delivery.close_time
    assert review.close_time
    assert review.close_time > delivery.close_time


@pytest.mark.parametrize("child", ["book", "lamp"])
async def test_cancelled_parcel_is_back_before_the_delivery_ends(
    server: ServerProcess, output: str, child: str
) -> None:
    events = await load_events(await get_handle(server, output, "cancelled", child))
    assert closed_activities(events) == [("bring_back", "Completed", 1)]
    parent_types = types_of(await load_events(await get_handle(server, output, "cancelled")))
    assert parent_types.count("ChildWorkflowExecutionCanceled") == 2
    assert parent_types[-1] == "WorkflowExecutionCanceled"


async def test_delivery_survives_a_kill_of_the_server(durable_server: DurableServer, tmp_path: Path) -> None:
    with working(FOLDER, durable_server.address, tmp_path):
        client = await Client.connect(durable_server.address)
        parcels = [
            {"name": "book", "address": "1 High Street", "travel_seconds": 2},
            {"name": "lamp", "address": "nowhere", "travel_seconds": 2},
        ]
        delivery = {"order_id": "1", "parcels": parcels, "review_after_seconds": 3600}
        handle = await client.start_workflow("DeliveryWorkflow", delivery, id="delivery-1", task_queue="deliveries")
        await poll(lambda: handle.query("is_on_the_road"), bool)
        before = await load_events(handle)
        durable_server.kill()
        durable_server.start_again()
        assert await handle.result() == {
            "delivered": {"book": "1 High Street"},
            "returned": {"lamp": "UnknownAddressError: nobody knows where nowhere is"},
        }
        assert (await load_events(handle))[: len(before)] == before
        types = [
            types_of(await load_events(client.get_workflow_handle(f"delivery-1/{child}"))) for child in ("book", "lamp")
        ]
        assert [each.count("ActivityTaskScheduled") for each in types] == [1, 2]
        assert (await client.get_workflow_handle("delivery-1/review").describe()).status.name == "RUNNING"
