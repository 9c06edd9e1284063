"""What the server refuses of an update's client, and what of the worker's messages about it."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message as ProtoMessage
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Callback, WorkflowExecution
from temporalio.api.protocol.v1 import Message
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Acceptance, Input, Meta, Outcome, Rejection, Request, Response, UpdateRef
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest, UpdateWorkflowExecutionRequest

from tests.differential.raw_worker import application_failure, command, complete_workflow, payloads
from tests.differential.scenario import scenario
from tests.differential.update_worker import (
    accept,
    answer,
    finish_first_task,
    poll_update_request,
    protocol_message,
    record_stages,
    reject,
    request_of,
    respond,
    send_update,
    update_request,
    worker_message,
)
from tests.differential.world import World

NO_RUN = "00000000-0000-0000-0000-000000000000"


@scenario(live_sample=True)
async def malformed_requests(world: World) -> None:
    """UpdateWorkflowExecution with missing or contradictory fields."""
    await world.start()
    valid = update_request(world).request
    callback = Callback(nexus=Callback.Nexus(url="http://nowhere/callback"))
    cases = {
        "nothing": UpdateWorkflowExecutionRequest(),
        "no namespace": update_request(world, namespace=None),
        "unknown namespace": update_request(world, namespace="nowhere"),
        "no execution": update_request(world, workflow_execution=None),
        "no workflow id": update_request(world, workflow_execution=WorkflowExecution()),
        "bad run id": update_request(world, run_id="not a run id"),
        "no request": update_request(world, request=None),
        "no meta": update_request(world, request=Request(input=valid.input)),
        "no input": update_request(world, request=Request(meta=valid.meta)),
        "no name": update_request(world, request=Request(meta=valid.meta, input=Input(args=payloads(1)))),
        "long id": update_request(world, "u" * 1001),
        "long id and no input": update_request(world, request=Request(meta=Meta(update_id="u" * 1001))),
        "callback": update_request(
            world, request=Request(meta=valid.meta, input=valid.input, completion_callbacks=[callback])
        ),
        "callback without a url": update_request(
            world, request=Request(meta=valid.meta, input=valid.input, completion_callbacks=[Callback()])
        ),
        "waiting for ADMITTED": update_request(world, stage="ADMITTED"),
        "ADMITTED and no name": update_request(world, stage="ADMITTED", name=""),
    }
    for name, request in cases.items():
        await world.record_call(name, request)


@scenario()
async def malformed_polls(world: World) -> None:
    """PollWorkflowExecutionUpdate with missing fields, and for what does not exist."""
    await world.start()
    execution = world.execution()
    cases = {
        "nothing": PollWorkflowExecutionUpdateRequest(),
        "no namespace": PollWorkflowExecutionUpdateRequest(
            update_ref=UpdateRef(workflow_execution=execution, update_id="update")
        ),
        "no reference": PollWorkflowExecutionUpdateRequest(namespace=world.namespace),
        "no execution": PollWorkflowExecutionUpdateRequest(
            namespace=world.namespace, update_ref=UpdateRef(update_id="update")
        ),
        "no update id": poll_update_request(world, ""),
        "unknown update": poll_update_request(world, "nobody"),
        "unknown workflow": poll_update_request(world, workflow_id=world.workflow_id("nobody")),
        "unknown run": poll_update_request(world, run_id=NO_RUN),
        "bad run id": poll_update_request(world, run_id="not a run id"),
    }
    for name, request in cases.items():
        await world.record_call(name, request)


@scenario()
async def unknown_stages(world: World) -> None:
    """A stage that does not exist is reached at once."""
    await world.start()
    request = update_request(world)
    request.wait_policy.lifecycle_stage = 99  # type: ignore[assignment]
    await world.record_call("update", request)
    poll = poll_update_request(world)
    poll.wait_policy.lifecycle_stage = 99  # type: ignore[assignment]
    await world.record_call("poll", poll)


@scenario()
async def wrong_target(world: World) -> None:
    """An update of a workflow, a run, or a chain of runs that does not exist."""
    run_id = await finish_first_task(world, worker := world.raw_worker())
    await world.record_call("unknown workflow", update_request(world, workflow_id=world.workflow_id("nobody")))
    await world.record_call("unknown run", update_request(world, run_id=NO_RUN))
    await world.record_call("unknown first run", update_request(world, first_execution_run_id=NO_RUN))
    update = await send_update(world, run_id=run_id, first_execution_run_id=run_id)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("right run and first run", await update)


@scenario()
async def closed_workflow(world: World) -> None:
    """An update of a closed workflow is refused, and so is a poll for it."""
    run_id = await world.start()
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_call("update", update_request(world))
    await world.record_call("update of the run", update_request(world, run_id=run_id))
    await world.record_call("update of another chain", update_request(world, first_execution_run_id=NO_RUN))
    await record_stages(world, "poll")


@scenario()
async def failing_workflow_tasks(world: World) -> None:
    """Once a workflow task has failed twice, updates are refused at once."""
    await world.start()
    worker = world.raw_worker()
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    await world.record_call("during the third attempt", update_request(world))
    await record_stages(world, "poll")
    await worker.next_workflow_task()
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"))
    world.record_reply("after it", await update)
    await world.record_history()


Answers = tuple[list[Message], list[Command]]


async def _try_answers(world: World, cases: dict[str, Callable[[Message], Answers]]) -> None:
    """Give each answer to one update of a workflow of its own; record what the worker and the client hear."""
    for name, make_answer in cases.items():
        word = name.replace(" ", "-")
        workflow_id, queue = world.workflow_id(word), f"{world.task_queue}-{word}"
        await world.start(workflow_id, task_queue=TaskQueue(name=queue))
        worker = world.raw_worker(task_queue=queue)
        await worker.next_workflow_task()
        update = await send_update(world, workflow_id=workflow_id, stage="ACCEPTED")
        task = await worker.poll_workflow_task()
        messages, commands = make_answer(task.messages[0])
        await world.record_outcome(
            f"{name}: to the worker", worker.complete_workflow_task(task, *commands, messages=messages)
        )
        await world.record_outcome(f"{name}: to the client", update)
        events = await world.history(workflow_id)
        world.record_value(f"{name}: events", len(events))
        for event in events[6:]:
            world.record_reply(f"{name}: event", event)
        await world.terminate(workflow_id)


def _with_command(message: Message) -> Answers:
    return [message], [protocol_message(message)]


def _accepted_and(message: Message, *others: Message) -> Answers:
    messages = [accept(message), *others]
    return messages, [protocol_message(each) for each in messages]


def _response(**fields: ProtoMessage) -> Message:
    return worker_message("update", "complete", Response(**fields))


@scenario()
async def messages_in_the_wrong_order(world: World) -> None:
    """Messages that an update's stage does not allow fail the workflow task, and the update."""
    await _try_answers(
        world,
        {
            "response before acceptance": lambda request: _with_command(respond("update", 1)),
            "accepted twice": lambda request: _accepted_and(request, accept(request)),
            "rejected after acceptance": lambda request: _accepted_and(request, reject(request)),
            "completed twice": lambda request: _accepted_and(request, respond("update", 1), respond("update", 2)),
            "accepted after rejection": lambda request: ([reject(request), accept(request)], []),
            "response before acceptance in the list": lambda request: (
                [respond("update", 1), accept(request)],
                [protocol_message("update/accept"), protocol_message("update/complete")],
            ),
        },
    )


