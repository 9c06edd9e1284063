"""What reaches the core: RPCs, named after them, and deadlines that fell due.

Rules:
- An input is a value: the request as it came (validated and normalised by the service), and whom it is for.
- It is a named tuple: every call makes some, and a frozen dataclass takes several times as long to make.
- `RunRef` names the run: by key where a task token carries it, else by ids; an empty `run_id` is the current run.
- What one run sends another is an input too: `external` says who sends, and `MessageAnswered` tells the sender how it
  went.
"""

from __future__ import annotations

from typing import NamedTuple

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


class RunRef(NamedTuple):
    """Which run: `run_key` when not 0, else the ids."""

    namespace_id: str
    workflow_id: str = ""
    run_id: str = ""
    run_key: int = 0


class ActivityRef(NamedTuple):
    """Which activity of the run: a task token (its attempt is checked), or an `activity_id`."""

    token: ActivityTaskToken | None = None
    activity_id: str = ""


class ExternalCaller(NamedTuple):
    """The run that sends a signal, a cancellation request or a termination to another one.

    With `child_workflow_only` it must be the parent of the one that gets it. `initiated_event_id` is its event, 0 for
    what follows from its close.
    """

    namespace_id: str
    execution: WorkflowExecution
    initiated_event_id: int = 0
    child_workflow_only: bool = False


class MessageSender(NamedTuple):
    """Whom to tell what became of a message: a pending command of a run."""

    run: RunRef
    command_type: int
    initiated_event_id: int


class StartWorkflowExecution(NamedTuple):
    """Start a run; addressed to a workflow id."""

    namespace_id: str
    request: StartWorkflowExecutionRequest

    @property
    def workflow_id(self) -> str:
        return self.request.workflow_id


class StartChildWorkflowExecution(NamedTuple):
    """Start the child that `parent` initiated; addressed to the child's workflow id."""

    parent: RunRef
    initiated_event_id: int
    namespace_id: str
    workflow_id: str


class ExecuteMultiOperation(NamedTuple):
    """Update the running execution of a workflow id, or start one and update it."""

    namespace_id: str
    start: StartWorkflowExecutionRequest
    update: UpdateWorkflowExecutionRequest

    @property
    def workflow_id(self) -> str:
        return self.start.workflow_id


class SignalWithStartWorkflowExecution(NamedTuple):
    """Signal the running execution of a workflow id, or start one and signal it."""

    namespace_id: str
    request: SignalWithStartWorkflowExecutionRequest

    @property
    def workflow_id(self) -> str:
        return self.request.workflow_id


class SignalWorkflowExecution(NamedTuple):
    run: RunRef
    request: SignalWorkflowExecutionRequest
    external: ExternalCaller | None = None


class RequestCancelWorkflowExecution(NamedTuple):
    run: RunRef
    request: RequestCancelWorkflowExecutionRequest
    external: ExternalCaller | None = None


class TerminateWorkflowExecution(NamedTuple):
    run: RunRef
    request: TerminateWorkflowExecutionRequest
    external: ExternalCaller | None = None


class MessageAnswered(NamedTuple):
    """What became of a message that this run sent: the started child's run id, or the refusal."""

    run: RunRef
    command_type: int
    initiated_event_id: int
    run_id: str = ""
    error: ServiceError | None = None


class RecordChildWorkflowExecutionClosed(NamedTuple):
    """A child of this run has closed; `execution` is the last run of its chain, `first_execution_run_id` the first."""

    run: RunRef
    initiated_event_id: int
    execution: WorkflowExecution
    first_execution_run_id: str
    close: HistoryEvent


class ResetWorkflowExecution(NamedTuple):
    """Go on from an earlier event of `run` in a new run; the current run ends."""

    run: RunRef
    request: ResetWorkflowExecutionRequest


class UpdateWorkflowExecution(NamedTuple):
    run: RunRef
    request: UpdateWorkflowExecutionRequest


class UpdateWorkflowExecutionOptions(NamedTuple):
    run: RunRef
    request: UpdateWorkflowExecutionOptionsRequest


class WorkflowTaskDispatched(NamedTuple):
    """A poller of `task_queue` takes the scheduled workflow task with this stamp."""

    run: RunRef
    scheduled_event_id: int
    attempt: int
    task_queue: str
    sticky: bool
    identity: str
    worker_version: WorkerVersionStamp | None = None


class RespondWorkflowTaskCompleted(NamedTuple):
    run: RunRef
    token: WorkflowTaskToken
    request: RespondWorkflowTaskCompletedRequest


class FailWorkflowTaskCommand(NamedTuple):
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


class EndOutgrownRun(NamedTuple):
    """A change of this run would have taken it over a limit: end it instead (it was reloaded before)."""

    run: RunRef
    reason: str


class RespondWorkflowTaskFailed(NamedTuple):
    run: RunRef
    token: WorkflowTaskToken
    request: RespondWorkflowTaskFailedRequest


class ResetStickyTaskQueue(NamedTuple):
    run: RunRef


class ActivityTaskDispatched(NamedTuple):
    """A poller takes the scheduled attempt with this stamp."""

    run: RunRef
    scheduled_event_id: int
    attempt: int
    identity: str


class RespondActivityTaskCompleted(NamedTuple):
    run: RunRef
    activity: ActivityRef
    result: Payloads | None
    identity: str
    worker_version: WorkerVersionStamp | None = None


class RespondActivityTaskFailed(NamedTuple):
    run: RunRef
    activity: ActivityRef
    failure: Failure
    identity: str
    last_heartbeat_details: Payloads | None
    worker_version: WorkerVersionStamp | None = None


class RespondActivityTaskCanceled(NamedTuple):
    run: RunRef
    activity: ActivityRef
    details: Payloads | None
    identity: str


class RecordActivityTaskHeartbeat(NamedTuple):
    run: RunRef
    activity: ActivityRef
    details: Payloads | None
    identity: str


class WorkflowTaskUndelivered(NamedTuple):
    """The poller that was given this task went away before it got it."""

    run: RunRef
    token: WorkflowTaskToken


class ActivityTaskUndelivered(NamedTuple):
    """The poller that was given this attempt went away before it got it."""

    run: RunRef
    scheduled_event_id: int
    attempt: int
    started_time_ns: int


class DeadlineDue(NamedTuple):
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
