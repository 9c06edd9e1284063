"""Updates: admitted, accepted, completed, rejected; repeated; limited; and what closing makes of them."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1.update_pb2 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.failure.v1 import Failure
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Input, Meta, Request

from engine.core.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    ServiceError,
    UpdateAbortedByClosingWorkflow,
    WorkflowClosing,
    WorkflowNotReady,
)
from engine.core.policy.limits import Limits
from engine.core.run.update import UpdateStatus, admit_by_event
from engine.core.transition import Transition
from tests.core.support.core import Core, Run
from tests.core.support.messages import (
    complete_workflow,
    continue_as_new,
    fail_workflow,
    retry_policy,
    seconds,
    start_timer,
)
from tests.core.support.update_messages import REJECTION, accept, reject, respond


def stage_of(run: Run, update_id: str = "update") -> str:
    """Return the stage that an update has reached."""
    status = run.update_status(update_id)
    assert isinstance(status, UpdateStatus)
    return Stage.Name(status.stage).removeprefix("UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_")


def idle(core: Core | None = None, **fields: object) -> Run:
    """Return a run whose first workflow task is completed."""
    run = (core or Core()).start(**fields)
    run.complete()
    return run


def test_an_update_is_admitted_in_memory_only() -> None:
    run = idle()
    before = run.events
    admitted = run.update()
    assert (admitted.run_id, admitted.update_id) == (run.state.run_id, "update")
    assert admitted.stage == Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
    assert stage_of(run) == "ADMITTED"
    assert run.events == before
    run.reload()
    assert run.update_status() is None


def test_an_update_comes_with_the_pending_workflow_task() -> None:
    run = Core().start()
    run.update("update", "argument")
    (message,) = run.poll().messages
    assert (message.id, message.protocol_instance_id, message.event_id) == ("update/request", "update", 2)
    assert Request.FromString(message.body.value).input.args.payloads[0].data == b'"argument"'
    run.complete(messages=[accept(message), respond("update", 1)])
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 WorkflowExecutionUpdateAccepted protocol_instance_id=update accepted_request_message_id=update/request \
            accepted_request_sequencing_event_id=2 accepted_request.input.name=set
        6 WorkflowExecutionUpdateCompleted meta.update_id=update accepted_event_id=5 outcome.success=1
    """)
    assert run.update_status() == UpdateStatus(
        Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED, completed_event_id=6
    )


def test_an_update_is_completed_in_a_later_task() -> None:
    run = idle()
    run.update()
    task = run.poll()
    run.complete(messages=[accept(task.messages[0])])
    assert stage_of(run) == "ACCEPTED"
    run.reload()
    assert stage_of(run) == "ACCEPTED"
    run.signal()
    assert run.poll().messages == ()
    run.complete(messages=[respond("update", "done")])
    run.assert_history("13 WorkflowExecutionUpdateCompleted accepted_event_id=8 outcome.success='\"done\"'")


def test_a_rejected_update_is_forgotten() -> None:
    run = Core().start()
    run.update()
    run.complete(messages=[reject(run.poll().messages[0])])
    run.assert_history("4 WorkflowTaskCompleted")
    assert run.answered_updates == {"update": REJECTION}
    assert run.update_status() is None


def test_what_the_worker_does_not_answer_is_rejected_for_it() -> None:
    run = Core().start()
    run.update()
    run.complete(task=run.poll())
    failure = run.answered_updates["update"]
    assert isinstance(failure, Failure)
    assert failure.application_failure_info.type == "UnprocessedUpdate"


def test_a_heartbeat_leaves_the_update_with_the_worker() -> None:
    run = Core().start()
    run.update("first")
    run.poll()
    run.update("second")
    reply = run.complete(force_create_new_workflow_task=True, return_new_workflow_task=True)
    assert reply.new_workflow_task is not None
    assert [message.id for message in reply.new_workflow_task.messages] == ["second/request"]
    assert run.answered_updates == {}


def test_the_same_id_is_the_same_update() -> None:
    run = Core().start()
    run.update("update", 1)
    run.update("update", 2)
    (message,) = run.poll().messages
    assert Request.FromString(message.body.value).input.args.payloads[0].data == b"1"
    run.update("update", 3)
    run.complete(messages=[accept(message), respond()])
    run.update("update", 4)
    assert stage_of(run) == "COMPLETED"
    assert run.state.workflow_task is None


def test_updates_come_in_the_order_of_their_admission() -> None:
    run = idle()
    for name in ("zebra", "ape", "mole"):
        run.update(name)
    assert [message.protocol_instance_id for message in run.poll().messages] == ["zebra", "ape", "mole"]


def test_updates_are_sent_again_after_a_failed_task() -> None:
    run = Core().start()
    run.update()
    run.poll()
    run.fail_workflow_task()
    task = run.poll()
    assert task.token.attempt == 2
    assert [message.id for message in task.messages] == ["update/request"]
    run.complete(messages=[accept(task.messages[0]), respond()])
    run.assert_history("""
        5 WorkflowTaskScheduled attempt=2
        6 WorkflowTaskStarted
        7 WorkflowTaskCompleted
        8 WorkflowExecutionUpdateAccepted accepted_request_sequencing_event_id=5
        9 WorkflowExecutionUpdateCompleted
    """)


def test_updates_are_refused_while_tasks_keep_failing() -> None:
    run = Core().start()
    run.fail_workflow_task()
    run.update()
    run.fail_workflow_task()
    with pytest.raises(WorkflowNotReady, match="Workflow Task in failed state"):
        run.update("another")