@scenario()
async def messages_without_fields(world: World) -> None:
    """Acceptances, rejections and responses that lack a field."""
    outcome = Outcome(success=payloads(1))
    await _try_answers(
        world,
        {
            "acceptance without message id": lambda request: _with_command(
                accept(request, accepted_request_message_id="")
            ),
            "acceptance without event id": lambda request: _with_command(
                accept(request, accepted_request_sequencing_event_id=0)
            ),
            "acceptance of another message": lambda request: _accepted_other(request),
            "response without meta": lambda request: _accepted_and(request, _response(outcome=outcome)),
            "response without update id": lambda request: _accepted_and(
                request, _response(meta=Meta(), outcome=outcome)
            ),
            "response with another update id": lambda request: _accepted_and(
                request, _response(meta=Meta(update_id="other"), outcome=outcome)
            ),
            "response without outcome": lambda request: _accepted_and(
                request, _response(meta=Meta(update_id="update"))
            ),
            "response with an empty outcome": lambda request: _accepted_and(
                request, _response(meta=Meta(update_id="update"), outcome=Outcome())
            ),
            "rejection without anything": lambda request: ([worker_message("update", "reject", Rejection())], []),
        },
    )


def _accepted_other(request: Message) -> Answers:
    """Accept with a message id, an event id and a request that are not those that were sent."""
    other = Request(meta=Meta(update_id="other"), input=Input(name="other"))
    acceptance = accept(
        request,
        accepted_request_message_id="other",
        accepted_request_sequencing_event_id=2,
        accepted_request=other,
    )
    return _with_command(acceptance)


