"""The runs around a run: its parents, the runs of the same workflow, the children of others."""

from __future__ import annotations

import asyncio
from typing import Any

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, LostError, seconds
from durable_cli.tui.feed.run import load_history, read_page
from durable_cli.tui.history.relations import RelatedRun, children_of

__all__ = ["find_previous_run", "load_chain", "load_children", "load_parents"]

MAXIMUM_PARENTS = 16
MAXIMUM_RUNS = 100
AT_A_TIME = 8
SECONDS = 10.0


async def load_parents(link: Link, parent: tuple[str, str]) -> list[RelatedRun]:
    """Return a run's parent, its parent, and so on, the outermost first; what is gone ends it."""
    parents: list[RelatedRun] = []
    while parent[0] and len(parents) < MAXIMUM_PARENTS:
        try:
            summary = await _describe(link, *parent)
        except CliError:
            parents.append(RelatedRun(*parent, "", 0, how="parent, gone"))
            break
        row = summary.row
        parents.append(
            RelatedRun(
                row.workflow_id,
                row.run_id,
                row.workflow_type,
                row.status,
                row.start_time_ns,
                row.close_time_ns,
                "parent",
            )
        )
        parent = summary.parent
    return parents[::-1]


async def _describe(link: Link, workflow_id: str, run_id: str) -> Any:
    async with link.asking(f"describe workflow {workflow_id!r}") as client:
        from temporalio.api.common.v1 import WorkflowExecution
        from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

        from durable_cli.tui.feed.description import run_summary

        request = DescribeWorkflowExecutionRequest(
            namespace=link.namespace, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        )
        return run_summary(await client.workflow_service.describe_workflow_execution(request, timeout=seconds(SECONDS)))


async def load_chain(link: Link, workflow_id: str) -> list[RelatedRun]:
    """Return the runs of a workflow, oldest first, each with how it came to be.

    Raises:
        CliError: the server can't list them.
    """
    runs = await _list(link, f"WorkflowId = {_quote(workflow_id)}", "")
    gate = asyncio.Semaphore(AT_A_TIME)

    async def explain(run: RelatedRun) -> RelatedRun:
        async with gate:
            return run._replace(how=await _find_origin(link, run))

    explained = await asyncio.gather(*(explain(run) for run in runs))
    return sorted(explained, key=lambda run: (run.start_time_ns, run.close_time_ns or 2**63))


async def load_children(link: Link, workflow_id: str, run_id: str) -> list[RelatedRun]:
    """Return the children of a run, oldest first.

    Raises:
        CliError: the server does not answer.
    """
    query = f"ParentWorkflowId = {_quote(workflow_id)} AND ParentRunId = {_quote(run_id)}"
    try:
        return sorted(await _list(link, query, "child"), key=lambda run: run.start_time_ns)
    except LostError:
        raise
    except CliError:
        # A server that does not know who is whose parent: the parent's history does.
        history = await load_history(link, workflow_id, run_id)
        return [node.run for node in children_of(history.groups)]


async def find_previous_run(link: Link, workflow_id: str, run_id: str, start_time_ns: int) -> str:
    """Return the id of the run of the workflow that began before this one, or nothing."""
    runs = await _list(link, f"WorkflowId = {_quote(workflow_id)}", "")
    before = [run for run in runs if run.run_id != run_id and run.start_time_ns <= start_time_ns]
    return max(before, key=lambda run: run.start_time_ns).run_id if before else ""


async def _list(link: Link, query: str, how: str) -> list[RelatedRun]:
    async with link.asking("list related workflows") as client:
        from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest

        from durable_cli.tui.feed.from_protos import run_row

        request = ListWorkflowExecutionsRequest(namespace=link.namespace, query=query, page_size=MAXIMUM_RUNS)
        page = await client.workflow_service.list_workflow_executions(request, timeout=seconds(SECONDS))
        rows = [run_row(info) for info in page.executions]
    return [
        RelatedRun(
            row.workflow_id, row.run_id, row.workflow_type, row.status, row.start_time_ns, row.close_time_ns, how
        )
        for row in rows
    ]


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


async def _find_origin(link: Link, run: RelatedRun) -> str:
    """Say how a run came to be, by the event that began it."""
    try:
        async with link.asking(f"read the history of workflow {run.workflow_id!r}") as client:
            page = await read_page(client, run.workflow_id, run.run_id, b"", wait=False, page_events=1)
    except CliError:
        return ""
    if not page.history.events:
        return ""
    from temporalio.api.enums.v1 import ContinueAsNewInitiator

    attributes = page.history.events[0].workflow_execution_started_event_attributes
    if attributes.continued_execution_run_id:
        if attributes.initiator == ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE:
            return "by its cron schedule"
        if attributes.initiator == ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY:
            return f"retry, attempt {attributes.attempt}"
        return "continued as new"
    if attributes.original_execution_run_id not in ("", run.run_id):
        return "reset"
    return "started"
