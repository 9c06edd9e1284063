"""COMMAND_TYPE_PROTOCOL_MESSAGE: when, among the commands, one of the completion's messages takes effect.

Messages are what the worker answers to updates: accepted, rejected, completed. Those that no command names take effect
after the commands, in their order: rejections, and all those of workers that know no such command.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError
from temporalio.api.command.v1 import ProtocolMessageCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE as BAD_MESSAGE,
)
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Rejection, Request, Response
from temporalio.api.update.v1 import message_pb2 as update_pb2

from engine.core.commands.work import CommandWork
from engine.core.effects import AnswerUpdate
from engine.core.errors import FailWorkflowTask, InvalidArgument, UpdateAbortedByClosingWorkflow
from engine.core.events.update import workflow_execution_update_accepted, workflow_execution_update_completed
from engine.core.run.state import UpdateInfo
from engine.core.run.update import check_total
from engine.core.run.update_messages import request_message_id

__all__ = ["apply", "take_remaining_messages", "validate"]

_PROTOCOL = update_pb2.DESCRIPTOR.package


def validate(work: CommandWork, attributes: ProtocolMessageCommandAttributes) -> None:
    """Check that the command names a message.

    Raises: FailWorkflowTask(BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE).
    """
    if not attributes.message_id:
        raise _bad("MessageID is not set on ProtocolMessageCommand.")


def apply(work: CommandWork, attributes: ProtocolMessageCommandAttributes) -> None:
    """Let the named message take effect; each can do so once, and of several with one id the first can.

    Emits: as the message does.
    Raises: FailWorkflowTask(BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE).
    """
    for index, message in enumerate(work.messages):
        if message.id == attributes.message_id:
            if index in work.taken_messages:
                break
            work.taken_messages.add(index)
            _take(work, message)
            return
    raise _bad(f"ProtocolMessageCommand referenced absent message ID {attributes.message_id}")


def take_remaining_messages(work: CommandWork) -> None:
    """Let the messages that no command has named take effect.

    Raises: FailWorkflowTask; InvalidArgument for a message of no type.
    """
    for index, message in enumerate(work.messages):
        if index not in work.taken_messages:
            _take(work, message)


def _take(work: CommandWork, message: Message) -> None:
    type_name = _type_name(message)
    work.check_blob_size(message.body.ByteSize(), BAD_MESSAGE, f"Message type {type_name} exceeds size limit.")
    protocol, _, name = type_name.rpartition(".")
    if protocol != _PROTOCOL:
        raise _bad(f"unsupported protocol type {protocol}")
    update_id, state = message.protocol_instance_id, work.t.state
    known = update_id in work.finished_updates or update_id in state.updates or update_id in state.completed_updates
    if not known:
        _resurrect(work, message, name)
    body = _parse(message, name)
    if not isinstance(body, Acceptance | Rejection | Response) and state.running:
        raise _bad(f"Message type *update.{name} not supported")
    if isinstance(body, Rejection):
        _reject(work, update_id, body)
    elif not state.running:
        _abort(work, update_id)
    elif isinstance(body, Acceptance):
        _accept(work, update_id, body)
    elif isinstance(body, Response):
        _complete(work, update_id, body)


def _type_name(message: Message) -> str:
    """Return the full name of the body's type.

    Raises: InvalidArgument.
    """
    if not message.HasField("body"):
        raise InvalidArgument("nil message body")
    name = message.body.type_url.rpartition("/")[2]
    if not name.isascii() or not all(part.isidentifier() for part in name.split(".")):
        raise InvalidArgument("no message name specified")
    if "." not in name:
        raise InvalidArgument(f'failed to extract protocol type: no . found in "{name}"')
    return name


def _parse(message: Message, name: str) -> Any:
    if name not in update_pb2.DESCRIPTOR.message_types_by_name:
        raise _bad("unable to unmarshal request: proto:\N{NO-BREAK SPACE}not found")
    try:
        return getattr(update_pb2, name).FromString(message.body.value)
    except DecodeError:
        raise _bad(
            "unable to unmarshal request: proto:\N{NO-BREAK SPACE}cannot parse invalid wire-format data"
        ) from None


def _resurrect(work: CommandWork, message: Message, name: str) -> None:
    """Admit an update that was lost before its answer came, from what the answer says of its request.

    Raises: FailWorkflowTask where it says nothing; FailedPrecondition at the limit of updates.
    """
    state, update_id = work.t.state, message.protocol_instance_id
    check_total(state, work.t.context.limits)
    body = _parse(message, name)
    request: Request | None = None
    if isinstance(body, Acceptance) and body.HasField("accepted_request"):
        request = body.accepted_request
    elif isinstance(body, Rejection) and body.HasField("rejected_request"):
        request = body.rejected_request
    if request is None:
        raise _bad(
            f"update {update_id} wasn't found on the server. This is most likely a transient error which will be "
            "resolved automatically by retries"
        )
    state.updates[update_id] = UpdateInfo.admit(update_id, request)


def _accept(work: CommandWork, update_id: str, acceptance: Acceptance) -> None:
    """Record the acceptance with the request as it was sent, which an UpdateAdmitted event may have already.

    Emits: event WorkflowExecutionUpdateAccepted.
    """
    _check_state(work, update_id, "Acceptance", ("Sent", "Admitted"))
    if not acceptance.accepted_request_sequencing_event_id:
        raise _bad("invalid *update.Acceptance: accepted_request_sequencing_event_id is not set")
    if not acceptance.accepted_request_message_id:
        raise _bad("invalid *update.Acceptance: accepted_request_message_id is not set")
    body = work.t.state.updates[update_id].body
    request = None if body is None else Request.FromString(body.value)
    if request is not None and request.request_id:
        work.t.add_request_id(request.request_id)
    sequencing_event_id = acceptance.accepted_request_sequencing_event_id
    work.t.add(
        workflow_execution_update_accepted(update_id, request_message_id(update_id), sequencing_event_id, request)
    )
    work.accepted_updates.add(update_id)


def _reject(work: CommandWork, update_id: str, rejection: Rejection) -> None:
    """Forget the update and tell who waits for it.

    Emits: effect AnswerUpdate.
    """
    _check_state(work, update_id, "Rejection", ("Sent", "Admitted"))
    work.t.changed_in_memory = True
    del work.t.state.updates[update_id]
    work.finished_updates.add(update_id)
    work.t.effects.append(AnswerUpdate(work.t.state.run_key, update_id, rejection.failure))


def _complete(work: CommandWork, update_id: str, response: Response) -> None:
    """Record the outcome.

    Emits: event WorkflowExecutionUpdateCompleted.
    """
    _check_state(work, update_id, "Response", ("ProvisionallyAccepted", "Accepted"))
    for holds, what in (
        (response.HasField("meta"), "meta is not set"),
        (response.meta.update_id, "meta.update_id is not set"),
        (response.meta.update_id == update_id, f"meta.update_id != {update_id}"),
        (response.HasField("outcome"), "outcome is not set"),
    ):
        if not holds:
            raise _bad(f"invalid *update.Response: {what}")
    accepted_event_id = work.t.state.updates[update_id].accepted_event_id
    work.t.add(workflow_execution_update_completed(accepted_event_id, response))
    work.finished_updates.add(update_id)


def _abort(work: CommandWork, update_id: str) -> None:
    """Give up an update that is answered after the command that closes the run.

    Emits: effect AnswerUpdate, unless the update was accepted before: it fails with the run.
    """
    update = work.t.state.updates.get(update_id)
    if update is not None and not update.accepted:
        work.t.effects.append(AnswerUpdate(work.t.state.run_key, update_id, UpdateAbortedByClosingWorkflow()))


def _check_state(work: CommandWork, update_id: str, message: str, allowed: tuple[str, ...]) -> None:
    state_name = _state_name(work, update_id)
    if state_name not in allowed:
        raise _bad(
            f"invalid state transition attempted for Update {update_id}: received *update.{message} message while in "
            f"state {state_name}"
        )


def _state_name(work: CommandWork, update_id: str) -> str:
    """Return how the reference server calls the state that an update is in during a completion."""
    if update_id in work.finished_updates:
        return "ProvisionallyCompleted"
    update = work.t.state.updates.get(update_id)
    if update is None:
        return "Completed"
    if update.accepted:
        return "ProvisionallyAccepted" if update_id in work.accepted_updates else "Accepted"
    return "Sent" if update.sent else "Admitted"


def _bad(message: str) -> FailWorkflowTask:
    return FailWorkflowTask(BAD_MESSAGE, message)
