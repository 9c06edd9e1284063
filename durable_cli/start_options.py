"""The options of `workflow start` and `workflow execute`, and the request that they make."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from durable_cli.lazy import UsageError
from durable_cli.options import PayloadInputOptions, choose_id, declare
from durable_cli.parameters import DURATION

if TYPE_CHECKING:
    from temporalio.api.workflowservice.v1 import (
        StartWorkflowExecutionRequest,
        StartWorkflowExecutionResponse,
    )

    from durable_cli.client import Client

__all__ = ["StartOptions", "StartedRun", "start_workflow"]

# ruff: noqa: RUF009 (`declare` returns a dataclass field, as `field` does)

REUSE_POLICIES = {
    "AllowDuplicate": 1,
    "AllowDuplicateFailedOnly": 2,
    "RejectDuplicate": 3,
    "TerminateIfRunning": 4,
}
CONFLICT_POLICIES = {"Fail": 1, "UseExisting": 2, "TerminateExisting": 3}


@dataclass(frozen=True, slots=True)
class StartOptions:
    """What describes a new workflow."""

    id_argument: str | None = declare(is_argument=True, metavar="[WORKFLOW_ID]")
    workflow_id_option: str | None = declare(
        "-w", "--workflow-id", metavar="TEXT", help="Workflow id. [default: a new UUID]"
    )
    type: str | None = declare("--type", "--name", metavar="TEXT", help="Workflow type. Required.")
    task_queue: str | None = declare("-t", "--task-queue", help="Task queue of its workers. Required.")
    id_reuse_policy: str | None = declare(
        "--id-reuse-policy",
        type=click.Choice(list(REUSE_POLICIES)),
        metavar="POLICY",
        help=f"What if a closed workflow has the id: {', '.join(REUSE_POLICIES)}.",
    )
    id_conflict_policy: str | None = declare(
        "--id-conflict-policy",
        type=click.Choice(list(CONFLICT_POLICIES)),
        metavar="POLICY",
        help=f"What if a running workflow has the id: {', '.join(CONFLICT_POLICIES)}.",
    )
    fail_existing: bool = declare(
        "--fail-existing", default=False, is_flag=True, help="Fail if the workflow exists; otherwise that one is shown."
    )
    execution_timeout: timedelta | None = declare(
        "--execution-timeout", type=DURATION, help="Time limit of the workflow with all its retries and further runs."
    )
    run_timeout: timedelta | None = declare("--run-timeout", type=DURATION, help="Time limit of one run.")
    task_timeout: timedelta | None = declare(
        "--task-timeout",
        type=DURATION,
        default=timedelta(seconds=10),
        help="Time limit of a workflow task. [default: 10s]",
    )
    start_delay: timedelta | None = declare("--start-delay", type=DURATION, help="Wait so long before the first task.")
    cron: str | None = declare("--cron", hidden=True)
    memo: tuple[str, ...] = declare(
        "--memo", default=(), multiple=True, metavar="KEY=JSON", help="Memo field. Repeatable."
    )
    search_attribute: tuple[str, ...] = declare(
        "--search-attribute", default=(), multiple=True, metavar="KEY=JSON", help="Search attribute. Repeatable."
    )
    headers: tuple[str, ...] = declare(
        "--headers", default=(), multiple=True, metavar="KEY=JSON", help="Workflow header. Repeatable."
    )
    static_summary: str | None = declare("--static-summary", help="One line for people, in Markdown.")
    static_details: str | None = declare("--static-details", help="Details for people, in Markdown.")
    priority_key: int = declare("--priority-key", type=int, default=0, help="Priority, 1 (first) to 5. [default: 3]")
    fairness_key: str | None = declare("--fairness-key", help="Fairness key of its tasks.")
    fairness_weight: float = declare("--fairness-weight", type=float, default=0.0, help="Weight of the fairness key.")

    @property
    def workflow_id(self) -> str:
        """The workflow id that was given, or an empty string."""
        return choose_id(self.id_argument, self.workflow_id_option)

    def require(self) -> tuple[str, str]:
        """Return type and task queue, or raise UsageError for what is missing."""
        missing = [name for name, value in (("--type", self.type), ("--task-queue", self.task_queue)) if not value]
        if missing or not self.type or not self.task_queue:
            raise UsageError(
                f"{' and '.join(missing)} must be given",
                "for example: dx workflow start --type OrderWorkflow --task-queue orders --input '\"order-1\"'",
            )
        return self.type, self.task_queue


@dataclass(frozen=True, slots=True)
class StartedRun:
    """The run that a start led to; `is_new` is False when the workflow was there already."""

    workflow_id: str
    run_id: str
    is_new: bool


async def start_workflow(client: Client, options: StartOptions, inputs: PayloadInputOptions) -> StartedRun:
    """Start a workflow; one that exists already is returned instead, unless --fail-existing was given."""
    from temporalio.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
    from temporalio.service import RPCError, RPCStatusCode

    from durable_cli.client import find_detail

    request = _make_request(client, options, inputs)
    async with client.doing(f"start workflow {request.workflow_id!r}"):
        try:
            response: StartWorkflowExecutionResponse = await client.workflow_service.start_workflow_execution(
                request, retry=True
            )
        except RPCError as error:
            existing = WorkflowExecutionAlreadyStartedFailure()
            if (
                options.fail_existing
                or error.status != RPCStatusCode.ALREADY_EXISTS
                or not find_detail(error, existing)
            ):
                raise
            return StartedRun(request.workflow_id, existing.run_id, is_new=False)
    return StartedRun(request.workflow_id, response.run_id, is_new=response.started)


def _make_request(client: Client, options: StartOptions, inputs: PayloadInputOptions) -> StartWorkflowExecutionRequest:
    from google.protobuf.duration_pb2 import Duration
    from temporalio.api.common.v1 import Header, Priority, WorkflowType
    from temporalio.api.enums.v1 import TaskQueueKind
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

    from durable_cli.payloads import make_header, make_memo, make_payloads, make_search_attributes

    type_name, task_queue = options.require()

    def duration(span: timedelta | None) -> Duration:
        message = Duration()
        message.FromTimedelta(span or timedelta())
        return message

    request = StartWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_id=options.workflow_id or str(uuid.uuid4()),
        workflow_type=WorkflowType(name=type_name),
        task_queue=TaskQueue(name=task_queue, kind=TaskQueueKind.TASK_QUEUE_KIND_NORMAL),
        input=make_payloads(inputs) if inputs.input or inputs.input_file else None,
        workflow_execution_timeout=duration(options.execution_timeout),
        workflow_run_timeout=duration(options.run_timeout),
        workflow_task_timeout=duration(options.task_timeout),
        workflow_start_delay=duration(options.start_delay) if options.start_delay else None,
        identity=client.identity,
        request_id=str(uuid.uuid4()),
        workflow_id_reuse_policy=REUSE_POLICIES.get(options.id_reuse_policy or "", 0),  # type: ignore[arg-type]
        workflow_id_conflict_policy=CONFLICT_POLICIES.get(options.id_conflict_policy or "", 0),  # type: ignore[arg-type]
        cron_schedule=options.cron or "",
        header=make_header(options.headers) or Header(),
    )
    if options.memo:
        request.memo.CopyFrom(make_memo(options.memo))
    if options.search_attribute:
        request.search_attributes.CopyFrom(make_search_attributes(options.search_attribute))
    if options.priority_key or options.fairness_key or options.fairness_weight:
        request.priority.CopyFrom(
            Priority(
                priority_key=options.priority_key,
                fairness_key=options.fairness_key or "",
                fairness_weight=options.fairness_weight,
            )
        )
    _add_user_metadata(request, options)
    return request


def _add_user_metadata(request: Any, options: StartOptions) -> None:
    from durable_cli.payloads import make_payload

    if options.static_summary:
        request.user_metadata.summary.CopyFrom(make_payload(options.static_summary))
    if options.static_details:
        request.user_metadata.details.CopyFrom(make_payload(options.static_details))
