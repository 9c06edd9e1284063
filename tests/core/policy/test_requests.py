"""Requests: each fault is refused with the reference server's code and message, and defaults are set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, Payloads, RetryPolicy, WorkflowExecution
from temporalio.api.enums.v1 import (
    HistoryEventFilterType,
    QueryRejectCondition,
    TaskQueueKind,
    UpdateWorkflowExecutionLifecycleStage,
    WorkflowIdConflictPolicy,
    WorkflowIdReusePolicy,
)
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.update.v1 import UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ListWorkflowExecutionsRequest,
    PollActivityTaskQueueRequest,
    PollWorkflowExecutionUpdateRequest,
    PollWorkflowTaskQueueRequest,
    QueryWorkflowRequest,
    SignalWithStartWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

from engine.core.errors import InvalidArgument, PermissionDenied, ServiceError, Unimplemented
from engine.core.policy import client_requests, start_request, update_request, worker_requests
from engine.core.policy.durations import NANOS_PER_SECOND
from engine.core.policy.fields import validate_execution, validate_long_poll_timeout, validate_namespace_name
from engine.core.policy.limits import Limits
from tests.core.policy.bad_requests import BAD_REQUESTS, LONG, Bad, seconds, signal_with_start, start
from tests.core.policy.bad_update_requests import BAD_UPDATE_REQUESTS, update
from tests.support.server_process import launch_reference, reference_executable, running

NOW_NS = 1_700_000_000 * NANOS_PER_SECOND
LIMITS = Limits()


def check_start(request: StartWorkflowExecutionRequest) -> None:
    start_request.validate_start_workflow_execution(request, LIMITS, registered={}, now_ns=NOW_NS)


def check_signal_with_start(request: SignalWithStartWorkflowExecutionRequest) -> None:
    start_request.validate_signal_with_start_workflow_execution(request, LIMITS, registered={}, now_ns=NOW_NS)


def check(bad: Bad) -> None:
    """Run the check of the request's type."""
    request: Any = bad.request
    rpc = type(request).__name__.removesuffix("Request")
    poll = {"remaining_ns": round(bad.timeout_seconds * NANOS_PER_SECOND)}
    checks: dict[str, Callable[[], object]] = {
        "StartWorkflowExecution": lambda: check_start(request),
        "SignalWithStartWorkflowExecution": lambda: check_signal_with_start(request),
        "SignalWorkflowExecution": lambda: client_requests.validate_signal_workflow_execution(request, LIMITS),
        "RequestCancelWorkflowExecution": lambda: client_requests.validate_request_cancel_workflow_execution(
            request, LIMITS
        ),
        "TerminateWorkflowExecution": lambda: client_requests.validate_terminate_workflow_execution(request, LIMITS),
        "UpdateWorkflowExecution": lambda: update_request.validate_update_workflow_execution(request, LIMITS),
        "PollWorkflowExecutionUpdate": lambda: update_request.validate_poll_workflow_execution_update(request, LIMITS),
        "QueryWorkflow": lambda: client_requests.validate_query_workflow(request, LIMITS),
        "DescribeWorkflowExecution": lambda: client_requests.validate_has_execution(request),
        "ResetStickyTaskQueue": lambda: client_requests.validate_has_execution(request),
        "GetWorkflowExecutionHistory": lambda: client_requests.validate_get_workflow_execution_history(request, LIMITS),
        "GetWorkflowExecutionHistoryReverse": lambda: client_requests.validate_get_workflow_execution_history_reverse(
            request, LIMITS
        ),
        "DescribeTaskQueue": lambda: client_requests.validate_describe_task_queue(request, LIMITS),
        "PollWorkflowTaskQueue": lambda: worker_requests.validate_poll_workflow_task_queue(request, LIMITS, **poll),
        "PollActivityTaskQueue": lambda: worker_requests.validate_poll_activity_task_queue(request, LIMITS, **poll),
        "RespondActivityTaskCompletedById": lambda: worker_requests.validate_respond_activity_task_completed(
            request, LIMITS
        ),
        "RespondActivityTaskCanceledById": lambda: worker_requests.validate_respond_activity_task_canceled(
            request, LIMITS
        ),
        "RespondActivityTaskFailedById": lambda: worker_requests.validate_respond_activity_task_failed(request, LIMITS),
        "RecordActivityTaskHeartbeatById": lambda: worker_requests.validate_record_activity_task_heartbeat(
            request, LIMITS
        ),
    }
    checks[rpc]()


ALL_BAD_REQUESTS = [*BAD_REQUESTS, *BAD_UPDATE_REQUESTS]


def copied(bad: Bad) -> Bad:
    request = type(bad.request)()
    request.CopyFrom(bad.request)
    return Bad(request, bad.message, bad.code, bad.timeout_seconds)


