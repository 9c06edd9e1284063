"""`dx workflow query`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from durable_cli.errors import CliError
from durable_cli.lazy import UsageError
from durable_cli.network import network_command
from durable_cli.options import PayloadInputOptions, WorkflowReference, attach, option

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output

REJECT_CONDITIONS = {"not_open": 2, "not_completed_cleanly": 3}


@network_command
@attach("reference", WorkflowReference)
@option("--name", "--type", "name", metavar="TEXT", help="Query's name. Required.")
@option("--reject-condition", type=click.Choice(list(REJECT_CONDITIONS)), help="Refuse in such a state.")
@option("--headers", multiple=True, metavar="KEY=JSON", help="Header of the query. Repeatable.")
@attach("inputs", PayloadInputOptions)
async def command(
    client: Client,
    output: Output,
    *,
    reference: WorkflowReference,
    name: str | None,
    reject_condition: str | None,
    headers: tuple[str, ...],
    inputs: PayloadInputOptions,
) -> None:
    """Ask a workflow, running or closed, for its state.

    \b
    dx workflow query order-1 --name status
    """
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.query.v1 import WorkflowQuery
    from temporalio.api.workflowservice.v1 import QueryWorkflowRequest

    from durable_cli.payloads import make_header, make_payloads

    reference.require()
    if not name:
        raise UsageError("which query? Give its --name", "for example: dx workflow query order-1 --name status")
    request = QueryWorkflowRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=reference.workflow_id, run_id=reference.run_id),
        query=WorkflowQuery(query_type=name, query_args=make_payloads(inputs), header=make_header(headers)),
        query_reject_condition=REJECT_CONDITIONS.get(reject_condition or "", 0),  # type: ignore[arg-type]
    )
    async with client.doing(f"query workflow {reference.workflow_id!r}"):
        response = await client.workflow_service.query_workflow(request, retry=True)
    if response.HasField("query_rejected"):
        from durable_cli.output.description import name_status

        raise CliError(
            f"the query was rejected: the workflow is {name_status(response.query_rejected.status)}",
            "leave --reject-condition out to query it all the same",
        )
    if output.is_json:
        output.print_json(output.to_json(response))
    elif output.is_text:
        from durable_cli.output.payload_text import print_value

        print_value(output.screen, response.query_result)
