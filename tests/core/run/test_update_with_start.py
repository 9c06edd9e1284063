"""Update-with-start: which run takes the update, and that start and update go together."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta, Request
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest, UpdateWorkflowExecutionRequest

from engine.core.errors import (
    FailedPrecondition,
    MultiOperationAborted,
    MultiOperationExecution,
    ResourceExhausted,
    ServiceError,
    Unavailable,
    WorkflowExecutionAlreadyStarted,
)
from engine.core.inputs import ExecuteMultiOperation
from engine.core.policy.limits import Limits
from engine.core.policy.start_request import validate_start_workflow_execution
from engine.core.policy.update_request import validate_update_workflow_execution
from engine.core.run.update_with_start import UpdateWithStartReply, update_with_start
from tests.core.support.core import NAMESPACE_ID, WORKFLOW_ID, Core, Run
from tests.core.support.messages import TASK_QUEUE, complete_workflow, start_timer
from tests.core.support.update_messages import accept, respond

CONFLICT = "WORKFLOW_ID_CONFLICT_POLICY_"


def send(core: Core, update_id: str = "update", **fields: Any) -> UpdateWithStartReply:
    """Send an update-with-start as the service does; `fields` are the start's."""
    defaults = {
        "namespace": "default",
        "workflow_id": WORKFLOW_ID,
        "workflow_type": {"name": "Workflow"},
        "task_queue": TaskQueue(name=TASK_QUEUE),
        "request_id": core.env.new_id(),
    }
    request = StartWorkflowExecutionRequest(**(defaults | fields))
    validate_start_workflow_execution(request, core.limits, registered={}, now_ns=core.env.time_ns)
    update = UpdateWorkflowExecutionRequest(
        namespace="default",
        workflow_execution={"workflow_id": WORKFLOW_ID},
        request=Request(meta=Meta(update_id=update_id), input=Input(name="set")),
    )
    validate_update_workflow_execution(update, core.limits)
    current = core.current()
    item = ExecuteMultiOperation(NAMESPACE_ID, request, update)
    started = update_with_start(core.context, current and current.state, item)
    core.finish_all(started.transitions)
    return started.reply


def errors_of(core: Core, **fields: Any) -> list[tuple[int, str]]:
    """Send an update-with-start that is refused, and return code and message of each operation."""
    with pytest.raises(MultiOperationExecution) as raised:
        send(core, **fields)
    detail: Any = raised.value.detail
    return [(status.code, status.message) for status in detail.statuses]


def answer_update(run: Run) -> None:
    """Complete the update that the next task brings."""
    (message,) = run.poll().messages
    run.complete(messages=[accept(message), respond(message.protocol_instance_id)])


def test_it_starts_a_run_whose_first_task_brings_the_update() -> None:
    core = Core()
    reply = send(core)
    run = core.current()
    assert run is not None
    assert (reply.start.run_id, reply.start.started) == (run.state.run_id, True)
    assert (reply.update.run_key, reply.update.update_id, reply.answered) == (run.state.run_key, "update", False)
    run.assert_history("1 WorkflowExecutionStarted\n2 WorkflowTaskScheduled")
    answer_update(run)
    run.assert_history("5 WorkflowExecutionUpdateAccepted\n6 WorkflowExecutionUpdateCompleted accepted_event_id=5")


def test_a_running_execution_takes_the_update_if_it_may_be_used() -> None:
    core = Core()
    run = core.start_idle()
    reply = send(core, workflow_id_conflict_policy=CONFLICT + "USE_EXISTING")
    assert (reply.start.run_id, reply.start.started) == (run.state.run_id, False)
    assert len(core.runs) == 1
    run.assert_history("4 WorkflowTaskCompleted")
    answer_update(run)


def test_a_running_execution_is_in_the_way_else() -> None:
    core = Core()
    core.start_idle()
    assert errors_of(core) == [
        (
            int(WorkflowExecutionAlreadyStarted.code),
            f"Workflow execution is already running. WorkflowId: {WORKFLOW_ID}, RunId: {core.runs[1].state.run_id}.",
        ),
        (int(MultiOperationAborted.code), "Operation was aborted."),
    ]
    assert core.runs[1].state.updates == {}


def test_a_running_execution_may_be_terminated() -> None:
    core = Core()
    old = core.start_idle()
    reply = send(core, workflow_id_conflict_policy=CONFLICT + "TERMINATE_EXISTING")
    assert not old.state.running
    run = core.current()
    assert run is not None
    assert reply.start.run_id == run.state.run_id != old.state.run_id
    answer_update(run)


def test_the_same_request_again_finds_its_run() -> None:
    core = Core()
    first = send(core, request_id="same")
    again = send(core, request_id="same")
    assert again.start.run_id == first.start.run_id
    assert len(core.runs) == 1
    assert len(core.runs[1].state.updates) == 1


def test_another_start_with_a_known_update_joins_it() -> None:
    core = Core()
    first = send(core)
    again = send(core)
    assert again.start.run_id == first.start.run_id
    assert len(core.runs) == 1


@pytest.mark.parametrize("closed", [True, False])
def test_a_completed_update_is_the_answer(closed: bool) -> None:
    core = Core()
    send(core)
    run = core.runs[1]
    answer_update(run)
    if closed:
        run.signal()
        run.complete(complete_workflow())
    reply = send(core, workflow_id_conflict_policy=CONFLICT + "TERMINATE_EXISTING")
    assert (reply.answered, reply.start.run_id) == (True, run.state.run_id)
    assert len(core.runs) == 1


def test_an_incomplete_update_of_a_closed_run_is_no_answer() -> None:
    core = Core()
    send(core)
    run = core.runs[1]
    run.complete(start_timer("t", 60), complete_workflow(), messages=[accept(run.poll().messages[0])])
    reply = send(core)
    assert (reply.answered, reply.start.started) == (False, True)
    assert len(core.runs) == 2


def test_a_start_that_was_answered_before_is_tried_again() -> None:
    core = Core()
    run = core.start(request_id="same")
    run.complete(complete_workflow())
    assert errors_of(core, request_id="same") == [
        (int(Unavailable.code), "Workflow was not started: StartDeduped"),
        (int(MultiOperationAborted.code), "Operation was aborted."),
    ]


@pytest.mark.parametrize(
    ("limits", "error"),
    [(Limits(updates_in_flight=1), ResourceExhausted), (Limits(updates_total=1), FailedPrecondition)],
)
def test_a_refused_update_of_a_running_execution(limits: Limits, error: type[ServiceError]) -> None:
    core = Core(limits)
    core.start_idle()
    use_existing = CONFLICT + "USE_EXISTING"
    send(core, "first", workflow_id_conflict_policy=use_existing)
    start, update = errors_of(core, update_id="second", workflow_id_conflict_policy=use_existing)
    assert start == (int(MultiOperationAborted.code), "Operation was aborted.")
    assert update[0] == error.code


def test_a_refused_update_starts_nothing() -> None:
    core = Core(Limits(update_payloads_in_flight_bytes=1))
    old = core.start_idle()
    start, update = errors_of(core, workflow_id_conflict_policy=CONFLICT + "TERMINATE_EXISTING")
    assert (start[0], update[0]) == (MultiOperationAborted.code, ResourceExhausted.code)
    assert old.state.running
    assert len(core.runs) == 1
