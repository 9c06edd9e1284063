"""Resets in the runtime: one commit, after what came before, and the new run is served like any other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1.command_type_pb2 import COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest, ResetWorkflowExecutionResponse

from engine.core.errors import Internal, NotFound, Unavailable
from engine.core.inputs import ResetWorkflowExecution, RunRef
from tests.sim.script import Script, activity_command, complete_command, timer_command
from tests.sim.server import NAMESPACE_ID

FIRST_COMPLETED = 4
COPIED = ["WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted"]
FORKED = [*COPIED, "WorkflowTaskFailed"]
ENDED = ["WorkflowTaskFailed", "WorkflowExecutionTerminated"]


async def reset(script: Script, event_id: int = FIRST_COMPLETED, run_id: str = "") -> ResetWorkflowExecutionResponse:
    request = ResetWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id="w", run_id=run_id),
        workflow_task_finish_event_id=event_id,
        request_id="reset",
    )
    reply: ResetWorkflowExecutionResponse = await script.engine.submit(
        ResetWorkflowExecution(RunRef(NAMESPACE_ID, "w", run_id), request)
    )
    return reply


def test_both_runs_are_written_in_one_commit(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        await script.start()
        await script.complete(await script.poll_workflow())
        commits = script.trouble.commits
        await reset(script)
        assert script.trouble.commits == commits + 1
        assert script.event_types(0)[-1] == "WorkflowExecutionTerminated"
        assert script.event_types(1) == [*FORKED, "WorkflowTaskScheduled"]

    script.run(program())


def test_a_signal_that_comes_together_with_the_reset_is_in_both_runs(tmp_path: Path) -> None:
    """The reset reads the events of the file: what came before it in the same step is there first."""
    script = Script(tmp_path)

    async def program() -> None:
        await script.start()
        await script.complete(await script.poll_workflow())
        await asyncio.gather(script.signal("before"), reset(script), script.signal("after"))
        assert script.event_types(0)[4:] == [
            "WorkflowExecutionSignaled",
            "WorkflowTaskScheduled",
            "WorkflowExecutionTerminated",
        ]
        assert script.event_types(1)[3:] == [
            "WorkflowTaskFailed",
            "WorkflowExecutionSignaled",
            "WorkflowTaskScheduled",
            "WorkflowExecutionSignaled",
        ]

    script.run(program())


def test_resets_that_come_together_follow_each_other(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        await script.start()
        await script.complete(await script.poll_workflow())
        first, second = await asyncio.gather(reset(script), reset(script))
        assert first != second
        ends = [types[-1] for types in (script.event_types(run) for run in range(3))]
        assert ends == ["WorkflowExecutionTerminated", "WorkflowExecutionTerminated", "WorkflowTaskScheduled"]

    script.run(program())


@pytest.mark.parametrize("restart", [False, True])
def test_what_the_new_run_waits_for_comes_to_its_worker(tmp_path: Path, restart: bool) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        await script.start()
        await script.complete(await script.poll_workflow(), activity_command("a"), timer_command("t", 60))
        await script.poll_activity()
        await script.signal("go")
        await script.complete(await script.poll_workflow())
        new = await reset(script, event_id=script.event_types().index("WorkflowExecutionSignaled") + 4)
        if restart:
            await script.restart()
        activity = await script.poll_activity()
        assert (activity.run.run_id, activity.attempt) == (new.run_id, 1)
        await script.complete_activity(activity)
        task = await script.poll_workflow()
        assert task.run_id == new.run_id
        await script.complete(task)
        await asyncio.sleep(61)
        await script.complete(await script.poll_workflow(), complete_command())
        fired = ["TimerFired", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"]
        assert script.event_types(1)[-5:] == [*fired, "WorkflowExecutionCompleted"]

    script.run(program())


def test_a_poller_that_waits_gets_the_task_of_the_new_run(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        await script.start()
        await script.complete(await script.poll_workflow())
        polled = script.poll_workflow()
        await asyncio.sleep(0.1)
        new = await reset(script)
        assert (await polled).run_id == new.run_id

    script.run(program())


def test_the_task_that_a_worker_has_is_gone(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        await script.start()
        await script.complete(await script.poll_workflow())
        await script.signal("go")
        task = await script.poll_workflow()
        await reset(script)
        with pytest.raises(NotFound):
            await script.complete(task)
        assert script.event_types(0)[-2:] == ENDED

    script.run(program())


@pytest.mark.parametrize("crash", ["after commit", "before commit"])
def test_a_crash_leaves_both_runs_or_neither(tmp_path: Path, crash: str) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        await script.start()
        await script.complete(await script.poll_workflow())
        before = script.event_types()
        script.trouble.crash_at_commit = script.trouble.commits + 1
        script.trouble.crash_once_after = crash == "after commit"
        waiting = asyncio.ensure_future(reset(script))
        await asyncio.sleep(0.001)
        assert not waiting.done()
        waiting.cancel()
        await script.server.up.wait()
        if crash == "before commit":
            assert script.event_types() == before
            assert len(script.histories()) == 1
            await reset(script)
        assert script.event_types()[len(before) :] == ["WorkflowExecutionTerminated"]
        assert script.event_types(1) == [*FORKED, "WorkflowTaskScheduled"]

    script.run(program())


@pytest.mark.parametrize(("trouble", "error"), [("failing_commit", Unavailable), ("failing_read", Internal)])
def test_a_file_in_trouble_leaves_the_run_as_it_is(tmp_path: Path, trouble: str, error: type[Exception]) -> None:
    script = Script(tmp_path, cache_bytes=1)

    async def program() -> None:
        await script.start()
        await script.complete(await script.poll_workflow())
        await script.start("other, so that the run is not in memory")
        before = script.event_types()
        setattr(script.trouble, trouble, 1.0)
        with pytest.raises(error):
            await reset(script)
        setattr(script.trouble, trouble, 0.0)
        await asyncio.sleep(1)
        assert script.event_types() == before
        await script.signal("it goes on")
        await reset(script)
        assert script.event_types(2)[-3:] == [
            "WorkflowTaskFailed",
            "WorkflowExecutionSignaled",
            "WorkflowTaskScheduled",
        ]

    script.run(program())


def test_signals_of_every_run_of_a_chain_come_again(tmp_path: Path) -> None:
    script = Script(tmp_path)
    continue_as_new = Command(command_type=COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    continue_as_new.continue_as_new_workflow_execution_command_attributes.SetInParent()

    async def program() -> None:
        first = await script.start()
        await script.complete(await script.poll_workflow())
        for name in ("one", "two"):
            await script.signal(name)
            await script.complete(await script.poll_workflow(), continue_as_new)
        await script.signal("three")
        await script.restart()
        await reset(script, run_id=first.run_id)
        signaled = [
            event.workflow_execution_signaled_event_attributes.signal_name
            for event in script.histories()[-1]
            if event.HasField("workflow_execution_signaled_event_attributes")
        ]
        assert signaled == ["one", "two", "three"]
        assert script.event_types(2)[-1] == "WorkflowExecutionTerminated"

    script.run(program())
