"""A run's own time: what it skips, what it waits for, and when a session ends."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.protocol.v1 import Message

from engine.core.policy.durations import MAX_DURATION_SECONDS
from engine.core.run.state import RunState
from engine.core.run.time_skipping import current_time_ns, time_skipping_info
from tests.core.support.core import Core, Run
from tests.core.support.env import SECOND_NS, START_NS
from tests.core.support.messages import (
    application_failure,
    cancel_timer,
    command,
    complete_workflow,
    retry_policy,
    schedule_activity,
    seconds,
    start_child,
    start_timer,
)
from tests.core.support.time_skipping import HOUR, skipped_hours, skipping, update_time_skipping
from tests.core.support.update_messages import reject, taking_events_again


def _waiting(core: Core | None = None, **config: Any) -> tuple[Core, Run]:
    """Start a run that skips time, whose first workflow task is with a worker."""
    core = core or Core()
    run = core.start(time_skipping_config=skipping(**config))
    run.poll()
    return core, run


def test_time_jumps_from_timer_to_timer() -> None:
    core, run = _waiting()
    core.advance(5)
    run.complete(start_timer("late", 100 * HOUR), start_timer("early", HOUR))
    run.assert_history("""
        1 WorkflowExecutionStarted time_skipping_config.enabled=true time_skipping_config.max_session_skip_count=200
        2 WorkflowTaskScheduled
        3 WorkflowTaskStarted
        4 WorkflowTaskCompleted
        5 TimerStarted .event_time=+5s
        6 TimerStarted
        7 WorkflowExecutionTimeSkippingTransitioned .event_time=+5s target_time=+3605s wall_clock_time=+5s \
disabled_after_fast_forward=false .worker_may_ignore=true
    """)
    assert run.next_deadline_ns == START_NS + 5 * SECOND_NS
    core.advance(2)
    run.assert_history("""
        8 TimerFired timer_id=early .event_time=+3605s
        9 WorkflowTaskScheduled .event_time=+3605s
    """)
    run.complete()
    core.advance(0)
    run.assert_history("""
        10 WorkflowTaskStarted .event_time=+3607s
        11 WorkflowTaskCompleted
        12 WorkflowExecutionTimeSkippingTransitioned .event_time=+3607s target_time=+360005s wall_clock_time=+7s
        13 TimerFired timer_id=late .event_time=+360005s
        14 WorkflowTaskScheduled
    """)
    run.complete(complete_workflow())
    assert run.state.close_time_ns == START_NS + 360_005 * SECOND_NS
    assert run.state.time_skipping is not None
    assert run.state.time_skipping.skip_count == 2


def test_a_run_without_a_config_waits() -> None:
    run = Core().start()
    run.complete(start_timer("t", HOUR))
    assert run.history().endswith("5 TimerStarted")
    assert run.state.time_skipping is None


def test_nothing_is_skipped_without_a_target() -> None:
    _, run = _waiting()
    run.complete()
    assert run.history().endswith("4 WorkflowTaskCompleted")


@pytest.mark.parametrize(
    "work",
    [
        schedule_activity("a"),
        start_child(),
        command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", execution={"workflow_id": "other"}, signal_name="go"),
        command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", workflow_id="other"),
    ],
    ids=["activity", "child", "signal", "cancellation request"],
)
def test_work_holds_time_back(work: Any) -> None:
    _, run = _waiting()
    run.complete(start_timer("t", HOUR), work)
    assert "TimeSkipping" not in run.history()
    assert skipped_hours(run) == 0


def test_a_workflow_task_holds_time_back() -> None:
    _, run = _waiting()
    run.signal()
    run.complete(start_timer("t", HOUR))
    assert run.history().endswith("7 WorkflowTaskScheduled")
    run.complete()
    assert run.history().endswith("10 WorkflowExecutionTimeSkippingTransitioned")


def _with_speculative_task() -> tuple[Core, Run, Message]:
    """Return a run that could skip time but for the speculative task that its worker has, and that task's message."""
    core, run = _waiting()
    run.update()
    reply = run.complete(start_timer("t", HOUR), return_new_workflow_task=True)
    assert reply.new_workflow_task is not None
    assert run.state.workflow_task is not None
    assert run.state.workflow_task.speculative
    assert run.history().endswith("5 TimerStarted")
    return core, run, reply.new_workflow_task.messages[0]


