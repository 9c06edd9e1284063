"""Do something to many runs: by a batch job of the server, or where it has none, from here.

Raises: CliError when the server refuses.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from durable_cli.errors import CliError
from durable_cli.tui.batch_order import BatchOrder, ManyRuns, Refusal, Run
from durable_cli.tui.feed.actions import (
    cancel_workflow,
    execution,
    make_arguments,
    signal_workflow,
    terminate_workflow,
)
from durable_cli.tui.feed.actions_reset import POINT_TYPES, ResetOrder, reset_workflow
from durable_cli.tui.feed.link import Link, LostError, MissingError, seconds

if TYPE_CHECKING:
    from temporalio.api.workflowservice.v1 import StartBatchOperationRequest

__all__ = [
    "SLOTS",
    "RunAction",
    "act_on_runs",
    "count_matching",
    "find_runs",
    "has_batches",
    "make_action",
    "start_batch",
]

RunAction = Callable[[Link, str, str], Awaitable[object]]
"""Does something to one run, by its workflow id and run id."""

SLOTS = 10
PAGE_ROWS = 1000
SECONDS = 10.0
DEFAULT_REASON = "from dx tui"


async def has_batches(link: Link) -> bool:
    """Return whether the server has batch jobs."""
    try:
        async with link.asking("list batch operations") as client:
            from temporalio.api.workflowservice.v1 import ListBatchOperationsRequest

            request = ListBatchOperationsRequest(namespace=link.namespace, page_size=1)
            await client.workflow_service.list_batch_operations(request, timeout=seconds(SECONDS))
    except MissingError:
        return False
    return True


async def count_matching(link: Link, query: str) -> int:
    """Return how many runs match now."""
    async with link.asking("count workflows") as client:
        from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest

        request = CountWorkflowExecutionsRequest(namespace=link.namespace, query=query)
        return (await client.workflow_service.count_workflow_executions(request, timeout=seconds(SECONDS))).count


async def start_batch(link: Link, order: BatchOrder) -> str:
    """Start a batch job; return its id."""
    async with link.asking("start the batch") as client:
        from temporalio.api.workflowservice.v1 import StartBatchOperationRequest

        request = StartBatchOperationRequest(
            namespace=link.namespace,
            job_id=str(uuid.uuid4()),
            visibility_query="" if order.runs else order.query,
            executions=[execution(*run) for run in order.runs],
            reason=order.reason or DEFAULT_REASON,
        )
        _fill[order.operation.name](request, order, client.identity)
        await client.workflow_service.start_batch_operation(request, timeout=seconds(SECONDS))
    return request.job_id


def _fill_signal(request: StartBatchOperationRequest, order: BatchOrder, identity: str) -> None:
    request.signal_operation.signal = order.signal_name
    request.signal_operation.identity = identity
    payloads = make_arguments(order.arguments)
    if payloads is not None:
        request.signal_operation.input.CopyFrom(payloads)


def _fill_cancel(request: StartBatchOperationRequest, order: BatchOrder, identity: str) -> None:
    request.cancellation_operation.identity = identity


def _fill_terminate(request: StartBatchOperationRequest, order: BatchOrder, identity: str) -> None:
    request.termination_operation.identity = identity


def _fill_reset(request: StartBatchOperationRequest, order: BatchOrder, identity: str) -> None:
    operation = request.reset_operation
    operation.identity = identity
    is_first = POINT_TYPES[order.reset_point] == "FirstWorkflowTask"
    (operation.options.first_workflow_task if is_first else operation.options.last_workflow_task).SetInParent()


def _fill_delete(request: StartBatchOperationRequest, order: BatchOrder, identity: str) -> None:
    request.deletion_operation.identity = identity


_fill: dict[str, Callable[[StartBatchOperationRequest, BatchOrder, str], None]] = {
    "signal": _fill_signal,
    "cancel": _fill_cancel,
    "terminate": _fill_terminate,
    "reset": _fill_reset,
    "delete": _fill_delete,
}


async def find_runs(link: Link, query: str) -> list[Run]:
    """Return all runs that match now: what is done to them may change what matches."""
    runs: list[Run] = []
    token = b""
    while True:
        async with link.asking("list workflows") as client:
            from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest

            request = ListWorkflowExecutionsRequest(
                namespace=link.namespace, page_size=PAGE_ROWS, next_page_token=token, query=query
            )
            page = await client.workflow_service.list_workflow_executions(request, timeout=seconds(SECONDS))
        runs += [(info.execution.workflow_id, info.execution.run_id) for info in page.executions]
        token = page.next_page_token
        if not token:
            return runs


async def act_on_runs(link: Link, runs: Sequence[Run], action: RunAction, progress: ManyRuns) -> None:
    """Do something to each run, a few at a time, until all are done or `progress` is stopped."""
    pending = iter(runs)

    async def take_turns() -> None:
        for workflow_id, run_id in pending:
            if progress.stopped:
                return
            try:
                await action(link, workflow_id, run_id)
            except (LostError, MissingError) as error:
                progress.stopped = error.hint or error.message
                return
            except CliError as error:
                progress.refusals.append(Refusal(workflow_id, run_id, _reason(error, workflow_id)))
            else:
                progress.done_run_ids.add(run_id)

    await asyncio.gather(*(take_turns() for _ in range(SLOTS)))


def _reason(error: CliError, workflow_id: str) -> str:
    """Return why; whom it is about is said beside it."""
    return error.message.rpartition(f"{workflow_id!r}: ")[2]


def make_action(order: BatchOrder) -> RunAction:
    """Return what does the order to one run."""
    return _actions[order.operation.name](order)


def _signal(order: BatchOrder) -> RunAction:
    return lambda link, workflow_id, run_id: signal_workflow(
        link, workflow_id, run_id, order.signal_name, order.arguments
    )


def _cancel(order: BatchOrder) -> RunAction:
    return cancel_workflow


def _terminate(order: BatchOrder) -> RunAction:
    reason = order.reason or DEFAULT_REASON
    return lambda link, workflow_id, run_id: terminate_workflow(link, workflow_id, run_id, reason)


def _reset(order: BatchOrder) -> RunAction:
    reason = order.reason or DEFAULT_REASON
    return lambda link, workflow_id, run_id: reset_workflow(
        link, ResetOrder(workflow_id, run_id, 0, order.reset_point, "come again", reason)
    )


def _delete(order: BatchOrder) -> RunAction:
    async def delete(link: Link, workflow_id: str, run_id: str) -> None:
        async with link.asking(f"delete workflow {workflow_id!r}") as client:
            from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest

            request = DeleteWorkflowExecutionRequest(
                namespace=link.namespace, workflow_execution=execution(workflow_id, run_id)
            )
            await client.workflow_service.delete_workflow_execution(request, timeout=seconds(SECONDS))

    return delete


_actions: dict[str, Callable[[BatchOrder], RunAction]] = {
    "signal": _signal,
    "cancel": _cancel,
    "terminate": _terminate,
    "reset": _reset,
    "delete": _delete,
}
