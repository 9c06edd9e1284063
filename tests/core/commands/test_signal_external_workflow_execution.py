"""COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION; what becomes of the signal is in run/test_external_workflow.py."""

from __future__ import annotations

import pytest
from temporalio.api.command.v1 import Command

from engine.core.errors import NamespaceNotFound
from engine.core.policy.limits import Limits
from tests.core.commands.bad_command import assert_fails_the_task
from tests.core.support.core import Core
from tests.core.support.messages import command, complete_workflow, payload, payloads, signal_external

BAD = "BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES"
PREFIX = "BadSignalWorkflowExecutionAttributes: "
COMMAND = "SignalExternalWorkflowExecutionCommand"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION"), f"Execution is not set on {COMMAND}."),
        (signal_external(""), f"WorkflowId is not set on {COMMAND}. Namespace= RunId= SignalName=go"),
        (
            signal_external("w" * 1001),
            f"WorkflowId on {COMMAND} exceeds length limit. WorkflowId={'w' * 1001} Length=1001 Limit=1000 "
            "Namespace= RunId= SignalName=go",
        ),
        (
            signal_external("target", "not-a-uuid"),
            f"Invalid RunId set on {COMMAND}. WorkflowId=target Namespace= RunId=not-a-uuid SignalName=go",
        ),
        (
            signal_external("target", signal_name=""),
            f"SignalName is not set on {COMMAND}. WorkflowId=target Namespace= RunId=",
        ),
    ],
)
def test_bad_attributes_fail_the_task(bad: Command, message: str) -> None:
    assert_fails_the_task(bad, cause=BAD, message=PREFIX + message)


def test_no_attributes() -> None:
    assert_fails_the_task(
        Command(command_type="COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION"),
        cause=BAD,
        message=PREFIX + f"SignalExternalWorkflowExecutionCommandAttributes is not set on {COMMAND}.",
    )


def test_an_oversize_input_ends_the_run() -> None:
    assert_fails_the_task(
        signal_external("target", input=payloads("x" * 100)),
        core=Core(Limits(blob_size_error_bytes=100)),
        cause=BAD,
        message=PREFIX + "SignalExternalWorkflowExecutionCommandAttributes.Input exceeds size limit.",
        terminates=True,
    )


def test_too_many_pending() -> None:
    assert_fails_the_task(
        *(signal_external("target") for _ in range(4)),
        core=Core(Limits(pending_signals_error=3)),
        cause="PENDING_SIGNALS_LIMIT_EXCEEDED",
        message="PendingSignalsLimitExceeded: the number of pending signals to external workflows, 3, "
        "has reached the per-workflow limit of 3",
    )


def test_another_namespace_is_refused() -> None:
    assert_fails_the_task(
        signal_external("target", namespace="other"),
        core=Core(namespaces=("other",)),
        cause=BAD,
        message=PREFIX + "cross namespace commands are not allowed",
    )


def test_an_unknown_namespace_is_refused_as_a_whole() -> None:
    run = Core().start()
    run.poll()
    with pytest.raises(NamespaceNotFound, match="Namespace nowhere is not found"):
        run.complete(signal_external("target", namespace="nowhere"))
    run.assert_history("3 WorkflowTaskStarted")


@pytest.mark.parametrize("namespace", ["", "default"])
def test_the_event_has_the_command(namespace: str) -> None:
    run = Core().start()
    run_id = "11111111-2222-4333-8444-555555555555"
    run.complete(
        signal_external(
            "target",
            run_id,
            namespace=namespace,
            input=payloads("in", 2),
            header={"fields": {"h": payload("header")}},
            control="kept",
            child_workflow_only=True,
        )
    )
    run.assert_history(f"""
        4 WorkflowTaskCompleted
        5 SignalExternalWorkflowExecutionInitiated namespace={namespace} namespace_id=namespace-id \
workflow_execution.workflow_id=target workflow_execution.run_id={run_id} signal_name=go 'input="in",2' \
'header.fields.h="header"' control=kept child_workflow_only=true workflow_task_completed_event_id=4
        6 SignalExternalWorkflowExecutionFailed
        7 WorkflowTaskScheduled
    """)


def test_a_run_that_closes_in_the_same_task_sends_nothing() -> None:
    core = Core()
    target, run = core.start(workflow_id="target"), core.start()
    run.complete(signal_external("target"), complete_workflow())
    run.assert_history("""
        5 SignalExternalWorkflowExecutionInitiated
        6 WorkflowExecutionCompleted
    """)
    target.assert_history("2 WorkflowTaskScheduled")
