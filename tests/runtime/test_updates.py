"""Callers that wait for updates: what they hear is in the file, and none is forgotten or kept too long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta, Request
from temporalio.api.workflowservice.v1 import (
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from engine.core.errors import DeadlineExceeded, InvalidArgument, NamespaceNotFound, WorkflowNotReady
from engine.core.inputs import ExecuteMultiOperation, RespondWorkflowTaskCompleted, RunRef, UpdateWorkflowExecution
from engine.core.policy.update_request import validate_update_workflow_execution
from engine.core.run.update import AdmittedUpdate, UpdateStatus
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.runtime.update_workflow import update_workflow
from tests.core.support.update_messages import accept, protocol_message, reject, respond
from tests.sim.script import Script, complete_command
from tests.sim.server import NAMESPACE_ID


def _item(script: Script, update_id: str) -> UpdateWorkflowExecution:
    request = UpdateWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id="w"),
        request=Request(meta=Meta(update_id=update_id), input=Input(name="update")),
    )
    validate_update_workflow_execution(request, script.engine.limits)
    return UpdateWorkflowExecution(RunRef(NAMESPACE_ID, "w"), request)


def _update(
    script: Script, update_id: str = "update", *, seconds: float | None = None
) -> Awaitable[tuple[AdmittedUpdate, UpdateStatus]]:
    """Send an update in a task of its own; await it for the answer."""
    return script.loop.create_task(update_workflow(script.engine, _item(script, update_id), seconds))


def _completion(
    task: StartedWorkflowTask, request: RespondWorkflowTaskCompletedRequest
) -> RespondWorkflowTaskCompleted:
    return RespondWorkflowTaskCompleted(RunRef(NAMESPACE_ID, run_key=task.run_key), task.token, request)


def _accept_and_complete(task: StartedWorkflowTask) -> RespondWorkflowTaskCompletedRequest:
    accepted, completed = accept(task.messages[0]), respond("update", "result")
    return RespondWorkflowTaskCompletedRequest(
        messages=[accepted, completed], commands=[protocol_message(accepted.id), protocol_message(completed.id)]
    )


def test_a_completion_that_a_signal_of_the_same_step_refuses_answers_no_update(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await script.start()
        await script.complete(await script.poll_workflow())
        caller = _update(script)
        task = await script.poll_workflow()
        request = _accept_and_complete(task)
        request.commands.append(complete_command())
        signal = script.loop.create_task(script.signal("go"))
        await asyncio.sleep(0)
        reply = await script.engine.submit(_completion(task, request))
        assert isinstance(reply.error, InvalidArgument)
        await signal
        with pytest.raises(WorkflowNotReady):
            await caller
        assert "WorkflowExecutionUpdateAccepted" not in script.event_types()

    script.run(case())


def _item_with_start(script: Script, update_id: str) -> ExecuteMultiOperation:
    update = _item(script, update_id).request
    start = StartWorkflowExecutionRequest(
        namespace="default",
        workflow_id="w",
        workflow_type=WorkflowType(name="type"),
        task_queue=TaskQueue(name="q"),
        request_id="start-and-update",
    )
    return ExecuteMultiOperation(NAMESPACE_ID, start, update)


@pytest.mark.parametrize("make", [_item, _item_with_start], ids=["update", "update with start"])
def test_a_caller_who_leaves_in_the_moment_of_the_answer_waits_no_more(
    tmp_path: Path, make: Callable[[Script, str], UpdateWorkflowExecution | ExecuteMultiOperation]
) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await script.start(request_id="start-and-update")
        call = script.loop.create_task(script.engine.submit(make(script, "update")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the step, which wakes the caller
        call.cancel()
        await asyncio.sleep(1)
        assert call.cancelled()
        assert script.engine.update_waiters._waiters == {}

    script.run(case())


def test_who_waits_in_vain_hears_that_there_is_no_worker(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await script.start()
        with pytest.raises(DeadlineExceeded, match=r"^context deadline exceeded: nobody polls the task queue q$"):
            await _update(script, seconds=3)
        await script.poll_workflow()
        with pytest.raises(DeadlineExceeded, match=r"^context deadline exceeded$"):
            await _update(script, seconds=3)

    script.run(case())


def test_deadlines_of_discarded_workflow_tasks_do_not_pile_up(tmp_path: Path) -> None:
    """The ids of such a task are those of the next one, and here one is always pending."""
    script = Script(tmp_path)

    async def case() -> None:
        await script.start()
        await script.complete(await script.poll_workflow())
        callers = [_update(script, "update-0")]
        task = await script.poll_workflow()
        for number in range(1, 301):
            callers.append(_update(script, f"update-{number}"))
            await asyncio.sleep(0.5)
            request = RespondWorkflowTaskCompletedRequest(
                messages=[reject(message) for message in task.messages], return_new_workflow_task=True
            )
            reply = await script.engine.submit(_completion(task, request))
            task = reply.new_workflow_task
        state = script.engine.find_run(task.run_key)
        assert state is not None
        assert len(state.deadlines) < 60
        request = RespondWorkflowTaskCompletedRequest(messages=[reject(task.messages[0])])
        await script.engine.submit(_completion(task, request))
        assert len([await caller for caller in callers]) == 301

    script.run(case())


def test_a_deleted_namespace_ends_the_wait(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def case() -> None:
        await script.start()
        caller = _update(script, seconds=15)
        await asyncio.sleep(1)
        script.engine.namespaces.delete(script.server.namespace)
        script.engine.forget_namespace(script.server.namespace)
        with pytest.raises(NamespaceNotFound):
            await caller

    script.run(case())
