"""Which event a workflow is reset to, where the user names a kind of event instead of its id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from durable_cli.errors import CliError

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent

    from durable_cli.client import Client

__all__ = ["RESET_TYPES", "ResetPoint", "find_reset_point"]

ResetPoint = tuple[str, int]
"""(run_id, event_id)."""


async def find_reset_point(
    client: Client, reset_type: str, workflow_id: str, run_id: str, build_id: str | None
) -> ResetPoint:
    """Return where a reset of this type goes on.

    Raises: CliError when there is no such point.
    """
    return await RESET_TYPES[reset_type](client, workflow_id, run_id, build_id)


async def _first_workflow_task(client: Client, workflow_id: str, run_id: str, build_id: str | None) -> ResetPoint:
    return run_id, await _first_end_of_a_task(client.iterate_history(workflow_id, run_id), workflow_id)


async def _last_workflow_task(client: Client, workflow_id: str, run_id: str, build_id: str | None) -> ResetPoint:
    return run_id, await _first_end_of_a_task(client.iterate_history_reverse(workflow_id, run_id), workflow_id)


async def _last_continued_as_new(client: Client, workflow_id: str, run_id: str, build_id: str | None) -> ResetPoint:
    """Return the last workflow task of the run before: it continued as new, and does so again."""
    async for event in client.iterate_history(workflow_id, run_id):
        before = event.workflow_execution_started_event_attributes.continued_execution_run_id
        break
    if not before:
        raise CliError(
            f"workflow {workflow_id!r} was not continued from another run",
            "reset it to another --type, or to an --event-id",
        )
    return await _last_workflow_task(client, workflow_id, before, build_id)


async def _build_id(client: Client, workflow_id: str, run_id: str, build_id: str | None) -> ResetPoint:
    """Return the first workflow task that a build of the worker completed, maybe in a run before this one."""
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    request = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
    async with client.doing(f"describe workflow {workflow_id!r}"):
        description = await client.workflow_service.describe_workflow_execution(request, retry=True)
    for point in description.workflow_execution_info.auto_reset_points.points:
        if point.build_id == build_id:
            if not point.resettable:
                raise CliError(f"the point of build {build_id!r} can't be reset to", "choose another --type")
            return point.run_id, point.first_workflow_task_completed_id
    raise CliError(
        f"no workflow task of {workflow_id!r} was completed by the build {build_id!r}",
        "`dx workflow describe --reset-points` shows the builds that there are",
    )


async def _first_end_of_a_task(events: AsyncIterator[HistoryEvent], workflow_id: str) -> int:
    """Return the first completed workflow task that comes, or what will be the start of one that is only scheduled."""
    from temporalio.api.enums.v1 import EventType

    event_id = 0
    async for event in events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return event.event_id
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED and not event_id:
            event_id = event.event_id + 1
    if not event_id:
        raise CliError(f"workflow {workflow_id!r} has had no workflow task yet", "wait until its start delay is over")
    return event_id


RESET_TYPES: dict[str, Callable[[Client, str, str, str | None], Awaitable[ResetPoint]]] = {
    "FirstWorkflowTask": _first_workflow_task,
    "LastWorkflowTask": _last_workflow_task,
    "LastContinuedAsNew": _last_continued_as_new,
    "BuildId": _build_id,
}
