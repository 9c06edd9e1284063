"""What a transition asks the runtime to do; effects are values and run in the order in which they were added.

Rules:
- Dispatching a task is done inside the step that scheduled it, so that Scheduled and Started share one commit
  where a poller already waits. Everything that a caller or worker can see happens after the commit.
- A task effect carries its stamp (`scheduled_event_id`, `attempt`): whoever starts the task later checks both.
"""

from __future__ import annotations

from typing import NamedTuple

from temporalio.api.common.v1 import Priority
from temporalio.api.failure.v1 import Failure
from temporalio.api.query.v1 import WorkflowQueryResult

from engine.core.errors import ServiceError
from engine.core.inputs import (
    MessageSender,
    RecordChildWorkflowExecutionClosed,
    RequestCancelWorkflowExecution,
    SignalWorkflowExecution,
    StartChildWorkflowExecution,
    TerminateWorkflowExecution,
)
from engine.core.matching.backlog import TaskRef

__all__ = [
    "AnswerQueries",
    "AnswerUpdate",
    "Effect",
    "EnqueueActivityTask",
    "EnqueueWorkflowTask",
    "SendToRun",
    "SetDeadline",
]

Message = (
    StartChildWorkflowExecution
    | SignalWorkflowExecution
    | RequestCancelWorkflowExecution
    | TerminateWorkflowExecution
    | RecordChildWorkflowExecutionClosed
)


class EnqueueWorkflowTask(NamedTuple):
    """Offer a scheduled workflow task to the pollers of `task_queue`; `sticky` says that it is a worker's own queue."""

    run_key: int
    namespace_id: str
    task_queue: str
    sticky: bool
    normal_task_queue: str
    scheduled_event_id: int
    attempt: int
    priority: Priority | None

    @property
    def task(self) -> TaskRef:
        return TaskRef(
            self.run_key, self.scheduled_event_id, self.attempt, self.sticky, self.normal_task_queue, self.priority
        )


class EnqueueActivityTask(NamedTuple):
    """Offer a scheduled activity attempt to the pollers of `task_queue`."""

    run_key: int
    namespace_id: str
    task_queue: str
    scheduled_event_id: int
    attempt: int
    priority: Priority | None

    @property
    def task(self) -> TaskRef:
        return TaskRef(self.run_key, self.scheduled_event_id, self.attempt, priority=self.priority)


class AnswerQueries(NamedTuple):
    """Give the worker's answers to the queries that rode on a workflow task.

    `unblock` says that no further workflow task follows, so what is still waiting can be asked directly.
    """

    run_key: int
    results: dict[str, WorkflowQueryResult | ServiceError]
    unblock: bool


class SendToRun(NamedTuple):
    """Hand an input to another run, in the same commit; `sender` is told what became of it."""

    item: Message
    sender: MessageSender | None = None


class AnswerUpdate(NamedTuple):
    """Tell those who wait for an update what the run's state will not say: it was rejected, or given up."""

    run_key: int
    update_id: str
    result: Failure | ServiceError


class SetDeadline(NamedTuple):
    """Look at the run by `due_ns`: a deadline that is not stored, as that of a speculative workflow task."""

    run_key: int
    due_ns: int


Effect = EnqueueWorkflowTask | EnqueueActivityTask | AnswerQueries | AnswerUpdate | SetDeadline | SendToRun
