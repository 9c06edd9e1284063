"""What the close of a parent does to its children."""

from __future__ import annotations

from collections.abc import Callable

import pytest

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

POLICIES = ("TERMINATE", "REQUEST_CANCEL", "ABANDON")

PARENT_CLOSES: dict[str, Callable[[Run], object]] = {
    "completed": lambda parent: parent.complete(complete_workflow()),
    "failed": lambda parent: parent.complete(fail_workflow()),
    "canceled": lambda parent: parent.complete(cancel_workflow()),
    "terminated": lambda parent: parent.terminate(),
    "timed_out": lambda parent: parent.core.advance(5),
    "continued_as_new": lambda parent: parent.complete(continue_as_new()),
}


def _family(core: Core, **fields: object) -> tuple[Run, dict[str, Run]]:
    """Start a parent with a child of each policy."""
    parent = core.start(**fields)
    parent.complete(*(start_child(policy, parent_close_policy=f"PARENT_CLOSE_POLICY_{policy}") for policy in POLICIES))
    return parent, {policy: child_of(parent, policy) for policy in POLICIES}


def _assert_policies(parent: Run, children: dict[str, Run]) -> None:
    """Assert that each child, which had not done anything yet, was treated as its policy says."""
    children["TERMINATE"].assert_history("""
        2 WorkflowTaskScheduled
        3 WorkflowExecutionTerminated 'reason=by parent close policy' identity=history-service details=-
    """)
    children["REQUEST_CANCEL"].assert_history(f"""
        2 WorkflowTaskScheduled
        3 WorkflowExecutionCancelRequested identity=history-service cause= external_initiated_event_id=0 \
external_workflow_execution.workflow_id=workflow external_workflow_execution.run_id={parent.state.run_id}
    """)
    children["ABANDON"].assert_history("2 WorkflowTaskScheduled")


@pytest.mark.parametrize("how", PARENT_CLOSES)
def test_each_child_is_treated_as_its_policy_says(how: str) -> None:
    parent, children = _family(Core(), workflow_run_timeout=seconds(5))
    PARENT_CLOSES[how](parent)
    assert not parent.state.running
    _assert_policies(parent, children)


def test_the_next_run_of_the_parent_has_no_children() -> None:
    core = Core()
    parent, children = _family(core, retry_policy=retry_policy(initial=3))
    parent.complete(fail_workflow(application_failure()))
    _assert_policies(parent, children)
    core.advance(3)
    following = parent.next_run
    assert following.state.children == {}
    children["REQUEST_CANCEL"].complete(cancel_workflow())
    following.assert_history("2 WorkflowTaskScheduled")
    assert set(parent.state.children) == {5, 6, 7}


def test_the_policies_apply_when_a_run_of_a_cron_parent_completes() -> None:
    core = Core()
    parent = core.start(cron_schedule="@every 60s")
    core.advance(60)
    parent.complete(*(start_child(each, parent_close_policy=f"PARENT_CLOSE_POLICY_{each}") for each in POLICIES))
    children = {policy: child_of(parent, policy) for policy in POLICIES}
    parent.complete(complete_workflow())
    _assert_policies(parent, children)


def test_children_of_the_task_that_closes_the_parent_never_start() -> None:
    core = Core()
    parent = core.start()
    children = (start_child(each, parent_close_policy=f"PARENT_CLOSE_POLICY_{each}") for each in POLICIES)
    parent.complete(*children, complete_workflow())
    parent.assert_history("""
        4 WorkflowTaskCompleted
        5 StartChildWorkflowExecutionInitiated
        6 StartChildWorkflowExecutionInitiated
        7 StartChildWorkflowExecutionInitiated
        8 WorkflowExecutionCompleted
    """)
    assert list(core.runs) == [1]
    assert set(parent.state.children) == {5, 6, 7}


def test_a_cancel_request_waits_for_the_end_of_the_childs_task() -> None:
    _, parent, child = with_child(parent_close_policy="PARENT_CLOSE_POLICY_REQUEST_CANCEL")
    child.poll()
    parent.complete(complete_workflow())
    child.assert_history("3 WorkflowTaskStarted")
    child.complete()
    child.assert_history("""
        4 WorkflowTaskCompleted
        5 WorkflowExecutionCancelRequested
        6 WorkflowTaskScheduled
    """)


