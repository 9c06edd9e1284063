"""How runs begin and end: start, delay, time-outs, and the chains of retry and cron."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.support.core import Core
from tests.core.support.messages import (
    application_failure,
    complete_workflow,
    fail_workflow,
    payload,
    payloads,
    retry_policy,
    schedule_activity,
    seconds,
    start_timer,
)

# The start.


def test_the_first_event() -> None:
    run = Core().start()
    run_id = run.state.run_id
    run.assert_history(f"""
        1 WorkflowExecutionStarted workflow_type.name=Workflow task_queue.name=queue task_queue.kind=NORMAL input=- \
workflow_execution_timeout=- workflow_run_timeout=- workflow_task_timeout=10s identity=starter attempt=1 \
original_execution_run_id={run_id} first_execution_run_id={run_id} workflow_id=workflow cron_schedule= \
initiator=UNSPECIFIED first_workflow_task_backoff=0s workflow_execution_expiration_time=- retry_policy=- memo=- \
header=- priority=- continued_execution_run_id=
        2 WorkflowTaskScheduled
    """)


def test_what_the_request_says_is_in_the_first_event() -> None:
    run = Core(search_attributes={"Number": 3}).start(
        input=payloads(1),
        memo={"fields": {"m": payload("memo")}},
        header={"fields": {"h": payload("header")}},
        search_attributes={"indexed_fields": {"Number": payload(7)}},
        retry_policy=retry_policy(initial=2),
        priority={"priority_key": 3},
        user_metadata={"summary": payload("why")},
    )
    run.assert_history("""
        1 WorkflowExecutionStarted input=1 'memo.fields.m="memo"' 'header.fields.h="header"' \
search_attributes.indexed_fields.Number=7 retry_policy.initial_interval=2s retry_policy.maximum_interval=200s \
retry_policy.backoff_coefficient=2.0 priority.priority_key=3 '.user_metadata.summary="why"'
        2 WorkflowTaskScheduled
    """)


@pytest.mark.parametrize(
    ("asked", "execution", "run_timeout", "task", "expires"),
    [
        ({}, "-", "-", "10s", "-"),
        ({"workflow_execution_timeout": 60}, "60s", "60s", "10s", "+60s"),
        ({"workflow_run_timeout": 60}, "-", "60s", "10s", "-"),
        ({"workflow_run_timeout": 90, "workflow_execution_timeout": 60}, "60s", "60s", "10s", "+60s"),
        ({"workflow_run_timeout": 4}, "-", "4s", "4s", "-"),
        ({"workflow_task_timeout": 500}, "-", "-", "120s", "-"),
    ],
)
def test_timeouts_of_the_start(
    asked: dict[str, float], execution: str, run_timeout: str, task: str, expires: str
) -> None:
    run = Core().start(**{name: seconds(value) for name, value in asked.items()})
    run.assert_history(f"""
        1 WorkflowExecutionStarted workflow_execution_timeout={execution} workflow_run_timeout={run_timeout} \