@pytest.mark.parametrize("bad", ALL_BAD_REQUESTS, ids=lambda bad: bad.name)
def test_refused(bad: Bad) -> None:
    with pytest.raises(ServiceError) as raised:
        check(copied(bad))
    assert (int(raised.value.code), raised.value.message) == (bad.code, bad.message)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkflowServiceStub]:
    if reference_executable() is None:
        pytest.skip("the reference server is not installed")
    folder: Path = tmp_path_factory.mktemp("reference")
    with running(launch_reference(folder)) as server, grpc.insecure_channel(server.address) as channel:
        yield WorkflowServiceStub(channel)


@pytest.mark.reference
def test_the_reference_server_refuses_the_same(reference: WorkflowServiceStub) -> None:
    differences = []
    for bad in ALL_BAD_REQUESTS:
        rpc = type(bad.request).__name__.removesuffix("Request")
        call = getattr(reference, rpc).future(bad.request, timeout=bad.timeout_seconds)
        answer = (call.code().value[0], call.details())
        if answer != (bad.code, bad.message):
            differences.append((bad.name, answer))
    assert differences == []


def test_a_start_gets_its_defaults() -> None:
    request = start(workflow_execution_timeout=seconds(5), retry_policy=RetryPolicy(maximum_attempts=3))
    check_start(request)
    expected = start(
        workflow_execution_timeout=seconds(5),
        workflow_run_timeout=seconds(5),
        workflow_task_timeout=seconds(5),
        retry_policy=RetryPolicy(
            initial_interval=seconds(1), backoff_coefficient=2, maximum_interval=seconds(100), maximum_attempts=3
        ),
        workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
        workflow_id_conflict_policy=WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
    )
    expected.task_queue.kind = TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    assert request == expected


def test_a_start_without_retries_and_timeouts_stays_without() -> None:
    request = start()
    check_start(request)
    assert not request.HasField("retry_policy")
    assert not request.HasField("workflow_run_timeout")
    assert not request.HasField("workflow_execution_timeout")
    assert not request.HasField("workflow_start_delay")
    assert request.workflow_task_timeout == seconds(10)


@pytest.mark.parametrize(
    ("make", "check_it", "conflict_policy"),
    [
        (start, check_start, WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL),
        (
            signal_with_start,
            check_signal_with_start,
            WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
        ),
    ],
)
def test_workflow_id_policies(
    make: Callable[..., Any], check_it: Callable[[Any], None], conflict_policy: WorkflowIdConflictPolicy.ValueType
) -> None:
    request = make()
    check_it(request)
    assert request.workflow_id_conflict_policy == conflict_policy
    assert request.workflow_id_reuse_policy == WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE

    request = make(workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING)
    check_it(request)
    terminate = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
    assert request.workflow_id_conflict_policy == terminate
    assert request.workflow_id_reuse_policy == WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE

    kept = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    request = make(workflow_id_reuse_policy=kept)
    check_it(request)
    assert request.workflow_id_reuse_policy == kept


def test_what_this_server_does_not_do_is_said() -> None:
    request = start()
    request.completion_callbacks.add().nexus.url = "http://localhost"
    with pytest.raises(Unimplemented):
        check_start(request)
    request = update()
    request.request.completion_callbacks.add().nexus.url = "http://localhost"
    with pytest.raises(InvalidArgument, match="request_id is required"):
        update_request.validate_update_workflow_execution(request, LIMITS)
    request.request.request_id = "request"
    with pytest.raises(Unimplemented):
        update_request.validate_update_workflow_execution(request, LIMITS)


@pytest.mark.parametrize(
    "run_id",
    [
        "",
        "01a206eb-3132-7c4a-95c7-fb7587b3221b",
        "01A206EB-3132-7C4A-95C7-FB7587B3221B",
        "01a206eb31327c4a95c7fb7587b3221b",
        "urn:uuid:01a206eb-3132-7c4a-95c7-fb7587b3221b",
        "{01a206eb-3132-7c4a-95c7-fb7587b3221b}",
    ],
)
def test_run_ids(run_id: str) -> None:
    validate_execution(WorkflowExecution(workflow_id="w", run_id=run_id))


