"""`dx workflow cancel`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from durable_cli.batch import check_target, make_batch, start_batch
from durable_cli.network import network_command
from durable_cli.options import TargetOptions, attach, option

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
@attach("target", TargetOptions)
@option("--headers", multiple=True, hidden=True)
async def command(client: Client, output: Output, *, target: TargetOptions, headers: tuple[str, ...]) -> None:
    """Ask a workflow, or with --query all that match, to cancel.

    The workflow's code decides what it does then; `terminate` does not ask.
    """
    from temporalio.api.batch.v1 import BatchOperationCancellation
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import RequestCancelWorkflowExecutionRequest

    check_target(target)
    if target.query:
        batch = make_batch(client, target)
        batch.cancellation_operation.CopyFrom(BatchOperationCancellation(identity=client.identity))
        await start_batch(client, output, target, batch)
        return
    request = RequestCancelWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=target.workflow_id, run_id=target.run_id),
        identity=client.identity,
        request_id=str(uuid.uuid4()),
    )
    async with client.doing(f"cancel workflow {target.workflow_id!r}"):
        await client.workflow_service.request_cancel_workflow_execution(request, retry=True)
    output.say(f"Asked {target.workflow_id} to cancel")
