"""`dx workflow describe`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_cli.network import network_command
from durable_cli.options import WorkflowReference, attach, option

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
@attach("reference", WorkflowReference)
@option("--reset-points", is_flag=True, help="Show only the points to which the run can be reset.")
@option("--raw", is_flag=True, hidden=True)
async def command(
    client: Client, output: Output, *, reference: WorkflowReference, reset_points: bool, raw: bool
) -> None:
    """Show what a workflow is doing: its state, what it waits for, and how it ended."""
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.enums.v1 import WorkflowExecutionStatus
    from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

    reference.require()
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=reference.workflow_id, run_id=reference.run_id),
    )
    async with client.doing(f"describe workflow {reference.workflow_id!r}"):
        description = await client.workflow_service.describe_workflow_execution(request, retry=True)
    info = description.workflow_execution_info
    close_event = None
    if info.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING and not reset_points:
        async for event in client.iterate_history(
            info.execution.workflow_id, info.execution.run_id, close_event_only=True
        ):
            close_event = event
    from durable_cli.output.description import list_times, print_description, print_reset_points

    if output.is_text:
        from durable_cli.clock_offset import find_clock_offset

        output.screen.clock_offset = await find_clock_offset(client, list_times(description))
    if reset_points:
        print_reset_points(output, info.auto_reset_points)
    else:
        print_description(output, description, close_event, client.namespace)
