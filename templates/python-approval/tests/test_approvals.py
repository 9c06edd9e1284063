"""Requests on a real server, which starts with the tests and keeps nothing."""

import pytest
from temporalio import activity
from temporalio.client import WorkflowUpdateFailedError

from activities import send_message
from shared import Decision, Request, Result, Status
from workflows import ApprovalWorkflow


@pytest.fixture
async def task_queue(dx_worker):
    """A worker, as dx.toml has it; a test has its own, and its own namespace."""
    async with dx_worker(
        workflows=[ApprovalWorkflow], activities=[send_message]
    ) as worker:
        yield worker.task_queue


@pytest.fixture
async def handle(dx_client, task_queue):
    """A request that waits for ann."""
    return await dx_client.start_workflow(
        ApprovalWorkflow.run,
        Request("a laptop", requester="tom", approver="ann"),
        id="laptop",
        task_queue=task_queue,
    )


@pytest.mark.parametrize(
    ("approve", "status"), [(True, Status.APPROVED), (False, Status.REJECTED)]
)
async def test_a_decision_ends_it(handle, approve: bool, status: Status) -> None:
    assert await handle.query(ApprovalWorkflow.get_status) == Status.ASKED
    decision = Decision("ann", approve)
    assert await handle.execute_update(ApprovalWorkflow.decide, decision) == status
    assert await handle.result() == Result(status, "ann")


async def test_who_was_not_asked_is_refused(handle) -> None:
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        await handle.execute_update(ApprovalWorkflow.decide, Decision("eve", True))
    assert str(failure.value.cause) == "eve was not asked"
    assert await handle.query(ApprovalWorkflow.get_status) == Status.ASKED


async def test_the_requester_may_take_it_back(handle) -> None:
    await handle.signal(ApprovalWorkflow.withdraw)
    assert await handle.result() == Result(Status.WITHDRAWN, "tom")


async def test_nobody_answers(dx_client, dx_worker, dx_time) -> None:
    messages = []

    # In place of the real activity: the server knows activities by their names.
    @activity.defn(name="send_message")
    async def note_message(recipient: str, text: str) -> None:
        messages.append(f"{recipient}: {text}")

    async with (
        dx_worker(workflows=[ApprovalWorkflow], activities=[note_message]) as worker,
        dx_time.auto(),  # jumps to what is due next, whenever nothing is to be done
    ):
        result = await dx_client.execute_workflow(
            ApprovalWorkflow.run,
            Request("a laptop", requester="tom", approver="ann"),
            id="laptop",
            task_queue=worker.task_queue,
        )
    assert result == Result(Status.TIMED_OUT)
    assert messages == [
        "ann: a laptop: may tom have this?",
        "ann: a laptop: tom still waits",
        "tom: a laptop: this is timed out",
    ]
