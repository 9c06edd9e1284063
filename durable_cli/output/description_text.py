"""What DescribeWorkflowExecution says, as text."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo, ResetPoints, WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from durable_cli.output.description import name_status
from durable_cli.output.failure_text import format_failure
from durable_cli.output.payload_text import format_fields, format_payload, format_payloads, message_to_text
from durable_cli.output.result_text import list_result_rows
from durable_cli.output.text import Row, TextScreen, style_status
from durable_cli.output.times import format_duration

__all__ = ["draw_description", "draw_reset_points"]


def draw_description(
    screen: TextScreen, description: DescribeWorkflowExecutionResponse, close_event: HistoryEvent | None, namespace: str
) -> None:
    """Draw a description and, of a closed run, how it ended."""
    screen.card("Workflow", _list_info_rows(screen, description, namespace))
    if close_event is not None:
        screen.card("Result", list_result_rows(close_event))
    for number, activity in enumerate(description.pending_activities, 1):
        screen.card(f"Pending activity {number}", _list_activity_rows(screen, activity))
    for child in description.pending_children:
        screen.card(
            "Pending child workflow",
            [("WorkflowId", child.workflow_id), ("RunId", child.run_id), ("Type", child.workflow_type_name)],
        )
    for operation in description.pending_nexus_operations:
        screen.card("Pending Nexus operation", [("Operation", message_to_text(operation))])
    if description.HasField("pending_workflow_task"):
        task = description.pending_workflow_task
        screen.card(
            "Pending workflow task",
            [
                ("Attempt", str(task.attempt)),
                ("ScheduledTime", screen.format_time(task.scheduled_time)),
                ("StartedTime", screen.format_time(task.started_time)),
            ],
        )
    for callback in description.callbacks:
        screen.card("Callback", [("Callback", message_to_text(callback))])


def _list_info_rows(screen: TextScreen, description: DescribeWorkflowExecutionResponse, namespace: str) -> list[Row]:
    info = description.workflow_execution_info
    config = description.execution_config
    extended = description.workflow_extended_info
    return [
        ("WorkflowId", info.execution.workflow_id),
        ("RunId", info.execution.run_id),
        ("Type", info.type.name),
        ("Status", style_status(name_status(info.status))),
        ("CancelRequested", "yes" if extended.cancel_requested else ""),
        ("Namespace", namespace),
        ("TaskQueue", info.task_queue),
        ("Summary", _format_optional(config.user_metadata, "summary")),
        ("Details", _format_optional(config.user_metadata, "details")),
        ("StartTime", screen.format_time(info.start_time)),
        ("ExecutionTime", _unless_equal(screen, info.execution_time, info.start_time)),
        ("CloseTime", screen.format_time(info.close_time)),
        ("Duration", format_duration(info.execution_duration) if info.HasField("execution_duration") else ""),
        ("RunExpirationTime", screen.format_time(extended.run_expiration_time)),
        ("LastResetTime", screen.format_time(extended.last_reset_time)),
        ("Paused", message_to_text(extended.pause_info) if extended.HasField("pause_info") else ""),
        ("Memo", format_fields(info.memo.fields)),
        ("SearchAttributes", format_fields(info.search_attributes.indexed_fields)),
        ("History", f"{info.history_length} events, {info.history_size_bytes} bytes"),
        ("StateTransitions", str(info.state_transition_count)),
        ("Versioning", message_to_text(info.versioning_info) if info.HasField("versioning_info") else ""),
        *_list_family_rows(info),
    ]


def _list_family_rows(info: WorkflowExecutionInfo) -> list[Row]:
    rows: list[Row] = []
    if info.parent_execution.workflow_id:
        rows.append(("Parent", f"{info.parent_execution.workflow_id}  {info.parent_execution.run_id}"))
    if info.root_execution.workflow_id not in {"", info.execution.workflow_id}:
        rows.append(("Root", f"{info.root_execution.workflow_id}  {info.root_execution.run_id}"))
    return rows


def _list_activity_rows(screen: TextScreen, activity: PendingActivityInfo) -> list[Row]:
    attempts = f"{activity.attempt} of {activity.maximum_attempts}" if activity.maximum_attempts else activity.attempt
    return [
        ("ActivityId", activity.activity_id),
        ("Type", activity.activity_type.name),
        ("State", PendingActivityState.Name(activity.state).removeprefix("PENDING_ACTIVITY_STATE_").capitalize()),
        ("Attempt", str(attempts)),
        ("ScheduledTime", screen.format_time(activity.scheduled_time)),
        ("LastStartedTime", screen.format_time(activity.last_started_time)),
        ("LastHeartbeatTime", screen.format_time(activity.last_heartbeat_time)),
        ("HeartbeatDetails", format_payloads(activity.heartbeat_details.payloads)),
        ("ExpirationTime", screen.format_time(activity.expiration_time)),
        ("LastFailure", format_failure(activity.last_failure) if activity.HasField("last_failure") else ""),
        ("LastWorker", activity.last_worker_identity),
    ]


def _format_optional(metadata: Any, field: str) -> str:
    return format_payload(getattr(metadata, field)) if metadata.HasField(field) else ""


def _unless_equal(screen: TextScreen, time: Any, other: Any) -> str:
    return "" if time == other else screen.format_time(time)


def draw_reset_points(screen: TextScreen, points: ResetPoints) -> None:
    """Draw the points to which a run can be reset."""
    screen.heading(f"{len(points.points)} reset points")
    screen.table(
        ["EventId", "CreateTime", "RunId", "BuildId"],
        [
            (
                str(point.first_workflow_task_completed_id),
                screen.format_time(point.create_time),
                point.run_id,
                point.build_id or point.binary_checksum,
            )
            for point in points.points
        ],
        right=1,
    )
