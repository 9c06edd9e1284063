"""Updates for cases written by hand: callers that wait in tasks of their own, and the worker's answers."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.enums.v1.update_pb2 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from engine.core.inputs import (
    ExecuteMultiOperation,
    RespondWorkflowTaskCompleted,
    RunRef,
    TerminateWorkflowExecution,
    UpdateWorkflowExecution,
)
from engine.core.policy.limits import Limits
from engine.core.policy.start_request import validate_start_workflow_execution
from engine.core.run.update import AdmittedUpdate, UpdateStatus
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.runtime.update_with_start import update_with_start
from engine.runtime.update_workflow import poll_update, update_workflow
from tests.sim.script import Script, complete_command
from tests.sim.server import NAMESPACE_ID

ADMITTED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED
ACCEPTED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
COMPLETED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
UNSPECIFIED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED
RUN = RunRef(NAMESPACE_ID, "w")


def request_for(update_id: str, stage: Stage.ValueType) -> UpdateWorkflowExecutionRequest:
    return UpdateWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id="w"),
        request=Request(meta=Meta(update_id=update_id), input=Input(name="set")),
        wait_policy=WaitPolicy(lifecycle_stage=stage),
    )


def update(
    script: Script,
    update_id: str = "u",
    stage: Stage.ValueType = COMPLETED,
    remaining_seconds: float | None = None,
) -> asyncio.Task[tuple[AdmittedUpdate, UpdateStatus]]:
    """Send an update in a task of its own."""
    item = UpdateWorkflowExecution(RUN, request_for(update_id, stage))
    return script.loop.create_task(update_workflow(script.engine, item, remaining_seconds))


def poll(
    script: Script, update_id: str = "u", stage: Stage.ValueType = COMPLETED, remaining_seconds: float | None = None
) -> asyncio.Task[tuple[AdmittedUpdate, UpdateStatus]]:
    """Look for an update in a task of its own."""
    namespace, execution = script.server.namespace, WorkflowExecution(workflow_id="w")
    polled = poll_update(script.engine, namespace, execution, update_id, stage, remaining_seconds)
    return script.loop.create_task(polled)


def start_and_update(script: Script, policy: str = "FAIL") -> asyncio.Task[Any]:
    """Send an update-with-start in a task of its own."""
    request = StartWorkflowExecutionRequest(
        namespace="default",
        workflow_id="w",
        workflow_type={"name": "type"},
        task_queue={"name": "q"},
        request_id=script.env.new_id(),
        workflow_id_conflict_policy=f"WORKFLOW_ID_CONFLICT_POLICY_{policy}",
    )
    validate_start_workflow_execution(request, Limits(), registered={}, now_ns=script.env.now_ns())
    item = ExecuteMultiOperation(NAMESPACE_ID, request, request_for("u", COMPLETED))
    return script.loop.create_task(update_with_start(script.engine, item, None))


async def answer(script: Script, task: StartedWorkflowTask, *messages: Message, closes: bool = False) -> None:
    request = RespondWorkflowTaskCompletedRequest(messages=messages, identity="worker")
    if closes:
        request.commands.append(complete_command())
    run = RunRef(NAMESPACE_ID, run_key=task.run_key)
    await script.engine.submit(RespondWorkflowTaskCompleted(run, task.token, request))


async def terminate(script: Script) -> None:
    await script.engine.submit(TerminateWorkflowExecution(RUN, TerminateWorkflowExecutionRequest()))


async def idle(script: Script, **fields: Any) -> None:
    """Start a run and complete its first workflow task."""
    await script.start(**fields)
    await script.complete(await script.poll_workflow())


def result_of(waiting: asyncio.Task[tuple[AdmittedUpdate, UpdateStatus]]) -> tuple[Stage.ValueType, bytes | None]:
    """Return what a waiter that is done has heard: the stage, and the data of a successful outcome."""
    assert waiting.done()
    _, status = waiting.result()
    if status.outcome is None:
        return status.stage, None
    success: Payloads = status.outcome.success
    return status.stage, success.payloads[0].data


async def settle() -> None:
    """Let everything happen that happens now."""
    await asyncio.sleep(0.001)