workflow_task_timeout={task} workflow_execution_expiration_time={expires}
        2 WorkflowTaskScheduled start_to_close_timeout={task}
    """)


# The start delay.


def test_a_start_delay_holds_the_first_task_back() -> None:
    core = Core()
    run = core.start(workflow_start_delay=seconds(30))
    run.assert_history("1 WorkflowExecutionStarted first_workflow_task_backoff=30s")
    core.advance(29.9)
    run.assert_history("1 WorkflowExecutionStarted")
    core.advance(0.1)
    run.assert_history("2 WorkflowTaskScheduled .event_time=+30s")


def test_a_signal_does_not_end_it() -> None:
    core = Core()
    run = core.start(workflow_start_delay=seconds(30))
    run.signal()
    run.assert_history("1 WorkflowExecutionStarted\n2 WorkflowExecutionSignaled")
    run.reload()
    core.advance(30)
    run.assert_history("3 WorkflowTaskScheduled .event_time=+30s")


def test_a_cancel_request_ends_it() -> None:
    core = Core()
    run = core.start(workflow_start_delay=seconds(30))
    run.request_cancel()
    run.assert_history("2 WorkflowExecutionCancelRequested\n3 WorkflowTaskScheduled .event_time=+0s")
    core.advance(60)
    run.assert_history("3 WorkflowTaskScheduled")


def test_a_termination_during_it() -> None:
    core = Core()
    run = core.start(workflow_start_delay=seconds(30))
    run.terminate()
    run.assert_history("2 WorkflowExecutionTerminated")
    assert run.next_deadline_ns is None


def test_a_run_timeout_counts_from_its_end() -> None:
    core = Core()
    run = core.start(workflow_start_delay=seconds(30), workflow_run_timeout=seconds(5))
    core.advance(60)
    run.assert_history("2 WorkflowTaskScheduled .event_time=+30s\n3 WorkflowExecutionTimedOut .event_time=+35s")


# Termination.


def test_termination_of_a_waiting_run() -> None:
    run = Core().start()
    run.complete(start_timer("t", 60), schedule_activity("a"))
    run.terminate(reason="why", details=payloads("detail"), identity="me")
    run.assert_history("""
        6 ActivityTaskScheduled
        7 WorkflowExecutionTerminated reason=why 'details="detail"' identity=me
    """)


def test_termination_under_a_transient_attempt_leaves_no_failure() -> None:
    run = Core().start()
    run.fail_workflow_task()
    run.poll()
    run.terminate()
    run.assert_history("4 WorkflowTaskFailed\n5 WorkflowExecutionTerminated")


# Time-outs.


def test_the_run_timeout() -> None:
    core = Core()
    run = core.start(workflow_run_timeout=seconds(5))
    run.complete(start_timer("t", 60))
    core.advance(4.999)
    run.assert_history("5 TimerStarted")
    core.advance(0.001)
    run.assert_history("6 WorkflowExecutionTimedOut retry_state=RETRY_POLICY_NOT_SET new_execution_run_id=")


def test_the_run_timeout_during_a_workflow_task() -> None:
    core = Core()
    run = core.start(workflow_run_timeout=seconds(5), workflow_task_timeout=seconds(50))
    core.advance(1)
    run.poll()
    run.signal()
    core.advance(4)
    run.assert_history("""
        3 WorkflowTaskStarted
        4 WorkflowTaskFailed cause=FORCE_CLOSE_COMMAND identity=history-service
        5 WorkflowExecutionSignaled
        6 WorkflowExecutionTimedOut
    """)


def test_the_execution_timeout_is_not_retried() -> None:
    core = Core()
    run = core.start(workflow_execution_timeout=seconds(5), retry_policy=retry_policy())
    core.advance(5)
    run.assert_history("3 WorkflowExecutionTimedOut retry_state=TIMEOUT new_execution_run_id=")


# Retry.


def test_a_failed_run_is_retried_with_what_it_started_with() -> None:
    core = Core()
    first = core.start(
        input=payloads(1), memo={"fields": {"m": payload(2)}}, retry_policy=retry_policy(initial=2, attempts=2)
    )
    core.advance(3)
    first.complete(fail_workflow(application_failure("first")))
    second = first.next_run
    first.assert_history(f"""
        5 WorkflowExecutionFailed failure.message=first retry_state=IN_PROGRESS \
new_execution_run_id={second.state.run_id}
    """)
    second.assert_history(f"""
        1 WorkflowExecutionStarted input=1 memo.fields.m=2 attempt=2 initiator=RETRY \
first_workflow_task_backoff=2s continued_failure.message=first continued_execution_run_id={first.state.run_id} \
first_execution_run_id={first.state.run_id} original_execution_run_id={second.state.run_id} \
retry_policy.maximum_attempts=2 last_completion_result=-
    """)
    core.advance(1)
    second.signal()
    second.assert_history("2 WorkflowExecutionSignaled")
    core.advance(1)
    second.complete(fail_workflow(application_failure("second")))
    second.assert_history("""
        3 WorkflowTaskScheduled
        4 WorkflowTaskStarted
        5 WorkflowTaskCompleted
        6 WorkflowExecutionFailed failure.message=second retry_state=MAXIMUM_ATTEMPTS_REACHED new_execution_run_id=
    """)


@pytest.mark.parametrize(
    ("policy", "failure", "retry_state"),
    [
        (None, application_failure(), "RETRY_POLICY_NOT_SET"),
        (retry_policy(attempts=1), application_failure(), "MAXIMUM_ATTEMPTS_REACHED"),
        (retry_policy(), application_failure(non_retryable=True), "NON_RETRYABLE_FAILURE"),
        (retry_policy(non_retryable=["Oops"]), application_failure(), "NON_RETRYABLE_FAILURE"),
    ],
)
def test_a_failed_run_that_is_not_retried(policy: Any, failure: Any, retry_state: str) -> None:
    core = Core()
    run = core.start(retry_policy=policy)
    run.complete(fail_workflow(failure))
    run.assert_history(f"5 WorkflowExecutionFailed retry_state={retry_state} new_execution_run_id=")
    assert len(core.runs) == 1


def test_next_retry_delay_of_a_run() -> None:
    core = Core()
    run = core.start(retry_policy=retry_policy())
    run.complete(fail_workflow(application_failure(next_retry_delay=seconds(20))))
    run.next_run.assert_history("1 WorkflowExecutionStarted first_workflow_task_backoff=20s")


def test_the_links_of_the_start_follow_the_chain() -> None:
    link = {"workflow_event": {"namespace": "default", "workflow_id": "caller", "run_id": "r"}}
    run = Core().start(links=[link], retry_policy=retry_policy())
    run.complete(fail_workflow())
    assert [each.workflow_event.workflow_id for each in run.next_run.events[0].links] == ["caller"]


def test_a_run_that_timed_out_is_retried() -> None:
    core = Core()
    run = core.start(workflow_run_timeout=seconds(5), retry_policy=retry_policy(initial=2))
    core.advance(5)
    run.assert_history("3 WorkflowExecutionTimedOut retry_state=IN_PROGRESS")
    run.next_run.assert_history("""
        1 WorkflowExecutionStarted attempt=2 initiator=RETRY 'continued_failure.message=workflow timeout' \
