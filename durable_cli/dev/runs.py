"""What dx does to runs that the new code does not repeat: it ends them, or lets them go on from before the change."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest, TerminateWorkflowExecutionRequest

from durable_cli.client import Client
from durable_cli.config import current_user
from durable_cli.dev.clients import Clients
from durable_cli.dev.events import Note
from durable_cli.dev.host_events import Mismatch
from durable_cli.dev.question import BrokenRun
from durable_cli.dev.report import Reporter
from durable_cli.errors import CliError

__all__ = ["Runs"]

REASON = "the new code does not repeat the history (dx dev)"


class Runs:
    """The runs of one worker's namespace."""

    def __init__(self, clients: Clients, namespace: str, reporter: Reporter) -> None:
        self._clients = clients
        self._namespace = namespace
        self._reporter = reporter

    async def terminate(self, runs: Sequence[BrokenRun]) -> None:
        """End the runs; what can't be ended is said, and the others are."""
        client = self._clients.of(self._namespace)
        for run in runs:
            request = TerminateWorkflowExecutionRequest(
                namespace=self._namespace,
                workflow_execution=_execution(run),
                reason=f"{current_user()}: {REASON}",
                identity=client.identity,
            )
            try:
                async with client.doing(f"terminate workflow {run.workflow_id!r}"):
                    await client.workflow_service.terminate_workflow_execution(request, retry=True)
            except CliError as error:
                self._reporter.tell(Note(str(error), "error"))
            else:
                self._reporter.tell(Note(f"terminated {run.workflow_id}"))

    async def reset(self, runs: Sequence[BrokenRun]) -> None:
        """Let the runs go on from the last workflow task before the event that the new code does not repeat."""
        client = self._clients.of(self._namespace)
        for run in runs:
            try:
                event_id = await _find_reset_point(client, run)
                request = ResetWorkflowExecutionRequest(
                    namespace=self._namespace,
                    workflow_execution=_execution(run),
                    reason=f"{current_user()}: {REASON}",
                    workflow_task_finish_event_id=event_id,
                    request_id=str(uuid.uuid4()),
                    identity=client.identity,
                )
                async with client.doing(f"reset workflow {run.workflow_id!r} to event {event_id}"):
                    reply = await client.workflow_service.reset_workflow_execution(request, retry=True)
            except CliError as error:
                self._reporter.tell(Note(str(error), "error"))
            else:
                self._reporter.tell(
                    Note(f"reset {run.workflow_id} to event {event_id}; it goes on as run {reply.run_id}")
                )


async def _find_reset_point(client: Client, run: BrokenRun) -> int:
    """Return the last completed workflow task before the event that differs, or the first one.

    Its commands are what the new code gives otherwise, so the run goes on from there with other commands.
    """
    before = run.event_id if isinstance(run, Mismatch) and run.event_id else None
    found = 0
    async for event in client.iterate_history(run.workflow_id, run.run_id):
        if before is not None and event.event_id >= before and found:
            break
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            found = event.event_id
    if not found:
        raise CliError(f"workflow {run.workflow_id!r} has had no workflow task yet")
    return found


def _execution(run: BrokenRun) -> WorkflowExecution:
    return WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id)
