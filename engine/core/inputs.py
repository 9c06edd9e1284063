"""What reaches the core: RPCs, named after them, and deadlines that fell due.

Rules:
- An input is a value: the request as it came (validated and normalised by the service), and whom it is for.
- `RunRef` names the run: by key where a task token carries it, else by ids; an empty `run_id` is the current run.
- What one run sends another is an input too: `external` says who sends, and `MessageAnswered` tells the sender how it
  went.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads, WorkerVersionStamp, WorkflowExecution
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    ResetWorkflowExecutionRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionRequest,
)

from engine.core.errors import FailWorkflowTask, ServiceError
from engine.core.matching.task_token import ActivityTaskToken, WorkflowTaskToken
from engine.core.run.state import UnstoredState

__all__ = [
    "ActivityRef",
    "ActivityTaskDispatched",
    "ActivityTaskUndelivered",
    "DeadlineDue",
    "EndOutgrownRun",
    "ExecuteMultiOperation",
    "ExternalCaller",
    "FailWorkflowTaskCommand",
    "Input",
    "MessageAnswered",
    "MessageSender",
    "RecordActivityTaskHeartbeat",
    "RecordChildWorkflowExecutionClosed",
    "RequestCancelWorkflowExecution",
    "ResetStickyTaskQueue",
    "ResetWorkflowExecution",
    "RespondActivityTaskCanceled",
    "RespondActivityTaskCompleted",
    "RespondActivityTaskFailed",
    "RespondWorkflowTaskCompleted",
    "RespondWorkflowTaskFailed",
    "RunRef",
    "SignalWithStartWorkflowExecution",
    "SignalWorkflowExecution",
    "StartChildWorkflowExecution",
    "StartWorkflowExecution",
    "TerminateWorkflowExecution",
    "UpdateWorkflowExecution",
    "UpdateWorkflowExecutionOptions",
    "WorkflowTaskDispatched",
    "WorkflowTaskUndelivered",
]


@dataclass(frozen=True, slots=True)
class RunRef:
    """Which run: `run_key` when not 0, else the ids."""

    namespace_id: str
    workflow_id: str = ""
    run_id: str = ""
    run_key: int = 0


@dataclass(frozen=True, slots=True)
class ActivityRef:
    """Which activity of the run: a task token (its attempt is checked), or an `activity_id`."""

    token: ActivityTaskToken | None = None
    activity_id: str = ""


@dataclass(frozen=True, slots=True)
class ExternalCaller:
    """The run that sends a signal, a cancellation request or a termination to another one.

    With `child_workflow_only` it must be the parent of the one that gets it. `initiated_event_id` is its event, 0 for
    what follows from its close.
    """

    namespace_id: str
    execution: WorkflowExecution
    initiated_event_id: int = 0
    child_workflow_only: bool = False


@dataclass(frozen=True, slots=True)
class MessageSender:
    """Whom to tell what became of a message: a pending command of a run."""

    run: RunRef
    command_type: int
    initiated_event_id: int


@dataclass(frozen=True, slots=True)
class StartWorkflowExecution:
    """Start a run; addressed to a workflow id."""

    namespace_id: str
    request: StartWorkflowExecutionRequest

    @property
    def workflow_id(self) -> str:
        return self.request.workflow_id


@dataclass(frozen=True, slots=True)
class StartChildWorkflowExecution:
    """Start the child that `parent` initiated; addressed to the child's workflow id.

    With `after_reset` the parent is a run that a reset has just made, and its base run may have started the child.
    """

    parent: RunRef
    initiated_event_id: int
    namespace_id: str
    workflow_id: str
    after_reset: bool = False


@dataclass(frozen=True, slots=True)
class ExecuteMultiOperation:
    """Update the running execution of a workflow id, or start one and update it."""

    namespace_id: str
    start: StartWorkflowExecutionRequest
    update: UpdateWorkflowExecutionRequest

    @property
    def workflow_id(self) -> str:
        return self.start.workflow_id


@dataclass(frozen=True, slots=True)
class SignalWithStartWorkflowExecution:
    """Signal the running execution of a workflow id, or start one and signal it."""

    namespace_id: str
    request: SignalWithStartWorkflowExecutionRequest

    @property
    def workflow_id(self) -> str:
        return self.request.workflow_id


@dataclass(frozen=True, slots=True)
class SignalWorkflowExecution:
    run: RunRef
    request: SignalWorkflowExecutionRequest
    external: ExternalCaller | None = None


@dataclass(frozen=True, slots=True)
class RequestCancelWorkflowExecution:
    run: RunRef
    request: RequestCancelWorkflowExecutionRequest
    external: ExternalCaller | None = None


@dataclass(frozen=True, slots=True)
class TerminateWorkflowExecution:
    run: RunRef
    request: TerminateWorkflowExecutionRequest
    external: ExternalCaller | None = None


@dataclass(frozen=True, slots=True)
class MessageAnswered:
    """What became of a message that this run sent: the started child's run id, or the refusal."""

    run: RunRef
    command_type: int
    initiated_event_id: int
    run_id: str = ""
    error: ServiceError | None = None


