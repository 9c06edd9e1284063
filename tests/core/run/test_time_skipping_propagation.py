"""What the next run of a chain, a child and a reset run go on from of another run's time."""

from __future__ import annotations

from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions

from tests.core.support.core import Core, Run
from tests.core.support.env import SECOND_NS, START_NS
from tests.core.support.family import child_of
from tests.core.support.messages import (
    complete_workflow,
    continue_as_new,
    fail_workflow,
    retry_policy,
    seconds,
    start_child,
    start_timer,
)
from tests.core.support.reset import reset_run
from tests.core.support.time_skipping import HOUR, skipped_hours, skipping, update_time_skipping


def _after_an_hour(core: Core, **fields: object) -> Run:
    """Start a run that has skipped an hour; a worker has its next task."""
    run = core.start(**{"time_skipping_config": skipping()} | fields)  # type: ignore[arg-type]
    run.complete(start_timer("hour", HOUR))
    core.advance(5)
    run.poll()
    return run


def test_continue_as_new() -> None:
    core = Core()
    config = skipping(max_session_skip_count=2, disable_propagation=True)
    run = _after_an_hour(core, time_skipping_config=config, workflow_execution_timeout=seconds(9 * HOUR))
    run.complete(continue_as_new())
    following = run.next_run
    following.assert_history("""
        1 WorkflowExecutionStarted .event_time=+3605s workflow_execution_expiration_time=+32400s \
time_skipping_config.enabled=true time_skipping_config.max_session_skip_count=2 \
time_skipping_config.disable_propagation=true \
time_skipping_state_propagation.initial_skipped_duration=3600s time_skipping_state_propagation.initial_skip_count=1 \
time_skipping_state_propagation.fast_forward_target_time=-
        2 WorkflowTaskScheduled .event_time=+3605s
    """)
    assert following.next_deadline_ns == START_NS + 8 * HOUR * SECOND_NS
    following.complete(start_timer("second", HOUR))
    core.advance(0)
    following.complete(start_timer("not skipped", HOUR))
    assert following.history().endswith("11 TimerStarted")
    assert skipped_hours(following) == 2


def test_a_backoff_between_two_runs_is_skipped() -> None:
    core = Core()
    run = _after_an_hour(core)
    run.complete(continue_as_new(backoff_start_interval=seconds(HOUR)))
    core.advance(0)
    run.next_run.assert_history("""
        1 WorkflowExecutionStarted .event_time=+3605s
        2 WorkflowExecutionTimeSkippingTransitioned target_time=+7205s
        3 WorkflowTaskScheduled .event_time=+7205s
    """)


def test_a_retry() -> None:
    core = Core()
    run = _after_an_hour(core, retry_policy=retry_policy(initial=2 * HOUR, attempts=2))
    run.complete(fail_workflow())
    core.advance(0)
    run.next_run.assert_history("""
        1 WorkflowExecutionStarted .event_time=+3605s attempt=2 first_workflow_task_backoff=7200s \
time_skipping_state_propagation.initial_skipped_duration=3600s
        2 WorkflowExecutionTimeSkippingTransitioned target_time=+10805s
        3 WorkflowTaskScheduled .event_time=+10805s
    """)


def test_a_cron_schedule() -> None:
    core = Core()
    run = core.start(time_skipping_config=skipping(), cron_schedule="@every 6h")
    for number in range(1, 4):
        core.advance(0)
        assert run.state.workflow_task is not None
        assert run.state.workflow_task.scheduled_time_ns == START_NS + number * 6 * HOUR * SECOND_NS
        run.complete(complete_workflow())
        run = run.next_run
    assert skipped_hours(run) == 24, "the next run is there, and has skipped its backoff"


def test_a_disabled_config_goes_on_too() -> None:
    core = Core()
    run = _after_an_hour(core)
    update_time_skipping(run, TimeSkippingConfig(max_session_skip_count=4))
    run.complete()
    run.complete(continue_as_new())
    run.next_run.assert_history("""
        1 WorkflowExecutionStarted .event_time=+3605s time_skipping_config.enabled=false \
time_skipping_config.max_session_skip_count=4 time_skipping_state_propagation.initial_skipped_duration=3600s
        2 WorkflowTaskScheduled
    """)


def test_a_removed_config_leaves_the_time() -> None:
    core = Core()
    run = _after_an_hour(core)
    update_time_skipping(run, None)
    run.complete()
    run.complete(continue_as_new())
    run.next_run.assert_history("""
        1 WorkflowExecutionStarted .event_time=+3605s time_skipping_config=- \
time_skipping_state_propagation.initial_skipped_duration=3600s
        2 WorkflowTaskScheduled
    """)


