"""The heap of deadlines: what is stale is dropped, what moved comes back, and a load builds it again."""

from __future__ import annotations

from engine.core import inputs
from engine.core.dispatch import ON_DEADLINE
from engine.core.policy.limits import Limits
from engine.core.run import deadlines
from engine.core.run.deadlines import DeadlineKind
from tests.core.support.core import Core
from tests.core.support.env import SECOND_NS, START_NS
from tests.core.support.messages import (
    cancel_timer,
    complete_workflow,
    retry_policy,
    schedule_activity,
    seconds,
    start_timer,
    sticky,
)
from tests.core.support.time_skipping import skipping


def _due_seconds(due_ns: int | None) -> float | None:
    return None if due_ns is None else (due_ns - START_NS) / SECOND_NS


def test_every_kind_has_a_handler() -> None:
    assert set(ON_DEADLINE) == set(DeadlineKind)


def test_the_earliest_true_deadline_counts() -> None:
    run = Core().start(workflow_run_timeout=seconds(90))
    assert _due_seconds(run.next_deadline_ns) == 90
    run.complete(start_timer("late", 60), start_timer("early", 20), start_timer("middle", 40))
    assert _due_seconds(run.next_deadline_ns) == 20
    run.signal()
    run.poll()
    assert _due_seconds(run.next_deadline_ns) == 10
    run.complete(cancel_timer("early"))
    assert _due_seconds(run.next_deadline_ns) == 40


def test_looking_too_early_changes_nothing() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("t", 60), schedule_activity("a"))
    before = run.history()
    run.deadline_due()
    core.env.time_ns += 59 * SECOND_NS
    run.deadline_due()
    assert run.history() == before


def test_a_closed_run_has_none() -> None:
    run = Core().start(workflow_run_timeout=seconds(90))
    run.complete(start_timer("t", 60))
    run.signal()
    run.complete(complete_workflow())
    assert run.next_deadline_ns is None
    run.deadline_due()
    assert run.history().endswith("WorkflowExecutionCompleted")


def test_a_deadline_that_moved_waits_for_its_new_time() -> None:
    core = Core()
    run = core.start()
    run.complete(schedule_activity("a", heartbeat_timeout=seconds(3), start_to_close_timeout=seconds(50)))
    task = run.poll_activity("a")
    assert _due_seconds(run.next_deadline_ns) == 3
    core.advance(2)
    run.heartbeat(task)
    assert _due_seconds(run.stored.next_deadline_ns) == 5
    core.advance(2.5)
    assert run.activity("a").started


def test_deadlines_of_an_earlier_attempt_are_stale() -> None:
    core = Core()
    run = core.start()
    run.complete(schedule_activity("a", retry_policy=retry_policy(initial=4)))
    run.fail_activity(run.poll_activity("a"))
    assert _due_seconds(run.next_deadline_ns) == 4
    core.advance(4)
    assert run.next_deadline_ns is None
    core.advance(2)
    run.poll_activity("a")
    assert _due_seconds(run.next_deadline_ns) == 16
    core.advance(9.9)
    assert run.activity("a").attempt == 2


def test_deadlines_of_a_completed_workflow_task_are_stale() -> None:
    core = Core()
    run = core.start()
    run.complete(sticky_attributes=sticky(timeout_seconds=5))
    run.signal()
    assert _due_seconds(run.next_deadline_ns) == 5
    core.advance(1)
    run.poll()
    assert _due_seconds(run.next_deadline_ns) == 11
    run.complete()
    assert run.next_deadline_ns is None


def test_all_that_is_due_is_done_at_once_the_earliest_first() -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("b", 2), start_timer("a", 1), schedule_activity("x", schedule_to_start_timeout=seconds(3)))
    core.env.time_ns += 10 * SECOND_NS
    run.deadline_due()
    run.assert_history("""
        8 TimerFired timer_id=a
        9 WorkflowTaskScheduled
        10 TimerFired timer_id=b
        11 ActivityTaskTimedOut
    """)


def test_what_falls_due_after_a_close_is_forgotten() -> None:
    core = Core()
    run = core.start(workflow_run_timeout=seconds(5))
    run.complete(start_timer("t", 6))
    core.env.time_ns += 10 * SECOND_NS
    run.deadline_due()
    run.assert_history("6 WorkflowExecutionTimedOut")


def test_a_load_builds_every_deadline_again() -> None:
    core = Core()
    run = core.start(
        workflow_execution_timeout=seconds(500),
        workflow_run_timeout=seconds(400),
        workflow_task_timeout=seconds(100),
        time_skipping_config=skipping(450),
    )
    run.complete(
        start_timer("t", 60),
        schedule_activity("waits", schedule_to_start_timeout=seconds(50)),
        schedule_activity(
            "runs",
            heartbeat_timeout=seconds(20),
            start_to_close_timeout=seconds(80),
            schedule_to_close_timeout=seconds(300),
        ),
        schedule_activity("backs off", retry_policy=retry_policy(initial=70, attempts=2)),
        sticky_attributes=sticky(timeout_seconds=30),
    )
    run.poll_activity("runs")
    run.fail_activity(run.poll_activity("backs off"))
    run.signal()
    live = run.state
    run.reload()
    assert run.state is not live
    kinds = {DeadlineKind(entry[1]) for entry in run.state.deadlines}
    assert kinds == set(DeadlineKind) - {
        DeadlineKind.FIRST_WORKFLOW_TASK,
        DeadlineKind.WORKFLOW_TASK_START_TO_CLOSE,
    }
    assert _true_entries(run.state) == _true_entries(live)
    run.poll()
    assert DeadlineKind.WORKFLOW_TASK_START_TO_CLOSE in {entry[1] for entry in run.state.deadlines}


def _true_entries(state: deadlines.RunState) -> set[tuple[int, ...]]:
    entries = ((deadlines.current_due_ns(state, entry), *entry[1:4]) for entry in state.deadlines)
    return {entry for entry in entries if entry[0] is not None}


def test_a_pending_delay_is_built_again() -> None:
    core = Core()
    run = core.start(workflow_start_delay=seconds(30))
    run.reload()
    core.advance(30)
    run.assert_history("1 WorkflowExecutionStarted\n2 WorkflowTaskScheduled")


def test_a_clock_that_goes_backwards_does_not_move_a_run_back() -> None:
    core = Core(Limits())
    run = core.start()
    core.advance(5)
    run.signal()
    core.env.time_ns -= 4 * SECOND_NS
    run.complete(start_timer("t", 1))
    run.assert_history("4 WorkflowTaskStarted .event_time=+5s\n5 WorkflowTaskCompleted .event_time=+5s\n6 TimerStarted")
    assert _due_seconds(run.next_deadline_ns) == 6


def test_a_long_history_keeps_a_short_tail() -> None:
    run = Core().start()
    for _ in range(6):
        run.poll()
        run.signal("x" * 20_000)
        run.complete(sticky_attributes=sticky())
    assert run.state.tail_bytes == sum(map(len, run.state.tail)) <= 3 * 20_200
    assert run.state.tail_first_event_id > 1
    task = run.poll()
    assert task.first_event_id >= run.state.tail_first_event_id


def test_a_deadline_input_does_nothing_in_a_run_without_any() -> None:
    run = Core().start()
    run.send(inputs.DeadlineDue(run.ref))
    assert run.history().endswith("2 WorkflowTaskScheduled")
