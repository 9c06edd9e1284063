"""One workflow, or by a query all that match: what `signal`, `cancel` and `terminate` have in common."""

from __future__ import annotations

import sys
import uuid
from typing import TYPE_CHECKING

from durable_cli.errors import CliError
from durable_cli.lazy import UsageError
from durable_cli.options import TargetOptions

if TYPE_CHECKING:
    from temporalio.api.workflowservice.v1 import StartBatchOperationRequest

    from durable_cli.client import Client
    from durable_cli.output.output import Output

__all__ = ["check_target", "confirm_batch", "default_reason", "make_batch", "start_batch"]


def check_target(target: TargetOptions, *, reason_allowed: bool = False) -> None:
    """Raise UsageError unless the options name one workflow, or a query with its batch options."""
    if target.workflow_id:
        batch_only = [
            name
            for name, value in (
                ("--query", target.query),
                ("--reason", target.reason if not reason_allowed else None),
                ("--yes", target.yes),
                ("--rps", target.rps),
            )
            if value
        ]
        if batch_only:
            raise UsageError(
                f"{batch_only[0]} doesn't go with a workflow id", "give either a workflow id, or --query for a batch"
            )
    elif not target.query:
        raise UsageError("which workflow? Give its id", "or give --query to act on every workflow that matches")
    elif target.run_id:
        raise UsageError("--run-id doesn't go with --query", "give the workflow id instead of the query")


async def confirm_batch(client: Client, output: Output, target: TargetOptions) -> None:
    """Ask whether to start the batch, unless --yes was given; a no raises CliError."""
    if target.yes:
        return
    if output.is_json or not sys.stdin.isatty():
        raise CliError("a batch needs a confirmation, and there is no terminal to ask on", "add --yes")
    from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest

    async with client.doing("count the workflows that match"):
        count = await client.workflow_service.count_workflow_executions(
            CountWorkflowExecutionsRequest(namespace=client.namespace, query=target.query or ""), retry=True
        )
    sys.stderr.write(f"Start a batch on about {count.count} workflows? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CliError("nothing was started", "answer y, or add --yes")


def make_batch(client: Client, target: TargetOptions) -> StartBatchOperationRequest:
    """Make the request for a batch; its operation is left to the caller."""
    from temporalio.api.workflowservice.v1 import StartBatchOperationRequest

    return StartBatchOperationRequest(
        namespace=client.namespace,
        job_id=str(uuid.uuid4()),
        visibility_query=target.query or "",
        reason=target.reason or default_reason(),
        max_operations_per_second=target.rps or 0.0,
    )


async def start_batch(
    client: Client, output: Output, target: TargetOptions, request: StartBatchOperationRequest
) -> None:
    """Confirm and start a batch, and print its id."""
    await confirm_batch(client, output, target)
    async with client.doing("start the batch"):
        await client.workflow_service.start_batch_operation(request, retry=True)
    if output.is_json:
        output.print_json({"batchJobId": request.job_id})
    else:
        output.say(f"Started batch {request.job_id}")


def default_reason() -> str:
    """Return the reason that stands in history when the user gave none."""
    from durable_cli.config import current_user

    return f"Requested from CLI by {current_user()}"
