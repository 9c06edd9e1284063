"""Requests with a fault, and what the server says: one table for our checks and for the reference server's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from temporalio.api.common.v1 import (
    Link,
    Memo,
    Payload,
    Payloads,
    Priority,
    RetryPolicy,
    SearchAttributes,
    WorkerVersionCapabilities,
    WorkflowExecution,
    WorkflowType,
)
from temporalio.api.deployment.v1 import WorkerDeploymentOptions
from temporalio.api.enums.v1 import (
    EventType,
    TaskQueueKind,
    WorkerVersioningMode,
    WorkflowIdConflictPolicy,
    WorkflowIdReusePolicy,
)
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import OnConflictOptions
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    QueryWorkflowRequest,
    RecordActivityTaskHeartbeatByIdRequest,
    RequestCancelWorkflowExecutionRequest,
    ResetStickyTaskQueueRequest,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION = 3, 5, 9
LONG = "i" * 1001
WIDE = "é" * 501
"""501 letters, 1002 bytes."""
EXECUTION = WorkflowExecution(workflow_id="some-workflow")
LARGE = Payloads(payloads=[Payload(data=b"x" * (2 * 1024 * 1024))])
STICKY = TaskQueue(name="sticky", kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY)
VERSIONED = WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
_CONFLICT, _REUSE = WorkflowIdConflictPolicy, WorkflowIdReusePolicy


@dataclass(frozen=True)
class Bad:
    """A request, the code and message it gets, and the seconds that the caller waits."""

    request: Message
    message: str
    code: int = INVALID_ARGUMENT
    timeout_seconds: float = 20

    @property
    def name(self) -> str:
        return f"{type(self.request).__name__.removesuffix('Request')}: {self.message[:60]}"


def start(**changes: Any) -> StartWorkflowExecutionRequest:
    """A good start, changed; None clears a field."""
    return StartWorkflowExecutionRequest(**_start_fields(changes))


def signal_with_start(**changes: Any) -> SignalWithStartWorkflowExecutionRequest:
    """A good signal-with-start, changed; None clears a field."""
    return SignalWithStartWorkflowExecutionRequest(**_start_fields({"signal_name": "stop", **changes}))


def _start_fields(changes: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "namespace": "default",
        "workflow_id": "refused",
        "workflow_type": WorkflowType(name="order"),
        "task_queue": TaskQueue(name="orders"),
        "request_id": "some-request",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def seconds(length: int, nanos: int = 0) -> Duration:
    return Duration(seconds=length, nanos=nanos)


_POLICIES = [
    (
        {
            "workflow_id_conflict_policy": _CONFLICT.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
            "workflow_id_reuse_policy": _REUSE.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
        },
        "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING"
        " cannot be used together with a WorkflowIDConflictPolicy",
    ),
    (
        {
            "workflow_id_conflict_policy": _CONFLICT.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
            "workflow_id_reuse_policy": _REUSE.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
        },
        "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE"
        " cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING",
    ),
]

_BOTH_STARTS: list[tuple[dict[str, Any], str]] = [
    ({"workflow_id": None}, "WorkflowId is not set on request."),
    ({"workflow_id": LONG}, "WorkflowId exceeds maximum allowed length (1001/1000)"),
    ({"workflow_id": WIDE}, "WorkflowId exceeds maximum allowed length (1002/1000)"),
    (
        {"retry_policy": RetryPolicy(backoff_coefficient=0.5)},
        "BackoffCoefficient cannot be less than 1 on retry policy.",
    ),
    (
        {"retry_policy": RetryPolicy(initial_interval=seconds(-1))},
        "invalid InitialInterval set on retry policy: negative duration",
    ),
    (
        {"retry_policy": RetryPolicy(initial_interval=seconds(2), maximum_interval=seconds(1))},
        "MaximumInterval cannot be less than InitialInterval on retry policy.",
    ),
    (
        {"retry_policy": RetryPolicy(maximum_attempts=-1)},
        "MaximumAttempts cannot be negative on retry policy.",
    ),
    (
        {"retry_policy": RetryPolicy(non_retryable_error_types=["TemporalTimeout:Nap"])},
        "Invalid timeout type value: Nap.",
    ),
    (
        {"cron_schedule": "* * * * *", "workflow_start_delay": seconds(1)},
        "CronSchedule and WorkflowStartDelay may not be used together.",
    ),
    (
        {"workflow_start_delay": seconds(-1)},
        "An invalid WorkflowStartDelaySeconds is set on request. cause: negative duration",
    ),
    ({"cron_schedule": "every now and then"}, "invalid CronSchedule."),
    (
        {"cron_schedule": "0 0 30 2 *"},
        "invalid CronSchedule, no time can be found to satisfy the schedule",
    ),
    ({"task_queue": None}, "taskQueue is not set"),
    ({"task_queue": TaskQueue()}, "missing task queue name"),
    ({"task_queue": TaskQueue(name=LONG)}, "taskQueue length exceeds limit"),
    ({"task_queue": TaskQueue(name="/_sys/orders/1")}, "task queue name cannot start with reserved prefix /_sys/"),
    (
        {"task_queue": TaskQueue(name="temporal-sys-per-ns-tq")},
        "cannot use internal per-namespace task queue:temporal-sys-per-ns-tq",
    ),
    (
        {"workflow_execution_timeout": seconds(-1)},
        "An invalid WorkflowExecutionTimeoutSeconds is set on request. cause: negative duration",
    ),
    (
        {"workflow_run_timeout": seconds(1, -1)},
        "An invalid WorkflowRunTimeoutSeconds is set on request."
        " cause: duration has seconds and nanos with different signs",
    ),
    (
        {"workflow_task_timeout": seconds(-1)},
        "An invalid WorkflowTaskTimeoutSeconds is set on request. cause: negative duration",
    ),
    *_POLICIES,
    (
        {"search_attributes": SearchAttributes(indexed_fields={"Nope": Payload()})},
        "Namespace default has no mapping defined for search attribute Nope",
    ),
    (
        {
            "search_attributes": SearchAttributes(
                indexed_fields={"BuildIds": Payload(metadata={"encoding": b"json/plain"}, data=b"[5]")}
            )
        },
        "invalid value for search attribute BuildIds of type KeywordList: [5]",
    ),
    ({"priority": Priority(priority_key=-1)}, "priority key can't be negative"),
    ({"priority": Priority(fairness_key="k" * 65)}, "fairness key length exceeds limit"),
    ({"links": [Link()]}, "unsupported link variant"),
    ({"input": LARGE}, "Blob data size exceeds limit."),
    ({"memo": Memo(fields={"m": LARGE.payloads[0]})}, "Memo size exceeds limit."),
]

_START_ONLY: list[tuple[dict[str, Any], str]] = [
    ({"workflow_type": None}, "WorkflowType is not set on request."),
    ({"workflow_type": WorkflowType(name=LONG)}, "WorkflowType length exceeds limit."),
    ({"request_id": LONG}, "RequestId length exceeds limit."),
    (
        {"on_conflict_options": OnConflictOptions(attach_completion_callbacks=True)},
        "attaching request ID is required for attaching completion callbacks",
    ),
    # two faults: the order of the checks
    ({"workflow_id": LONG, "workflow_type": None}, "WorkflowId exceeds maximum allowed length (1001/1000)"),
    ({"workflow_type": None, "cron_schedule": "bad"}, "invalid CronSchedule."),
    ({"workflow_type": None, "task_queue": None}, "WorkflowType is not set on request."),
    ({"task_queue": None, "workflow_run_timeout": seconds(-1)}, "taskQueue is not set"),
]

_SIGNAL_WITH_START_ONLY: list[tuple[dict[str, Any], str]] = [
    ({"signal_name": None}, "signal not set"),
    ({"signal_name": LONG}, "signal name exceeds maximum allowed length (1001/1000)"),
    ({"workflow_type": None}, "workflow type not set"),
    ({"workflow_type": WorkflowType(name=LONG)}, "workflow type name exceeds maximum allowed length (1001/1000)"),
    ({"request_id": LONG}, "Request ID exceeds maximum allowed length (1001/1000)"),
    (
        {"workflow_id_conflict_policy": _CONFLICT.WORKFLOW_ID_CONFLICT_POLICY_FAIL},
        "Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.",
    ),
]

_EVENT_LINK = Link.WorkflowEvent(namespace="default", workflow_id="w", run_id="r")
_LINKS: list[tuple[list[Link], str]] = [
    ([Link()], "unsupported link variant"),
    (
        [Link(workflow_event=_EVENT_LINK)] * 11,
        "cannot attach more than 10 links per request, got 11",
    ),
    (
        [Link(workflow_event=Link.WorkflowEvent(workflow_id="w", run_id="r"))],
        "workflow event link must not have an empty namespace field",
    ),
    (
        [Link(workflow_event=Link.WorkflowEvent(namespace="default", workflow_id="w"))],
        "workflow event link must not have an empty run ID field",
    ),
    (
        [
            Link(
                workflow_event=Link.WorkflowEvent(
                    namespace="default",
                    workflow_id="w",
                    run_id="r",
                    event_ref=Link.WorkflowEvent.EventReference(
                        event_id=1, event_type=EventType.EVENT_TYPE_UNSPECIFIED
                    ),
                )
            )
        ],
        "workflow event link ref cannot have an unspecified event type and a non-zero event ID",
    ),
    ([Link(batch_job=Link.BatchJob())], "batch job link must not have an empty job ID"),
]


def _wrong_executions(field: str) -> list[tuple[dict[str, Any], str]]:
    return [
        ({}, "Execution is not set on request."),
        ({field: WorkflowExecution()}, "WorkflowId is not set on request."),
        ({field: WorkflowExecution(workflow_id="w", run_id="no-uuid")}, "Invalid RunId."),
    ]


def _executions() -> list[Bad]:
    bad = []
    for request_type in (
        DescribeWorkflowExecutionRequest,
        GetWorkflowExecutionHistoryRequest,
        GetWorkflowExecutionHistoryReverseRequest,
        QueryWorkflowRequest,
        ResetStickyTaskQueueRequest,
    ):
        bad += [Bad(request_type(namespace="default", **f), m) for f, m in _wrong_executions("execution")]
    for named_type in (
        SignalWorkflowExecutionRequest,
        RequestCancelWorkflowExecutionRequest,
        TerminateWorkflowExecutionRequest,
    ):
        bad += [Bad(named_type(namespace="default", **f), m) for f, m in _wrong_executions("workflow_execution")]
    return bad


def _signals() -> list[Bad]:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "SignalName is not set on request."),
        ({"signal_name": LONG}, "SignalName length exceeds limit."),
        ({"signal_name": "s", "request_id": LONG}, "RequestId length exceeds limit."),
        ({"signal_name": "s", "input": LARGE}, "Blob data size exceeds limit."),
        *(({"signal_name": "s", "links": links}, message) for links, message in _LINKS),
    ]
    return [
        Bad(SignalWorkflowExecutionRequest(namespace="default", workflow_execution=EXECUTION, **fields), message)
        for fields, message in cases
    ]


def _queries() -> list[Bad]:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "WorkflowQuery is not set on request."),
        ({"query": WorkflowQuery()}, "QueryType is not set on request."),
        ({"query": WorkflowQuery(query_type="q", query_args=LARGE)}, "Blob data size exceeds limit."),
    ]
    return [Bad(QueryWorkflowRequest(namespace="default", execution=EXECUTION, **f), m) for f, m in cases]


def _polls() -> list[Bad]:
    queue = TaskQueue(name="orders")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"task_queue": queue, "identity": LONG}, "Identity length exceeds limit."),
        ({}, "taskQueue is not set"),
        ({"task_queue": TaskQueue()}, "missing task queue name"),
        ({"task_queue": TaskQueue(name=LONG)}, "taskQueue length exceeds limit"),
        ({"task_queue": TaskQueue(name="/_sys/o/1")}, "task queue name cannot start with reserved prefix /_sys/"),
        (
            {"task_queue": queue, "worker_version_capabilities": WorkerVersionCapabilities(use_versioning=True)},
            "WorkerVersionStamp must be present if UseVersioning is true.",
        ),
        (
            {"task_queue": queue, "worker_version_capabilities": WorkerVersionCapabilities(build_id="b" * 256)},
            "Build ID exceeds configured limit.workerBuildIdSize, use a shorter build ID.",
        ),
        (
            {"task_queue": STICKY, "deployment_options": WorkerDeploymentOptions(build_id="b")},
            "NormalName must be set on sticky queue when UseVersioning is true or DeploymentOptions are set.",
        ),
        (
            {
                "task_queue": queue,
                "deployment_options": WorkerDeploymentOptions(build_id="b", worker_versioning_mode=VERSIONED),
            },
            "Deployment name and build id must be set together.",
        ),
    ]
    bad = [Bad(PollWorkflowTaskQueueRequest(namespace="default", **fields), message) for fields, message in cases]
    bad += [Bad(PollActivityTaskQueueRequest(namespace="default", **fields), message) for fields, message in cases]
    for poll in (PollWorkflowTaskQueueRequest, PollActivityTaskQueueRequest):
        request = poll(namespace="default", task_queue=queue)
        bad.append(Bad(request, "Context timeout is too short.", FAILED_PRECONDITION, timeout_seconds=1.5))
    return bad


def _activities_by_id() -> list[Bad]:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"workflow_id": "w"}, "ActivityId is not set on request."),
        ({"workflow_id": "w", "activity_id": "1", "identity": LONG}, "Identity length exceeds limit."),
        ({"workflow_id": "w", "activity_id": "1", "run_id": "no-uuid"}, "RunId is not valid UUID."),
    ]
    answers = (
        RespondActivityTaskCompletedByIdRequest,
        RespondActivityTaskCanceledByIdRequest,
        RespondActivityTaskFailedByIdRequest,
    )
    bad = [Bad(each(namespace="default", **fields), message) for each in answers for fields, message in cases]
    heartbeat = RecordActivityTaskHeartbeatByIdRequest
    bad.append(Bad(heartbeat(namespace="default", workflow_id="w"), "ActivityId is not set on request."))
    return bad + [
        Bad(each(namespace="default", activity_id="1"), "activity not found for ID: 1", NOT_FOUND)
        for each in (*answers, heartbeat)
    ]


BAD_REQUESTS: list[Bad] = [
    *(Bad(start(**changes), message) for changes, message in [*_BOTH_STARTS, *_START_ONLY]),
    *(Bad(signal_with_start(**changes), message) for changes, message in [*_BOTH_STARTS, *_SIGNAL_WITH_START_ONLY]),
    *_executions(),
    *_signals(),
    *_queries(),
    *_polls(),
    *_activities_by_id(),
    Bad(DescribeTaskQueueRequest(namespace="default"), "taskQueue is not set"),
    Bad(DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue()), "missing task queue name"),
]
