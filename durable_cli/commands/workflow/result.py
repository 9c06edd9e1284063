"""`dx workflow result`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durable_cli.network import network_command
from durable_cli.options import WorkflowReference, attach

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
@attach("reference", WorkflowReference)
async def command(client: Client, output: Output, *, reference: WorkflowReference) -> None:
    """Wait for a workflow's result and print it.

    Exits with 1 when the workflow did not complete.
    """
    from durable_cli.output.result import add_close_event, is_success

    workflow_id = reference.require().workflow_id
    close_event = await client.get_close_event(workflow_id, reference.run_id)
    if output.is_json:
        run_id = reference.run_id or await _find_latest_run_id(client, workflow_id)
        document: dict[str, Any] = {"workflowId": workflow_id, "runId": run_id, "namespace": client.namespace}
        add_close_event(document, close_event, output)
        output.print_json(document)
    elif output.is_text:
        from durable_cli.output.result_text import list_result_rows

        output.screen.card("Result", list_result_rows(close_event))
    if not is_success(close_event):
        raise_workflow_failure(workflow_id, close_event)


async def _find_latest_run_id(client: Client, workflow_id: str) -> str:
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    async with client.doing(f"describe workflow {workflow_id!r}"):
        description = await client.workflow_service.describe_workflow_execution(request, retry=True)
    return description.workflow_execution_info.execution.run_id


def raise_workflow_failure(workflow_id: str, close_event: Any) -> None:
    """Raise the error with which `result` and `execute` end when the workflow did not complete."""
    from durable_cli.errors import CliError
    from durable_cli.output.event_text import name_event

    ending = {
        "WorkflowExecutionFailed": "failed",
        "WorkflowExecutionTimedOut": "timed out",
        "WorkflowExecutionCanceled": "was canceled",
        "WorkflowExecutionTerminated": "was terminated",
    }.get(name_event(close_event), "did not complete")
    raise CliError(f"workflow {workflow_id!r} {ending}", f"`dx workflow show {workflow_id}` shows its history")
