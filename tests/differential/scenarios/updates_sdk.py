"""Updates of SDK workflows: handlers and validators, plain and asynchronous, across workers and runs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from tests.differential.scenario import scenario
from tests.differential.world import World

ACCEPTED = WorkflowUpdateStage.ACCEPTED


@activity.defn
async def double(number: int) -> int:
    return number * 2


@workflow.defn
class Counter:
    """Counts what updates add, until it is told to stop."""

    def __init__(self) -> None:
        self.total = 0
        self.released = False
        self.stopped = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.stopped)
        return self.total

    @workflow.update
    def add(self, number: int) -> int:
        self.total += number
        return self.total

    @add.validator
    def check_add(self, number: int) -> None:
        if number < 0:
            raise ValueError("only up")

    @workflow.update
    async def add_double(self, number: int) -> int:
        self.total += await workflow.execute_activity(double, number, start_to_close_timeout=timedelta(seconds=10))
        return self.total

    @workflow.update
    async def add_later(self, number: int) -> int:
        await workflow.sleep(1)
        self.total += number
        return self.total

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def add_when_released(self, number: int) -> int:
        await workflow.wait_condition(lambda: self.released)
        self.total += number
        return self.total

    @workflow.update
    async def fail(self, message: str) -> None:
        raise ApplicationError(message, type="OnPurpose", non_retryable=True)

    @workflow.update
    async def stop_at(self, number: int) -> int:
        self.total = number
        self.stopped = True
        return number

    @workflow.signal
    def release(self) -> None:
        self.released = True

    @workflow.signal
    def stop(self) -> None:
        self.stopped = True

    @workflow.query
    def current(self) -> int:
        return self.total


async def _start(world: World) -> WorkflowHandle[Counter, int]:
    return await world.client.start_workflow(Counter.run, id=world.workflow_id(), task_queue=world.task_queue)


async def _started(world: World) -> WorkflowHandle[Counter, int]:
    """Start the workflow, and return once its first workflow task is completed."""
    handle = await _start(world)
    await world.wait_for_events(4)
    return handle


@scenario()
async def handler_and_validator(world: World) -> None:
    """One update after the other: accepted, rejected by the validator, accepted."""
    async with world.worker([Counter]):
        handle = await _started(world)
        world.record_value("first", await handle.execute_update(Counter.add, 1, id="first"))
        try:
            await handle.execute_update(Counter.add, -1, id="second")
        except WorkflowUpdateFailedError as error:
            world.record_value("second", repr(error.cause))
        world.record_value("third", await handle.execute_update(Counter.add, 2, id="third"))
        await handle.signal(Counter.stop)
        world.record_value("result", await handle.result())
    await world.record_history()


@scenario()
async def before_the_first_task(world: World) -> None:
    """An update that waits for the first worker comes with the first workflow task."""
    handle = await _start(world)
    update = asyncio.ensure_future(handle.execute_update(Counter.add, 5, id="early"))
    await asyncio.sleep(0.5)
    async with world.worker([Counter]):
        world.record_value("update", await update)
        await handle.signal(Counter.stop)
        world.record_value("result", await handle.result())
    await world.record_history()


@scenario()
async def handler_with_an_activity(world: World) -> None:
    """A handler that waits for an activity: the client hears of the acceptance first, and then polls the result."""
    async with world.worker([Counter], [double]):
        handle = await _started(world)
        update = await handle.start_update(Counter.add_double, 4, id="doubled", wait_for_stage=ACCEPTED)
        world.record_value("result of the update", await update.result())
        await handle.signal(Counter.stop)
        world.record_value("result", await handle.result())
    await world.record_history()


@scenario()
async def handler_with_a_timer(world: World) -> None:
    """A handler that sleeps."""
    async with world.worker([Counter]):
        handle = await _started(world)
        world.record_value("update", await handle.execute_update(Counter.add_later, 3, id="later"))
        await handle.signal(Counter.stop)
        world.record_value("result", await handle.result())
    await world.record_history()


@scenario()
async def handler_waits_for_a_signal(world: World) -> None:
    """A handler that waits for a signal, and an update that overtakes it."""
    async with world.worker([Counter]):
        handle = await _started(world)
        waiting = await handle.start_update(Counter.add_when_released, 10, id="waits", wait_for_stage=ACCEPTED)
        world.record_value("overtakes", await handle.execute_update(Counter.add, 1, id="overtakes"))
        await handle.signal(Counter.release)
        world.record_value("waited", await waiting.result())
        await handle.signal(Counter.stop)
        world.record_value("result", await handle.result())
    await world.record_history()


@scenario()
async def handler_fails(world: World) -> None:
    """A handler that raises an application error after its acceptance."""
    async with world.worker([Counter]):
        handle = await _started(world)
        try:
            await handle.execute_update(Counter.fail, "no", id="fails")
        except WorkflowUpdateFailedError as error:
            world.record_value("update", repr(error.cause))
        await handle.signal(Counter.stop)
        await handle.result()
    await world.record_history()


@scenario()
async def unknown_handler(world: World) -> None:
    """An update that the workflow does not know is rejected by the worker."""
    async with world.worker([Counter]):
        handle = await _started(world)
        try:
            await handle.execute_update("nothing", id="unknown")
        except WorkflowUpdateFailedError as error:
            world.record_value("update", repr(error.cause))
        await handle.signal(Counter.stop)
        await handle.result()
    await world.record_history()


@scenario()
async def unfinished_handler(world: World) -> None:
    """The workflow completes while a handler waits: the update fails."""
    async with world.worker([Counter]):
        handle = await _started(world)
        update = await handle.start_update(Counter.add_when_released, 10, id="waits", wait_for_stage=ACCEPTED)
        await handle.signal(Counter.stop)
        world.record_value("result", await handle.result())
        try:
            await update.result()
        except WorkflowUpdateFailedError as error:
            world.record_value("update", repr(error.cause))
    await world.record_history()


@scenario()
async def ends_the_workflow(world: World) -> None:
    """An update whose handler lets the workflow complete: both results come of one workflow task."""
    async with world.worker([Counter]):
        handle = await _started(world)
        world.record_value("update", await handle.execute_update(Counter.stop_at, 7, id="last"))
        world.record_value("result", await handle.result())
        again = handle.get_update_handle_for(Counter.stop_at, "last")
        world.record_value("again", await again.result())
    await world.record_history()


@scenario()
async def without_a_cache(world: World) -> None:
    """A worker without a cache replays the workflow for each update, rejected ones included."""
    async with world.worker([Counter], max_cached_workflows=0):
        handle = await _started(world)
        world.record_value("first", await handle.execute_update(Counter.add, 1, id="first"))
        try:
            await handle.execute_update(Counter.add, -1, id="second")
        except WorkflowUpdateFailedError as error:
            world.record_value("second", repr(error.cause))
        world.record_value("third", await handle.execute_update(Counter.add, 2, id="third"))
        world.record_value("query", await handle.query(Counter.current))
        await handle.signal(Counter.stop)
        world.record_value("result", await handle.result())
    await world.record_history()


@scenario()
async def another_worker(world: World) -> None:
    """The worker stops between an update's acceptance and its result; the next one replays and completes it."""
    async with world.worker([Counter], identity="first-worker"):
        handle = await _started(world)
        update = await handle.start_update(Counter.add_when_released, 10, id="waits", wait_for_stage=ACCEPTED)
    await handle.signal(Counter.release)
    async with world.worker([Counter], identity="second-worker"):
        world.record_value("update", await update.result())
        await handle.signal(Counter.stop)
        world.record_value("result", await handle.result())
    await world.record_history()