continued_failure.source=Server continued_failure.timeout_failure_info.timeout_type=START_TO_CLOSE
    """)


def test_a_retry_stops_at_the_execution_timeout() -> None:
    core = Core()
    run = core.start(workflow_execution_timeout=seconds(10), retry_policy=retry_policy(initial=6, coefficient=1))
    run.complete(fail_workflow())
    second = run.next_run
    second.assert_history("1 WorkflowExecutionStarted workflow_execution_expiration_time=+10s")
    core.advance(6)
    second.complete(fail_workflow())
    second.assert_history("5 WorkflowExecutionFailed retry_state=TIMEOUT new_execution_run_id=")


# Cron.


def test_cron_runs_follow_each_other() -> None:
    core = Core()
    first = core.start(cron_schedule="@every 60s", input=payloads("in"))
    first.assert_history("""
        1 WorkflowExecutionStarted cron_schedule='@every 60s' initiator=CRON_SCHEDULE first_workflow_task_backoff=60s
    """)
    core.advance(60)
    first.complete(complete_workflow("one"))
    second = first.next_run
    first.assert_history(f"5 WorkflowExecutionCompleted new_execution_run_id={second.state.run_id}")
    second.assert_history(f"""
        1 WorkflowExecutionStarted cron_schedule='@every 60s' initiator=CRON_SCHEDULE attempt=1 'input="in"' \
'last_completion_result="one"' continued_failure=- first_workflow_task_backoff=60s \
continued_execution_run_id={first.state.run_id} first_execution_run_id={first.state.run_id}
    """)
    core.advance(60)
    second.complete(fail_workflow(application_failure("no")))
    second.assert_history("5 WorkflowExecutionFailed retry_state=RETRY_POLICY_NOT_SET")
    second.next_run.assert_history("""
        1 WorkflowExecutionStarted 'last_completion_result="one"' continued_failure.message=no initiator=CRON_SCHEDULE
    """)
    core.advance(60)
    third = second.next_run
    third.complete(complete_workflow("three"))
    third.next_run.assert_history("1 WorkflowExecutionStarted 'last_completion_result=\"three\"' continued_failure=-")


def test_a_cron_run_that_is_late_keeps_to_the_schedule() -> None:
    core = Core()
    run = core.start(cron_schedule="*/5 * * * *")
    core.advance(300 + 420)
    run.complete(complete_workflow())
    run.next_run.assert_history("1 WorkflowExecutionStarted first_workflow_task_backoff=180s")


def test_a_failed_cron_run_is_retried_first() -> None:
    core = Core()
    run = core.start(cron_schedule="@every 60s", retry_policy=retry_policy(attempts=2))
    core.advance(60)
    run.complete(fail_workflow(application_failure("one")))
    run.assert_history("5 WorkflowExecutionFailed retry_state=IN_PROGRESS")
    retried = run.next_run
    retried.assert_history("1 WorkflowExecutionStarted initiator=RETRY attempt=2 first_workflow_task_backoff=1s")
    core.advance(1)
    retried.complete(fail_workflow(application_failure("two")))
    retried.assert_history("5 WorkflowExecutionFailed retry_state=MAXIMUM_ATTEMPTS_REACHED")
    retried.next_run.assert_history("""
        1 WorkflowExecutionStarted initiator=CRON_SCHEDULE attempt=1 continued_failure.message=two
    """)


def test_the_run_timeout_of_a_cron_run_counts_after_its_backoff() -> None:
    core = Core()
    run = core.start(cron_schedule="@every 60s", workflow_run_timeout=seconds(5))
    core.advance(65)
    run.assert_history("2 WorkflowTaskScheduled .event_time=+60s\n3 WorkflowExecutionTimedOut .event_time=+65s")
    run.next_run.assert_history("1 WorkflowExecutionStarted initiator=CRON_SCHEDULE")


def test_a_termination_ends_the_cron_chain() -> None:
    core = Core()
    run = core.start(cron_schedule="@every 60s")
    run.terminate()
    assert len(core.runs) == 1


def test_a_signal_waits_for_the_first_cron_run() -> None:
    core = Core()
    run = core.start(cron_schedule="@every 60s")
    run.signal()
    run.assert_history("2 WorkflowExecutionSignaled")
    core.advance(60)
    run.assert_history("3 WorkflowTaskScheduled .event_time=+60s")
