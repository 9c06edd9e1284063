"""COMMAND_TYPE_PROTOCOL_MESSAGE, and the messages of a completion that no command names."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from temporalio.api.failure.v1 import Failure
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Input, Meta, Outcome, Rejection, Request, Response

from engine.core.errors import FailedPrecondition, InvalidArgument, UpdateAbortedByClosingWorkflow, WorkflowNotReady
from engine.core.policy.limits import Limits
from tests.core.support.core import Core, Run
from tests.core.support.messages import command, complete_workflow, payloads, start_timer
from tests.core.support.update_messages import REJECTION, accept, message_of, protocol_message, reject, respond

BAD = "BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE"
PREFIX = "BadUpdateWorkflowExecutionMessage: "
REQUEST = Message(id="update/request", protocol_instance_id="update", event_id=2)
TYPE = "type.googleapis.com/temporal.api.update.v1."
LOST = (
    "update stranger wasn't found on the server. This is most likely a transient error which will be resolved "
    "automatically by retries"
)


def updated(*update_ids: str, core: Core | None = None) -> tuple[Run, list[Message]]:
    """Return a run whose worker has its first task, and the messages of the task: requests for the updates."""
    run = (core or Core()).start()
    for update_id in update_ids or ("update",):
        run.update(update_id, "argument")
    return run, list(run.poll().messages)


def any_of(type_url: str, value: bytes = b"") -> Message:
    """Return a message about the update with any body."""
    return Message(id="any", protocol_instance_id="update", body=AnyMessage(type_url=type_url, value=value))


def wrong_state(message: str, state: str) -> str:
    return (
        f"invalid state transition attempted for Update update: received *update.{message} message while in "
        f"state {state}"
    )


def assert_fails_the_task(run: Run, message: str, *commands: Any, messages: list[Message]) -> None:
    """Assert that a completion fails its task, and that the update is given up."""
    reply = run.complete(*commands, messages=messages)
    assert isinstance(reply.error, InvalidArgument)
    assert reply.error.message == PREFIX + message
    run.assert_history(f'4 WorkflowTaskFailed cause={BAD} "failure.message={PREFIX + message}" identity=worker')
    assert isinstance(run.answered_updates["update"], WorkflowNotReady)
    assert run.state.timers == {}


# Order.


def test_messages_take_effect_where_their_commands_are() -> None:
    run, (first, second) = updated("first", "second")
    run.complete(
        protocol_message("second/accept"),
        start_timer("t", 60),
        protocol_message("first/accept"),
        protocol_message("second/complete"),
        messages=[accept(first), accept(second), respond("second"), respond("first")],
    )
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 WorkflowExecutionUpdateAccepted protocol_instance_id=second
        6 TimerStarted
        7 WorkflowExecutionUpdateAccepted protocol_instance_id=first
        8 WorkflowExecutionUpdateCompleted meta.update_id=second accepted_event_id=5
        9 WorkflowExecutionUpdateCompleted meta.update_id=first accepted_event_id=7
    """)


def test_messages_without_commands_follow_them() -> None:
    run, (first, second) = updated("first", "second")
    run.complete(start_timer("t", 60), messages=[accept(second), reject(first), respond("second")])
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 TimerStarted
        6 WorkflowExecutionUpdateAccepted protocol_instance_id=second
        7 WorkflowExecutionUpdateCompleted
    """)
    assert run.answered_updates == {"first": REJECTION}


def test_of_messages_with_one_id_a_command_takes_the_first() -> None:
    run, (request,) = updated()
    run.complete(protocol_message("update/accept"), messages=[accept(request), respond("update", 1)])
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 WorkflowExecutionUpdateAccepted
        6 WorkflowExecutionUpdateCompleted outcome.success=1
    """)


def test_after_the_closing_command_an_update_is_aborted() -> None:
    run, (first, second) = updated("first", "second")
    run.complete(
        protocol_message("first/accept"),
        complete_workflow(),
        messages=[accept(first), accept(second), respond("first")],
    )
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 WorkflowExecutionUpdateAccepted protocol_instance_id=first
        6 WorkflowExecutionCompleted
    """)
    assert isinstance(run.answered_updates["second"], UpdateAbortedByClosingWorkflow)
    assert "first" not in run.answered_updates


def test_after_the_closing_command_an_update_may_be_rejected() -> None:
    run, (request,) = updated()
    run.complete(complete_workflow(), messages=[reject(request)])
    assert run.answered_updates["update"] == REJECTION


# Contents.


def test_the_request_is_written_as_it_was_sent() -> None:
    run, (request,) = updated()
    other = Request(meta=Meta(update_id="update"), input=Input(name="other"))
    run.complete(messages=[accept(request, accepted_request=other, accepted_request_message_id="other")])
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 WorkflowExecutionUpdateAccepted accepted_request.input.name=set accepted_request.input.args='"argument"' \
            accepted_request_message_id=update/request
    """)


@pytest.mark.parametrize("outcome", [Outcome(success=payloads(1)), Outcome(failure=Failure(message="no")), Outcome()])
def test_any_outcome_will_do(outcome: Outcome) -> None:
    run, (request,) = updated()
    response = Response(meta=Meta(update_id="update", identity="updater"), outcome=outcome)
    run.complete(messages=[accept(request), message_of("update", "complete", response)])
    completed = run.events[-1].workflow_execution_update_completed_event_attributes
    assert (completed.outcome, completed.meta.identity) == (outcome, "updater")


# Faults.


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (command("PROTOCOL_MESSAGE"), "MessageID is not set on ProtocolMessageCommand."),
        (protocol_message("nothing"), "ProtocolMessageCommand referenced absent message ID nothing"),
    ],
)
def test_bad_commands(bad: Any, message: str) -> None:
    run, (request,) = updated()
    assert_fails_the_task(run, message, start_timer("t", 60), bad, messages=[accept(request)])