@workflow.defn
class GoesOn:
    """Collects one word per run and goes on, until there are two."""

    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, words: list[str]) -> list[str]:
        # Shorter runs are followed by one that waits.
        await workflow.sleep(1.1)
        await workflow.wait_condition(lambda: bool(self.words))
        words = words + self.words
        if len(words) < 2:
            workflow.continue_as_new(words)
        return words

    @workflow.update
    def say(self, word: str) -> str:
        self.words.append(word)
        return workflow.info().run_id


@scenario()
async def then_continues_as_new(world: World) -> None:
    """Each run of a chain completes an update, and goes on or completes."""
    async with world.worker([GoesOn]):
        handle = await world.client.start_workflow(GoesOn.run, [], id=world.workflow_id(), task_queue=world.task_queue)
        first_run_id = handle.first_execution_run_id or ""
        await world.wait_for_events(5)
        world.record_value("first", await handle.execute_update(GoesOn.say, "one", id="say"))
        closed = await world.wait_closed(run_id=first_run_id)
        next_run_id = closed.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        await world.wait_for_events(5, run_id=next_run_id)
        chain = world.client.get_workflow_handle_for(GoesOn.run, world.workflow_id())
        world.record_value("second", await chain.execute_update(GoesOn.say, "two", id="say"))
        world.record_value("result", await handle.result())
    await world.record_chain(first_run_id, 2)


@scenario()
async def with_start(world: World) -> None:
    """Update-with-start: it starts the workflow, then finds it, and its update."""

    def start() -> WithStartWorkflowOperation[Counter, int]:
        return WithStartWorkflowOperation(
            Counter.run,
            id=world.workflow_id(),
            task_queue=world.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )

    execute = world.client.execute_update_with_start_workflow
    async with world.worker([Counter]):
        operation = start()
        result = await execute(Counter.add, 1, id="first", start_workflow_operation=operation)
        world.record_value("first", result)
        await world.wait_for_events(6)
        world.record_value("again", await execute(Counter.add, 1, id="first", start_workflow_operation=start()))
        world.record_value("second", await execute(Counter.add, 2, id="second", start_workflow_operation=start()))
        handle = await operation.workflow_handle()
        await handle.signal(Counter.stop)
        world.record_value("result", await handle.result())
    await world.record_history()