def test_a_speculative_workflow_task_holds_time_back_until_it_is_discarded() -> None:
    _, run, message = _with_speculative_task()
    run.complete(messages=[reject(message)], capabilities=taking_events_again())
    run.assert_history("5 TimerStarted\n6 WorkflowExecutionTimeSkippingTransitioned target_time=+3600s")


def test_after_a_crash_without_its_speculative_task_a_run_skips_time() -> None:
    core, run, _ = _with_speculative_task()
    run.reload()
    assert run.stored.next_deadline_ns == START_NS + 10 * SECOND_NS
    core.env.time_ns += 10 * SECOND_NS
    run.deadline_due()
    run.assert_history("5 TimerStarted\n6 WorkflowExecutionTimeSkippingTransitioned target_time=+3600s")


def test_time_jumps_over_the_backoff_of_an_activity() -> None:
    core, run = _waiting()
    run.complete(
        schedule_activity("a", retry_policy=retry_policy(initial=HOUR, attempts=3)), start_timer("t", 9 * HOUR)
    )
    run.fail_activity(run.poll_activity("a"), application_failure())
    run.assert_history("7 WorkflowExecutionTimeSkippingTransitioned target_time=+3600s")
    core.advance(0)
    task = run.poll_activity("a")
    assert task.attempt == 2
    assert task.started_time_ns == START_NS + HOUR * SECOND_NS
    run.fail_activity(task, application_failure())
    core.advance(0)
    run.complete_activity(run.poll_activity("a"))
    run.assert_history("""
        8 WorkflowExecutionTimeSkippingTransitioned target_time=+10800s
        9 ActivityTaskStarted attempt=3 .event_time=+10800s
        10 ActivityTaskCompleted
        11 WorkflowTaskScheduled
    """)


def test_of_two_activities_the_running_one_counts() -> None:
    core, run = _waiting()
    policy = retry_policy(initial=HOUR)
    run.complete(schedule_activity("a", retry_policy=policy), schedule_activity("b", retry_policy=policy))
    run.fail_activity(run.poll_activity("a"), application_failure())
    assert "TimeSkipping" not in run.history()
    run.fail_activity(run.poll_activity("b"), application_failure())
    run.assert_history("7 WorkflowExecutionTimeSkippingTransitioned target_time=+3600s")
    core.advance(0)
    assert not any(activity.backing_off for activity in run.state.activities.values())


def test_time_jumps_over_a_start_delay() -> None:
    core = Core()
    run = core.start(time_skipping_config=skipping(), workflow_start_delay=seconds(HOUR))
    core.advance(0)
    run.assert_history("""
        1 WorkflowExecutionStarted
        2 WorkflowExecutionTimeSkippingTransitioned target_time=+3600s
        3 WorkflowTaskScheduled .event_time=+3600s
    """)


@pytest.mark.parametrize("timeout", ["workflow_run_timeout", "workflow_execution_timeout"])
def test_time_jumps_to_the_end_of_the_run(timeout: str) -> None:
    core = Core()
    run = core.start(time_skipping_config=skipping(), **{timeout: seconds(HOUR)})
    assert "TimeSkipping" not in run.history(), "before its first workflow task is done a run does not wait"
    run.complete(start_timer("t", 2 * HOUR))
    core.advance(0)
    run.assert_history("""
        5 TimerStarted
        6 WorkflowExecutionTimeSkippingTransitioned target_time=+3600s
        7 WorkflowExecutionTimedOut .event_time=+3600s
    """)


def test_a_cancelled_timer_is_no_target() -> None:
    core, run = _waiting()
    run.complete(start_timer("a", HOUR), start_timer("b", 2 * HOUR))
    core.advance(0)
    run.complete(cancel_timer("b"), start_timer("c", 5 * HOUR))
    run.assert_history("""
        12 TimerCanceled
        13 TimerStarted
        14 WorkflowExecutionTimeSkippingTransitioned target_time=+21600s
    """)


def test_what_is_due_comes_before_the_next_jump() -> None:
    core, run = _waiting()
    run.complete(start_timer("first", HOUR), start_timer("second", HOUR + 1))
    update_time_skipping(run, skipping(disable_propagation=True))
    run.assert_history("""
        7 WorkflowExecutionTimeSkippingTransitioned target_time=+3600s
        8 WorkflowExecutionOptionsUpdated
    """)
    core.advance(0)
    run.assert_history("""
        9 TimerFired timer_id=first
        10 WorkflowTaskScheduled
    """)