def test_an_update_of_another_chain_is_refused() -> None:
    run = idle()
    with pytest.raises(NotFound, match="workflow execution not found"):
        run.update(first_execution_run_id="another")
    run.update(first_execution_run_id=run.state.run_id)


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        (Limits(updates_in_flight=1), ResourceExhausted, r"in-flight updates has been reached \(1\)"),
        (Limits(updates_total=1), FailedPrecondition, r"distinct updates in this workflow has been reached \(1\)"),
        (Limits(update_payloads_in_flight_bytes=200), ResourceExhausted, r"has been reached \(200 bytes\)"),
    ],
)
def test_limits(limits: Limits, error: type[ServiceError], message: str) -> None:
    run = idle(Core(limits))
    run.update("first", "a")
    with pytest.raises(error, match=message):
        run.update("second", "b" * 100)
    run.update("first", "again")


def test_a_completed_update_makes_room_in_flight_but_not_in_total() -> None:
    run = idle(Core(Limits(updates_in_flight=1, updates_total=2)))
    for name in ("first", "second"):
        run.update(name)
        run.complete(messages=[accept(run.poll().messages[0]), respond(name)])
    with pytest.raises(FailedPrecondition):
        run.update("third")


def test_rejected_updates_do_not_count() -> None:
    run = idle(Core(Limits(updates_total=1)))
    for name in ("first", "second", "third"):
        run.update(name)
        run.complete(messages=[reject(run.poll().messages[0])])


def test_many_updates_suggest_to_continue_as_new() -> None:
    run = idle(Core(Limits(updates_total=3, updates_suggest_continue_as_new_share=0.5)))
    run.update("first")
    run.complete(messages=[accept(run.poll().messages[0]), respond("first")])
    run.update("second")
    run.complete(messages=[accept(run.poll().messages[0])])
    run.assert_history("""
        10 WorkflowTaskScheduled
        11 WorkflowTaskStarted suggest_continue_as_new=true suggest_continue_as_new_reasons=3
        12 WorkflowTaskCompleted
        13 WorkflowExecutionUpdateAccepted
    """)


def test_a_close_fails_the_accepted_and_gives_up_the_admitted() -> None:
    run = idle()
    run.update("accepted")
    run.complete(messages=[accept(run.poll().messages[0])])
    run.update("admitted")
    run.terminate()
    status = run.update_status("accepted")
    assert isinstance(status, UpdateStatus)
    assert status.outcome is not None
    assert status.outcome.failure.application_failure_info.type == "AcceptedUpdateCompletedWorkflow"
    assert isinstance(run.update_status("admitted"), UpdateAbortedByClosingWorkflow)
    run.update("accepted")
    with pytest.raises(NotFound, match="workflow execution already completed"):
        run.update("new")
    run.reload()
    assert stage_of(run, "accepted") == "COMPLETED"


@pytest.mark.parametrize("how", ["continue_as_new", "retry", "timeout"])
def test_an_admitted_update_may_be_sent_to_the_next_run(how: str) -> None:
    core = Core()
    policy = retry_policy(attempts=2) if how != "continue_as_new" else None
    run = idle(core, retry_policy=policy, workflow_run_timeout=seconds(60) if how == "timeout" else None)
    run.signal()
    run.poll()
    run.update()
    if how == "timeout":
        core.advance(60)
    else:
        run.complete(continue_as_new() if how == "continue_as_new" else fail_workflow())
    assert isinstance(run.update_status(), WorkflowClosing)
    assert run.next_run.update_status() is None


def test_messages_after_the_closing_command_come_too_late() -> None:
    run = idle()
    run.update()
    task = run.poll()
    run.complete(complete_workflow(), messages=[accept(task.messages[0]), respond()])
    assert isinstance(run.update_status(), UpdateAbortedByClosingWorkflow)


def test_while_the_workflow_tries_to_close_again_nothing_new_is_admitted() -> None:
    run = idle()
    run.signal()
    run.poll()
    run.signal()
    reply = run.complete(complete_workflow())
    assert isinstance(reply.error, InvalidArgument)
    run.update("before it is started")
    run.poll()
    with pytest.raises(WorkflowClosing):
        run.update("after")
    with pytest.raises(WorkflowClosing):
        run.signal()
    run.complete(start_timer("t", 60))
    run.signal()
    run.poll()
    run.update("later")


def test_a_failing_completion_gives_up_what_came_with_its_task() -> None:
    run = Core().start()
    run.update("sent")
    task = run.poll()
    run.update("waiting")
    run.complete(messages=[accept(task.messages[0]), respond("nobody")])
    error = run.answered_updates["sent"]
    assert isinstance(error, WorkflowNotReady)
    assert error.message == "Unable to perform workflow execution update due to unexpected workflow task failure."
    assert run.update_status("sent") is None
    assert [message.id for message in run.poll().messages] == ["waiting/request"]


def test_an_update_is_admitted_by_an_event_in_a_reset_run() -> None:
    run = idle()
    request = Request(meta=Meta(update_id="update"), input=Input(name="set"))
    t = Transition(run.core.context, run.state)
    admit_by_event(t, request)
    admit_by_event(t, request)
    run.finish(t)
    run.assert_history("5 WorkflowExecutionUpdateAdmitted request.input.name=set origin=REAPPLY")
    run.reload()
    assert stage_of(run) == "ADMITTED"
    run.signal()
    task = run.poll()
    assert task.messages == ()
    by_event = Message(id="update/request", protocol_instance_id="update", event_id=task.token.started_event_id - 1)
    run.complete(messages=[accept(by_event), respond()])
    run.assert_history("""
        10 WorkflowExecutionUpdateAccepted protocol_instance_id=update accepted_request=-
        11 WorkflowExecutionUpdateCompleted accepted_event_id=10
    """)
