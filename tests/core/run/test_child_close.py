"""How parents hear of the end of their children."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from temporalio.api.common.v1 import WorkflowExecution

from engine.core.errors import NotFound
from engine.core.events import workflow_execution
from engine.core.inputs import RecordChildWorkflowExecutionClosed
from tests.core.support.core import Core, Run
from tests.core.support.family import child_of, with_child
from tests.core.support.messages import (
    application_failure,
    cancel_workflow,
    complete_workflow,
    continue_as_new,
    fail_workflow,
    retry_policy,
    seconds,
    start_child,
)


def _times_out(child: Run) -> None:
    child.core.advance(5)


CLOSES: dict[str, tuple[Callable[[Run], object], str]] = {
    "completed": (
        lambda child: child.complete(complete_workflow("r")),
        "ChildWorkflowExecutionCompleted 'result=\"r\"'",
    ),
    "failed": (
        lambda child: child.complete(fail_workflow(application_failure("boom"))),
        "ChildWorkflowExecutionFailed failure.message=boom retry_state=RETRY_POLICY_NOT_SET",
    ),
    "canceled": (
        lambda child: child.complete(cancel_workflow("d")),
        "ChildWorkflowExecutionCanceled 'details=\"d\"'",
    ),
    "terminated": (lambda child: child.terminate(), "ChildWorkflowExecutionTerminated"),
    "timed_out": (_times_out, "ChildWorkflowExecutionTimedOut retry_state=RETRY_POLICY_NOT_SET"),
}


def _closed(how: str, started_event_id: int, child: Run) -> str:
    return (
        f"{CLOSES[how][1]} initiated_event_id=5 started_event_id={started_event_id} namespace=default "
        f"namespace_id=namespace-id workflow_type.name=Child workflow_execution.workflow_id=child "
        f"workflow_execution.run_id={child.state.run_id}"
    )


@pytest.mark.parametrize("how", CLOSES)
def test_the_parent_hears_how_its_child_ended(how: str) -> None:
    _, parent, child = with_child(workflow_run_timeout=seconds(5))
    parent.complete()
    CLOSES[how][0](child)
    parent.assert_history(f"""
        9 WorkflowTaskCompleted
        10 {_closed(how, 6, child)}
        11 WorkflowTaskScheduled
    """)
    assert parent.state.children == {}


@pytest.mark.parametrize("reloaded", [False, True])
@pytest.mark.parametrize("how", CLOSES)
def test_a_close_that_waits_for_the_end_of_the_parents_task(how: str, reloaded: bool) -> None:
    _, parent, child = with_child(workflow_run_timeout=seconds(5))
    parent.poll()
    CLOSES[how][0](child)
    parent.assert_history("8 WorkflowTaskStarted")
    if reloaded:
        parent.reload()
    parent.complete()
    parent.assert_history(f"""
        9 WorkflowTaskCompleted
        10 {_closed(how, 6, child)}
        11 WorkflowTaskScheduled
    """)


def _with_buffered_start() -> tuple[Run, Run]:
    parent = Core().start()
    parent.complete(
        start_child(workflow_run_timeout=seconds(5)),
        return_new_workflow_task=True,
        force_create_new_workflow_task=True,
    )
    return parent, child_of(parent)


@pytest.mark.parametrize("reloaded", [False, True])
@pytest.mark.parametrize("how", CLOSES)
def test_a_close_that_enters_the_history_with_its_start(how: str, reloaded: bool) -> None:
    parent, child = _with_buffered_start()
    if reloaded:
        parent.reload()
    CLOSES[how][0](child)
    parent.signal()
    if reloaded:
        parent.reload()
    parent.assert_history("7 WorkflowTaskStarted")
    assert parent.state.children == {}
    parent.complete()
    parent.assert_history(f"""
        8 WorkflowTaskCompleted
        9 ChildWorkflowExecutionStarted initiated_event_id=5
        10 WorkflowExecutionSignaled
        11 {_closed(how, 9, child)}
        12 WorkflowTaskScheduled
    """)


@pytest.mark.parametrize("reloaded", [False, True])
@pytest.mark.parametrize("how", CLOSES)
def test_a_close_after_a_start_that_had_to_wait(how: str, reloaded: bool) -> None:
    parent, child = _with_buffered_start()
    parent.signal()
    parent.complete()
    if reloaded:
        parent.reload()
    parent.poll()
    CLOSES[how][0](child)
    parent.complete()
    parent.assert_history(f"""
        9 ChildWorkflowExecutionStarted initiated_event_id=5
        10 WorkflowExecutionSignaled
        11 WorkflowTaskScheduled
        12 WorkflowTaskStarted
        13 WorkflowTaskCompleted
        14 {_closed(how, 9, child)}
        15 WorkflowTaskScheduled
    """)


def test_closes_come_after_what_else_was_held_back() -> None:
    core = Core()
    parent = core.start()
    parent.complete(start_child("a"), start_child("b"))
    parent.poll()
    child_of(parent, "b").complete(complete_workflow("b"))
    parent.signal()
    child_of(parent, "a").complete(complete_workflow("a"))
    parent.complete()
    parent.assert_history("""
        11 WorkflowTaskCompleted
        12 WorkflowExecutionSignaled
        13 ChildWorkflowExecutionCompleted initiated_event_id=6 'result="b"'
        14 ChildWorkflowExecutionCompleted initiated_event_id=5 'result="a"'
        15 WorkflowTaskScheduled
    """)


def test_a_parent_can_not_close_over_an_end_that_it_has_not_seen() -> None:
    _, parent, child = with_child()
    parent.poll()
    child.complete(complete_workflow())
    assert parent.complete(complete_workflow()).error is not None
    parent.assert_history("""
        9 WorkflowTaskFailed cause=UNHANDLED_COMMAND
        10 ChildWorkflowExecutionCompleted
        11 WorkflowTaskScheduled
    """)


def test_a_child_that_closes_at_once_while_its_parent_has_no_task() -> None:
    """A child that takes no workflow task to end: terminated by the next command of the same parent's task."""
    core = Core()
    parent = core.start()
    parent.complete(
        start_child(), start_child(workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING")
    )
    parent.assert_history("""
        5 StartChildWorkflowExecutionInitiated
        6 StartChildWorkflowExecutionInitiated
        7 ChildWorkflowExecutionStarted initiated_event_id=5
        8 WorkflowTaskScheduled
        9 ChildWorkflowExecutionTerminated initiated_event_id=5 started_event_id=7
        10 ChildWorkflowExecutionStarted initiated_event_id=6
    """)


# Chains: the parent hears of the last run alone.


def _assert_told_of(parent: Run, last: Run, name: str) -> None:
    """Assert that the parent's events after its first two tasks are one close, of the run `last`."""
    parent.assert_history(f"""
        9 WorkflowTaskCompleted
        10 {name} workflow_execution.run_id={last.state.run_id} initiated_event_id=5 started_event_id=6
        11 WorkflowTaskScheduled
    """)
    assert parent.state.children == {}


def test_a_child_that_continues_as_new_is_one_child() -> None:
    core, parent, child = with_child()
    parent.complete()
    first = child.state.run_id
    for _ in range(2):
        core.advance(2)
        child.complete(continue_as_new())
        child = child.next_run
    started = child.state.started
    assert started.parent_workflow_execution == parent.state.execution
    assert (started.parent_initiated_event_id, started.first_execution_run_id) == (5, first)
    assert started.root_workflow_execution == parent.state.execution
    parent.assert_history("9 WorkflowTaskCompleted")
    assert parent.state.children[5].started_run_id == first
    child.complete(complete_workflow())
    _assert_told_of(parent, child, "ChildWorkflowExecutionCompleted")


def test_a_child_that_is_retried_is_one_child() -> None:
    core, parent, child = with_child(retry_policy=retry_policy(attempts=2))
    parent.complete()
    child.complete(fail_workflow())
    parent.assert_history("9 WorkflowTaskCompleted")
    second = child.next_run
    core.advance(1)
    second.complete(fail_workflow())
    _assert_told_of(parent, second, "ChildWorkflowExecutionFailed retry_state=MAXIMUM_ATTEMPTS_REACHED")


def test_a_cron_child_is_one_child() -> None:
    core, parent, child = with_child(cron_schedule="@every 60s")
    parent.complete()
    for _ in range(2):
        core.advance(60)
        child.complete(complete_workflow())
        child = child.next_run
    parent.assert_history("9 WorkflowTaskCompleted")
    child.terminate()
    _assert_told_of(parent, child, "ChildWorkflowExecutionTerminated")


def test_a_chain_that_runs_out_of_time_is_one_child() -> None:
    core, parent, child = with_child(workflow_execution_timeout=seconds(10), retry_policy=retry_policy(initial=3))
    parent.complete()
    child.complete(fail_workflow())
    core.advance(10)
    _assert_told_of(parent, child.next_run, "ChildWorkflowExecutionTimedOut retry_state=TIMEOUT")


def test_a_run_that_took_the_id_of_a_child_tells_nobody() -> None:
    core, parent, child = with_child()
    parent.complete()
    child.complete(complete_workflow())
    core.start(workflow_id="child").complete(complete_workflow())
    assert parent.history().count("ChildWorkflowExecutionCompleted") == 1


def test_a_parent_that_has_closed_hears_nothing() -> None:
    _, parent, child = with_child(parent_close_policy="PARENT_CLOSE_POLICY_ABANDON")
    parent.complete(complete_workflow())
    before = parent.history()
    child.complete(complete_workflow())
    assert parent.history() == before
    assert list(parent.state.children) == [5]


# What comes too late, or for another child.


@pytest.mark.parametrize(
    ("initiated_event_id", "workflow_id", "first_run"),
    [(4, "child", "its own"), (5, "other", "its own"), (5, "child", "another")],
)
def test_a_close_of_another_child_is_refused(initiated_event_id: int, workflow_id: str, first_run: str) -> None:
    _, parent, child = with_child()
    closed = _closed_input(parent, child)._replace(
        initiated_event_id=initiated_event_id,
        execution=WorkflowExecution(workflow_id=workflow_id, run_id=child.state.run_id),
    )
    if first_run != "its own":
        closed = closed._replace(first_execution_run_id=first_run)
    with pytest.raises(NotFound, match="Pending child execution not found"):
        parent.send(closed)


def test_a_close_is_recorded_once() -> None:
    _, parent, child = with_child()
    closed = _closed_input(parent, child)
    parent.send(closed)
    with pytest.raises(NotFound, match="Pending child execution not found"):
        parent.send(closed)
    parent.terminate()
    with pytest.raises(NotFound, match="Pending child execution not found"):
        parent.send(closed)


def _closed_input(parent: Run, child: Run) -> RecordChildWorkflowExecutionClosed:
    """Return what a parent would be told of a termination of its child, which goes on."""
    close = workflow_execution.workflow_execution_terminated("enough", None, "")
    return RecordChildWorkflowExecutionClosed(parent.ref, 5, child.state.execution, child.state.run_id, close)
