"""An update of a workflow: sent, accepted or rejected, and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from durable_cli.tui.feed.actions import execution, make_arguments
from durable_cli.tui.feed.link import Link, seconds
from durable_cli.tui.lines import Line, Look
from durable_cli.tui.rows import Ending

if TYPE_CHECKING:
    from temporalio.api.update.v1 import Outcome

    from durable_cli.client import Client

__all__ = ["UpdateOrder", "send_update"]

WAIT_SECONDS = 30.0
"""So long one request waits; it is asked again until there is an answer."""
ACCEPTED, COMPLETED = 2, 3
RECENT_EVENTS = 200


class UpdateOrder(NamedTuple):
    """What is to be sent; `arguments` are JSON values separated by commas, or nothing."""

    workflow_id: str
    run_id: str
    name: str
    arguments: str
    is_awaited: bool


async def send_update(link: Link, order: UpdateOrder, tell: Callable[[str], None]) -> Ending:
    """Send an update, and wait until it is accepted or, when it is awaited, over; `tell` hears how it stands.

    Raises:
        CliError: the server refuses it.
    """
    async with link.asking(f"update workflow {order.workflow_id!r}", waits=True) as client:
        from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
        from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionRequest

        update_id = str(uuid.uuid4())
        content = Request(meta=Meta(update_id=update_id, identity=client.identity), input=Input(name=order.name))
        arguments = make_arguments(order.arguments)
        if arguments is not None:
            content.input.args.CopyFrom(arguments)
        request = UpdateWorkflowExecutionRequest(
            namespace=link.namespace,
            workflow_execution=execution(order.workflow_id, order.run_id),
            wait_policy=WaitPolicy(lifecycle_stage=ACCEPTED),  # type: ignore[arg-type]
            request=content,
        )
        tell("sent; it waits for a worker")
        response = await _ask(client.workflow_service.update_workflow_execution, request)
        while response is None or response.stage < ACCEPTED:
            tell("sent; no worker has taken it yet: does one poll the task queue?")
            response = await _ask(client.workflow_service.update_workflow_execution, request)
        if not response.HasField("outcome"):
            if not order.is_awaited:
                return Ending("accepted; the workflow goes on with it")
            tell("accepted; it waits for the result")
            response = await _wait_for_outcome(client, order, response.update_ref)
        is_rejected = response.outcome.HasField("failure") and not await _is_accepted(client, order, update_id)
    return _end(response.outcome, is_rejected)


async def _ask(call: Callable[..., Any], request: Any) -> Any:
    """Ask; None when there is no answer for so long."""
    from temporalio.service import RPCError, RPCStatusCode

    try:
        return await call(request, timeout=seconds(WAIT_SECONDS))
    except RPCError as error:
        if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
            return None
        raise


async def _wait_for_outcome(client: Client, order: UpdateOrder, update_ref: Any) -> Any:
    from temporalio.api.update.v1 import WaitPolicy
    from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest

    request = PollWorkflowExecutionUpdateRequest(
        namespace=client.namespace,
        update_ref=update_ref,
        identity=client.identity,
        wait_policy=WaitPolicy(lifecycle_stage=COMPLETED),  # type: ignore[arg-type]
    )
    response = None
    while response is None or not response.HasField("outcome"):
        response = await _ask(client.workflow_service.poll_workflow_execution_update, request)
    return response


async def _is_accepted(client: Client, order: UpdateOrder, update_id: str) -> bool:
    """Return whether a failed update was accepted before it failed: only that is in the history."""
    from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest

    page = await client.workflow_service.get_workflow_execution_history_reverse(
        GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=execution(order.workflow_id, order.run_id),
            maximum_page_size=RECENT_EVENTS,
        ),
        timeout=seconds(10),
    )
    return any(
        event.workflow_execution_update_accepted_event_attributes.protocol_instance_id == update_id
        for event in page.history.events
    )


def _end(outcome: Outcome, is_rejected: bool) -> Ending:
    from durable_cli.tui.feed.payload_lines import failure_lines, payloads_lines

    if outcome.HasField("failure"):
        lines, whole_lines = failure_lines(outcome.failure), failure_lines(outcome.failure, is_whole=True)
        if is_rejected:
            return Ending("rejected: the workflow has not changed", refusal=f"rejected: {lines[0].text}")
        return Ending("failed after it was accepted", lines, whole_lines, is_trouble=True)
    payloads = outcome.success.payloads
    lines = payloads_lines(payloads) or [Line("no result", Look.QUIET)]
    return Ending("completed", lines, payloads_lines(payloads, is_whole=True))
