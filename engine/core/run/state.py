"""The state of one run: what its history says (derived), and what Temporal keeps beside history (transient).

Rules:
- A *derived* field is written by `evolve` alone, so folding the history gives it back.
- A *transient* field is stored in its own columns or rows and is put back by recovery; `evolve` only initialises it.
- Numbers of nanoseconds are 0 where the proto has no value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.any_pb2 import Any
from temporalio.api.common.v1 import Link, Payload, Payloads, Priority, WorkerVersionStamp, WorkflowExecution
from temporalio.api.enums.v1.workflow_pb2 import (
    WORKFLOW_EXECUTION_STATUS_RUNNING,
    WORKFLOW_EXECUTION_STATUS_UNSPECIFIED,
    SuggestContinueAsNewReason,
)
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import (
    ActivityTaskScheduledEventAttributes,
    HistoryEvent,
    RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
    SignalExternalWorkflowExecutionInitiatedEventAttributes,
    WorkflowExecutionStartedEventAttributes,
)
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.update.v1 import Request
from temporalio.api.workflow.v1 import ResetPointInfo

from engine.core.policy.durations import timestamp_to_ns
from engine.core.policy.priority import merge_priority
from engine.core.run.time_skipping import TimeSkipping

__all__ = [
    "SIGNAL_REQUEST",
    "ActivityInfo",
    "ChildInfo",
    "RunState",
    "TimerInfo",
    "UnstoredState",
    "UpdateInfo",
    "WorkflowTask",
]

SIGNAL_REQUEST = 0
"""What `request_ids` says of a signal: a start with the same request id is another request, and the other way round."""


@dataclass(slots=True)
class ActivityInfo:
    """A pending activity: its scheduled event (derived) and its current attempt (transient)."""

    scheduled_event_id: int
    attributes: ActivityTaskScheduledEventAttributes
    scheduled_time_ns: int
    size_bytes: int
    cancel_requested_event_id: int = 0
    # Transient from here on, written by run/activity_task.py and kept in the `activities` table.
    attempt: int = 1
    attempt_scheduled_time_ns: int = 0
    started_time_ns: int = 0
    last_started_time_ns: int = 0
    last_attempt_complete_time_ns: int = 0
    last_heartbeat_time_ns: int = 0
    request_id: str = ""
    identity: str = ""
    heartbeat_details: Payloads | None = None
    last_failure: Failure | None = None
    backing_off: bool = False
    # Memory only.
    progress_size_bytes: int = 0

    @property
    def started(self) -> bool:
        return self.started_time_ns != 0

    @property
    def activity_id(self) -> str:
        return self.attributes.activity_id


@dataclass(slots=True)
class TimerInfo:
    """A pending user timer."""

    timer_id: str
    started_event_id: int
    expiry_time_ns: int


@dataclass(slots=True)
class ChildInfo:
    """A pending child workflow.

    `initiated` is dropped once the child has started, with the input that only the start needs. `started` is the event
    itself, since it gets its id at the flush when it was buffered.
    """

    initiated_event_id: int
    namespace_id: str
    workflow_id: str
    workflow_type: str
    parent_close_policy: int
    size_bytes: int
    initiated: HistoryEvent | None
    started: HistoryEvent | None = None

    @property
    def started_run_id(self) -> str:
        """The first run of the child; empty until it has started."""
        if self.started is None:
            return ""
        return self.started.child_workflow_execution_started_event_attributes.workflow_execution.run_id


@dataclass(slots=True)
class WorkflowTask:
    """The pending workflow task.

    A *transient* task (attempt > 1) has no events yet, and a *speculative* one, which brings updates, may never get
    any: its ids are those that its events would get. A speculative task is in memory only.
    `started_event_id` is 0 until a worker has it.
    """

    scheduled_event_id: int
    attempt: int
    scheduled_time_ns: int
    original_scheduled_time_ns: int
    start_to_close_timeout_ns: int
    task_queue: str
    sticky: bool
    started_event_id: int = 0
    started_time_ns: int = 0
    request_id: str = ""
    identity: str = ""
    worker_version: WorkerVersionStamp | None = None
    history_size_bytes: int = 0
    suggest_continue_as_new_reasons: tuple[SuggestContinueAsNewReason.ValueType, ...] = ()
    speculative: bool = False
    schedule_to_start_timeout_ns: int = field(default=0, compare=False)
    """That of a task which began as a speculative one, on the normal queue too; memory only."""

    @property
    def transient(self) -> bool:
        return self.attempt > 1

    @property
    def unwritten(self) -> bool:
        """True while its events are not in the history."""
        return self.attempt > 1 or self.speculative

    @property
    def started(self) -> bool:
        return self.started_event_id != 0


@dataclass(slots=True)
class UpdateInfo:
    """An update that is not completed yet: admitted, perhaps sent to the worker, then accepted.

    Admission is in memory only, unless an UpdateAdmitted event brought the update from another run: then the event
    has the request, and `body` is None.
    """

    update_id: str
    accepted_event_id: int = 0
    admitted_by_event: bool = False
    # Memory only from here on.
    body: Any | None = field(default=None, compare=False)
    """The packed temporal.api.update.v1.Request, until it stands in the UpdateAccepted event."""
    sent: bool = field(default=False, compare=False)

    @classmethod
    def admit(cls, update_id: str, request: Request) -> UpdateInfo:
        """Return the update that a client asks for."""
        body = Any()
        body.Pack(request)
        return cls(update_id, body=body)

    @property
    def accepted(self) -> bool:
        return self.accepted_event_id != 0


@dataclass(frozen=True, slots=True)
class UnstoredState:
    """What a run loses when it is loaded again: the updates that are not accepted, and a speculative task."""

    admitted_updates: tuple[UpdateInfo, ...] = ()
    speculative_task: WorkflowTask | None = None


@dataclass(slots=True)
class RunState:
    """One workflow execution (run)."""

    run_key: int
    namespace_id: str
    namespace: str
    workflow_id: str
    run_id: str

    # Derived.
    status: int = WORKFLOW_EXECUTION_STATUS_UNSPECIFIED
    input_size_bytes: int = 0
    """What the start and the pending activities take in memory; their inputs are most of it."""
    started: WorkflowExecutionStartedEventAttributes = field(default_factory=WorkflowExecutionStartedEventAttributes)
    start_links: list[Link] = field(default_factory=list)
    user_metadata: UserMetadata | None = None
    priority: Priority | None = None
    original_start_time_ns: int = 0
    """The time of the WorkflowExecutionStarted; a run that a reset made began later."""
    start_time_ns: int = 0
    execution_time_ns: int = 0
    close_time_ns: int = 0
    run_expiration_time_ns: int = 0
    execution_expiration_time_ns: int = 0
    next_event_id: int = 1
    history_size_bytes: int = 0
    last_event_time_ns: int = 0
    workflow_task: WorkflowTask | None = None
    previous_started_event_id: int = 0
    completed_any_workflow_task: bool = False
    activities: dict[int, ActivityInfo] = field(default_factory=dict)
    activity_ids: dict[str, int] = field(default_factory=dict)
    timers: dict[str, TimerInfo] = field(default_factory=dict)
    children: dict[int, ChildInfo] = field(default_factory=dict)
    """By initiated_event_id, as are the signals and cancellation requests to other workflows."""
    external_signals: dict[int, SignalExternalWorkflowExecutionInitiatedEventAttributes] = field(default_factory=dict)
    external_cancels: dict[int, RequestCancelExternalWorkflowExecutionInitiatedEventAttributes] = field(
        default_factory=dict
    )
    cancel_requested: bool = False
    signal_count: int = 0
    memo: dict[str, Payload] = field(default_factory=dict)
    search_attributes: dict[str, Payload] = field(default_factory=dict)
    auto_reset_points: list[ResetPointInfo] = field(default_factory=list)
    """Stored too: that nothing was pending at a point may be due to an answer that stands after it in the history."""
    worker_version: WorkerVersionStamp | None = None
    new_execution_run_id: str = ""
    reset_event_id: int = 0
    """The WorkflowTaskFailed of the reset that made this open run; what is before it is another run's, too."""
    updates: dict[str, UpdateInfo] = field(default_factory=dict)
    """Those in flight, in the order of their admission; admitted ones are in memory only."""
    completed_updates: dict[str, int] = field(default_factory=dict)
    """Update id -> id of its UpdateCompleted event, which has the outcome."""
    time_skipping: TimeSkipping | None = None
    """None for a run that has never skipped time and may not."""

    state_transition_count: int = 0
    """How often the run was written; counted by Transition, stored in its own column."""

    # Transient: columns of `runs`, rows of `buffered_events` and `request_ids`.
    workflow_task_attempt: int = 1
    sticky_task_queue: str = ""
    sticky_schedule_to_start_timeout_ns: int = 0
    buffered: list[HistoryEvent] = field(default_factory=list)
    request_ids: dict[str, int] = field(default_factory=dict)
    """Request id -> event id of the start or of what attached a start to this run, or SIGNAL_REQUEST."""
    start_request_id: str = ""
    reset_run_id: str = ""
    """The run that the last reset of this one made."""

    # Memory only: rebuilt when the run is loaded.
    deadlines: list[tuple[int, int, int, int, str]] = field(default_factory=list)
    buffered_stored: int = 0
    buffered_measured: int = 0
    """How many of the buffered events are in `buffered_size_bytes`."""
    buffered_size_bytes: int = 0
    stored_deadline_ns: int | None = None
    progress_size_bytes: int = 0
    """How large the heartbeat details and last failures of the pending activities are."""
    tail: list[bytes] = field(default_factory=list)
    tail_bytes: int = 0
    updates_loaded: bool = True
    """False for a closed run of which only the ends were read: see store/runs.py."""
    close_attempted: bool = False
    """True while the worker has the task that follows an attempt to close over unseen events."""

    @property
    def skipped_ns(self) -> int:
        """How far the run's time is ahead of the clock."""
        return 0 if self.time_skipping is None else self.time_skipping.skipped_ns

    @property
    def latest_time_ns(self) -> int:
        """The latest time in the history, in the buffer, and of the pending workflow task."""
        latest_ns = self.last_event_time_ns
        if self.buffered:
            latest_ns = max(latest_ns, timestamp_to_ns(self.buffered[-1].event_time))
        if self.workflow_task is not None:
            latest_ns = max(latest_ns, self.workflow_task.scheduled_time_ns, self.workflow_task.started_time_ns)
        return latest_ns

    def measure_progress(self, activity: ActivityInfo) -> None:
        """Count what a pending activity holds of its attempts, after it has changed."""
        details, failure = activity.heartbeat_details, activity.last_failure
        size_bytes = (0 if details is None else details.ByteSize()) + (0 if failure is None else failure.ByteSize())
        self.progress_size_bytes += size_bytes - activity.progress_size_bytes
        activity.progress_size_bytes = size_bytes

    def measure_buffered(self) -> int:
        """Return how large the buffered events are; each is measured once, when it is whole."""
        for event in self.buffered[self.buffered_measured :]:
            self.buffered_size_bytes += event.ByteSize()
        self.buffered_measured = len(self.buffered)
        return self.buffered_size_bytes

    def take_buffered(self) -> list[HistoryEvent]:
        """Empty the buffer; return what was in it."""
        buffered, self.buffered = self.buffered, []
        self.buffered_measured = self.buffered_size_bytes = 0
        return buffered

    def has_signal_request(self, request_id: str) -> bool:
        """Say whether a signal with this request id came before; an empty id never did."""
        return bool(request_id) and self.request_ids.get(request_id) == SIGNAL_REQUEST

    @property
    def made_by_reset(self) -> bool:
        """Say whether the first events are those of another run."""
        return self.started.original_execution_run_id not in ("", self.run_id)

    @property
    def execution(self) -> WorkflowExecution:
        return WorkflowExecution(workflow_id=self.workflow_id, run_id=self.run_id)

    @property
    def root_execution(self) -> WorkflowExecution:
        """The run at the top of the tree of parents: this one, unless it is a child."""
        if self.started.HasField("root_workflow_execution"):
            return self.started.root_workflow_execution
        return self.execution

    @property
    def running(self) -> bool:
        return self.status == WORKFLOW_EXECUTION_STATUS_RUNNING

    @property
    def tail_first_event_id(self) -> int:
        """The id of the first event whose bytes are still in memory."""
        return self.next_event_id - len(self.tail)

    @property
    def workflow_task_started(self) -> bool:
        return self.workflow_task is not None and self.workflow_task.started_event_id != 0

    @property
    def task_queue(self) -> str:
        return self.started.task_queue.name

    @property
    def workflow_type(self) -> str:
        return self.started.workflow_type.name

    def priority_of(self, activity: ActivityInfo) -> Priority | None:
        """Return the priority of an activity's tasks."""
        attributes = activity.attributes
        return merge_priority(self.priority, attributes.priority if attributes.HasField("priority") else None)

    @property
    def pending_first_workflow_task_backoff(self) -> bool:
        """True while a start delay, cron or retry backoff holds the first workflow task back."""
        return self.running and self.execution_time_ns > self.start_time_ns and not self.had_workflow_task

    @property
    def had_workflow_task(self) -> bool:
        """True once a workflow task was scheduled; the first one comes right after the start, its delay or a cancel."""
        task = self.workflow_task
        written = task is not None and not task.speculative
        return written or self.completed_any_workflow_task or self.workflow_task_attempt > 1
