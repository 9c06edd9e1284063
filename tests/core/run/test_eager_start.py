"""Eager start: the first workflow task comes with the reply to the start."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.errors import NotFound
from engine.core.policy.limits import Limits
from engine.core.run.workflow_task import StartedWorkflowTask
from tests.core.support.core import Core, Run
from tests.core.support.messages import complete_workflow, fail_workflow, retry_policy, seconds


def start_eagerly(core: Core, **fields: Any) -> tuple[Run, StartedWorkflowTask]:
    run = core.start(request_eager_execution=True, **fields)
    assert core.eager_task is not None
    return run, core.eager_task


def test_the_reply_brings_the_first_task() -> None:
    run, task = start_eagerly(Core(), request_id="request")
    run.assert_history("""
        1 WorkflowExecutionStarted eager_execution_accepted=true
        2 WorkflowTaskScheduled
        3 WorkflowTaskStarted request_id=request identity=starter
    """)
    assert (task.first_event_id, task.next_event_id, task.previous_started_event_id) == (1, 4, 0)
    assert run.offered_workflow_task is None
    run.complete(complete_workflow(), task=task)
    run.assert_history("4 WorkflowTaskCompleted scheduled_event_id=2 started_event_id=3\n5 WorkflowExecutionCompleted")


@pytest.mark.parametrize(
    ("limits", "fields"),
    [
        (Limits(), {}),
        (Limits(), {"request_eager_execution": True, "workflow_start_delay": seconds(1)}),
        (Limits(), {"request_eager_execution": True, "cron_schedule": "* * * * *"}),
        (Limits(eager_workflow_start=False), {"request_eager_execution": True}),
    ],
)
def test_the_first_task_goes_to_the_queue_else(limits: Limits, fields: dict[str, Any]) -> None:
    core = Core(limits)
    run = core.start(**fields)
    assert core.eager_task is None
    core.advance(60)
    run.assert_history("1 WorkflowExecutionStarted eager_execution_accepted=false\n2 WorkflowTaskScheduled")
    run.poll()


def test_the_same_start_gets_the_same_task_until_it_is_answered() -> None:
    core = Core()
    run, task = start_eagerly(core, request_id="same")
    core.start_workflow(request_id="same", request_eager_execution=True)
    assert core.eager_task == task
    core.start_workflow(request_id="same")
    assert core.eager_task is None
    run.complete(task=task)
    core.start_workflow(request_id="same", request_eager_execution=True)
    assert core.eager_task is None


def test_a_task_that_is_not_answered_times_out() -> None:
    core = Core()
    run, task = start_eagerly(core)
    core.advance(10)
    run.assert_history("4 WorkflowTaskTimedOut timeout_type=START_TO_CLOSE")
    with pytest.raises(NotFound, match="Workflow task not found"):
        run.complete(task=task)
    assert run.poll().token.attempt == 2


def test_a_retry_is_not_eager() -> None:
    core = Core()
    run, task = start_eagerly(core, retry_policy=retry_policy(attempts=2))
    run.complete(fail_workflow(), task=task)
    core.advance(1)
    run.next_run.assert_history("""
        1 WorkflowExecutionStarted attempt=2 eager_execution_accepted=false
        2 WorkflowTaskScheduled
    """)


def test_the_run_that_is_terminated_for_it_is_closed() -> None:
    core = Core()
    old = core.start()
    run, task = start_eagerly(core, workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING")
    assert not old.state.running
    assert task.run_id == run.state.run_id


def test_an_existing_run_has_no_task_to_give() -> None:
    core = Core()
    start_eagerly(core)
    core.start_workflow(
        request_eager_execution=True, workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING"
    )
    assert core.eager_task is None
