"""Fast-forwards: where they lead, what ends them, and what a poll hears of that."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.enums.v1 import FastForwardPollingResult

from engine.core.errors import InvalidArgument
from engine.core.policy.durations import MAX_DURATION_NS
from engine.core.run.fast_forward import find_poll_result, poll_timed_out
from tests.core.support.core import Core, Run
from tests.core.support.env import SECOND_NS, START_NS
from tests.core.support.messages import complete_workflow, continue_as_new, schedule_activity, seconds, start_timer
from tests.core.support.time_skipping import HOUR, skipped_hours, skipping, update_time_skipping

COMPLETED = "FAST_FORWARD_COMPLETED"
FAILED = "FAST_FORWARD_FAILED"


def _result(run: Run, fast_forward_id: str = "ff", target_ns: int = 0) -> tuple[str, str] | None:
    """Return the result of a poll and the reason, None while it waits."""
    reply = find_poll_result(run.state, fast_forward_id, target_ns)
    if reply is None:
        return None
    name = FastForwardPollingResult.Name(reply.fast_forward_polling_result)
    return name.removeprefix("FAST_FORWARD_POLLING_RESULT_"), reply.failed_reason


def _target_ns(run: Run) -> int:
    assert run.state.time_skipping is not None
    return run.state.time_skipping.fast_forward_target_ns


def test_an_idle_run_jumps_to_the_target() -> None:
    core = Core()
    run = core.start(time_skipping_config=skipping(HOUR))
    core.advance(5)
    assert _result(run) is None
    run.complete()
    run.assert_history("""
        5 WorkflowExecutionTimeSkippingTransitioned .event_time=+5s target_time=+3600s disabled_after_fast_forward=true
    """)
    assert _result(run) == (COMPLETED, "")
    assert run.next_deadline_ns is None
    run.signal()
    run.complete(start_timer("t", HOUR))
    assert run.history().endswith("10 TimerStarted")


@pytest.mark.parametrize(
    ("timer_hours", "transitions"),
    [
        (1, ["+3600s false", "+7200s true"]),
        (2, ["+7200s true"]),
        (3, ["+7200s true"]),
    ],
)
def test_timers_around_the_target(timer_hours: int, transitions: list[str]) -> None:
    core = Core()
    run = core.start(time_skipping_config=skipping(2 * HOUR))
    run.complete(start_timer("t", timer_hours * HOUR))
    core.advance(0)
    if run.state.workflow_task is not None:
        run.complete()
    skips = [event for event in run.events if event.HasField(_TRANSITIONED)]
    assert [_skip(event) for event in skips] == transitions
    assert ("t" in run.state.timers) == (timer_hours == 3)


_TRANSITIONED = "workflow_execution_time_skipping_transitioned_event_attributes"


def _skip(event: Any) -> str:
    attributes = getattr(event, _TRANSITIONED)
    target = attributes.target_time.seconds - START_NS // SECOND_NS
    return f"+{target}s {str(attributes.disabled_after_fast_forward).lower()}"


def test_its_end_comes_before_the_end_of_the_run() -> None:
    core = Core()
    run = core.start(time_skipping_config=skipping(HOUR), workflow_run_timeout=seconds(HOUR))
    run.complete()
    core.advance(0)
    run.assert_history("""
        5 WorkflowExecutionTimeSkippingTransitioned target_time=+3600s disabled_after_fast_forward=true
        6 WorkflowExecutionTimedOut .event_time=+3600s
    """)


def test_it_ends_by_itself_beside_an_activity() -> None:
    core = Core()
    run = core.start(time_skipping_config=skipping(5))
    run.complete(schedule_activity("a"), start_timer("t", HOUR))
    assert run.next_deadline_ns == START_NS + 5 * SECOND_NS
    core.advance(5)
    run.assert_history("""
        7 WorkflowExecutionTimeSkippingTransitioned .event_time=+5s target_time=- disabled_after_fast_forward=true \
