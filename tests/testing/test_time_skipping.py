"""The Python SDK's time-skipping environment on `dx-test-server`, started by its path."""

from __future__ import annotations

import asyncio
import builtins
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError, TimeoutType
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

EXECUTABLE = str(Path(sys.executable).with_name("dx-test-server"))
TASK_QUEUE = "time"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

attempts: list[datetime] = []


@activity.defn
async def fail_thrice() -> int:
    attempts.append(activity.info().started_time)
    if len(attempts) < 4:
        raise ApplicationError("not yet")
    return len(attempts)


@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self, days: int) -> list[float]:
        """Sleep a day at a time; return how many days each of them took."""
        slept = []
        for _ in range(days):
            before = workflow.now()
            await workflow.sleep(DAY)
            slept.append((workflow.now() - before) / DAY)
        return slept


@workflow.defn
class Retries:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(
            fail_thrice,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=HOUR, backoff_coefficient=2),
        )


@workflow.defn
class Family:
    @workflow.run
    async def run(self) -> list[float]:
        """Have children that take 10, 20 and 30 days, all at once; return after how many days each was done."""
        began = workflow.now()

        async def child(days: int) -> float:
            await workflow.execute_child_workflow(Sleeps.run, days)
            return (workflow.now() - began) / DAY

        return list(await asyncio.gather(child(30), child(10), child(20)))


@workflow.defn
class Ticks:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(HOUR)


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: self.told, timeout=DAY)
        except builtins.TimeoutError:
            return "timed out"
        return "told"

    @workflow.signal
    def tell(self) -> None:
        self.told = True

    @workflow.query
    def time(self) -> str:
        return workflow.now().isoformat()


@workflow.defn
class Heartbeats:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            "sleep_without_heartbeat",
            start_to_close_timeout=DAY,
            heartbeat_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """The environment, and a worker on it."""
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=EXECUTABLE) as environment:

        @activity.defn
        async def sleep_without_heartbeat() -> None:
            await environment.sleep(timedelta(seconds=40))

        async with Worker(
            environment.client,
            task_queue=TASK_QUEUE,
            workflows=[Sleeps, Retries, Family, Ticks, Waits, Heartbeats],
            activities=[fail_thrice, sleep_without_heartbeat],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield environment


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def event_times(handle: WorkflowHandle[object, object], name: str) -> list[datetime]:
    wanted = EventType.Value(f"EVENT_TYPE_{name}")
    events = (await handle.fetch_history()).events
    return [event.event_time.ToDatetime(UTC) for event in events if event.event_type == wanted]


async def test_a_month_of_timers_ends_at_once_and_its_history_takes_a_month(environment: WorkflowEnvironment) -> None:
    began = await environment.get_current_time()
    handle = await environment.client.start_workflow(Sleeps.run, 30, id="month", task_queue=TASK_QUEUE)
    assert await handle.result() == [pytest.approx(1, abs=1e-4)] * 30
    fired = await event_times(handle, "TIMER_FIRED")
    assert [(after - before) / DAY for before, after in pairwise(fired)] == [pytest.approx(1, abs=1e-4)] * 29
    described = await handle.describe()
    assert described.close_time is not None
    assert (described.close_time - described.start_time) / DAY == pytest.approx(30, abs=1e-3)
    assert (await environment.get_current_time() - began) / DAY == pytest.approx(30, abs=1e-3)


async def test_retries_are_as_far_apart_as_they_say(environment: WorkflowEnvironment) -> None:
    result = await environment.client.execute_workflow(Retries.run, id="retries", task_queue=TASK_QUEUE)
    assert result == 4
    gaps = [(after - before) / HOUR for before, after in pairwise(attempts)]
    assert gaps == [pytest.approx(hours, abs=0.01) for hours in (1, 2, 4)]


async def test_children_end_in_the_order_of_their_times(environment: WorkflowEnvironment) -> None:
    days = await environment.client.execute_workflow(Family.run, id="family", task_queue=TASK_QUEUE)
    assert days == [pytest.approx(each, abs=1e-3) for each in (30, 10, 20)]


async def test_a_cron_runs_at_each_of_its_times(environment: WorkflowEnvironment) -> None:
    began = await environment.get_current_time()
    handle = await environment.client.start_workflow(
        Ticks.run, id="cron", task_queue=TASK_QUEUE, cron_schedule="30 7 * * *"
    )
    await environment.sleep(5 * DAY)
    runs = [run async for run in environment.client.list_workflows("WorkflowId = 'cron'")]
    await handle.terminate()
    times = sorted(
        run.execution_time.replace(second=0, microsecond=0) for run in runs if run.execution_time is not None
    )[:5]
    first = began.replace(hour=7, minute=30, second=0, microsecond=0)
    first += DAY if first <= began else timedelta()
    assert times == [first + number * DAY for number in range(5)]


async def test_sleep_moves_the_time_by_just_that(environment: WorkflowEnvironment) -> None:
    handle = await environment.client.start_workflow(Waits.run, id="waits", task_queue=TASK_QUEUE)
    began = await environment.get_current_time()
    await environment.sleep(12 * HOUR)
    assert (await environment.get_current_time() - began) / HOUR == pytest.approx(12, abs=0.01)
    assert (await handle.describe()).close_time is None
    assert datetime.fromisoformat(await handle.query(Waits.time)) - began < 13 * HOUR
    await handle.signal(Waits.tell)
    assert await handle.result() == "told"
    other = await environment.client.start_workflow(Waits.run, id="waits-in-vain", task_queue=TASK_QUEUE)
    assert await other.result() == "timed out"


async def test_time_does_not_skip_where_that_is_disabled(environment: WorkflowEnvironment) -> None:
    with environment.auto_time_skipping_disabled():
        handle = await environment.client.start_workflow(Sleeps.run, 1, id="disabled", task_queue=TASK_QUEUE)
        result = asyncio.create_task(handle.result())
        await asyncio.wait((result,), timeout=0.5)
        assert not result.done()
        await environment.sleep(DAY)
        assert len(await result) == 1


async def test_an_activity_that_lets_time_pass_misses_its_heartbeat(environment: WorkflowEnvironment) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await environment.client.execute_workflow(Heartbeats.run, id="heartbeats", task_queue=TASK_QUEUE)
    assert isinstance(failed.value.cause, ActivityError)
    assert isinstance(failed.value.cause.cause, TimeoutError)
    assert failed.value.cause.cause.type == TimeoutType.HEARTBEAT


async def test_two_that_wait_for_results_at_once(environment: WorkflowEnvironment) -> None:
    """The one that ends first locks the time again; the other has it unlocked still."""
    first, second = await asyncio.gather(
        *(
            environment.client.execute_workflow(Sleeps.run, days, id=f"beside-{days}", task_queue=TASK_QUEUE)
            for days in (2, 20)
        )
    )
    assert (len(first), len(second)) == (2, 20)


async def test_the_server_ends_with_its_environment() -> None:
    before = set(psutil.Process().children())
    started = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=EXECUTABLE, test_server_extra_args=["--enable-time-skipping"]
    )
    (server,) = set(psutil.Process().children()) - before
    assert started.supports_time_skipping
    assert server.children() == []
    await started.shutdown()
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
