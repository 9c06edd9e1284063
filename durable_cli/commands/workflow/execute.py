"""`dx workflow execute`."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from durable_cli.commands.workflow.result import raise_workflow_failure
from durable_cli.commands.workflow.show import follow_chain, print_events
from durable_cli.commands.workflow.start import print_run, run_to_json
from durable_cli.network import network_command
from durable_cli.options import PayloadInputOptions, attach, option
from durable_cli.start_options import StartOptions, start_workflow

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
@attach("start", StartOptions)
@attach("inputs", PayloadInputOptions)
@option("--detailed", is_flag=True, help="Show every field of every event; with JSON, add the history.")
async def command(
    client: Client, output: Output, *, start: StartOptions, inputs: PayloadInputOptions, detailed: bool
) -> None:
    """Start a workflow, follow its history, and print its result.

    Exits with 1 when the workflow did not complete.
    """
    from durable_cli.output.result import add_close_event, is_success
    from durable_cli.output.times import format_duration

    started_s = time.monotonic()
    run = await start_workflow(client, start, inputs)
    if output.is_text:
        print_run(client, output, start, run)
        output.screen.line()
        await print_events(output, follow_chain(client, run.workflow_id, run.run_id, follow=True), detailed=detailed)
        output.screen.line()
    close_event = await client.get_close_event(run.workflow_id, run.run_id)
    run_time_s = time.monotonic() - started_s
    if output.is_json:
        document: dict[str, Any] = run_to_json(client, start, run)
        if run_time_s >= 0.001:
            document["durationMillis"] = int(run_time_s * 1000)
        add_close_event(document, close_event, output)
        if detailed:
            document["history"] = await _read_history(client, run.workflow_id, run.run_id)
        output.print_json(document)
    elif output.is_text:
        from durable_cli.output.result_text import list_result_rows

        rows = list_result_rows(close_event)
        output.screen.card("Result", [("RunTime", format_duration(timedelta(seconds=run_time_s))), *rows])
    if not is_success(close_event):
        raise_workflow_failure(run.workflow_id, close_event)


async def _read_history(client: Client, workflow_id: str, run_id: str) -> dict[str, Any]:
    """Read the first run's history in the form that replayers take: payloads whole."""
    from durable_cli.output.proto_json import to_json

    events = client.iterate_history(workflow_id, run_id)
    return {"events": [to_json(event, shorthand_payloads=False) async for event in events]}
