"""Post-reset operations: the options that a reset gives the new run."""

from __future__ import annotations

import pytest
from temporalio.api.common.v1 import Priority
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions

from engine.core.errors import InvalidArgument, ServiceError, Unimplemented
from tests.core.support.core import Core
from tests.core.support.messages import continue_as_new, payloads
from tests.core.support.reset import reset_run

FIRST_COMPLETED = 4


def update(*paths: str, **priority: object) -> PostResetOperation:
    operation = PostResetOperation()
    operation.update_workflow_options.update_mask.paths.extend(paths)
    options = WorkflowExecutionOptions(priority=Priority(**priority))  # type: ignore[arg-type]
    operation.update_workflow_options.workflow_execution_options.CopyFrom(options)
    return operation


def test_the_priority_can_be_changed() -> None:
    run = Core().start(priority={"priority_key": 3, "fairness_key": "mine"})
    run.complete()
    run.signal()
    operations = [update("priority.priority_key", priority_key=1), update("priority", priority_key=1, fairness_key="x")]
    new = reset_run(run, FIRST_COMPLETED, post_reset_operations=operations)
    new.assert_history("""
        5 WorkflowExecutionSignaled
        6 WorkflowExecutionOptionsUpdated priority.priority_key=1 priority.fairness_key=mine \
unset_versioning_override=true .worker_may_ignore=true
        7 WorkflowExecutionOptionsUpdated priority.fairness_key=x
        8 WorkflowTaskScheduled
    """)
    assert new.state.priority == Priority(priority_key=1, fairness_key="x")
    new.complete(continue_as_new())
    new.next_run.assert_history("1 WorkflowExecutionStarted priority.fairness_key=x")


def test_a_priority_that_is_the_same_changes_nothing() -> None:
    run = Core().start(priority={"priority_key": 3})
    run.complete()
    new = reset_run(run, FIRST_COMPLETED, post_reset_operations=[update("priority", priority_key=3)])
    new.assert_history("5 WorkflowTaskScheduled")


@pytest.mark.parametrize(
    ("operation", "error", "message"),
    [
        (PostResetOperation(), InvalidArgument, "unsupported post reset operation: <nil>"),
        (
            PostResetOperation(signal_workflow={"signal_name": "go", "input": payloads(1)}),  # type: ignore[arg-type]
            InvalidArgument,
            "unsupported post reset operation: *workflow.PostResetOperation_SignalWorkflow_",
        ),
        (
            update("priority.nothing"),
            InvalidArgument,
            'error applying update_options: proto:\u00a0invalid path "priority.nothing" for message '
            '"temporal.api.workflow.v1.WorkflowExecutionOptions"',
        ),
        (
            update("versioning_override"),
            Unimplemented,
            "an update of versioning_override is not implemented by this server",
        ),
    ],
)
def test_other_operations(operation: PostResetOperation, error: type[ServiceError], message: str) -> None:
    run = Core().start()
    run.complete()
    with pytest.raises(error) as raised:
        reset_run(run, FIRST_COMPLETED, post_reset_operations=[operation])
    assert raised.value.message == message
    assert run.state.running
