"""`dx workflow show`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from durable_cli.lazy import UsageError
from durable_cli.network import network_command
from durable_cli.options import WorkflowReference, attach, option

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent

    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
@attach("reference", WorkflowReference)
@option("-f", "--follow", is_flag=True, help="Wait for new events until the workflow is closed.")
@option("--reverse", is_flag=True, help="Newest event first; not with --follow.")
@option("--detailed", is_flag=True, help="Show every field of every event (text output).")
async def command(
    client: Client, output: Output, *, reference: WorkflowReference, follow: bool, reverse: bool, detailed: bool
) -> None:
    """Show a workflow's event history.

    With -o json it is the history that the SDKs' replayers read.
    """
    if follow and reverse:
        raise UsageError("--reverse and --follow don't go together", "use one of them")
    workflow_id, run_id = reference.require().workflow_id, reference.run_id
    if output.is_json:
        from durable_cli.output.proto_json import to_json

        # One run with whole payloads: this is what replayers take.
        events = (
            client.iterate_history_reverse(workflow_id, run_id)
            if reverse
            else client.iterate_history(workflow_id, run_id, follow=follow)
        )
        output.print_json({"events": [to_json(event, shorthand_payloads=False) async for event in events]})
    elif reverse:
        await print_events(output, client.iterate_history_reverse(workflow_id, run_id), detailed=detailed)
    else:
        chain = follow_chain(client, workflow_id, run_id, follow=follow)
        last = await print_events(output, chain, detailed=detailed)
        if last is not None:
            print_end(output, last)


async def follow_chain(client: Client, workflow_id: str, run_id: str, *, follow: bool) -> AsyncIterator[HistoryEvent]:
    """Yield a run's events, and after a continue-as-new those of the run that goes on."""
    from durable_cli.client import find_next_run_id

    while True:
        next_run_id = ""
        async for event in client.iterate_history(workflow_id, run_id, follow=follow):
            yield event
            next_run_id = find_next_run_id(event)
        if not next_run_id:
            return
        run_id = next_run_id


async def print_events(output: Output, events: AsyncIterator[HistoryEvent], *, detailed: bool) -> HistoryEvent | None:
    """Print events as they come, and return the last one."""
    from durable_cli.output.history import HistoryView

    view = HistoryView(output.screen, detailed=detailed) if output.is_text else None
    last = None
    async for event in events:
        last = event
        if view:
            view.append(event)
    return last


def print_end(output: Output, event: HistoryEvent) -> None:
    """Print how the workflow ended, if the event says so."""
    from durable_cli.output.result import is_close_event

    if output.is_text and is_close_event(event):
        from durable_cli.output.result_text import list_result_rows

        output.screen.line()
        output.screen.card("Result", list_result_rows(event))