wall_clock_time=+5s .worker_may_ignore=true
    """)
    assert skipped_hours(run) == 0
    run.complete_activity(run.poll_activity("a"))
    run.complete()
    assert run.history().endswith("12 WorkflowTaskCompleted"), "it skips no more"


def test_its_end_is_held_back_for_a_worker() -> None:
    core = Core()
    run = core.start(time_skipping_config=skipping(5))
    run.poll()
    core.advance(5)
    assert run.history().endswith("3 WorkflowTaskStarted")
    assert _result(run) == (COMPLETED, "")
    reply = run.complete(complete_workflow())
    assert isinstance(reply.error, InvalidArgument)
    run.assert_history("""
        4 WorkflowTaskFailed cause=UNHANDLED_COMMAND
        5 WorkflowExecutionTimeSkippingTransitioned disabled_after_fast_forward=true
        6 WorkflowTaskScheduled
    """)


def test_each_update_sets_it_again() -> None:
    core = Core()
    run = core.start(time_skipping_config=skipping(HOUR))
    first_target_ns = _target_ns(run)
    core.advance(5)
    update_time_skipping(run, skipping(HOUR))
    run.assert_history("3 WorkflowExecutionOptionsUpdated time_skipping_config_updated=true")
    assert _target_ns(run) == first_target_ns + 5 * SECOND_NS
    assert _result(run) is None
    assert _result(run, target_ns=first_target_ns) == (FAILED, "the fast-forward was reset")
    update_time_skipping(run, skipping(60))
    assert run.next_deadline_ns == START_NS + 65 * SECOND_NS
    run.complete()
    update_time_skipping(run, skipping(60))
    run.assert_history("""
        5 WorkflowTaskStarted
        6 WorkflowTaskCompleted
        7 WorkflowExecutionTimeSkippingTransitioned target_time=+65s disabled_after_fast_forward=true
        8 WorkflowExecutionOptionsUpdated time_skipping_config.enabled=true
        9 WorkflowExecutionTimeSkippingTransitioned target_time=+125s disabled_after_fast_forward=true
    """)


@pytest.mark.parametrize(
    ("config", "due_hours"),
    [
        (skipping(), None),
        (skipping(fast_forward_config={"id": "other", "duration": seconds(2 * HOUR)}), 2),
        (None, None),
        (TimeSkippingConfig(), None),
    ],
    ids=["none", "another", "no config", "disabled"],
)
def test_an_update_takes_it_away(config: TimeSkippingConfig | None, due_hours: int | None) -> None:
    run = Core().start(time_skipping_config=skipping(HOUR))
    update_time_skipping(run, config)
    reason = "the requested fast_forward_id does not match the execution's current fast-forward"
    assert _result(run) == (FAILED, reason)
    assert run.next_deadline_ns == (due_hours and START_NS + due_hours * HOUR * SECOND_NS)


def test_it_does_not_complete_when_the_session_has_had_its_skips() -> None:
    run = Core().start(time_skipping_config=skipping(9 * HOUR, max_session_skip_count=1))
    run.complete(start_timer("t", HOUR))
    assert _result(run) == (FAILED, "time skipping was disabled before the fast-forward completed")


def test_it_does_not_complete_when_the_workflow_has_ended() -> None:
    run = Core().start(time_skipping_config=skipping(HOUR))
    run.terminate()
    assert _result(run) == (FAILED, "the execution ended before the fast-forward completed")


def test_the_next_run_goes_on_with_it() -> None:
    core = Core()
    first = core.start(time_skipping_config=skipping(3 * HOUR))
    target_ns = _target_ns(first)
    first.complete(start_timer("t", HOUR))
    core.advance(0)
    first.complete(continue_as_new())
    second = first.next_run
    assert _result(first, target_ns=target_ns) is None, "it is not over with a run that is continued"
    assert _result(second, target_ns=target_ns) is None
    assert second.next_deadline_ns == START_NS + 2 * HOUR * SECOND_NS
    second.complete()
    second.assert_history("""
        5 WorkflowExecutionTimeSkippingTransitioned target_time=+10800s disabled_after_fast_forward=true
    """)
    assert _result(second, target_ns=target_ns) == (COMPLETED, "")
    second.signal()
    core.advance(1)
    second.complete(continue_as_new())
    third = second.next_run
    third.assert_history("""
        1 WorkflowExecutionStarted time_skipping_config.enabled=false time_skipping_config.fast_forward_config.id=ff \
time_skipping_state_propagation.fast_forward_target_time=+10800s \
time_skipping_state_propagation.initial_skip_count=2
        2 WorkflowTaskScheduled
    """)
    assert _result(third) == (COMPLETED, "")


def test_a_very_long_one_is_cut() -> None:
    run = Core().start(time_skipping_config=skipping(300 * 365 * 24 * HOUR))
    assert _target_ns(run) == START_NS + MAX_DURATION_NS


def test_a_poll_that_waited_in_vain_says_what_is_pending() -> None:
    run = Core().start(time_skipping_config=skipping(HOUR))
    reply = poll_timed_out(run.state)
    assert FastForwardPollingResult.Name(reply.fast_forward_polling_result).endswith("POLL_TIMEOUT")
    assert reply.fast_forward_info.fast_forward_id == "ff"
    assert not reply.fast_forward_info.has_completed
