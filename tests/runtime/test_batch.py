"""Units of one batch: what one of them leaves behind when it is thrown away, and who hears of it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from temporalio.api.enums.v1.update_pb2 import UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta, Request
from temporalio.api.workflowservice.v1 import (
    RespondWorkflowTaskCompletedRequest,
    TerminateWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from engine.core.errors import Internal, NotFound
from engine.core.inputs import RespondWorkflowTaskCompleted, RunRef, TerminateWorkflowExecution, UpdateWorkflowExecution
from engine.core.policy.limits import Limits
from engine.core.policy.update_request import validate_update_workflow_execution
from engine.core.run.state import RunState
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.runtime.update_workflow import update_workflow
from tests.core.support.messages import command
from tests.core.support.update_messages import accept, protocol_message
from tests.sim.script import Script, child_command, signal_command
from tests.sim.server import NAMESPACE_ID

OTHER_QUEUE = TaskQueue(name="other")


def _update(stage: int = UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED) -> UpdateWorkflowExecution:
    request = UpdateWorkflowExecutionRequest(
        namespace="default",
        workflow_execution={"workflow_id": "w"},
        request=Request(meta=Meta(update_id="update", identity="updater"), input=Input(name="set")),
        wait_policy={"lifecycle_stage": stage},
    )
    validate_update_workflow_execution(request, Limits())
    return UpdateWorkflowExecution(RunRef(NAMESPACE_ID, "w"), request)


def _completed(task: StartedWorkflowTask, **fields: object) -> RespondWorkflowTaskCompleted:
    request = RespondWorkflowTaskCompletedRequest(identity="worker", **fields)
    return RespondWorkflowTaskCompleted(RunRef(NAMESPACE_ID, run_key=task.run_key), task.token, request)


def test_a_completion_that_is_thrown_away_is_heard_by_nobody(tmp_path: Path) -> None:
    """The signal before it in the batch is committed; the acceptance that came with a bad command is not."""
    script = Script(tmp_path)

    async def case() -> None:
        await script.start()
        await script.complete(await script.poll_workflow())
        updating = script.loop.create_task(update_workflow(script.engine, _update(), 30))
        task = await script.poll_workflow()
        signalling = script.loop.create_task(script.signal("first"))
        accepting = accept(task.messages[0])
        commands = [protocol_message(accepting.id), command("CANCEL_TIMER", timer_id="none")]
        bad = _completed(task, messages=[accepting], commands=commands)
        completing = script.loop.create_task(script.engine.submit(bad))
        await asyncio.wait([signalling, completing])
        await asyncio.sleep(0.1)
        assert "WorkflowExecutionUpdateAccepted" not in script.event_types()
        assert not updating.done() or updating.exception() is not None

    script.run(case())


def test_a_run_that_can_not_even_end_takes_its_message_with_it(tmp_path: Path) -> None:
    """The target has outgrown its limit, and ending it would reach a child that can't be read."""
    script = Script(tmp_path)
    script.server.limits = Limits(history_count_error=11)

    async def case() -> None:
        await script.start("source")
        task = await script.poll_workflow()
        await script.start("target")
        await script.complete(await script.poll_workflow(), child_command("child", task_queue=OTHER_QUEUE))
        await script.complete(await script.poll_workflow())
        await script.signal("one", "target")
        await script.signal("two", "target")
        before = script.histories()
        _make_unreadable(script, run_key=3)
        with pytest.raises(Internal):
            await script.complete(task, signal_command("target"))
        assert script.histories() == before

    script.run(case())


def _make_unreadable(script: Script, run_key: int) -> None:
    find_run = script.engine.find_run

    def find(key: int) -> RunState | None:
        if key == run_key:
            raise sqlite3.OperationalError("disk I/O error")
        return find_run(key)

    script.engine.runs.evict(run_key)
    script.engine.find_run = find  # type: ignore[method-assign]


def test_runs_that_have_no_room_to_hear_of_each_others_end_both_end(tmp_path: Path) -> None:
    """A parent that ends asks its child to cancel itself, and a child that ends tells its parent."""
    script = Script(tmp_path, whole_families=False)
    script.server.limits = Limits(history_count_error=11)

    async def case() -> None:
        await script.start("parent")
        child = child_command("child", "REQUEST_CANCEL", task_queue=OTHER_QUEUE)
        await script.complete(await script.poll_workflow(), child)
        await script.complete(await script.poll_workflow())
        for number in range(10):
            await script.signal(f"{number}", "child")
        for number in range(2):
            await script.signal(f"{number}", "parent")
        request = TerminateWorkflowExecutionRequest(reason="enough")
        with pytest.raises(NotFound):
            await script.engine.submit(TerminateWorkflowExecution(RunRef(NAMESPACE_ID, "parent"), request))
        assert script.event_types(0)[-1] == script.event_types(1)[-1] == "WorkflowExecutionTerminated"

    script.run(case())
