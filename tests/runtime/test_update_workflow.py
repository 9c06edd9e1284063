"""Who waits for an update: until when, what they hear, and what happens to updates that are lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
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

from engine.core.errors import (
    Aborted,
    DeadlineExceeded,
    Internal,
    MultiOperationExecution,
    NotFound,
    ResourceExhausted,
    Unavailable,
    UpdateAbortedByClosingWorkflow,
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
from engine.runtime.update_waiters import UpdateWaiters
from engine.runtime.update_with_start import update_with_start
from engine.runtime.update_workflow import poll_update, update_workflow
from tests.core.support.update_messages import REJECTION, accept, reject, respond
from tests.sim.commands import seconds
from tests.sim.script import Script, complete_command
from tests.sim.server import NAMESPACE_ID

ADMITTED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED
ACCEPTED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
COMPLETED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
UNSPECIFIED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED
RUN = RunRef(NAMESPACE_ID, "w")


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


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


def test_everybody_waits_for_the_stage_that_they_ask_for(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        accepted, completed = update(script, stage=ACCEPTED), update(script, stage=COMPLETED)
        task = await script.poll_workflow()
        polls = [poll(script, stage=ACCEPTED), poll(script, stage=COMPLETED), poll(script, stage=UNSPECIFIED)]
        await settle()
        assert [each.done() for each in (accepted, completed, *polls)] == [False, False, False, False, True]
        assert result_of(polls[2]) == (ADMITTED, None)
        await answer(script, task, accept(task.messages[0]))
        await settle()
        assert result_of(accepted) == result_of(polls[0]) == (ACCEPTED, None)
        assert not completed.done()
        assert not polls[1].done()
        await script.signal("go")
        await answer(script, await script.poll_workflow(), respond("u", "result"))
        await settle()
        late = [poll(script), update(script)]
        await settle()
        for each in (completed, polls[1], *late):
            assert result_of(each) == (COMPLETED, b'"result"')

    script.run(case())


def test_a_rejection_is_told_to_whoever_waits_and_then_forgotten(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = [update(script), update(script, stage=ACCEPTED)]
        task = await script.poll_workflow()
        waiting.append(poll(script))
        await settle()
        await answer(script, task, reject(task.messages[0]))
        for each in waiting:
            _, status = await each
            assert status.outcome is not None
            assert (status.stage, status.outcome.failure) == (COMPLETED, REJECTION)
        with pytest.raises(NotFound, match='update "u" not found'):
            await poll(script)

    script.run(case())


@pytest.mark.parametrize("ask", [update, poll])
def test_the_server_answers_at_its_own_limit_and_not_at_the_callers(script: Script, ask: Any) -> None:
    async def case() -> None:
        await idle(script)
        update(script)
        await settle()
        started = script.loop.time()
        with pytest.raises(DeadlineExceeded):
            await ask(script, remaining_seconds=5)
        assert script.loop.time() - started == pytest.approx(5, abs=0.01)
        _, status = await ask(script, remaining_seconds=60)
        assert script.loop.time() - started == pytest.approx(25, abs=0.01)
        assert status.stage == ADMITTED

    script.run(case())


def test_nobody_hears_before_the_commit(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = update(script)
        task = await script.poll_workflow()
        script.trouble.failing_commit = 1
        with pytest.raises(Unavailable):
            await answer(script, task, accept(task.messages[0]), respond("u", 1))
        script.trouble.failing_commit = 0
        await settle()
        assert not waiting.done()
        # The run was loaded again, so its update was lost, and came again.
        task = await script.poll_workflow()
        await answer(script, task, accept(task.messages[0]), respond("u", 2))
        await settle()
        assert result_of(waiting) == (COMPLETED, b"2")

    script.run(case())


def test_a_lost_update_is_sent_again_until_it_is_too_often(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = update(script)
        for _ in range(7):
            await settle()
            script.engine.forget_run(1)
        task = await script.poll_workflow()
        assert [message.id for message in task.messages] == ["u/request"]
        script.engine.forget_run(1)
        with pytest.raises(Unavailable, match="workflow update was aborted"):
            await waiting

    script.run(case())


def test_a_restarted_server_has_what_was_accepted_only(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        update(script, "accepted")
        task = await script.poll_workflow()
        await answer(script, task, accept(task.messages[0]))
        update(script, "admitted")
        await script.poll_workflow()
        await script.restart()
        with pytest.raises(NotFound):
            await poll(script, "admitted")
        waiting = poll(script, "accepted")
        again = update(script, "admitted")
        task = await script.poll_workflow()
        assert [message.id for message in task.messages] == ["admitted/request"]
        await answer(script, task, accept(task.messages[0]), respond("accepted", 1), respond("admitted", 2))
        await settle()
        assert (result_of(waiting), result_of(again)) == ((COMPLETED, b"1"), (COMPLETED, b"2"))

    script.run(case())


def test_completed_updates_of_a_closed_run_are_found_after_a_restart(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        update(script)
        update(script, "accepted")
        await settle()
        task = await script.poll_workflow()
        first, second = task.messages
        await answer(script, task, accept(first), respond("u", 1), accept(second))
        await script.signal("go")
        await answer(script, await script.poll_workflow(), closes=True)
        await script.restart()
        again = [poll(script), update(script)]
        await settle()
        assert [result_of(each) for each in again] == [(COMPLETED, b"1")] * 2
        _, status = await poll(script, "accepted")
        assert status.outcome is not None
        assert status.outcome.failure.application_failure_info.type == "AcceptedUpdateCompletedWorkflow"
        with pytest.raises(NotFound, match='update "other" not found'):
            await poll(script, "other")

    script.run(case())


def test_the_close_of_the_run_ends_every_wait(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = [update(script), update(script, stage=ACCEPTED)]
        await script.poll_workflow()
        waiting.append(poll(script))
        await settle()
        await terminate(script)
        for each in waiting:
            with pytest.raises(UpdateAbortedByClosingWorkflow):
                await each

    script.run(case())


def test_a_run_that_goes_on_as_another_asks_to_try_again(script: Script) -> None:
    async def case() -> None:
        await script.start(cron_schedule="* * * * *")
        task = await script.poll_workflow()
        waiting = update(script)
        await settle()
        await answer(script, task, closes=True)
        with pytest.raises(ResourceExhausted, match="workflow is closing"):
            await waiting

    script.run(case())


def test_waiting_leaves_nothing_behind(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        gone = update(script)
        await settle()
        gone.cancel()
        with pytest.raises(DeadlineExceeded):
            await update(script, remaining_seconds=1)
        task = await script.poll_workflow()
        await answer(script, task, accept(task.messages[0]), respond("u", 1))
        assert script.engine.update_waiters._waiters == UpdateWaiters()._waiters

    script.run(case())


def test_a_handler_that_fails_loses_nothing_but_its_own_request(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = update(script)
        await settle()
        script.trouble.handler_error_after = 1
        with pytest.raises(Internal):
            await update(script, "other")
        script.trouble.handler_error_after = 0
        task = await script.poll_workflow()
        assert [message.id for message in task.messages] == ["u/request"]
        await answer(script, task, accept(task.messages[0]), respond("u", 1))
        await settle()
        assert result_of(waiting) == (COMPLETED, b"1")

    script.run(case())


def test_a_run_with_an_admitted_update_stays_in_memory(tmp_path: Path) -> None:
    script = Script(tmp_path, cache_bytes=1)

    async def case() -> None:
        await idle(script)
        waiting = update(script)
        task = await script.poll_workflow()
        for number in range(3):
            await script.start(f"other-{number}")
        assert script.engine.runs.get(1) is not None
        await answer(script, task, accept(task.messages[0]), respond("u", 1))
        await settle()
        assert result_of(waiting) == (COMPLETED, b"1")
        await script.start("last")
        assert script.engine.runs.get(1) is None

    script.run(case())


# Update-with-start.


def test_a_start_whose_run_closes_without_an_answer(script: Script) -> None:
    async def case() -> None:
        waiting = start_and_update(script)
        await script.poll_workflow()
        await terminate(script)
        with pytest.raises(MultiOperationExecution) as raised:
            await waiting
        detail: Any = raised.value.detail
        assert [status.code for status in detail.statuses] == [0, NotFound.code]

    script.run(case())


def test_an_existing_run_that_closes_is_followed_by_a_new_one(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = start_and_update(script, "USE_EXISTING")
        await script.poll_workflow()
        await terminate(script)
        task = await script.poll_workflow()
        await answer(script, task, accept(task.messages[0]), respond("u", 1))
        reply, status = await waiting
        assert (reply.start.started, status.stage) == (True, COMPLETED)
        assert script.event_types(1)[-1] == "WorkflowExecutionUpdateCompleted"

    script.run(case())


def test_existing_runs_that_close_again_and_again(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = start_and_update(script, "USE_EXISTING")
        await script.poll_workflow()
        # The run closes and another one starts before the caller can try again.
        closing = script.loop.create_task(terminate(script))
        starting = script.loop.create_task(script.start(workflow_task_timeout=seconds(10)))
        await asyncio.gather(closing, starting)
        await script.poll_workflow()
        await terminate(script)
        with pytest.raises(MultiOperationExecution) as raised:
            await waiting
        detail: Any = raised.value.detail
        assert raised.value.code == Aborted.code
        assert [status.code for status in detail.statuses] == [Aborted.code, Aborted.code]

    script.run(case())
