"""Batches on a real server, which starts with the tests and keeps nothing."""

from dataclasses import replace

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import ActivityEnvironment

import activities
from shared import Batch, Page
from workflows import BatchWorkflow, PageWorkflow


@pytest.fixture
async def task_queue(dx_worker):
    """A worker, as dx.toml has it; a test has its own, and its own namespace."""
    async with dx_worker(
        workflows=[BatchWorkflow, PageWorkflow], activities=[activities.process_page]
    ) as worker:
        yield worker.task_queue


@pytest.fixture(autouse=True)
def fast(monkeypatch) -> None:
    """Items that take no time."""
    monkeypatch.setattr(activities, "SECONDS_PER_ITEM", 0)


async def test_all_items_are_processed_in_several_runs(dx_client, task_queue) -> None:
    batch = Batch(items=95, items_per_page=10, pages_at_once=2, rounds_per_run=2)
    handle = await dx_client.start_workflow(
        BatchWorkflow.run, batch, id="batch", task_queue=task_queue
    )
    assert await handle.result() == sum(range(95))
    assert await handle.query(BatchWorkflow.get_progress) == "95 of 95 items"

    # 40 items in each run: two are full, and the third one does the rest.
    first = dx_client.get_workflow_handle("batch", run_id=handle.first_execution_run_id)
    status = (await first.describe()).status
    assert status == WorkflowExecutionStatus.CONTINUED_AS_NEW
    pages = await dx_client.count_workflows("WorkflowType='PageWorkflow'")
    assert pages.count == 10


async def test_nothing_to_do(dx_client, task_queue) -> None:
    result = await dx_client.execute_workflow(
        BatchWorkflow.run, Batch(items=0), id="batch", task_queue=task_queue
    )
    assert result == 0


async def test_an_attempt_goes_on_where_the_heartbeats_ended() -> None:
    environment = ActivityEnvironment()  # an activity alone, without a server
    beats = []
    environment.on_heartbeat = lambda *details: beats.append(details)
    environment.info = replace(environment.info, heartbeat_details=[8, 100])
    assert await environment.run(activities.process_page, Page(5, 10)) == 100 + 8 + 9
    assert beats == [(9, 108), (10, 117)]
