"""Simulated updates: clients send them and send them again, workers accept, reject, complete and forget them."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from google.protobuf.message import Message as ProtoMessage
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import command_type_pb2 as ct
from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.enums.v1.update_pb2 import (
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED,
    UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
)
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Input, Meta, Outcome, Rejection, Request, Response
from temporalio.api.workflowservice.v1 import (
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from engine.core.inputs import ExecuteMultiOperation, RunRef, UpdateWorkflowExecution
from engine.core.policy.limits import Limits
from engine.core.policy.update_request import validate_update_workflow_execution
from engine.core.run.update import AdmittedUpdate, UpdateStatus
from engine.runtime.engine import Engine
from engine.runtime.update_with_start import update_with_start
from engine.runtime.update_workflow import poll_update, update_workflow
from tests.sim.commands import application_failure, payloads
from tests.sim.invariants import require
from tests.sim.server import NAMESPACE_ID

if TYPE_CHECKING:
    from tests.sim.clients import Client
    from tests.sim.ledger import Ledger

__all__ = ["add_answers", "check_updates", "poll", "send", "send_with_start"]

_REJECTED = "rejected by the simulated validator"
_STAGES = (UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED, UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED)


async def send(client: Client, execution: WorkflowExecution) -> None:
    """Send an update, now and then one that was sent before, and note what the server says of it."""
    request = _request(client, execution)
    seconds = client.random.choice((0.5, 3, 30))
    run = RunRef(NAMESPACE_ID, execution.workflow_id, execution.run_id)

    async def update(engine: Engine) -> tuple[AdmittedUpdate, UpdateStatus]:
        return await update_workflow(engine, UpdateWorkflowExecution(run, request), seconds)

    _note(client, *await client.simulation.server.call(update))


async def send_with_start(client: Client, start: StartWorkflowExecutionRequest) -> None:
    """Send an update, and a start in case it is needed."""
    request = _request(client, WorkflowExecution(workflow_id=start.workflow_id))
    seconds = client.random.choice((3, 30))

    async def both(engine: Engine) -> tuple[AdmittedUpdate, UpdateStatus]:
        item = ExecuteMultiOperation(NAMESPACE_ID, start, request)
        reply, status = await update_with_start(engine, item, seconds)
        return reply.update, status

    update, status = await client.simulation.server.call(both)
    client.simulation.ledger.starts[start.request_id] = update.run_id
    _note(client, update, status)


async def poll(client: Client) -> None:
    """Ask for an update that was acknowledged."""
    updates = client.simulation.ledger.updates
    if not updates:
        return
    (run_id, update_id), (workflow_id, _) = client.random.choice(list(updates.items()))
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    namespace, stage = client.simulation.server.namespace, client.random.choice((0, *_STAGES))

    async def ask(engine: Engine) -> tuple[AdmittedUpdate, UpdateStatus]:
        return await poll_update(engine, namespace, execution, update_id, stage, 5)  # type: ignore[arg-type]

    _note(client, *await client.simulation.server.call(ask))


def _request(client: Client, execution: WorkflowExecution) -> UpdateWorkflowExecutionRequest:
    ledger, random = client.simulation.ledger, client.random
    ledger.sent_updates.append(f"update-{ledger.next_number()}")
    update_id = random.choice(ledger.sent_updates[-3:])
    request = UpdateWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=execution,
        request=Request(meta=Meta(update_id=update_id, identity=client.name), input=Input(name=update_id)),
    )
    request.wait_policy.lifecycle_stage = random.choice(_STAGES)
    validate_update_workflow_execution(request, Limits())
    return request


def _note(client: Client, update: AdmittedUpdate, status: UpdateStatus) -> None:
    """Note an update that the server says is accepted, and its result if it has one."""
    key, result = (update.run_id, update.update_id), ""
    if status.stage not in _STAGES or _is_rejection(status.outcome):
        return
    if status.outcome is not None and status.outcome.HasField("success"):
        result = status.outcome.success.payloads[0].data.decode()
    updates = client.simulation.ledger.updates
    known = updates.get(key, ("", ""))[1]
    require(not (known and result) or known == result, f"update {key} has the result {result}, and had {known}")
    updates[key] = (update.workflow_id, result or known)


def _is_rejection(outcome: Outcome | None) -> bool:
    """Say whether the update may have no event: rejected by the worker, or by the server since nobody processed it."""
    return outcome is not None and (
        outcome.failure.message == _REJECTED or outcome.failure.application_failure_info.type == "UnprocessedUpdate"
    )


def check_updates(ledger: Ledger, histories: dict[str, list[HistoryEvent]]) -> None:
    """Find every acknowledged update in the history of its run, accepted once and with its result.

    Raises:
        BrokenInvariantError: one is missing, or was done twice.
    """
    for (run_id, update_id), (_, result) in ledger.updates.items():
        accepted = [event for event in histories[run_id] if _accepted_id(event) == update_id]
        require(len(accepted) == 1, f"update {update_id} of {run_id} was accepted {len(accepted)} times")
        results = [
            event.workflow_execution_update_completed_event_attributes.outcome.success.payloads[0].data.decode()
            for event in histories[run_id]
            if event.workflow_execution_update_completed_event_attributes.meta.update_id == update_id
        ]
        require(results in ([], [result]) if result else len(results) <= 1, f"update {update_id}: {results}")
        require(not result or results, f"the result of update {update_id} of {run_id} is gone")


def add_answers(
    random: Random,
    request: RespondWorkflowTaskCompletedRequest,
    messages: tuple[Message, ...],
    run_id: str,
    history: list[HistoryEvent],
) -> None:
    """Add to a completion what its worker answers to updates: those that came, and those accepted before."""
    answers: list[tuple[str, ProtoMessage]] = []
    for message in messages:
        kind, update_id = random.randrange(10), message.protocol_instance_id
        if kind <= 6:
            sent = Request.FromString(message.body.value)
            answers.append((update_id, _acceptance(message, sent)))
            if kind <= 4:
                answers.append((update_id, _response(update_id, run_id)))
        elif kind <= 8:
            answers.append((update_id, Rejection(failure=application_failure(_REJECTED))))
    for update_id in _open_updates(history):
        if random.random() < 0.5:
            answers.append((update_id, _response(update_id, run_id)))
    with_commands = random.random() < 0.8
    for number, (update_id, body) in enumerate(answers):
        message = request.messages.add(id=f"{update_id}/{number}", protocol_instance_id=update_id)
        message.body.Pack(body)
        if with_commands and not isinstance(body, Rejection):
            command = Command(command_type=ct.COMMAND_TYPE_PROTOCOL_MESSAGE)
            command.protocol_message_command_attributes.message_id = message.id
            request.commands.insert(number, command)


def _acceptance(message: Message, sent: Request) -> Acceptance:
    return Acceptance(
        accepted_request_message_id=message.id,
        accepted_request_sequencing_event_id=message.event_id,
        accepted_request=sent,
    )


def _response(update_id: str, run_id: str) -> Response:
    outcome = Outcome(success=payloads(f"{update_id} of {run_id}"))
    return Response(meta=Meta(update_id=update_id), outcome=outcome)


def _open_updates(history: list[HistoryEvent]) -> list[str]:
    opened = {update_id: None for event in history if (update_id := _accepted_id(event))}
    for event in history:
        opened.pop(event.workflow_execution_update_completed_event_attributes.meta.update_id, None)
    return list(opened)


def _accepted_id(event: HistoryEvent) -> str:
    if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        return ""
    return event.workflow_execution_update_accepted_event_attributes.protocol_instance_id
