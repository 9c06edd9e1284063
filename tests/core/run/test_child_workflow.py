"""Children, from both sides: how they start, and which do not."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1 import CommandType

from engine.core.errors import NotFound
from engine.core.inputs import MessageAnswered
from engine.core.run.start import start_child_workflow
from tests.core.support.core import Core
from tests.core.support.family import child_of, with_child
from tests.core.support.messages import (
    complete_workflow,
    fail_workflow,
    start_child,
    start_timer,
)

START_CHILD = CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION

# The start.


def test_a_child_starts_in_the_transition_that_initiates_it() -> None:
    core = Core()
    parent = core.start()
    parent.complete(start_child())
    child = child_of(parent)
    parent_id, child_id = parent.state.run_id, child.state.run_id
    parent.assert_history(f"""
        4 WorkflowTaskCompleted
        5 StartChildWorkflowExecutionInitiated workflow_id=child
        6 ChildWorkflowExecutionStarted initiated_event_id=5 workflow_execution.workflow_id=child \
workflow_execution.run_id={child_id} workflow_type.name=Child namespace=default namespace_id=namespace-id header=-
        7 WorkflowTaskScheduled
    """)
    child.assert_history(f"""
        1 WorkflowExecutionStarted parent_workflow_namespace=default parent_workflow_namespace_id=namespace-id \
parent_workflow_execution.workflow_id=workflow parent_workflow_execution.run_id={parent_id} \
parent_initiated_event_id=5 root_workflow_execution.workflow_id=workflow root_workflow_execution.run_id={parent_id} \
workflow_type.name=Child task_queue.name=queue attempt=1 identity= first_execution_run_id={child_id}
        2 WorkflowTaskScheduled
    """)
    assert child.offered_workflow_task is not None
    assert child.state.start_request_id == f"{parent_id}:5:0"
    assert parent.state.children[5].started_run_id == child_id
    assert parent.state.children[5].initiated is None


def test_children_start_in_the_order_of_their_commands() -> None:
    parent = Core().start()
    parent.complete(start_child("a"), start_timer("t", 60), start_child("b"))
    parent.assert_history("""
        5 StartChildWorkflowExecutionInitiated workflow_id=a
        6 TimerStarted
        7 StartChildWorkflowExecutionInitiated workflow_id=b
        8 ChildWorkflowExecutionStarted initiated_event_id=5
        9 WorkflowTaskScheduled
        10 ChildWorkflowExecutionStarted initiated_event_id=7
    """)


def test_a_start_waits_for_the_end_of_a_task_that_the_parent_has_already() -> None:
    core = Core()
    parent = core.start()
    parent.complete(start_child(), return_new_workflow_task=True, force_create_new_workflow_task=True)
    parent.assert_history("""
        5 StartChildWorkflowExecutionInitiated
        6 WorkflowTaskScheduled
        7 WorkflowTaskStarted
    """)
    assert parent.state.children[5].started_run_id == child_of(parent).state.run_id
    parent.complete()
    parent.assert_history("""
        8 WorkflowTaskCompleted
        9 ChildWorkflowExecutionStarted initiated_event_id=5
        10 WorkflowTaskScheduled
    """)


def test_a_cron_child_waits_for_its_time() -> None:
    core, parent, child = with_child(cron_schedule="@every 60s")
    child.assert_history("1 WorkflowExecutionStarted first_workflow_task_backoff=60s initiator=CRON_SCHEDULE")
    core.advance(60)
    child.assert_history("2 WorkflowTaskScheduled")
    parent.assert_history("6 ChildWorkflowExecutionStarted\n7 WorkflowTaskScheduled")


# An id in use.

FAILED = """
        5 StartChildWorkflowExecutionInitiated
        6 StartChildWorkflowExecutionFailed workflow_id=child workflow_type.name=Child initiated_event_id=5 \