def test_a_session_ends_with_its_last_skip() -> None:
    core, run = _waiting(max_session_skip_count=2)
    for number in range(3):
        run.complete(start_timer(f"t{number}", HOUR))
        core.advance(0)
    assert run.history().endswith("17 TimerStarted")
    assert run.state.time_skipping is not None
    assert not run.state.time_skipping.enabled
    update_time_skipping(run, skipping(max_session_skip_count=1))
    core.advance(0)
    run.assert_history("""
        18 WorkflowExecutionOptionsUpdated time_skipping_config.enabled=true time_skipping_config_updated=true
        19 WorkflowExecutionTimeSkippingTransitioned
        20 TimerFired
        21 WorkflowTaskScheduled
    """)
    assert not run.state.time_skipping.enabled


def test_the_config_is_updated_and_removed() -> None:
    core = Core()
    run = core.start(priority={"priority_key": 2})
    run.complete(start_timer("t", HOUR))
    reply = update_time_skipping(run, skipping())
    assert reply.workflow_execution_options.time_skipping_config == skipping(max_session_skip_count=200)
    assert reply.workflow_execution_options.priority.priority_key == 2
    core.advance(0)
    update_time_skipping(run, skipping())
    run.complete(start_timer("u", HOUR))
    core.advance(0)
    update_time_skipping(run, TimeSkippingConfig())
    run.complete(start_timer("v", HOUR))
    update_time_skipping(run, None)
    run.assert_history("""
        6 WorkflowExecutionOptionsUpdated time_skipping_config.enabled=true time_skipping_config_updated=true \
priority.priority_key=2 identity=updater unset_versioning_override=true .worker_may_ignore=true
        7 WorkflowExecutionTimeSkippingTransitioned target_time=+3600s
        8 TimerFired
        9 WorkflowTaskScheduled
        10 WorkflowTaskStarted
        11 WorkflowTaskCompleted
        12 TimerStarted
        13 WorkflowExecutionTimeSkippingTransitioned target_time=+7200s
        14 TimerFired
        15 WorkflowTaskScheduled
        16 WorkflowExecutionOptionsUpdated time_skipping_config.enabled=false time_skipping_config_updated=true
        17 WorkflowTaskStarted
        18 WorkflowTaskCompleted
        19 TimerStarted
        20 WorkflowExecutionOptionsUpdated time_skipping_config=- time_skipping_config_updated=true
    """)
    assert skipped_hours(run) == 2
    assert run.next_deadline_ns == START_NS + HOUR * SECOND_NS
    run.terminate()
    assert _info(core, run.stored.load(run.state)).current_time.seconds == (START_NS // SECOND_NS) + 2 * HOUR


def test_a_run_skips_to_no_time_that_could_not_be_stored() -> None:
    _, run = _waiting()
    run.complete(start_timer("a", MAX_DURATION_SECONDS))
    run.core.advance(0)
    run.complete(start_timer("b", MAX_DURATION_SECONDS))
    assert run.history().endswith("11 TimerStarted")


def test_after_the_clock_was_set_back_the_run_makes_up_for_it() -> None:
    core, run = _waiting()
    run.complete(start_timer("t", HOUR))
    core.env.time_ns -= 60 * SECOND_NS
    run.deadline_due()
    core.advance(0)
    run.assert_history("""
        6 WorkflowExecutionTimeSkippingTransitioned .event_time=+0s target_time=+3600s
        7 WorkflowExecutionTimeSkippingTransitioned .event_time=+3540s target_time=+3600s
        8 TimerFired .event_time=+3600s
        9 WorkflowTaskScheduled
    """)


def _info(core: Core, state: RunState) -> Any:
    assert state.time_skipping is not None
    return time_skipping_info(state.time_skipping, current_time_ns(core.env, state))


def test_a_description_says_what_is_in_effect() -> None:
    core, run = _waiting(fast_forward_seconds=2 * HOUR, max_session_skip_count=9)
    run.complete(start_timer("t", HOUR))
    core.advance(5)
    info = _info(core, run.state)
    assert info.current_time.seconds == START_NS // SECOND_NS + HOUR + 5
    assert info.current_session_skip_count == 1
    assert info.effective_config == skipping(2 * HOUR, max_session_skip_count=9)
    assert info.fast_forward_info.fast_forward_id == "ff"
    assert info.fast_forward_info.target_time.seconds == START_NS // SECOND_NS + 2 * HOUR
    assert not info.fast_forward_info.has_completed
