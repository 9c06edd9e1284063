"""Schedules: created when missing, updated when they differ from the file.

The file says when a schedule is due and what it starts. Whether it is paused, and its note, belong to whoever looks
after it while it runs, unless the file names them; jitter, limits and the like, which it has no keys for, stay as they
are on the server.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import partial

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Payloads, WorkflowType
from temporalio.api.enums.v1 import ScheduleOverlapPolicy, TaskQueueKind
from temporalio.api.schedule.v1 import IntervalSpec, Schedule
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DescribeScheduleRequest,
    UpdateScheduleRequest,
)
from temporalio.service import RPCError, RPCStatusCode

from durable_cli.client import Client
from durable_cli.dev.project.model import Project
from durable_cli.dev.project.model import Schedule as DeclaredSchedule
from durable_cli.dev.provision.calendars import expand_calendar, expand_cron
from durable_cli.dev.provision.step import Result, Step
from durable_cli.payloads import make_payload

__all__ = ["OVERLAP_POLICIES", "list_steps"]

OVERLAP_POLICIES = {
    "Skip": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP,
    "BufferOne": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE,
    "BufferAll": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
    "CancelOther": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER,
    "TerminateOther": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER,
    "AllowAll": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
}


def list_steps(project: Project, client: Client) -> Sequence[Step]:
    """Return a step for every schedule."""
    return [
        Step(f"schedule {schedule_id}", partial(_make, client, schedule_id, declared))
        for schedule_id, declared in project.schedules.items()
    ]


async def _make(client: Client, schedule_id: str, declared: DeclaredSchedule) -> Result:
    service = client.workflow_service
    namespace = declared.namespace
    try:
        described = await service.describe_schedule(
            DescribeScheduleRequest(namespace=namespace, schedule_id=schedule_id), retry=True
        )
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        schedule = Schedule()
        _apply(declared, schedule)
        request = CreateScheduleRequest(
            namespace=namespace,
            schedule_id=schedule_id,
            schedule=schedule,
            identity=client.identity,
            request_id=str(uuid.uuid4()),
        )
        await service.create_schedule(request, retry=True)
        return Result.CREATED
    if _is_as_declared(declared, described.schedule):
        return Result.UNCHANGED
    schedule = Schedule()
    schedule.CopyFrom(described.schedule)
    _apply(declared, schedule)
    update = UpdateScheduleRequest(
        namespace=namespace,
        schedule_id=schedule_id,
        schedule=schedule,
        conflict_token=described.conflict_token,
        identity=client.identity,
        request_id=str(uuid.uuid4()),
    )
    await service.update_schedule(update, retry=True)
    return Result.UPDATED


def _apply(declared: DeclaredSchedule, schedule: Schedule) -> None:
    """Write what is declared into a schedule; what the file has no say in stays."""
    spec = schedule.spec
    for times in ("structured_calendar", "cron_string", "calendar", "interval"):
        spec.ClearField(times)
    spec.cron_string.extend(declared.cron)
    spec.interval.extend(_make_intervals(declared))
    spec.timezone_name = declared.timezone or ""
    schedule.action.start_workflow.CopyFrom(_make_action(declared))
    schedule.policies.overlap_policy = OVERLAP_POLICIES[declared.overlap]
    if "paused" in declared.model_fields_set:
        schedule.state.paused = declared.paused
    if "note" in declared.model_fields_set:
        schedule.state.notes = declared.note


def _is_as_declared(declared: DeclaredSchedule, schedule: Schedule) -> bool:
    """Compare with what the server has: it turns cron expressions into calendars and fills in defaults."""
    existing, wanted = schedule.action.start_workflow, _make_action(declared)
    if (
        sorted(map(expand_calendar, schedule.spec.structured_calendar)) != sorted(map(expand_cron, declared.cron))
        or list(schedule.spec.interval) != _make_intervals(declared)
        or schedule.spec.timezone_name != (declared.timezone or "")
        or schedule.policies.overlap_policy != OVERLAP_POLICIES[declared.overlap]
    ):
        return False
    if "paused" in declared.model_fields_set and schedule.state.paused != declared.paused:
        return False
    if "note" in declared.model_fields_set and schedule.state.notes != declared.note:
        return False
    return (
        existing.workflow_id == wanted.workflow_id
        and existing.workflow_type == wanted.workflow_type
        and existing.task_queue.name == wanted.task_queue.name
        and list(existing.input.payloads) == list(wanted.input.payloads)
    )


def _make_action(declared: DeclaredSchedule) -> NewWorkflowExecutionInfo:
    return NewWorkflowExecutionInfo(
        workflow_id=declared.workflow_id,
        workflow_type=WorkflowType(name=declared.workflow_type),
        task_queue=TaskQueue(name=declared.task_queue, kind=TaskQueueKind.TASK_QUEUE_KIND_NORMAL),
        input=Payloads(payloads=map(make_payload, declared.input)) if declared.input else None,
    )


def _make_intervals(declared: DeclaredSchedule) -> list[IntervalSpec]:
    intervals = []
    for every in declared.every:
        interval = Duration()
        interval.FromTimedelta(every)
        intervals.append(IntervalSpec(interval=interval))
    return intervals
