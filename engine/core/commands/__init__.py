"""The commands that a worker answers a workflow task with: one module per CommandType.

Each module validates first (raising FailWorkflowTask) and applies second. `HANDLERS` is total over the enum: what this
server does not serve has an entry that says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import command_type_pb2 as ct
from temporalio.api.enums.v1 import failed_cause_pb2 as fc
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands import (
    cancel_timer,
    cancel_workflow_execution,
    complete_workflow_execution,
    continue_as_new_workflow_execution,
    fail_workflow_execution,
    modify_workflow_properties,
    protocol_message,
    record_marker,
    request_cancel_activity_task,
    request_cancel_external_workflow_execution,
    schedule_activity_task,
    signal_external_workflow_execution,
    start_child_workflow_execution,
    start_timer,
    upsert_workflow_search_attributes,
)
from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask, InvalidArgument

__all__ = ["CLOSING", "HANDLERS", "UNSERVED", "handle_command", "validate_sequence"]


@dataclass(frozen=True, slots=True)
class Handler:
    """How one CommandType is handled; `attributes_field` is its field in Command, which must be set if required."""

    attributes_field: str
    bad_attributes: fc.WorkflowTaskFailedCause.ValueType
    validate: Callable[[CommandWork, Any], None]
    apply: Callable[[CommandWork, Any], HistoryEvent | None]
    attributes_required: bool = True


HANDLERS: dict[int, Handler] = {
    ct.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: Handler(
        "schedule_activity_task_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
        schedule_activity_task.validate,
        schedule_activity_task.apply,
    ),
    ct.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK: Handler(
        "request_cancel_activity_task_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES,
        request_cancel_activity_task.validate,
        request_cancel_activity_task.apply,
    ),
    ct.COMMAND_TYPE_START_TIMER: Handler(
        "start_timer_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES,
        start_timer.validate,
        start_timer.apply,
    ),
    ct.COMMAND_TYPE_CANCEL_TIMER: Handler(
        "cancel_timer_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES,
        cancel_timer.validate,
        cancel_timer.apply,
    ),
    ct.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: Handler(
        "complete_workflow_execution_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES,
        complete_workflow_execution.validate,
        complete_workflow_execution.apply,
    ),
    ct.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: Handler(
        "fail_workflow_execution_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES,
        fail_workflow_execution.validate,
        fail_workflow_execution.apply,
    ),
    ct.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: Handler(
        "cancel_workflow_execution_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES,
        cancel_workflow_execution.validate,
        cancel_workflow_execution.apply,
    ),
    ct.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: Handler(
        "continue_as_new_workflow_execution_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES,
        continue_as_new_workflow_execution.validate,
        continue_as_new_workflow_execution.apply,
    ),
    ct.COMMAND_TYPE_RECORD_MARKER: Handler(
        "record_marker_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES,
        record_marker.validate,
        record_marker.apply,
    ),
    ct.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: Handler(
        "upsert_workflow_search_attributes_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
        upsert_workflow_search_attributes.validate,
        upsert_workflow_search_attributes.apply,
    ),
    ct.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: Handler(
        "start_child_workflow_execution_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES,
        start_child_workflow_execution.validate,
        start_child_workflow_execution.apply,
        attributes_required=False,
    ),
    ct.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: Handler(
        "signal_external_workflow_execution_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES,
        signal_external_workflow_execution.validate,
        signal_external_workflow_execution.apply,
    ),
    ct.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: Handler(
        "request_cancel_external_workflow_execution_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES,
        request_cancel_external_workflow_execution.validate,
        request_cancel_external_workflow_execution.apply,
    ),
    ct.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: Handler(
        "modify_workflow_properties_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES,
        modify_workflow_properties.validate,
        modify_workflow_properties.apply,
    ),
    ct.COMMAND_TYPE_PROTOCOL_MESSAGE: Handler(
        "protocol_message_command_attributes",
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
        protocol_message.validate,
        protocol_message.apply,
    ),
}

UNSERVED: dict[int, fc.WorkflowTaskFailedCause.ValueType] = {
    ct.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION: fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES,
    ct.COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION: (
        fc.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_NEXUS_OPERATION_ATTRIBUTES
    ),
}
"""Commands that fail the workflow task, each with its cause: this server does not carry them out."""

CLOSING = frozenset(
    {
        ct.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        ct.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
        ct.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
        ct.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
    }
)


def validate_sequence(commands: list[Command]) -> None:
    """Refuse a completion with an unknown command, or with a command after the closing one.

    Raises: InvalidArgument.
    """
    closing: int | None = None
    for command in commands:
        if closing is not None:
            names = ", ".join(_short_name(each.command_type) for each in commands)
            raise InvalidArgument(
                f"invalid command sequence: [{names}], command {_short_name(closing)} must be the last command."
            )
        if command.command_type in CLOSING:
            closing = command.command_type
        elif command.command_type not in HANDLERS and command.command_type not in UNSERVED:
            raise InvalidArgument(f"unknown command type: {_short_name(command.command_type)}")


def handle_command(work: CommandWork, command: Command) -> None:
    """Validate and apply one command.

    Raises: FailWorkflowTask.
    """
    handler = HANDLERS.get(command.command_type)
    if handler is None:
        name = _short_name(command.command_type)
        raise FailWorkflowTask(UNSERVED[command.command_type], f"{name} commands are not served by this server.")
    if handler.attributes_required and not command.HasField(handler.attributes_field):  # type: ignore[arg-type]
        name = _short_name(command.command_type)
        raise FailWorkflowTask(handler.bad_attributes, f"{name}CommandAttributes is not set on {name}Command.")
    attributes = getattr(command, handler.attributes_field)
    handler.validate(work, attributes)
    event = handler.apply(work, attributes)
    if event is not None:
        if command.HasField("user_metadata"):
            event.user_metadata.CopyFrom(command.user_metadata)
        event.event_group_markers.extend(command.event_group_markers)


def _short_name(command_type: int) -> str:
    try:
        name = ct.CommandType.Name(command_type)  # type: ignore[arg-type]
    except ValueError:
        return str(command_type)
    return "".join(word.capitalize() for word in name.removeprefix("COMMAND_TYPE_").split("_"))
