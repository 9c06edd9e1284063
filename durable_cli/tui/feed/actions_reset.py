"""A reset: a run goes on anew, as another run, from one of its workflow tasks.

Raises: CliError when the server refuses.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

from durable_cli.tui.feed.actions import execution
from durable_cli.tui.feed.link import Link, seconds

__all__ = ["POINT_TYPES", "REAPPLIED", "ResetOrder", "reset_workflow"]

SECONDS = 20.0

POINT_TYPES = {"its last workflow task": "LastWorkflowTask", "its first workflow task": "FirstWorkflowTask"}
"""Points that are found by the server's history, in words."""

REAPPLIED = {
    "come again": (),
    "only signals come again": (2, 3, 4),
    "only updates come again": (1, 3, 4),
    "do not come again": (1, 2, 3, 4),
}
"""What becomes of signals, updates and the like that came after the point: what is excluded, by its numbers."""


class ResetOrder(NamedTuple):
    """What is to go on from where; the point is an event, or, where that is 0, one of POINT_TYPES."""

    workflow_id: str
    run_id: str
    event_id: int
    point: str
    reapplied: str
    reason: str


async def reset_workflow(link: Link, order: ResetOrder) -> tuple[str, int]:
    """Reset; return the new run's id and the event from which it goes on."""
    workflow_id, run_id, event_id = order.workflow_id, order.run_id, order.event_id
    async with link.asking(f"reset workflow {workflow_id!r}") as client:
        from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

        from durable_cli.reset_point import find_reset_point

        if not event_id:
            run_id, event_id = await find_reset_point(client, POINT_TYPES[order.point], workflow_id, run_id, None)
        request = ResetWorkflowExecutionRequest(
            namespace=link.namespace,
            workflow_execution=execution(workflow_id, run_id),
            reason=order.reason,
            workflow_task_finish_event_id=event_id,
            request_id=str(uuid.uuid4()),
            reset_reapply_exclude_types=REAPPLIED[order.reapplied],  # type: ignore[arg-type]
            identity=client.identity,
        )
        response = await client.workflow_service.reset_workflow_execution(request, timeout=seconds(SECONDS))
    return response.run_id, event_id
