"""What a worker answers to updates, as messages of its completion."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message as ProtoMessage
from temporalio.api.command.v1 import Command
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Outcome, Rejection, Request, Response
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest

from tests.core.support.messages import application_failure, command, payloads

REJECTION = application_failure("not now")


def message_of(update_id: str, kind: str, body: ProtoMessage) -> Message:
    """Return a message about an update; its id is `update/kind`."""
    message = Message(id=f"{update_id}/{kind}", protocol_instance_id=update_id)
    message.body.Pack(body)
    return message


def accept(request: Message, **fields: Any) -> Message:
    """Accept the update that a task's message asks for."""
    defaults = {
        "accepted_request_message_id": request.id,
        "accepted_request_sequencing_event_id": request.event_id,
        "accepted_request": Request.FromString(request.body.value),
    }
    return message_of(request.protocol_instance_id, "accept", Acceptance(**(defaults | fields)))


def reject(request: Message) -> Message:
    """Reject the update that a task's message asks for."""
    return message_of(request.protocol_instance_id, "reject", Rejection(failure=REJECTION))


def respond(update_id: str = "update", *results: Any) -> Message:
    """Complete an accepted update."""
    response = Response(outcome=Outcome(success=payloads(*results)))
    response.meta.update_id = update_id
    return message_of(update_id, "complete", response)


def protocol_message(message_id: str) -> Command:
    """Return the command that says when a message takes effect."""
    return command("PROTOCOL_MESSAGE", message_id=message_id)


def taking_events_again() -> RespondWorkflowTaskCompletedRequest.Capabilities:
    """Return what a worker says that can be told the same events again after a discarded task."""
    return RespondWorkflowTaskCompletedRequest.Capabilities(discard_speculative_workflow_task_with_events=True)