@scenario()
async def messages_of_no_update(world: World) -> None:
    """Messages with a body of another kind, and for an update that does not exist."""
    failure = application_failure("no update message")
    unknown = AnyMessage(type_url="type.googleapis.com/temporal.api.update.v1.Nothing", value=b"")
    await _try_answers(
        world,
        {
            "request back": lambda request: _with_command(worker_message("update", "accept", request_of(request))),
            "message of another protocol": lambda request: _with_command(worker_message("update", "accept", failure)),
            "unknown message type": lambda request: _with_command(
                worker_message("update", "accept", failure, body=unknown)
            ),
            "response for an unknown update": lambda request: _accepted_and(request, respond("nobody", 1)),
            "no protocol instance": lambda request: _with_command(
                worker_message("update", "accept", Acceptance(), protocol_instance_id="")
            ),
        },
    )


@scenario()
async def commands_and_messages_apart(world: World) -> None:
    """PROTOCOL_MESSAGE commands without their message, and messages without their command."""
    await _try_answers(
        world,
        {
            "command without message": lambda request: ([], [protocol_message("update/accept")]),
            "command without id": lambda request: ([accept(request)], [protocol_message("")]),
            "command without attributes": lambda request: (
                [accept(request)],
                [Command(command_type="COMMAND_TYPE_PROTOCOL_MESSAGE")],
            ),
            "command twice": lambda request: ([accept(request)], [protocol_message("update/accept")] * 2),
            "messages without commands": lambda request: ([accept(request), respond("update", 1)], []),
            "command of a rejection": lambda request: _with_command(reject(request)),
            "messages of one id": lambda request: (
                [accept(request), worker_message("update", "accept", Response(meta=Meta(update_id="update")))],
                [protocol_message("update/accept")],
            ),
            "command after other commands": lambda request: (
                [accept(request), respond("update", 1)],
                [
                    command("RECORD_MARKER", marker_name="before"),
                    protocol_message("update/accept"),
                    command("RECORD_MARKER", marker_name="between"),
                    protocol_message("update/complete"),
                ],
            ),
        },
    )


@scenario()
async def message_without_a_body(world: World) -> None:
    """A message without a body, or without its type, is refused; the update comes in another workflow task."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    for name, fields in {"no body": {"body": None}, "no type": {"body": AnyMessage()}}.items():
        message = worker_message("update", "accept", Acceptance(), **fields)
        await world.record_outcome(name, answer(worker, task, message))
        task = await worker.poll_workflow_task()
        world.record_reply(f"task after {name}", task)
    await world.record_outcome("complete", answer(worker, task, accept(task.messages[0]), respond("update", "done")))
    world.record_reply("update", await update)
    await world.record_history()
