"""What a reset applies again in the new run, and what becomes of children and of messages to other workflows."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType

from tests.core.support.core import Core, Run
from tests.core.support.env import VirtualEnv
from tests.core.support.messages import (
    cancel_workflow,
    command,
    complete_workflow,
    continue_as_new,
    fail_workflow,
    payload,
    payloads,
    schedule_activity,
)
from tests.core.support.reset import reset_run

FIRST_COMPLETED = 4
ALL_EXCLUDED = {"reset_reapply_exclude_types": [1, 2, 3, 4]}


def signaled() -> Run:
    """Return a run that was signalled before and after the end of its first workflow task."""
    run = Core().start()
    run.signal("before")
    run.poll()
    run.complete()
    run.signal(
        "after",
        input=payloads(1),
        header={"fields": {"h": payload(2)}},
        request_id="request",
        links=[{"batch_job": {"job_id": "job"}}],
    )
    return run


def types(run: Run, after: int) -> list[str]:
    return [line.split()[1] for line in run.history().splitlines()[after:]]


def test_signals_come_again_as_they_were() -> None:
    run = signaled()
    run.signal("last")
    new = reset_run(run, 5)
    new.assert_history("""
        3 WorkflowExecutionSignaled signal_name=before
        4 WorkflowTaskStarted
        5 WorkflowTaskFailed
        6 WorkflowExecutionSignaled signal_name=after input=1 header.fields.h=2 identity=signaller \