@dataclass(frozen=True, slots=True)
class RecordChildWorkflowExecutionClosed:
    """A child of this run has closed; `execution` is the last run of its chain, `first_execution_run_id` the first."""

    run: RunRef
    initiated_event_id: int
    execution: WorkflowExecution
    first_execution_run_id: str
    close: HistoryEvent


@dataclass(frozen=True, slots=True)
class ResetWorkflowExecution:
    """Go on from an earlier event of `run` in a new run; the current run ends."""

    run: RunRef
    request: ResetWorkflowExecutionRequest


@dataclass(frozen=True, slots=True)
class UpdateWorkflowExecution:
    run: RunRef
    request: UpdateWorkflowExecutionRequest


@dataclass(frozen=True, slots=True)
class UpdateWorkflowExecutionOptions:
    run: RunRef
    request: UpdateWorkflowExecutionOptionsRequest


@dataclass(frozen=True, slots=True)
class WorkflowTaskDispatched:
    """A poller of `task_queue` takes the scheduled workflow task with this stamp."""

    run: RunRef
    scheduled_event_id: int
    attempt: int
    task_queue: str
    sticky: bool
    identity: str
    worker_version: WorkerVersionStamp | None = None


@dataclass(frozen=True, slots=True)
class RespondWorkflowTaskCompleted:
    run: RunRef
    token: WorkflowTaskToken
    request: RespondWorkflowTaskCompletedRequest


@dataclass(frozen=True, slots=True)
class FailWorkflowTaskCommand:
    """The completion of this task held a bad command: fail the task instead (the run was reloaded before)."""

    run: RunRef
    token: WorkflowTaskToken
    cause: int
    message: str
    terminates_workflow: bool
    identity: str
    binary_checksum: str
    unstored: UnstoredState | None = None

    @classmethod
    def instead_of(cls, completed: RespondWorkflowTaskCompleted, error: FailWorkflowTask) -> FailWorkflowTaskCommand:
        """Return what to do in the place of a completion that `error` came of."""
        return cls(
            run=completed.run,
            token=completed.token,
            cause=error.cause,
            message=error.message,
            terminates_workflow=error.terminates_workflow,
            identity=completed.request.identity,
            binary_checksum=completed.request.binary_checksum,
            unstored=error.unstored,
        )


@dataclass(frozen=True, slots=True)
class EndOutgrownRun:
    """A change of this run would have taken it over a limit: end it instead (it was reloaded before)."""

    run: RunRef
    reason: str


@dataclass(frozen=True, slots=True)
class RespondWorkflowTaskFailed:
    run: RunRef
    token: WorkflowTaskToken
    request: RespondWorkflowTaskFailedRequest


@dataclass(frozen=True, slots=True)
class ResetStickyTaskQueue:
    run: RunRef


@dataclass(frozen=True, slots=True)
class ActivityTaskDispatched:
    """A poller takes the scheduled attempt with this stamp."""

    run: RunRef
    scheduled_event_id: int
    attempt: int
    identity: str


@dataclass(frozen=True, slots=True)
class RespondActivityTaskCompleted:
    run: RunRef
    activity: ActivityRef
    result: Payloads | None
    identity: str
    worker_version: WorkerVersionStamp | None = None


@dataclass(frozen=True, slots=True)
class RespondActivityTaskFailed:
    run: RunRef
    activity: ActivityRef
    failure: Failure
    identity: str
    last_heartbeat_details: Payloads | None
    worker_version: WorkerVersionStamp | None = None


@dataclass(frozen=True, slots=True)
class RespondActivityTaskCanceled:
    run: RunRef
    activity: ActivityRef
    details: Payloads | None
    identity: str


@dataclass(frozen=True, slots=True)
class RecordActivityTaskHeartbeat:
    run: RunRef
    activity: ActivityRef
    details: Payloads | None
    identity: str


@dataclass(frozen=True, slots=True)
class WorkflowTaskUndelivered:
    """The poller that was given this task went away before it got it."""

    run: RunRef
    token: WorkflowTaskToken


@dataclass(frozen=True, slots=True)
class ActivityTaskUndelivered:
    """The poller that was given this attempt went away before it got it."""

    run: RunRef
    scheduled_event_id: int
    attempt: int
    started_time_ns: int


@dataclass(frozen=True, slots=True)
class DeadlineDue:
    """The run's earliest deadline has passed."""

    run: RunRef


Input = (
    StartWorkflowExecution
    | StartChildWorkflowExecution
    | SignalWithStartWorkflowExecution
    | ExecuteMultiOperation
    | SignalWorkflowExecution
    | RequestCancelWorkflowExecution
    | TerminateWorkflowExecution
    | ResetWorkflowExecution
    | MessageAnswered
    | RecordChildWorkflowExecutionClosed
    | UpdateWorkflowExecution
    | UpdateWorkflowExecutionOptions
    | WorkflowTaskDispatched
    | RespondWorkflowTaskCompleted
    | FailWorkflowTaskCommand
    | EndOutgrownRun
    | RespondWorkflowTaskFailed
    | ResetStickyTaskQueue
    | ActivityTaskDispatched
    | RespondActivityTaskCompleted
    | RespondActivityTaskFailed
    | RespondActivityTaskCanceled
    | RecordActivityTaskHeartbeat
    | WorkflowTaskUndelivered
    | ActivityTaskUndelivered
    | DeadlineDue
)
