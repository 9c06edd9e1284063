"""COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION; what becomes of it is in run/test_external_workflow.py."""

from __future__ import annotations

import pytest
from temporalio.api.command.v1 import Command

from engine.core.errors import NamespaceNotFound
from engine.core.policy.limits import Limits
from tests.core.commands.bad_command import assert_fails_the_task
from tests.core.support.core import Core
from tests.core.support.messages import cancel_external, complete_workflow, start_child

BAD = "BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES"
PREFIX = "BadRequestCancelExternalWorkflowExecutionAttributes: "
COMMAND = "RequestCancelExternalWorkflowExecutionCommand"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (cancel_external(""), f"WorkflowId is not set on {COMMAND}. Namespace= RunId="),
        (
            cancel_external("w" * 1001),
            f"WorkflowId on {COMMAND} exceeds length limit. WorkflowId={'w' * 1001} Length=1001 Limit=1000 RunId= "
            "Namespace=",
        ),
        (
            cancel_external("target", "not-a-uuid"),
            f"Invalid RunId set on {COMMAND}. WorkflowId=target RunId=not-a-uuid Namespace=",
        ),
    ],
)
def test_bad_attributes_fail_the_task(bad: Command, message: str) -> None:
    assert_fails_the_task(bad, cause=BAD, message=PREFIX + message)


def test_no_attributes() -> None:
    assert_fails_the_task(
        Command(command_type="COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"),
        cause=BAD,
        message=PREFIX + f"RequestCancelExternalWorkflowExecutionCommandAttributes is not set on {COMMAND}.",
    )


def test_a_child_that_the_same_task_starts() -> None:
    assert_fails_the_task(
        start_child(),
        cancel_external("child"),
        cause=BAD,
        message=PREFIX + "Start and RequestCancel for child workflow is not allowed in same workflow task. "
        "WorkflowId=child RunId= Namespace=",
    )


def test_too_many_pending() -> None:
    assert_fails_the_task(
        *(cancel_external("target") for _ in range(4)),
        core=Core(Limits(pending_cancel_requests_error=3)),
        cause="PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED",
        message="PendingRequestCancelLimitExceeded: the number of pending requests to cancel external workflows, 3, "
        "has reached the per-workflow limit of 3",
    )


def test_another_namespace_is_refused() -> None:
    assert_fails_the_task(
        cancel_external("target", namespace="other"),
        core=Core(namespaces=("other",)),
        cause=BAD,
        message=PREFIX + "cross namespace commands are not allowed",
    )


def test_an_unknown_namespace_is_refused_as_a_whole() -> None:
    run = Core().start()
    run.poll()
    with pytest.raises(NamespaceNotFound, match="Namespace nowhere is not found"):
        run.complete(cancel_external("target", namespace="nowhere"))
    run.assert_history("3 WorkflowTaskStarted")


@pytest.mark.parametrize("namespace", ["", "default"])
def test_the_event_has_the_command(namespace: str) -> None:
    run = Core().start()
    run_id = "11111111-2222-4333-8444-555555555555"
    run.complete(
        cancel_external("target", run_id, namespace=namespace, control="kept", reason="why", child_workflow_only=True)
    )
    run.assert_history(f"""
        4 WorkflowTaskCompleted
        5 RequestCancelExternalWorkflowExecutionInitiated namespace={namespace} namespace_id=namespace-id \
workflow_execution.workflow_id=target workflow_execution.run_id={run_id} control=kept reason=why \
child_workflow_only=true workflow_task_completed_event_id=4
        6 RequestCancelExternalWorkflowExecutionFailed
        7 WorkflowTaskScheduled
    """)


def test_a_run_that_closes_in_the_same_task_sends_nothing() -> None:
    core = Core()
    target, run = core.start(workflow_id="target"), core.start()
    run.complete(cancel_external("target"), complete_workflow())
    run.assert_history("""
        5 RequestCancelExternalWorkflowExecutionInitiated
        6 WorkflowExecutionCompleted
    """)
    target.assert_history("2 WorkflowTaskScheduled")