request_id=request
        7 WorkflowExecutionSignaled signal_name=last
        8 WorkflowTaskScheduled
    """)
    assert new.events[5].links == run.events[5].links
    assert new.state.signal_count == 3


def test_the_request_id_of_a_signal_is_forgotten() -> None:
    new = reset_run(signaled(), 5)
    before = new.history()
    new.signal("after", request_id="request")
    assert new.history() != before


@pytest.mark.parametrize(
    ("fields", "again"),
    [
        ({}, True),
        ({"reset_reapply_type": 1}, True),
        ({"reset_reapply_type": 2}, False),
        ({"reset_reapply_type": 3}, True),
        ({"reset_reapply_exclude_types": [1]}, False),
        ({"reset_reapply_exclude_types": [2, 3, 4]}, True),
        ({"reset_reapply_type": 1, "reset_reapply_exclude_types": [1]}, False),
        (ALL_EXCLUDED, False),
    ],
)
def test_signals_can_be_excluded(fields: dict[str, Any], again: bool) -> None:
    new = reset_run(signaled(), 5, **fields)
    assert ("WorkflowExecutionSignaled" in types(new, 5)) is again


def test_what_the_end_of_the_current_run_writes_is_excluded_too() -> None:
    run = signaled()
    run.poll()
    run.signal("held back")
    assert types(reset_run(run, 5, **ALL_EXCLUDED), 5) == ["WorkflowTaskScheduled"]


def test_a_cancellation_does_not_come_again() -> None:
    run = Core().start()
    run.complete()
    run.request_cancel()
    run.complete(cancel_workflow())
    new = reset_run(run, FIRST_COMPLETED)
    assert types(new, 4) == ["WorkflowTaskScheduled"]
    assert not new.state.cancel_requested


def test_signals_of_the_runs_that_a_run_continued_as() -> None:
    first = Core().start()
    first.complete()
    first.signal("first")
    first.complete(continue_as_new())
    second = first.next_run
    second.core.advance(1)
    second.signal("second")
    second.complete(continue_as_new())
    third = second.next_run
    third.core.advance(1)
    third.poll()
    third.signal("third, held back")
    new = reset_run(first, FIRST_COMPLETED)
    new.assert_history("""
        4 WorkflowTaskFailed
        5 WorkflowExecutionSignaled signal_name=first
        6 WorkflowExecutionSignaled signal_name=second
        7 WorkflowExecutionSignaled signal_name="third, held back"
        8 WorkflowTaskScheduled
    """)


def test_signals_of_a_run_that_is_no_continuation_stay_there() -> None:
    first = Core().start()
    first.complete(complete_workflow())
    second = first.core.start()
    second.signal("second")
    assert types(reset_run(first, FIRST_COMPLETED), 4) == ["WorkflowTaskScheduled"]


def test_a_start_that_was_attached_still_is() -> None:
    core = Core()
    run = core.start()
    run.complete()
    use_existing = {"workflow_id_conflict_policy": 2, "on_conflict_options": {"attach_request_id": True}}
    core.start_workflow(request_id="attached", **use_existing)
    run.signal()
    new = reset_run(run, FIRST_COMPLETED)
    assert types(new, 4) == ["WorkflowExecutionOptionsUpdated", "WorkflowExecutionSignaled", "WorkflowTaskScheduled"]
    assert new.state.request_ids["attached"] == 5
    reply = core.start_workflow(request_id="attached", **use_existing)
    assert (reply.run_id, reply.started) == (new.state.run_id, False)


def test_a_start_that_was_attached_before_the_point_still_is() -> None:
    core = Core()
    run = core.start()
    use_existing = {"workflow_id_conflict_policy": 2, "on_conflict_options": {"attach_request_id": True}}
    core.start_workflow(request_id="attached", **use_existing)
    run.complete(schedule_activity("a"))
    new = reset_run(run, 5)
    assert new.state.request_ids == {run.state.start_request_id: 1, "attached": 3}


# Children, and messages to other workflows.


class TickingEnv(VirtualEnv):
    """Gives every transition a time of its own."""

    def now_ns(self) -> int:
        self.time_ns += 1
        return self.time_ns


def position(run: Run, event: str) -> int:
    """Return the id of the first event of a type."""
    return types(run, 0).index(event) + 1


def start_child(**attributes: Any) -> Command:
    return command(
        "START_CHILD_WORKFLOW_EXECUTION",
        **({"workflow_id": "child", "workflow_type": WorkflowType(name="Child")} | attributes),
    )


def with_child(**attributes: Any) -> tuple[Run, Run]:
    """Return a parent whose child is initiated with event 5 and started with event 6, and the child."""
    run = Core().start()
    run.complete(start_child(**attributes))
    child = run.core.current("child")
    assert child is not None
    run.core.advance(1)
    run.complete()
    return run, child


def test_a_child_reports_to_the_new_run() -> None:
    run, child = with_child()
    new = reset_run(run, 9)
    assert child.state.running
    child.complete(complete_workflow(7))
    new.assert_history("""
        9 WorkflowTaskFailed
        10 WorkflowTaskScheduled
        11 ChildWorkflowExecutionCompleted result=7 initiated_event_id=5 started_event_id=6
    """)
    assert not new.state.children


def test_a_child_reports_to_the_run_that_the_new_run_was_reset_to() -> None:
    run, child = with_child()
    last = reset_run(reset_run(run, 9), 9)
    child.complete(fail_workflow())
    last.assert_history("11 ChildWorkflowExecutionFailed")


def test_the_end_of_a_child_comes_again() -> None:
    run, child = with_child()
    child.complete(complete_workflow(7))
    run.complete()
    new = reset_run(run, 9, reset_reapply_type=2)
    new.assert_history("""
        9 WorkflowTaskFailed
        10 ChildWorkflowExecutionCompleted result=7 initiated_event_id=5 started_event_id=6
        11 WorkflowTaskScheduled
    """)


def test_the_start_and_the_end_of_a_child_come_again() -> None:
    run = Core(env=TickingEnv()).start()
    run.poll()
    run.signal("held back, so that a workflow task is scheduled before the child is started")
    run.complete(start_child())
    child = run.core.current("child")
    assert child is not None
    run.core.advance(1)
    child.complete(complete_workflow(7))
    run.poll()
    started = next(
        event.event_id for event in run.events if event.HasField("child_workflow_execution_started_event_attributes")
    )
    run.complete()
    new = reset_run(run, started)
    assert types(new, started - 1)[-3:] == [
        "ChildWorkflowExecutionStarted",
        "ChildWorkflowExecutionCompleted",
        "WorkflowTaskScheduled",
    ]
    closed = new.events[-2].child_workflow_execution_completed_event_attributes
    assert closed.started_event_id == new.events[-3].event_id


def test_the_children_of_later_runs_are_others() -> None:
    """Though they may well have been initiated by events with the same ids."""
    first, child = with_child(parent_close_policy="PARENT_CLOSE_POLICY_ABANDON")
    first.signal("go on")
    first.complete(continue_as_new())
    second = first.next_run
    second.core.advance(1)
    second.complete(start_child(workflow_id="other"))
    other = first.core.current("other")
    assert other is not None
    other.complete(complete_workflow())
    assert position(second, "StartChildWorkflowExecutionInitiated") == 5
    new = reset_run(first, 9)
    assert types(new, 9) == ["WorkflowExecutionSignaled", "WorkflowTaskScheduled"]
    child.complete(complete_workflow())
    assert types(new, 11) == ["ChildWorkflowExecutionCompleted"]


def test_a_child_of_a_later_command_is_no_longer_a_child() -> None:
    run, child = with_child()
    new = reset_run(run, FIRST_COMPLETED)
    assert child.state.running
    assert not new.state.children
    child.complete(complete_workflow())
    new.complete(start_child(workflow_id="other"), complete_workflow())


def test_a_child_of_the_new_run_is_another_one() -> None:
    """Though it may be initiated by an event with the same id."""
    run = Core().start()
    run.complete()
    run.signal("start the child")
    run.complete(start_child())
    child = run.core.current("child")
    assert child is not None
    new = reset_run(run, FIRST_COMPLETED)
    new.complete(start_child())
    initiated = position(run, "StartChildWorkflowExecutionInitiated")
    assert position(new, "StartChildWorkflowExecutionInitiated") == initiated
    assert types(new, initiated) == ["StartChildWorkflowExecutionFailed", "WorkflowTaskScheduled"]


def test_the_parent_close_policy_is_for_another_current_run() -> None:
    core = Core()
    base = core.start()
    base.complete(complete_workflow())
    current = core.start()
    current.complete(start_child())
    child = core.current("child")
    assert child is not None
    reset_run(base, FIRST_COMPLETED)
    child.assert_history('3 WorkflowExecutionTerminated reason="by parent close policy"')


def test_the_parent_of_a_child_that_is_reset_hears_of_the_new_run_s_end_only() -> None:
    run, child = with_child()
    child.complete()
    before = run.history()
    new = reset_run(child, FIRST_COMPLETED)
    assert run.history() == before
    new.complete(complete_workflow(7))
    run.assert_history(f"""
        10 ChildWorkflowExecutionCompleted result=7 workflow_execution.run_id={new.state.run_id} started_event_id=6
        11 WorkflowTaskScheduled
    """)


def test_the_parent_of_a_child_that_a_reset_of_an_older_run_ends_hears_of_it() -> None:
    """The new run is not the parent's child: it goes on from a run of the same id that is none."""
    core = Core()
    base = core.start(workflow_id="child")
    base.complete(complete_workflow())
    run = core.start()
    run.complete(start_child())
    new = reset_run(base, FIRST_COMPLETED)
    run.assert_history("8 ChildWorkflowExecutionTerminated initiated_event_id=5 workflow_execution.workflow_id=child")
    assert not run.state.children
    new.complete(complete_workflow(7))
    assert len(run.events) == 8


