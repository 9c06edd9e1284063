"""`dx workflow reset`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from durable_cli.lazy import UsageError
from durable_cli.network import network_command
from durable_cli.options import TargetOptions, WorkflowReference, attach, option
from durable_cli.reset_point import RESET_TYPES, find_reset_point

if TYPE_CHECKING:
    from temporalio.api.enums.v1 import ResetReapplyExcludeType

    from durable_cli.client import Client
    from durable_cli.output.output import Output

_REAPPLIED = {"All": (1, 2, 3, 4), "Signal": (1,), "Update": (2,)}


@network_command
@attach("reference", WorkflowReference)
@option("--reason", help="Reason, kept in the histories of both runs. Required.")
@option(
    "-e", "--event-id", type=int, help="End of the workflow task to go on from: its WorkflowTaskCompleted, …Failed."
)
@option("-t", "--type", "reset_type", type=click.Choice(list(RESET_TYPES)), help="Find the event by its kind.")
@option("--build-id", help="With --type BuildId: the build whose first workflow task it is.")
@option(
    "--reapply-exclude",
    multiple=True,
    type=click.Choice(list(_REAPPLIED)),
    help="What does not come again in the new run. Repeatable.",
)
@option("-q", "--query", metavar="QUERY", help="List filter: reset every workflow that matches, as a batch.")
@option("-y", "--yes", is_flag=True, help="Start a batch without asking.")
async def command(
    client: Client,
    output: Output,
    *,
    reference: WorkflowReference,
    reason: str | None,
    event_id: int | None,
    reset_type: str | None,
    build_id: str | None,
    reapply_exclude: tuple[str, ...],
    query: str | None,
    yes: bool,
) -> None:
    """Let a workflow, or with --query all that match, go on from an earlier point in a new run.

    An open run ends. Signals and updates that came after the point come again in the new run.

    \b
    dx workflow reset order-1 --type LastWorkflowTask --reason "the bug is fixed"
    """
    if not reason:
        raise UsageError("why? Give a --reason", 'for example: --reason "the bug is fixed"')
    excluded = _excluded(reapply_exclude)
    if reset_type == "BuildId" and not build_id:
        raise UsageError("which build? Give its --build-id", "`dx workflow describe --reset-points` shows the builds")
    if not reference.workflow_id and query:
        _check_batch(reference, event_id, reset_type)
        await _start_batch(client, output, query, reason, yes, reset_type, build_id, excluded)
        return
    if query:
        raise UsageError("--query doesn't go with a workflow id", "give one of them")
    reference.require()
    if not reset_type and (event_id or 0) <= 0:
        raise UsageError("to which event? Give an --event-id or a --type", "for example: --type LastWorkflowTask")
    await _reset_one(client, output, reference, reason, event_id or 0, reset_type, build_id, excluded)


async def _reset_one(
    client: Client,
    output: Output,
    reference: WorkflowReference,
    reason: str,
    event_id: int,
    reset_type: str | None,
    build_id: str | None,
    excluded: Iterable[ResetReapplyExcludeType.ValueType],
) -> None:
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

    from durable_cli.config import current_user

    workflow_id, run_id = reference.workflow_id, reference.run_id
    if reset_type:
        run_id, event_id = await find_reset_point(client, reset_type, workflow_id, run_id, build_id)
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        reason=f"{current_user()}: {reason}",
        workflow_task_finish_event_id=event_id,
        request_id=str(uuid.uuid4()),
        reset_reapply_exclude_types=excluded,
        identity=client.identity,
    )
    async with client.doing(f"reset workflow {workflow_id!r} to event {event_id}"):
        reply = await client.workflow_service.reset_workflow_execution(request, retry=True)
    if output.is_json:
        output.print_json({"runId": reply.run_id})
    else:
        output.say(f"Reset {workflow_id} to event {event_id}; it goes on as run {reply.run_id}")


def _check_batch(reference: WorkflowReference, event_id: int | None, reset_type: str | None) -> None:
    if reference.run_id:
        raise UsageError("--run-id doesn't go with --query", "give the workflow id instead of the query")
    if event_id is not None:
        raise UsageError("--event-id doesn't go with --query", "give a --type: the event is found in each workflow")
    if reset_type is None:
        raise UsageError("to which event? Give a --type", "for example: --type LastWorkflowTask")
    if reset_type == "LastContinuedAsNew":
        raise UsageError(f"--type {reset_type} doesn't go with --query", "reset such workflows one by one")


async def _start_batch(
    client: Client,
    output: Output,
    query: str,
    reason: str,
    yes: bool,
    reset_type: str | None,
    build_id: str | None,
    excluded: Iterable[ResetReapplyExcludeType.ValueType],
) -> None:
    from temporalio.api.batch.v1 import BatchOperationReset

    from durable_cli.batch import make_batch, start_batch

    target = TargetOptions(None, None, "", query, reason, yes, None)
    batch = make_batch(client, target)
    operation = BatchOperationReset(identity=client.identity)
    operation.options.reset_reapply_exclude_types.extend(excluded)
    if reset_type == "FirstWorkflowTask":
        operation.options.first_workflow_task.SetInParent()
    elif reset_type == "LastWorkflowTask":
        operation.options.last_workflow_task.SetInParent()
    else:
        operation.options.build_id = build_id or ""
    batch.reset_operation.CopyFrom(operation)
    await start_batch(client, output, target, batch)


def _excluded(names: tuple[str, ...]) -> list[ResetReapplyExcludeType.ValueType]:
    return sorted({number for name in names for number in _REAPPLIED[name]})  # type: ignore[misc]
