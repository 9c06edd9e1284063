"""Runs that skip time in an engine: what a crash leaves of a skip, and who waits for a fast-forward."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import command_type_pb2 as ct
from temporalio.api.enums.v1.time_skipping_pb2 import FastForwardPollingResult
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionTimeSkippingResponse

from tests.core.support.time_skipping import HOUR, skipping
from tests.sim.script import Script, activity_command, complete_command, timer_command

DAY = 24 * HOUR


def _poll(script: Script, timeout_seconds: float = 20) -> asyncio.Task[PollWorkflowExecutionTimeSkippingResponse]:
    """Poll for the fast-forward in a task of its own; await it for the answer."""
    state = script.engine.get_run(script.server.namespace, WorkflowExecution(workflow_id="w"))
    return script.loop.create_task(script.engine.fast_forward_waiters.poll(state, "ff", timeout_seconds))


async def _result(poll: Awaitable[PollWorkflowExecutionTimeSkippingResponse]) -> str:
    name = FastForwardPollingResult.Name((await poll).fast_forward_polling_result)
    return name.removeprefix("FAST_FORWARD_POLLING_RESULT_")


def _continue_as_new() -> Command:
    command = Command(command_type=ct.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    command.continue_as_new_workflow_execution_command_attributes.workflow_type.CopyFrom(WorkflowType(name="type"))
    return command


def test_a_month_is_over_at_once_and_a_crash_forgets_none_of_it(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        began = script.loop.time()
        await script.start(time_skipping_config=skipping())
        await script.complete(await script.poll_workflow(), timer_command("first", 30 * DAY))
        task = await script.poll_workflow()
        await script.restart()
        await script.complete(task, timer_command("second", 30 * DAY))
        script.server.crash()  # the skip is written, the timer has not fired yet
        await script.server.up.wait()
        await script.complete(await script.poll_workflow(), complete_command())
        assert script.loop.time() - began < 15
        (history,) = script.histories()
        days = (history[-1].event_time.seconds - history[0].event_time.seconds) / DAY
        assert round(days) == 60

    script.run(case())


def test_who_polls_hears_of_the_end_in_a_later_run(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await script.start(time_skipping_config=skipping(DAY))
        poll = _poll(script)
        await script.complete(await script.poll_workflow(), timer_command("t", HOUR))
        await script.complete(await script.poll_workflow(), _continue_as_new())
        task = await script.poll_workflow()
        assert not poll.done()
        await script.complete(task)
        assert await _result(poll) == "FAST_FORWARD_COMPLETED"
        assert await _result(_poll(script)) == "FAST_FORWARD_COMPLETED"

    script.run(case())


def test_a_poll_ends_by_itself_and_with_the_server(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await script.start(time_skipping_config=skipping(DAY))
        assert await _result(_poll(script, timeout_seconds=2)) == "POLL_TIMEOUT"
        poll = _poll(script)
        await asyncio.sleep(1)
        script.engine.fast_forward_waiters.answer_all()
        assert await _result(poll) == "POLL_TIMEOUT"
        gone = _poll(script)
        await asyncio.sleep(1)
        gone.cancel()
        await asyncio.sleep(1)
        assert not script.engine.fast_forward_waiters._waiters

    script.run(case())


def test_a_running_activity_holds_only_its_own_run(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await script.start("w", time_skipping_config=skipping())
        await script.complete(await script.poll_workflow(), activity_command("a"), timer_command("t", DAY))
        await script.start("other", time_skipping_config=skipping())
        await script.complete(await script.poll_workflow(), timer_command("t", DAY))
        task = await script.poll_workflow()
        assert task.workflow_id == "other"
        activity = await script.poll_activity()
        await script.heartbeat(activity)
        await script.complete_activity(activity)
        await script.complete(await script.poll_workflow())
        assert (await script.poll_workflow()).workflow_id == "w"

    script.run(case())
