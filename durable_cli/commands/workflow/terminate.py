"""`dx workflow terminate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_cli.batch import check_target, default_reason, make_batch, start_batch
from durable_cli.network import network_command
from durable_cli.options import TargetOptions, attach

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
@attach("target", TargetOptions)
async def command(client: Client, output: Output, *, target: TargetOptions) -> None:
    """End a workflow, or with --query all that match, at once.

    The workflow's code gets no chance to clean up; `cancel` asks it to.
    """
    from temporalio.api.batch.v1 import BatchOperationTermination
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import TerminateWorkflowExecutionRequest

    check_target(target, reason_allowed=True)
    if target.query:
        batch = make_batch(client, target)
        batch.termination_operation.CopyFrom(BatchOperationTermination(identity=client.identity))
        await start_batch(client, output, target, batch)
        return
    request = TerminateWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=target.workflow_id, run_id=target.run_id),
        reason=target.reason or default_reason(),
        identity=client.identity,
    )
    async with client.doing(f"terminate workflow {target.workflow_id!r}"):
        await client.workflow_service.terminate_workflow_execution(request, retry=True)
    output.say(f"Terminated {target.workflow_id}")
