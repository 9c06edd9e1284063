"""Seed starts: a workflow that is started unless there is a run with its id, open or closed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from temporalio.api.common.v1 import Memo, Payload, Payloads, SearchAttributes, WorkflowType
from temporalio.api.enums.v1 import TaskQueueKind, WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from durable_cli.client import Client
from durable_cli.dev.project.model import Project, Start
from durable_cli.dev.provision.step import Result, Step
from durable_cli.payloads import make_payload

__all__ = ["list_steps"]


def list_steps(project: Project, client: Client) -> Sequence[Step]:
    """Return a step for every seed start."""
    return [
        Step(f"workflow {workflow_id}", partial(_make, client, workflow_id, declared))
        for workflow_id, declared in project.start.items()
    ]


async def _make(client: Client, workflow_id: str, declared: Start) -> Result:
    request = StartWorkflowExecutionRequest(
        namespace=declared.namespace,
        workflow_id=workflow_id,
        workflow_type=WorkflowType(name=declared.workflow_type),
        task_queue=TaskQueue(name=declared.task_queue, kind=TaskQueueKind.TASK_QUEUE_KIND_NORMAL),
        input=Payloads(payloads=map(make_payload, declared.input)) if declared.input else None,
        cron_schedule=declared.cron,
        identity=client.identity,
        request_id=str(uuid.uuid4()),
        # The server decides, so that two that start at the same time don't start it twice.
        workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
        workflow_id_conflict_policy=WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
        memo=Memo(fields=_make_fields(declared.memo)) if declared.memo else None,
        search_attributes=(
            SearchAttributes(indexed_fields=_make_fields(declared.search_attributes))
            if declared.search_attributes
            else None
        ),
    )
    try:
        await client.workflow_service.start_workflow_execution(request, retry=True)
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise
        return Result.STARTED_BEFORE
    return Result.STARTED


def _make_fields(values: Mapping[str, Any]) -> dict[str, Payload]:
    return {key: make_payload(value) for key, value in values.items()}
