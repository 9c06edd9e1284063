"""`dx workflow signal`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from durable_cli.batch import check_target, make_batch, start_batch
from durable_cli.lazy import UsageError
from durable_cli.network import network_command
from durable_cli.options import PayloadInputOptions, TargetOptions, attach, option

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
@attach("target", TargetOptions)
@option("--name", "--type", "name", metavar="TEXT", help="Signal's name. Required.")
@option("--headers", multiple=True, metavar="KEY=JSON", help="Header of the signal. Repeatable.")
@attach("inputs", PayloadInputOptions)
async def command(
    client: Client,
    output: Output,
    *,
    target: TargetOptions,
    name: str | None,
    headers: tuple[str, ...],
    inputs: PayloadInputOptions,
) -> None:
    """Send a signal to a workflow, or with --query to all that match.

    \b
    dx workflow signal order-1 --name approve --input '{"by": "Ada"}'
    """
    from temporalio.api.batch.v1 import BatchOperationSignal
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest

    from durable_cli.payloads import make_header, make_payloads

    check_target(target)
    if not name:
        raise UsageError("which signal? Give its --name", "for example: dx workflow signal order-1 --name approve")
    payloads, header = make_payloads(inputs), make_header(headers)
    if target.query:
        batch = make_batch(client, target)
        operation = BatchOperationSignal(signal=name, input=payloads, header=header, identity=client.identity)
        batch.signal_operation.CopyFrom(operation)
        await start_batch(client, output, target, batch)
        return
    request = SignalWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=target.workflow_id, run_id=target.run_id),
        signal_name=name,
        input=payloads,
        header=header,
        identity=client.identity,
        request_id=str(uuid.uuid4()),
    )
    async with client.doing(f"signal workflow {target.workflow_id!r}"):
        await client.workflow_service.signal_workflow_execution(request, retry=True)
    output.say(f"Signaled {target.workflow_id}: {name}")
