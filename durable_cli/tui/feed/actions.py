"""What the browser does to a server: each returns what was done, in words, for the note on the screen.

Raises: CliError when the server refuses.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, seconds

if TYPE_CHECKING:
    from temporalio.api.common.v1 import Payloads, WorkflowExecution

    from durable_cli.client import Client

__all__ = [
    "cancel_workflow",
    "execution",
    "make_arguments",
    "pause_workflow",
    "signal_workflow",
    "terminate_workflow",
    "unpause_workflow",
]

SECONDS = 10.0


async def signal_workflow(link: Link, workflow_id: str, run_id: str, signal_name: str, arguments: str) -> str:
    """Send a signal; `arguments` are JSON values separated by commas, or nothing."""
    async with link.asking(f"signal workflow {workflow_id!r}") as client:
        from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest

        request = SignalWorkflowExecutionRequest(
            namespace=link.namespace,
            workflow_execution=execution(workflow_id, run_id),
            signal_name=signal_name,
            input=make_arguments(arguments),
            identity=client.identity,
            request_id=str(uuid.uuid4()),
        )
        await client.workflow_service.signal_workflow_execution(request, retry=True, timeout=seconds(SECONDS))
    return f"signaled {workflow_id}: {signal_name}"


async def cancel_workflow(link: Link, workflow_id: str, run_id: str) -> str:
    """Ask a run to cancel; for one that is closed, which a server takes without a word, refuse it here."""
    async with link.asking(f"cancel workflow {workflow_id!r}") as client:
        from temporalio.api.workflowservice.v1 import (
            DescribeWorkflowExecutionRequest,
            RequestCancelWorkflowExecutionRequest,
        )

        question = DescribeWorkflowExecutionRequest(namespace=link.namespace, execution=execution(workflow_id, run_id))
        answer = await client.workflow_service.describe_workflow_execution(question, timeout=seconds(SECONDS))
        if answer.workflow_execution_info.HasField("close_time"):
            raise CliError(f"can't cancel workflow {workflow_id!r}: it is over already")
        request = RequestCancelWorkflowExecutionRequest(
            namespace=link.namespace,
            workflow_execution=execution(workflow_id, run_id),
            identity=client.identity,
            request_id=str(uuid.uuid4()),
        )
        await client.workflow_service.request_cancel_workflow_execution(request, retry=True, timeout=seconds(SECONDS))
    return f"asked {workflow_id} to cancel"


async def terminate_workflow(link: Link, workflow_id: str, run_id: str, reason: str) -> str:
    """End a run at once."""
    async with link.asking(f"terminate workflow {workflow_id!r}") as client:
        from temporalio.api.workflowservice.v1 import TerminateWorkflowExecutionRequest

        request = TerminateWorkflowExecutionRequest(
            namespace=link.namespace,
            workflow_execution=execution(workflow_id, run_id),
            reason=reason,
            identity=client.identity,
        )
        await client.workflow_service.terminate_workflow_execution(request, retry=True, timeout=seconds(SECONDS))
    return f"terminated {workflow_id}"


async def pause_workflow(link: Link, workflow_id: str, run_id: str, reason: str) -> str:
    """Let a run rest: no worker gets its tasks."""
    async with link.asking(f"pause workflow {workflow_id!r}") as client:
        from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest

        request = PauseWorkflowExecutionRequest(**_pause_fields(link, client, workflow_id, run_id, reason))
        await client.workflow_service.pause_workflow_execution(request, retry=True, timeout=seconds(SECONDS))
    return f"paused {workflow_id}"


async def unpause_workflow(link: Link, workflow_id: str, run_id: str, reason: str) -> str:
    """Let a run that rests go on."""
    async with link.asking(f"unpause workflow {workflow_id!r}") as client:
        from temporalio.api.workflowservice.v1 import UnpauseWorkflowExecutionRequest

        request = UnpauseWorkflowExecutionRequest(**_pause_fields(link, client, workflow_id, run_id, reason))
        await client.workflow_service.unpause_workflow_execution(request, retry=True, timeout=seconds(SECONDS))
    return f"unpaused {workflow_id}"


def _pause_fields(link: Link, client: Client, workflow_id: str, run_id: str, reason: str) -> dict[str, str]:
    """Return the fields that both requests have."""
    return {
        "namespace": link.namespace,
        "workflow_id": workflow_id,
        "run_id": run_id,
        "reason": reason,
        "identity": client.identity,
        "request_id": str(uuid.uuid4()),
    }


def execution(workflow_id: str, run_id: str) -> WorkflowExecution:
    """Name a run as requests do."""
    from temporalio.api.common.v1 import WorkflowExecution

    return WorkflowExecution(workflow_id=workflow_id, run_id=run_id)


def make_arguments(text: str) -> Payloads | None:
    """Encode JSON values separated by commas; None when there is none."""
    from temporalio.api.common.v1 import Payloads

    from durable_cli.payloads import make_payload
    from durable_cli.tui.field_checks import parse_arguments

    values = parse_arguments(text)
    return Payloads(payloads=[make_payload(value) for value in values]) if values else None
