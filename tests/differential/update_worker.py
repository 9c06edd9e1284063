"""Both sides of workflow updates over the bare RPCs: what a client sends, what a worker's messages say."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message as ProtoMessage
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import (
    Acceptance,
    Input,
    Meta,
    Outcome,
    Rejection,
    Request,
    Response,
    UpdateRef,
    WaitPolicy,
)
from temporalio.api.workflowservice.v1 import (
    PollWorkflowExecutionUpdateRequest,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedResponse,
    UpdateWorkflowExecutionRequest,
)

from tests.differential.raw_worker import RawWorker, application_failure, command, payloads
from tests.differential.world import CALL_TIMEOUT_SECONDS, World

UpdateCall = asyncio.Task[Any]


def update_request(
    world: World,
    update_id: str = "update",
    *arguments: Any,
    stage: str = "COMPLETED",
    workflow_id: str = "",
    run_id: str = "",
    name: str = "set",
    **fields: Any,
) -> UpdateWorkflowExecutionRequest:
    """Return a valid update request that waits for `stage`, with `fields` in place of its own."""
    fields = {
        "namespace": world.namespace,
        "workflow_execution": world.execution(workflow_id, run_id),
        "wait_policy": wait_policy(stage),
        "request": Request(
            meta=Meta(update_id=update_id, identity="updater"),
            input=Input(name=name, args=payloads(*arguments) if arguments else None),
        ),
        **fields,
    }
    return UpdateWorkflowExecutionRequest(**{name: value for name, value in fields.items() if value is not None})


async def send_update(
    world: World,
    update_id: str = "update",
    *arguments: Any,
    timeout_seconds: float = CALL_TIMEOUT_SECONDS,
    **fields: Any,
) -> UpdateCall:
    """Send an update and return its call once the server has admitted it."""
    request = update_request(world, update_id, *arguments, **fields)
    call = asyncio.ensure_future(world.call(request, timeout_seconds=timeout_seconds))
    await admitted(world, update_id, fields.get("workflow_id", ""), fields.get("run_id", ""))
    return call


async def admitted(world: World, update_id: str = "update", workflow_id: str = "", run_id: str = "") -> None:
    """Return once the server knows an update."""

    async def known() -> bool:
        try:
            await world.call(poll_update_request(world, update_id, stage="", workflow_id=workflow_id, run_id=run_id))
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.NOT_FOUND:
                raise
            return False
        return True

    await world.eventually(known)


def poll_update_request(
    world: World, update_id: str = "update", *, stage: str = "COMPLETED", workflow_id: str = "", run_id: str = ""
) -> PollWorkflowExecutionUpdateRequest:
    """Return a request that waits for an update's `stage`, or with an empty one asks for where it is."""
    return PollWorkflowExecutionUpdateRequest(
        namespace=world.namespace,
        update_ref=UpdateRef(workflow_execution=world.execution(workflow_id, run_id), update_id=update_id),
        identity="poller",
        wait_policy=wait_policy(stage),
    )


async def record_stages(world: World, name: str, update_id: str = "update", workflow_id: str = "") -> None:
    """Record what a poll says about an update without waiting."""
    await world.record_call(name, poll_update_request(world, update_id, stage="", workflow_id=workflow_id))


def wait_policy(stage: str) -> WaitPolicy | None:
    """Return the policy that waits for a stage by its short name, `ACCEPTED`."""
    if not stage:
        return None
    return WaitPolicy(lifecycle_stage=f"UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_{stage}")


def update_id_of(message: Message) -> str:
    """Return the id of the update that a message from the server asks for."""
    return request_of(message).meta.update_id


def request_of(message: Message) -> Request:
    """Return the update's request in a message from the server."""
    request = Request()
    if not message.body.Unpack(request):
        raise ValueError(f"not an update request: {message.body.type_url}")
    return request


def worker_message(update_id: str, suffix: str, content: ProtoMessage, **fields: Any) -> Message:
    """Return a worker's message about an update, named as the SDKs name it."""
    packed = AnyMessage()
    packed.Pack(content)
    return Message(**{"id": f"{update_id}/{suffix}", "protocol_instance_id": update_id, "body": packed, **fields})


def accept(message: Message, **fields: Any) -> Message:
    """Return the acceptance of an update; `fields` are in place of the Acceptance's own."""
    fields = {
        "accepted_request_message_id": message.id,
        "accepted_request_sequencing_event_id": message.event_id,
        "accepted_request": request_of(message),
        **fields,
    }
    return worker_message(update_id_of(message), "accept", Acceptance(**fields))


def reject(message: Message, failure: Failure | None = None) -> Message:
    """Return the rejection of an update by its validator."""
    body = Rejection(
        rejected_request_message_id=message.id,
        rejected_request_sequencing_event_id=message.event_id,
        rejected_request=request_of(message),
        failure=failure or application_failure("rejected by the validator"),
    )
    return worker_message(update_id_of(message), "reject", body)


def respond(update_id: str, *results: Any) -> Message:
    """Return the result of an update."""
    outcome = Outcome(success=payloads(*results))
    return worker_message(update_id, "complete", Response(meta=Meta(update_id=update_id), outcome=outcome))


def respond_failed(update_id: str, failure: Failure | None = None) -> Message:
    """Return the failure of an update whose handler raised."""
    outcome = Outcome(failure=failure or application_failure("failed in the handler"))
    return worker_message(update_id, "complete", Response(meta=Meta(update_id=update_id), outcome=outcome))


def protocol_message(message: Message | str) -> Command:
    """Return the command that says when a message takes effect."""
    return command("PROTOCOL_MESSAGE", message_id=message if isinstance(message, str) else message.id)


async def answer(
    worker: RawWorker,
    task: PollWorkflowTaskQueueResponse,
    *messages: Message,
    commands: tuple[Command, ...] = (),
    **fields: Any,
) -> RespondWorkflowTaskCompletedResponse:
    """Complete a workflow task with messages, in front of `commands`, as the SDKs do: rejections need no command."""
    placed = [protocol_message(message) for message in messages if not message.body.Is(Rejection.DESCRIPTOR)]
    return await worker.complete_workflow_task(task, *placed, *commands, messages=messages, **fields)


async def finish_first_task(world: World, worker: RawWorker, *commands: Command, **start_fields: Any) -> str:
    """Start the workflow, complete its first workflow task, and return the run id."""
    run_id = await world.start(**start_fields)
    await worker.next_workflow_task(*commands)
    return run_id


def record_task(world: World, name: str, task: PollWorkflowTaskQueueResponse) -> None:
    """Record what a workflow task brings, in short: which attempt, which events, which messages."""
    world.record_value(
        name,
        {
            "attempt": task.attempt,
            "previous_started_event_id": task.previous_started_event_id,
            "started_event_id": task.started_event_id,
            "events": [
                f"{event.event_id} {EventType.Name(event.event_type).removeprefix('EVENT_TYPE_')}"
                for event in task.history.events
            ],
            "messages": [f"{message.id} after {message.event_id}" for message in task.messages],
            "queries": sorted(query.query_type for query in task.queries.values()),
        },
    )