def test_a_child_that_was_asked_to_cancel_before_is_not_asked_again() -> None:
    _, parent, child = with_child(parent_close_policy="PARENT_CLOSE_POLICY_REQUEST_CANCEL")
    child.request_cancel()
    parent.complete(complete_workflow())
    child.assert_history("3 WorkflowExecutionCancelRequested identity=canceller")


def test_the_current_run_of_a_childs_chain_is_reached() -> None:
    core, parent, child = with_child()
    core.advance(2)
    child.complete(continue_as_new())
    parent.complete(complete_workflow())
    child.next_run.assert_history("""
        2 WorkflowTaskScheduled
        3 WorkflowExecutionTerminated 'reason=by parent close policy'
    """)


def test_a_child_in_the_backoff_of_its_retry_is_reached() -> None:
    _, parent, child = with_child(
        retry_policy=retry_policy(initial=30), parent_close_policy="PARENT_CLOSE_POLICY_REQUEST_CANCEL"
    )
    child.complete(fail_workflow())
    parent.complete(complete_workflow())
    child.next_run.assert_history("""
        1 WorkflowExecutionStarted
        2 WorkflowExecutionCancelRequested
        3 WorkflowTaskScheduled .event_time=+0s
    """)


def test_whoever_took_the_id_of_a_closed_child_is_left_alone() -> None:
    core, parent, child = with_child()
    child.complete(complete_workflow())
    other = core.start(workflow_id="child")
    parent.complete(complete_workflow())
    other.assert_history("2 WorkflowTaskScheduled")


def test_a_run_that_took_the_id_of_an_open_child_is_left_alone() -> None:
    """The child is terminated by the start, so its parent has nobody to close any more."""
    core, parent, child = with_child(parent_close_policy="PARENT_CLOSE_POLICY_REQUEST_CANCEL")
    other = core.start(
        workflow_id="child", workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"
    )
    assert not child.state.running
    assert parent.state.children == {}
    parent.complete(complete_workflow())
    other.assert_history("2 WorkflowTaskScheduled")


@pytest.mark.parametrize(
    ("count", "identity"), [(9, "history-service"), (10, "temporal-sys-parent-close-policy-workflow")]
)
def test_in_whose_name_many_children_are_closed(count: int, identity: str) -> None:
    core = Core()
    parent = core.start()
    names = [f"child-{number}" for number in range(count)]
    policies = ("TERMINATE", "REQUEST_CANCEL")
    parent.complete(
        *(
            start_child(name, parent_close_policy=f"PARENT_CLOSE_POLICY_{policies[number % 2]}")
            for number, name in enumerate(names)
        )
    )
    parent.complete(complete_workflow())
    for number, name in enumerate(names):
        event = ("WorkflowExecutionTerminated", "WorkflowExecutionCancelRequested")[number % 2]
        child_of(parent, name).assert_history(f"3 {event} identity={identity}")


def test_the_policies_go_down_the_generations() -> None:
    _, parent, child = with_child()
    child.complete(start_child("grandchild"))
    grandchild = child_of(child, "grandchild")
    for run in (child, grandchild):
        assert run.state.started.root_workflow_execution == parent.state.execution
    parent.terminate()
    for run in (child, grandchild):
        last = run.events[-1].workflow_execution_terminated_event_attributes
        assert (last.reason, run.state.running) == ("by parent close policy", False)
    child.assert_history("""
        6 ChildWorkflowExecutionStarted
        7 WorkflowTaskScheduled
        8 WorkflowExecutionTerminated
    """)


def test_an_abandoned_child_keeps_its_root() -> None:
    core, parent, child = with_child(parent_close_policy="PARENT_CLOSE_POLICY_ABANDON")
    parent.complete(complete_workflow())
    core.advance(2)
    child.complete(continue_as_new())
    following = child.next_run
    following.complete(start_child("grandchild"))
    grandchild = child_of(following, "grandchild")
    assert grandchild.state.started.root_workflow_execution == parent.state.execution
    assert following.state.started.parent_workflow_execution == parent.state.execution
