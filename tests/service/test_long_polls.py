"""Calls that wait: histories, polls whose client goes away, workers that shut down."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from temporalio.api.enums.v1.workflow_pb2 import HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    GetWorkflowExecutionHistoryRequest,
    PollNexusTaskQueueRequest,
    PollNexusTaskQueueResponse,
    ShutdownWorkerRequest,
    TerminateWorkflowExecutionRequest,
)

from tests.service import raw
from tests.service.conftest import Stubs


def _wait_for_poller(stubs: Stubs, task_queue: str) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        described = stubs.workflow.DescribeTaskQueue(
            DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=task_queue), task_queue_type=1)
        )
        if described.pollers:
            return
        time.sleep(0.02)
    raise AssertionError("nobody polls")


def test_the_close_wakes_who_waits_for_it(stubs: Stubs) -> None:
    workflow_id = "closed-at-last"
    stubs.workflow.StartWorkflowExecution(raw.start(workflow_id))
    waiting = stubs.workflow.GetWorkflowExecutionHistory.future(
        GetWorkflowExecutionHistoryRequest(
            namespace="default",
            execution=raw.execution(workflow_id),
            wait_new_event=True,
            history_event_filter_type=HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        ),
        timeout=10,
    )
    stubs.workflow.SignalWorkflowExecution(raw.signal(workflow_id))
    time.sleep(0.2)
    assert not waiting.done()
    stubs.workflow.TerminateWorkflowExecution(
        TerminateWorkflowExecutionRequest(namespace="default", workflow_execution=raw.execution(workflow_id))
    )
    (event,) = waiting.result().history.events
    assert event.HasField("workflow_execution_terminated_event_attributes")
    assert not waiting.result().next_page_token


def test_a_poll_gets_the_task_that_comes_later(stubs: Stubs) -> None:
    poll = stubs.workflow.PollWorkflowTaskQueue.future(raw.poll_workflow("later"), timeout=raw.POLL_SECONDS)
    _wait_for_poller(stubs, "later")
    stubs.workflow.StartWorkflowExecution(raw.start("later"))
    assert poll.result().workflow_execution.workflow_id == "later"


def test_a_poll_ends_empty_before_its_deadline(stubs: Stubs) -> None:
    started = time.monotonic()
    reply = stubs.workflow.PollActivityTaskQueue(raw.poll_activity("empty"), timeout=2.5)
    assert not reply.task_token
    assert 0.5 < time.monotonic() - started < 2.5


def test_tasks_pass_over_pollers_that_went_away(stubs: Stubs) -> None:
    gone = [
        stubs.workflow.PollWorkflowTaskQueue.future(raw.poll_workflow("gone"), timeout=raw.POLL_SECONDS)
        for _ in range(5)
    ]
    _wait_for_poller(stubs, "gone")
    for poll in gone:
        poll.cancel()
    stubs.workflow.StartWorkflowExecution(raw.start("gone"))
    task = stubs.workflow.PollWorkflowTaskQueue(raw.poll_workflow("gone"), timeout=raw.POLL_SECONDS)
    assert task.workflow_execution.workflow_id == "gone"


def test_a_worker_that_shuts_down_has_its_polls_ended(stubs: Stubs) -> None:
    queue, worker = "shutting-down", "instance-1"
    with ThreadPoolExecutor(2) as threads:
        polls = [
            threads.submit(
                stubs.workflow.PollWorkflowTaskQueue, raw.poll_workflow(queue, worker_instance_key=worker), timeout=60
            ),
            threads.submit(
                stubs.workflow.PollActivityTaskQueue, raw.poll_activity(queue, worker_instance_key=worker), timeout=60
            ),
        ]
        _wait_for_poller(stubs, queue)
        started = time.monotonic()
        stubs.workflow.ShutdownWorker(
            ShutdownWorkerRequest(
                namespace="default", sticky_task_queue="sticky", worker_instance_key=worker, task_queue=queue
            )
        )
        assert [bool(poll.result(timeout=5).task_token) for poll in polls] == [False, False]
        assert time.monotonic() - started < 5
    late = stubs.workflow.PollWorkflowTaskQueue(raw.poll_workflow(queue, worker_instance_key=worker), timeout=60)
    assert not late.task_token
    stubs.workflow.StartWorkflowExecution(raw.start(queue))
    other = stubs.workflow.PollWorkflowTaskQueue(raw.poll_workflow(queue, worker_instance_key="2"), timeout=10)
    assert other.workflow_execution.workflow_id == queue


def test_a_worker_at_rest_gets_no_more_tasks_and_waits(stubs: Stubs) -> None:
    queue, ours = "resting", {"worker_instance_key": "instance-at-rest", "identity": "worker-at-rest"}
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(stubs.workflow.PollWorkflowTaskQueue, raw.poll_workflow(queue, **ours), timeout=60)
        _wait_for_poller(stubs, queue)
        stubs.workflow.ShutdownWorker(
            ShutdownWorkerRequest(namespace="default", identity=ours["identity"], task_queue=queue)
        )
        assert not first.result(timeout=5).task_token
        second = threads.submit(stubs.workflow.PollWorkflowTaskQueue, raw.poll_workflow(queue, **ours), timeout=60)
        stubs.workflow.StartWorkflowExecution(raw.start(queue))
        other = stubs.workflow.PollWorkflowTaskQueue(raw.poll_workflow(queue, identity="another"), timeout=10)
        assert other.workflow_execution.workflow_id == queue
        assert not second.done()
        stubs.workflow.ShutdownWorker(
            ShutdownWorkerRequest(namespace="default", worker_instance_key=ours["worker_instance_key"])
        )
        assert not second.result(timeout=5).task_token


def test_a_deadline_that_is_over_is_the_callers_own(stubs: Stubs) -> None:
    stubs.workflow.StartWorkflowExecution(raw.start("impatient"))
    first = stubs.workflow.GetWorkflowExecutionHistory(
        GetWorkflowExecutionHistoryRequest(
            namespace="default", execution=raw.execution("impatient"), wait_new_event=True
        )
    )
    request = GetWorkflowExecutionHistoryRequest(
        namespace="default",
        execution=raw.execution("impatient"),
        wait_new_event=True,
        next_page_token=first.next_page_token,
    )
    reply = stubs.workflow.GetWorkflowExecutionHistory(request, timeout=1.5)
    assert not reply.history.events
    assert reply.next_page_token == first.next_page_token


def test_a_poll_for_nexus_tasks_waits_until_its_worker_shuts_down(stubs: Stubs) -> None:
    poll = stubs.workflow.PollNexusTaskQueue.future(
        PollNexusTaskQueueRequest(
            namespace="default", task_queue=TaskQueue(name="nexus"), worker_instance_key="nexus-worker"
        ),
        timeout=raw.POLL_SECONDS,
    )
    time.sleep(0.3)
    assert not poll.done()
    stubs.workflow.ShutdownWorker(ShutdownWorkerRequest(namespace="default", worker_instance_key="nexus-worker"))
    assert poll.result() == PollNexusTaskQueueResponse()