def test_a_child_that_is_started_already_is_found_again() -> None:
    run = Core(env=TickingEnv()).start()
    run.poll()
    run.signal("held back, so that a workflow task is scheduled before the child is started")
    run.complete(start_child())
    child = run.core.current("child")
    assert child is not None
    run.core.advance(1)
    run.complete()
    started = next(
        event.event_id for event in run.events if event.HasField("child_workflow_execution_started_event_attributes")
    )
    new = reset_run(run, started, **ALL_EXCLUDED)
    assert types(new, started)[-1] == "ChildWorkflowExecutionStarted"
    child.complete(complete_workflow())
    assert types(new, started)[-1] == "ChildWorkflowExecutionCompleted"


def test_a_child_that_the_base_run_started_after_the_point_is_not_found_again() -> None:
    run = Core().start_idle()
    run.core.advance(1)
    run.signal()
    run.complete(start_child())
    new = reset_run(run, FIRST_COMPLETED)
    new.complete(start_child())
    assert position(new, "StartChildWorkflowExecutionInitiated") == position(
        run, "StartChildWorkflowExecutionInitiated"
    )
    new.assert_history("""
        10 StartChildWorkflowExecutionFailed cause=WORKFLOW_ALREADY_EXISTS
        11 WorkflowTaskScheduled
    """)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", "ExternalWorkflowExecutionSignaled"),
        ("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", "ExternalWorkflowExecutionCancelRequested"),
    ],
)
def test_a_message_that_was_not_answered_yet_is_sent_again(name: str, event: str) -> None:
    core = Core(env=TickingEnv())
    target = core.start(workflow_id="target")
    run = core.start()
    run.poll()
    run.signal("held back, so that a workflow task is scheduled before the answer comes")
    if name.startswith("SIGNAL"):
        run.complete(command(name, signal_name="go", execution=WorkflowExecution(workflow_id="target")))
    else:
        run.complete(command(name, workflow_id="target"))
    core.advance(1)
    run.complete()
    answered = position(run, event)
    new = reset_run(run, answered, **ALL_EXCLUDED)
    assert types(new, 0)[-1] == event
    assert types(target, 0).count("WorkflowExecutionSignaled") == (2 if name.startswith("SIGNAL") else 0)
    assert not new.state.external_signals
    assert not new.state.external_cancels