@pytest.mark.parametrize(
    "run_id", ["x", "01a206eb-3132-7c4a-95c7-fb7587b3221", " 01a206eb-3132-7c4a-95c7-fb7587b3221b"]
)
def test_run_ids_refused(run_id: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^Invalid RunId\.$"):
        validate_execution(WorkflowExecution(workflow_id="w", run_id=run_id))


def test_namespace_names() -> None:
    validate_namespace_name(LONG[:1000], LIMITS)
    with pytest.raises(InvalidArgument, match=r"^Namespace length exceeds limit\.$"):
        validate_namespace_name(LONG, LIMITS)


def test_a_poll_needs_a_deadline() -> None:
    validate_long_poll_timeout(2 * NANOS_PER_SECOND)
    with pytest.raises(InvalidArgument, match=r"^Context timeout is not set\.$"):
        validate_long_poll_timeout(None)


@pytest.mark.parametrize(("asked", "size"), [(0, 256), (-1, 256), (7, 7), (256, 256), (10_000, 256)])
def test_history_page_size(asked: int, size: int) -> None:
    execution = WorkflowExecution(workflow_id="w")
    forward = GetWorkflowExecutionHistoryRequest(execution=execution, maximum_page_size=asked)
    client_requests.validate_get_workflow_execution_history(forward, LIMITS)
    reverse = GetWorkflowExecutionHistoryReverseRequest(execution=execution, maximum_page_size=asked)
    client_requests.validate_get_workflow_execution_history_reverse(reverse, LIMITS)
    assert forward.maximum_page_size == reverse.maximum_page_size == size
    assert forward.history_event_filter_type == HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT


@pytest.mark.parametrize(("asked", "size"), [(0, 1000), (-1, 1000), (7, 7), (1001, 1000)])
def test_list_page_size(asked: int, size: int) -> None:
    request = ListWorkflowExecutionsRequest(page_size=asked)
    client_requests.validate_list_workflow_executions(request, LIMITS)
    assert request.page_size == size


def test_a_termination_says_who_and_why() -> None:
    execution = WorkflowExecution(workflow_id="w")
    silent = TerminateWorkflowExecutionRequest(workflow_execution=execution)
    client_requests.validate_terminate_workflow_execution(silent, LIMITS)
    assert (silent.reason, silent.identity) == ("terminated by user via frontend", "frontend-service")
    plain = TerminateWorkflowExecutionRequest(workflow_execution=execution, reason="wrong order", identity="me")
    client_requests.validate_terminate_workflow_execution(plain, LIMITS)
    assert (plain.reason, plain.identity) == ("wrong order", "me")


def test_a_query_is_not_rejected_unless_asked() -> None:
    request = QueryWorkflowRequest(
        execution=WorkflowExecution(workflow_id="w"),
        query=WorkflowQuery(query_type="q", query_args=Payloads(payloads=[Payload(data=b"x" * 2_000_000)])),
    )
    client_requests.validate_query_workflow(request, LIMITS)
    assert request.query_reject_condition == QueryRejectCondition.QUERY_REJECT_CONDITION_NONE


@pytest.mark.parametrize(
    ("request_type", "check_it"),
    [
        (PollWorkflowTaskQueueRequest, worker_requests.validate_poll_workflow_task_queue),
        (PollActivityTaskQueueRequest, worker_requests.validate_poll_activity_task_queue),
    ],
)
def test_a_polled_task_queue_is_a_normal_one(request_type: type[Any], check_it: Callable[..., None]) -> None:
    request: Message = request_type(task_queue=start().task_queue)
    check_it(request, LIMITS, remaining_ns=60 * NANOS_PER_SECOND)
    assert request.task_queue.kind == TaskQueueKind.TASK_QUEUE_KIND_NORMAL  # type: ignore[attr-defined]


def test_a_partition_may_be_described() -> None:
    request = DescribeTaskQueueRequest()
    request.task_queue.name = "/_sys/orders/1"
    client_requests.validate_describe_task_queue(request, LIMITS)


def test_an_update_waits_for_its_outcome_unless_asked() -> None:
    request = update()
    update_request.validate_update_workflow_execution(request, LIMITS)
    stages = UpdateWorkflowExecutionLifecycleStage
    assert request.wait_policy.lifecycle_stage == stages.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
    accepted = stages.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
    request = update(wait_policy=WaitPolicy(lifecycle_stage=accepted))
    update_request.validate_update_workflow_execution(request, LIMITS)
    assert request.wait_policy.lifecycle_stage == accepted
    with pytest.raises(PermissionDenied, match="waiting on update accepted is disabled"):
        update_request.validate_update_workflow_execution(request, Limits(updates_accepted=False))


def test_updates_may_be_switched_off() -> None:
    off, message = Limits(updates=False), "operation is disabled on this namespace"
    with pytest.raises(PermissionDenied, match=message):
        update_request.validate_update_workflow_execution(update(), off)
    reference = UpdateRef(workflow_execution=WorkflowExecution(workflow_id="w"), update_id="u")
    with pytest.raises(PermissionDenied, match=message):
        update_request.validate_poll_workflow_execution_update(
            PollWorkflowExecutionUpdateRequest(update_ref=reference), off
        )