def test_a_child_goes_on_from_its_parents_time() -> None:
    core = Core()
    run = _after_an_hour(core, time_skipping_config=skipping(100 * HOUR, max_session_skip_count=7))
    timeouts = {"workflow_run_timeout": seconds(HOUR), "workflow_execution_timeout": seconds(2 * HOUR)}
    run.complete(start_child(**timeouts))
    run.assert_history("""
        11 StartChildWorkflowExecutionInitiated time_skipping_config.enabled=true \
time_skipping_config.max_session_skip_count=7 time_skipping_config.fast_forward_config=- \
time_skipping_state_propagation.initial_skipped_duration=3600s time_skipping_state_propagation.initial_skip_count=0 \
time_skipping_state_propagation.fast_forward_target_time=-
        12 ChildWorkflowExecutionStarted
        13 WorkflowTaskScheduled
    """)
    child = child_of(run)
    child.assert_history("""
        1 WorkflowExecutionStarted .event_time=+3605s workflow_execution_expiration_time=+10805s \
time_skipping_config.enabled=true time_skipping_config.fast_forward_config=- \
time_skipping_state_propagation.initial_skipped_duration=3600s
        2 WorkflowTaskScheduled
    """)
    run.complete()
    child.complete(start_timer("t", HOUR // 2))
    core.advance(0)
    child.complete(complete_workflow())
    assert skipped_hours(child) == 1.5
    assert skipped_hours(run) == 1
    run.assert_history("""
        14 WorkflowTaskStarted
        15 WorkflowTaskCompleted
        16 ChildWorkflowExecutionCompleted .event_time=+3605s
        17 WorkflowTaskScheduled
    """)


def test_a_child_may_not_skip_when_its_parent_says_so() -> None:
    core = Core()
    run = _after_an_hour(core, time_skipping_config=skipping(disable_propagation=True))
    run.complete(start_child())
    child = child_of(run)
    child.complete(start_timer("t", HOUR))
    child.assert_history("""
        1 WorkflowExecutionStarted .event_time=+3605s time_skipping_config=- \
time_skipping_state_propagation.initial_skipped_duration=3600s
        2 WorkflowTaskScheduled
        3 WorkflowTaskStarted
        4 WorkflowTaskCompleted
        5 TimerStarted
    """)
    assert child.next_deadline_ns == START_NS + (HOUR + 5) * SECOND_NS


def test_a_child_of_a_run_that_skipped_nothing_knows_nothing_of_it() -> None:
    run = Core().start(time_skipping_config=skipping(disable_propagation=True))
    run.complete(start_child())
    assert child_of(run).state.time_skipping is None
    run.assert_history("""
        5 StartChildWorkflowExecutionInitiated time_skipping_config=- time_skipping_state_propagation=-
        6 ChildWorkflowExecutionStarted
        7 WorkflowTaskScheduled
    """)


def test_a_reset_run_has_the_time_of_the_reset_point() -> None:
    core = Core()
    run = _after_an_hour(core)
    run.complete(start_timer("two", 2 * HOUR))
    core.advance(0)
    again = reset_run(run, 10)
    assert skipped_hours(again) == 1
    again.assert_history("10 WorkflowTaskFailed .event_time=+3605s\n11 WorkflowTaskScheduled .event_time=+3605s")
    again.complete(start_timer("three", 3 * HOUR))
    core.advance(0)
    assert skipped_hours(again) == 4
    first = reset_run(again, 4)
    assert skipped_hours(first) == 0
    first.assert_history("4 WorkflowTaskFailed .event_time=+5s\n5 WorkflowTaskScheduled")


def test_an_update_is_applied_again_by_a_reset() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("t", HOUR))
    update_time_skipping(run, skipping(max_session_skip_count=3))
    core.advance(0)
    again = reset_run(run, 4)
    again.assert_history("""
        4 WorkflowTaskFailed
        5 WorkflowExecutionOptionsUpdated time_skipping_config.max_session_skip_count=3 \
time_skipping_config_updated=true
        6 WorkflowTaskScheduled
    """)
    again.complete(start_timer("u", HOUR))
    assert skipped_hours(again) == 1


def test_a_reset_may_give_the_new_run_a_config() -> None:
    run = Core().start_idle()
    operation = PostResetOperation()
    operation.update_workflow_options.update_mask.paths.append("time_skipping_config")
    options = WorkflowExecutionOptions(time_skipping_config=skipping(HOUR, max_session_skip_count=3))
    operation.update_workflow_options.workflow_execution_options.CopyFrom(options)
    again = reset_run(run, 4, post_reset_operations=[operation])
    assert again.next_deadline_ns == START_NS + HOUR * SECOND_NS
    again.complete()
    again.assert_history("""
        7 WorkflowTaskStarted
        8 WorkflowTaskCompleted
        9 WorkflowExecutionTimeSkippingTransitioned target_time=+3600s disabled_after_fast_forward=true
    """)