cause=WORKFLOW_ALREADY_EXISTS control=kept namespace=default namespace_id=namespace-id
        7 WorkflowTaskScheduled
    """


@pytest.mark.parametrize(
    "policy", ["UNSPECIFIED", "ALLOW_DUPLICATE", "ALLOW_DUPLICATE_FAILED_ONLY", "REJECT_DUPLICATE"]
)
def test_an_id_that_is_running_does_not_start(policy: str) -> None:
    core = Core()
    running, parent = core.start(workflow_id="child"), core.start()
    parent.complete(start_child(workflow_id_reuse_policy=f"WORKFLOW_ID_REUSE_POLICY_{policy}", control="kept"))
    parent.assert_history(FAILED)
    assert parent.state.children == {}
    assert core.current("child") is running
    running.assert_history("2 WorkflowTaskScheduled")
    parent.complete(complete_workflow())
    running.assert_history("2 WorkflowTaskScheduled")


@pytest.mark.parametrize(
    ("policy", "close", "starts"),
    [
        ("ALLOW_DUPLICATE", complete_workflow(), True),
        ("ALLOW_DUPLICATE_FAILED_ONLY", complete_workflow(), False),
        ("ALLOW_DUPLICATE_FAILED_ONLY", fail_workflow(), True),
        ("REJECT_DUPLICATE", fail_workflow(), False),
        ("TERMINATE_IF_RUNNING", complete_workflow(), True),
    ],
)
def test_an_id_that_was_used(policy: str, close: object, starts: bool) -> None:
    core = Core()
    core.start(workflow_id="child").complete(close)  # type: ignore[arg-type]
    parent = core.start()
    parent.complete(start_child(workflow_id_reuse_policy=f"WORKFLOW_ID_REUSE_POLICY_{policy}", control="kept"))
    if starts:
        parent.assert_history("6 ChildWorkflowExecutionStarted\n7 WorkflowTaskScheduled")
        assert child_of(parent).state.running
    else:
        parent.assert_history(FAILED)


def test_terminate_if_running_ends_the_run_that_has_the_id() -> None:
    core = Core()
    running, parent = core.start(workflow_id="child"), core.start()
    parent.complete(start_child(workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING"))
    running.assert_history("""
        2 WorkflowTaskScheduled
        3 WorkflowExecutionTerminated 'reason=TerminateIfRunning WorkflowIdReusePolicy'
    """)
    assert child_of(parent).state.running


def test_a_child_that_takes_the_place_of_its_sibling() -> None:
    """The parent hears of both: the new one has started, the old one was terminated."""
    _, parent, old = with_child()
    parent.complete(start_child(workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING"))
    assert not old.state.running
    parent.assert_history("""
        9 WorkflowTaskCompleted
        10 StartChildWorkflowExecutionInitiated
        11 ChildWorkflowExecutionTerminated initiated_event_id=5 started_event_id=6
        12 WorkflowTaskScheduled
        13 ChildWorkflowExecutionStarted initiated_event_id=10
    """)
    assert list(parent.state.children) == [10]


@pytest.mark.parametrize("policy", ["ALLOW_DUPLICATE", "TERMINATE_IF_RUNNING"])
def test_a_workflow_is_not_its_own_child(policy: str) -> None:
    parent = Core().start()
    parent.complete(start_child("workflow", workflow_id_reuse_policy=f"WORKFLOW_ID_REUSE_POLICY_{policy}"))
    parent.assert_history("""
        5 StartChildWorkflowExecutionInitiated
        6 StartChildWorkflowExecutionFailed workflow_id=workflow cause=WORKFLOW_ALREADY_EXISTS
        7 WorkflowTaskScheduled
    """)


def test_the_same_child_twice_in_one_task() -> None:
    parent = Core().start()
    parent.complete(start_child(), start_child())
    parent.assert_history("""
        5 StartChildWorkflowExecutionInitiated
        6 StartChildWorkflowExecutionInitiated
        7 ChildWorkflowExecutionStarted initiated_event_id=5
        8 WorkflowTaskScheduled
        9 StartChildWorkflowExecutionFailed initiated_event_id=6
    """)
    assert list(parent.state.children) == [5]


# Twice, or too late.


def test_an_answer_is_taken_once() -> None:
    _, parent, _ = with_child()
    with pytest.raises(NotFound, match="Pending child execution not found"):
        parent.send(MessageAnswered(parent.ref, START_CHILD, 5, "run"))
    with pytest.raises(NotFound, match="Pending child execution not found"):
        parent.send(MessageAnswered(parent.ref, START_CHILD, 99, "run"))


def test_a_child_is_started_once() -> None:
    core, parent, _ = with_child()
    for initiated_event_id in (5, 99):
        with pytest.raises(NotFound, match="Pending child execution not found"):
            start_child_workflow(core.context, None, parent.state, initiated_event_id)


def test_a_child_of_a_parent_that_has_closed_does_not_start() -> None:
    core = Core()
    parent = core.start()
    parent.complete(start_child(), complete_workflow())
    assert parent.state.children[5].initiated is not None
    with pytest.raises(NotFound, match="Pending child execution not found"):
        start_child_workflow(core.context, None, parent.state, 5)
