"""`dx workflow start`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_cli.network import network_command
from durable_cli.options import PayloadInputOptions, attach
from durable_cli.start_options import StartedRun, StartOptions, start_workflow

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
@attach("start", StartOptions)
@attach("inputs", PayloadInputOptions)
async def command(client: Client, output: Output, *, start: StartOptions, inputs: PayloadInputOptions) -> None:
    """Start a workflow and return at once.

    \b
    dx workflow start order-1 --type OrderWorkflow --task-queue orders --input '{"id": 1}'
    """
    run = await start_workflow(client, start, inputs)
    if output.is_json:
        output.print_json(run_to_json(client, start, run))
    else:
        print_run(client, output, start, run)


def run_to_json(client: Client, start: StartOptions, run: StartedRun) -> dict[str, object]:
    """Convert a started run to its official JSON."""
    return {
        "workflowId": run.workflow_id,
        "runId": run.run_id,
        "type": start.type,
        "namespace": client.namespace,
        "taskQueue": start.task_queue,
    }


def print_run(client: Client, output: Output, start: StartOptions, run: StartedRun) -> None:
    """Print which run it is, and whether it is new."""
    if output.is_text:
        output.screen.card(
            "Started" if run.is_new else "Exists already",
            [
                ("WorkflowId", run.workflow_id),
                ("RunId", run.run_id),
                ("Type", start.type or ""),
                ("Namespace", client.namespace),
                ("TaskQueue", start.task_queue or ""),
            ],
        )
