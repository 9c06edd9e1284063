"""What the handlers of one completion's commands share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause,
)
from temporalio.api.protocol.v1 import Message

from engine.core.errors import FailWorkflowTask, NamespaceNotFound
from engine.core.namespace import Namespace
from engine.core.transition import Transition

__all__ = ["CommandWork"]


@dataclass(slots=True)
class CommandWork:
    """The completion being worked through.

    `eager_activities` are the scheduled_event_ids of activities to start at once on the completing worker.
    `unstarted_activity_canceled` asks for a workflow task, since the cancellation took effect at once.
    `initiated_children` are the workflow ids of the children that this completion starts.
    `messages` are the completion's, `taken_messages` the indexes of those that took effect. `accepted_updates` and
    `finished_updates` are the ids of updates that this completion has accepted, and completed or rejected.
    """

    t: Transition
    workflow_task_completed_event_id: int
    identity: str
    has_buffered_events: bool
    eager_activities: list[int] = field(default_factory=list)
    unstarted_activity_canceled: bool = False
    initiated_children: set[str] = field(default_factory=set)
    messages: Sequence[Message] = ()
    taken_messages: set[int] = field(default_factory=set)
    accepted_updates: set[str] = field(default_factory=set)
    finished_updates: set[str] = field(default_factory=set)

    def refuse_close_with_buffered_events(self) -> None:
        """Fail the task when the workflow wants to close without having seen everything.

        Raises: FailWorkflowTask(UNHANDLED_COMMAND).
        """
        if self.has_buffered_events:
            raise FailWorkflowTask(WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, None)

    def refuse_in_this_state(self, cause: WorkflowTaskFailedCause.ValueType, action: str, detail: str) -> NoReturn:
        """Fail the task for a command that the state of the run has no place for.

        Args:
            action: the reference server's name of the event that can't be written.
        Raises: FailWorkflowTask.
        """
        raise FailWorkflowTask(cause, f"invalid history builder state for action: {action}, {detail}")

    def find_target_namespace(self, name: str) -> Namespace:
        """Return the namespace that a command is for: its own where it names none.

        Raises: NamespaceNotFound.
        """
        context = self.t.context
        if not name or name == context.namespace.name:
            return context.namespace
        found = context.find_namespace(name)
        if found is None:
            raise NamespaceNotFound(name)
        return found

    def target_namespace(self, name: str, cause: WorkflowTaskFailedCause.ValueType) -> Namespace:
        """Return the namespace that a command is for, if the server lets commands out of their own.

        Raises: NamespaceNotFound; FailWorkflowTask.
        """
        namespace = self.find_target_namespace(name)
        if namespace is not self.t.context.namespace and not self.t.context.limits.cross_namespace_commands:
            raise FailWorkflowTask(cause, "cross namespace commands are not allowed")
        return namespace

    def check_pending(self, pending: int, limit: int, what: str, cause: WorkflowTaskFailedCause.ValueType) -> None:
        """Fail the task when the run has too much of one kind pending; a limit of 0 is none."""
        if 0 < limit <= pending:
            raise FailWorkflowTask(
                cause, f"the number of {what}, {pending}, has reached the per-workflow limit of {limit}"
            )

    def check_blob_size(self, size_bytes: int, cause: WorkflowTaskFailedCause.ValueType, message: str) -> None:
        """End the run when a command carries more than a blob may hold: the worker would only send it again.

        Raises: FailWorkflowTask with `terminates_workflow`.
        """
        if size_bytes > self.t.context.limits.blob_size_error_bytes:
            raise FailWorkflowTask(cause, message, terminates_workflow=True)

    def check_id_length(self, cause: WorkflowTaskFailedCause.ValueType, name: str, command: str, value: str) -> None:
        """Fail the task for an empty or too long id."""
        limit = self.t.context.limits.max_id_length
        if not value:
            raise FailWorkflowTask(cause, f"{name} is not set on {command}.")
        length = len(value.encode())
        if length > limit:
            raise FailWorkflowTask(
                cause, f"{name} on {command} exceeds length limit. {name}={value} Length={length} Limit={limit}"
            )
