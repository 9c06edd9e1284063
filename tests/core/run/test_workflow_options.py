"""UpdateWorkflowExecutionOptions: what it may ask for, and what it changes."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import (
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionOptionsResponse,
)

from engine.core import inputs
from engine.core.errors import InvalidArgument, NotFound, ServiceError, Unimplemented
from engine.core.policy.limits import Limits
from engine.core.policy.workflow_options import validate_update_workflow_execution_options
from tests.core.support.core import Core, Run
from tests.core.support.messages import complete_workflow, continue_as_new, schedule_activity


def request(*paths: str, **priority: Any) -> UpdateWorkflowExecutionOptionsRequest:
    return UpdateWorkflowExecutionOptionsRequest(
        workflow_execution={"workflow_id": "w"},
        update_mask={"paths": paths},
        workflow_execution_options={"priority": priority},
        identity="updater",
    )


def update(run: Run, *paths: str, **priority: Any) -> UpdateWorkflowExecutionOptionsResponse:
    asked = request(*paths, **priority)
    validate_update_workflow_execution_options(asked, run.core.limits)
    reply: UpdateWorkflowExecutionOptionsResponse = run.send(inputs.UpdateWorkflowExecutionOptions(run.ref, asked))
    return reply


def test_the_priority_is_updated() -> None:
    run = Core().start(priority={"priority_key": 3, "fairness_key": "mine"})
    reply = update(run, "priority.priority_key", priority_key=1, fairness_key="not named by the mask")
    run.assert_history("""
        3 WorkflowExecutionOptionsUpdated priority.priority_key=1 priority.fairness_key=mine identity=updater \
unset_versioning_override=true attached_request_id= .worker_may_ignore=true
    """)
    assert reply.workflow_execution_options.priority.priority_key == 1
    run.complete(schedule_activity("a"))
    assert run.offered_activities[6].priority == run.state.priority
    run.signal()
    run.complete(continue_as_new())
    run.next_run.assert_history("1 WorkflowExecutionStarted priority.priority_key=1 priority.fairness_key=mine")


def test_a_priority_is_taken_away() -> None:
    run = Core().start(priority={"priority_key": 3})
    update(run, "priority")
    assert run.state.priority is not None
    assert run.state.priority.priority_key == 0


def test_the_same_again_changes_nothing() -> None:
    run = Core().start(priority={"priority_key": 3})
    update(run, "priority", priority_key=3)
    update(run)
    assert run.history().endswith("2 WorkflowTaskScheduled")


def test_a_closed_run() -> None:
    run = Core().start()
    run.complete(complete_workflow())
    with pytest.raises(NotFound, match="workflow execution already completed"):
        update(run, "priority", priority_key=1)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (UpdateWorkflowExecutionOptionsRequest(), InvalidArgument, "WorkflowId is not set on request."),
        (
            UpdateWorkflowExecutionOptionsRequest(workflow_execution={"workflow_id": "w"}),  # type: ignore[arg-type]
            InvalidArgument,
            "UpdateMask is required",
        ),
        (
            UpdateWorkflowExecutionOptionsRequest(
                workflow_execution={"workflow_id": "w"},  # type: ignore[arg-type]
                update_mask={},  # type: ignore[arg-type]
            ),
            InvalidArgument,
            "WorkflowExecutionOptions is required",
        ),
        (
            request("priority.no"),
            InvalidArgument,
            'error parsing UpdateMask: proto:\u00a0invalid path "priority.no" for message '
            '"temporal.api.workflow.v1.WorkflowExecutionOptions"',
        ),
        (request("priority", priority_key=-1), InvalidArgument, "priority key can't be negative"),
        (
            request("versioning_override.behavior"),
            Unimplemented,
            "an update of versioning_override.behavior is not implemented by this server",
        ),
    ],
)
def test_bad_requests(bad: UpdateWorkflowExecutionOptionsRequest, error: type[ServiceError], message: str) -> None:
    with pytest.raises(error) as raised:
        validate_update_workflow_execution_options(bad, Limits())
    assert raised.value.message == message