def test_a_message_takes_effect_once() -> None:
    run, (request,) = updated()
    again = protocol_message("update/accept")
    message = "ProtocolMessageCommand referenced absent message ID update/accept"
    assert_fails_the_task(run, message, again, again, messages=[accept(request)])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([any_of("google.protobuf.Duration")], "unsupported protocol type google.protobuf"),
        ([any_of(TYPE + "Unknown")], "unable to unmarshal request: proto:\N{NO-BREAK SPACE}not found"),
        (
            [any_of(TYPE + "Acceptance", b"\xff")],
            "unable to unmarshal request: proto:\N{NO-BREAK SPACE}cannot parse invalid wire-format data",
        ),
        ([any_of(TYPE + "Request")], "Message type *update.Request not supported"),
        (
            [accept(REQUEST, accepted_request_sequencing_event_id=0)],
            "invalid *update.Acceptance: accepted_request_sequencing_event_id is not set",
        ),
        (
            [accept(REQUEST, accepted_request_message_id="")],
            "invalid *update.Acceptance: accepted_request_message_id is not set",
        ),
        ([accept(REQUEST), accept(REQUEST)], wrong_state("Acceptance", "ProvisionallyAccepted")),
        ([accept(REQUEST), reject(REQUEST)], wrong_state("Rejection", "ProvisionallyAccepted")),
        ([reject(REQUEST), accept(REQUEST)], wrong_state("Acceptance", "ProvisionallyCompleted")),
        ([reject(REQUEST), reject(REQUEST)], wrong_state("Rejection", "ProvisionallyCompleted")),
        ([respond()], wrong_state("Response", "Sent")),
        ([accept(REQUEST), respond(), respond()], wrong_state("Response", "ProvisionallyCompleted")),
        (
            [accept(REQUEST), message_of("update", "complete", Response(outcome=Outcome()))],
            "invalid *update.Response: meta is not set",
        ),
        (
            [accept(REQUEST), message_of("update", "complete", Response(outcome=Outcome(), meta=Meta(identity="i")))],
            "invalid *update.Response: meta.update_id is not set",
        ),
        (
            [accept(REQUEST), message_of("update", "complete", Response(meta=Meta(update_id="other")))],
            "invalid *update.Response: meta.update_id != update",
        ),
        (
            [accept(REQUEST), message_of("update", "complete", Response(meta=Meta(update_id="update")))],
            "invalid *update.Response: outcome is not set",
        ),
        ([message_of("stranger", "accept", Acceptance())], LOST),
        ([message_of("stranger", "reject", Rejection())], LOST),
        ([respond("stranger")], LOST),
    ],
)
def test_bad_messages(bad: list[Message], message: str) -> None:
    run, _ = updated()
    assert_fails_the_task(run, message, start_timer("t", 60), messages=bad)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Message(id="any", protocol_instance_id="update"), "nil message body"),
        (any_of(""), "no message name specified"),
        (any_of("type.googleapis.com/a b.C"), "no message name specified"),
        (any_of("type.googleapis.com/Acceptance"), 'failed to extract protocol type: no . found in "Acceptance"'),
    ],
)
def test_a_message_of_no_type_is_refused_with_the_whole_request(bad: Message, message: str) -> None:
    run, _ = updated()
    with pytest.raises(InvalidArgument) as raised:
        run.complete(start_timer("t", 60), messages=[bad])
    assert raised.value.message == message
    run.assert_history("3 WorkflowTaskStarted")


def test_a_completed_update_has_no_second_outcome() -> None:
    run, (request,) = updated()
    run.complete(messages=[accept(request), respond()])
    run.signal()
    run.poll()
    reply = run.complete(messages=[respond()])
    assert isinstance(reply.error, InvalidArgument)
    assert reply.error.message == PREFIX + wrong_state("Response", "Completed")


def test_an_oversize_message_ends_the_run() -> None:
    run, (request,) = updated(core=Core(Limits(blob_size_error_bytes=500)))
    reply = run.complete(messages=[accept(request), respond("update", "x" * 500)])
    assert isinstance(reply.error, InvalidArgument)
    message = PREFIX + "Message type temporal.api.update.v1.Response exceeds size limit."
    assert reply.error.message == message
    run.assert_history(f"4 WorkflowTaskFailed cause={BAD}\n5 WorkflowExecutionTerminated 'reason={message}'")


# Updates that the server has lost.


def lost(core: Core | None = None) -> tuple[Run, Message]:
    """Return a run that was loaded again while its worker had an update, and the request for it."""
    run, (request,) = updated(core=core)
    run.reload()
    return run, request


def test_an_acceptance_with_the_request_brings_the_update_back() -> None:
    run, request = lost()
    run.complete(messages=[accept(request), respond()])
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 WorkflowExecutionUpdateAccepted accepted_request.input.name=set
        6 WorkflowExecutionUpdateCompleted
    """)


def test_a_rejection_with_the_request_tells_whoever_asks_again() -> None:
    run, request = lost()
    rejection = Rejection(rejected_request=Request.FromString(request.body.value), failure=REJECTION)
    run.complete(messages=[message_of("update", "reject", rejection)])
    assert run.answered_updates == {"update": REJECTION}


def test_an_update_is_not_brought_back_beyond_the_limit() -> None:
    core = Core(Limits(updates_total=1))
    run, request = lost(core)
    run.update("another")
    with pytest.raises(FailedPrecondition, match="total number of distinct updates"):
        run.complete(messages=[accept(request)])
