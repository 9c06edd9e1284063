"""Signals and cancellation requests from one workflow to another: what arrives, and what the sender hears."""

from __future__ import annotations

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType

from engine.core.errors import NotFound
from engine.core.inputs import MessageAnswered
from engine.core.policy.limits import Limits
from tests.core.support.core import Core, Run
from tests.core.support.family import child_of, with_child
from tests.core.support.messages import (
    cancel_external,
    complete_workflow,
    continue_as_new,
    fail_workflow,
    payloads,
    retry_policy,
    signal_external,
    start_child,
    start_timer,
)

SIGNAL = CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION
CANCEL = CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION
UNKNOWN_RUN_ID = "11111111-2222-4333-8444-555555555555"
NOT_FOUND = "cause=EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND"

SENT = {
    "signal": (signal_external, "SignalExternalWorkflowExecution", "ExternalWorkflowExecutionSignaled"),
    "cancel": (cancel_external, "RequestCancelExternalWorkflowExecution", "ExternalWorkflowExecutionCancelRequested"),
}
BOTH = pytest.mark.parametrize("what", SENT)


def send(source: Run, what: str, workflow_id: str = "target", run_id: str = "", **attributes: bool) -> None:
    """Let the first task of `source` send one."""
    source.complete(SENT[what][0](workflow_id, run_id, **attributes))


def assert_arrived(source: Run, what: str) -> None:
    _, command, arrived = SENT[what]
    source.assert_history(f"""
        5 {command}Initiated
        6 {arrived} initiated_event_id=5
        7 WorkflowTaskScheduled
    """)
    assert not source.state.external_signals
    assert not source.state.external_cancels


def assert_not_found(source: Run, what: str) -> None:
    _, command, _ = SENT[what]
    source.assert_history(f"""
        5 {command}Initiated
        6 {command}Failed initiated_event_id=5 {NOT_FOUND}
        7 WorkflowTaskScheduled
    """)
    assert not source.state.external_signals
    assert not source.state.external_cancels


def test_a_signal_arrives() -> None:
    core = Core()
    target, source = core.start(workflow_id="target"), core.start()
    target.complete()
    source.complete(
        signal_external(
            "target", input=payloads("in", 2), header={"fields": {"h": payloads("v").payloads[0]}}, control="c"
        )
    )
    target.assert_history(f"""
        5 WorkflowExecutionSignaled signal_name=go 'input="in",2' 'header.fields.h="v"' identity=history-service \
external_workflow_execution.workflow_id=workflow external_workflow_execution.run_id={source.state.run_id}
        6 WorkflowTaskScheduled
    """)
    source.assert_history("""
        4 WorkflowTaskCompleted
        5 SignalExternalWorkflowExecutionInitiated
        6 ExternalWorkflowExecutionSignaled initiated_event_id=5 namespace=default namespace_id=namespace-id \
workflow_execution.workflow_id=target workflow_execution.run_id= control=c
        7 WorkflowTaskScheduled
    """)
    assert target.state.signal_count == 1
    assert source.state.external_signals == {}


def test_a_cancellation_request_arrives() -> None:
    core = Core()
    target, source = core.start(workflow_id="target"), core.start()
    target.complete()
    source.complete(cancel_external("target", reason="why", control="c"))
    target.assert_history(f"""
        5 WorkflowExecutionCancelRequested cause=why identity=history-service external_initiated_event_id=5 \
external_workflow_execution.workflow_id=workflow external_workflow_execution.run_id={source.state.run_id}
        6 WorkflowTaskScheduled
    """)
    source.assert_history("""
        4 WorkflowTaskCompleted
        5 RequestCancelExternalWorkflowExecutionInitiated
        6 ExternalWorkflowExecutionCancelRequested initiated_event_id=5 namespace=default namespace_id=namespace-id \
workflow_execution.workflow_id=target workflow_execution.run_id=
        7 WorkflowTaskScheduled
    """)
    assert source.state.external_cancels == {}


def test_several_in_one_task_arrive_in_their_order() -> None:
    core = Core()
    target, source = core.start(workflow_id="target"), core.start()
    source.complete(
        signal_external("target", signal_name="one"),
        start_timer("t", 60),
        signal_external("nobody"),
        signal_external("target", signal_name="two"),
        cancel_external("target"),
    )
    target.assert_history("""
        3 WorkflowExecutionSignaled signal_name=one
        4 WorkflowExecutionSignaled signal_name=two
        5 WorkflowExecutionCancelRequested
    """)
    source.assert_history("""
        9 RequestCancelExternalWorkflowExecutionInitiated
        10 ExternalWorkflowExecutionSignaled initiated_event_id=5
        11 WorkflowTaskScheduled
        12 SignalExternalWorkflowExecutionFailed initiated_event_id=7
        13 ExternalWorkflowExecutionSignaled initiated_event_id=8
        14 ExternalWorkflowExecutionCancelRequested initiated_event_id=9
    """)


@BOTH
def test_the_answer_waits_for_the_end_of_a_task_that_the_sender_has_already(what: str) -> None:
    core = Core()
    core.start(workflow_id="target")
    source = core.start()
    make, command, arrived = SENT[what]
    source.complete(make("target"), return_new_workflow_task=True, force_create_new_workflow_task=True)
    source.assert_history(f"""
        5 {command}Initiated
        6 WorkflowTaskScheduled
        7 WorkflowTaskStarted
    """)
    source.reload()
    source.complete()
    source.assert_history(f"""
        8 WorkflowTaskCompleted
        9 {arrived} initiated_event_id=5
        10 WorkflowTaskScheduled
    """)


@BOTH
def test_what_arrives_waits_for_the_end_of_the_targets_task(what: str) -> None:
    core = Core()
    target, source = core.start(workflow_id="target"), core.start()
    target.poll()
    send(source, what)
    target.assert_history("3 WorkflowTaskStarted")
    assert_arrived(source, what)
    target.reload()
    target.complete()
    event = {"signal": "WorkflowExecutionSignaled", "cancel": "WorkflowExecutionCancelRequested"}[what]
    target.assert_history(f"""
        4 WorkflowTaskCompleted
        5 {event} external_workflow_execution.workflow_id=workflow
        6 WorkflowTaskScheduled
    """)


def test_a_signal_reaches_a_workflow_that_tries_to_close_again() -> None:
    """A client is told to send it again; a workflow would take it for lost."""
    core = Core()
    target, source = core.start(workflow_id="target"), core.start()
    target.poll()
    target.signal()
    target.complete(complete_workflow())
    target.poll()
    send(source, "signal")
    assert_arrived(source, "signal")
    target.complete(start_timer("t", 60))
    target.assert_history("""
        8 WorkflowTaskCompleted
        9 TimerStarted
        10 WorkflowExecutionSignaled external_workflow_execution.workflow_id=workflow
        11 WorkflowTaskScheduled
    """)


# Whom it reaches.


@BOTH
@pytest.mark.parametrize("run_id", ["", UNKNOWN_RUN_ID])
def test_nobody_has_the_id(what: str, run_id: str) -> None:
    source = Core().start()
    send(source, what, run_id=run_id)
    assert_not_found(source, what)


@BOTH
def test_no_run_of_the_workflow_has_the_run_id(what: str) -> None:
    core = Core()
    target, source = core.start(workflow_id="target"), core.start()
    send(source, what, run_id=UNKNOWN_RUN_ID)
    assert_not_found(source, what)
    target.assert_history("2 WorkflowTaskScheduled")


@BOTH
def test_a_run_is_named(what: str) -> None:
    core = Core()
    target, source = core.start(workflow_id="target"), core.start()
    send(source, what, run_id=target.state.run_id)
    assert_arrived(source, what)
    assert target.history().count("\n") == 2


@BOTH
@pytest.mark.parametrize("with_run_id", [False, True])
def test_a_workflow_does_not_reach_itself(what: str, with_run_id: bool) -> None:
    source = Core().start()
    send(source, what, "workflow", source.state.run_id if with_run_id else "")
    assert_not_found(source, what)


@BOTH
def test_a_run_does_not_reach_another_of_its_own_chain(what: str) -> None:
    core = Core()
    first = core.start()
    core.advance(2)
    first.complete(continue_as_new())
    source = first.next_run
    send(source, what, "workflow", first.state.run_id)
    assert_not_found(source, what)


def test_a_signal_to_a_closed_run_is_not_found() -> None:
    core = Core()
    core.start(workflow_id="target").complete(complete_workflow())
    source = core.start()
    send(source, "signal")
    assert_not_found(source, "signal")


def test_a_cancellation_request_to_a_closed_run_is_none() -> None:
    core = Core()
    target = core.start(workflow_id="target")
    target.complete(complete_workflow())
    source = core.start()
    send(source, "cancel")
    assert_arrived(source, "cancel")
    target.assert_history("5 WorkflowExecutionCompleted")


def test_a_second_cancellation_request_changes_nothing() -> None:
    core = Core()
    target, source = core.start(workflow_id="target"), core.start()
    target.request_cancel()
    send(source, "cancel")
    assert_arrived(source, "cancel")
    target.assert_history("3 WorkflowExecutionCancelRequested identity=canceller")


@BOTH
def test_the_current_run_of_a_chain_is_reached(what: str) -> None:
    core = Core()
    first, source = core.start(workflow_id="target"), core.start()
    core.advance(2)
    first.complete(continue_as_new())
    send(source, what)
    assert_arrived(source, what)
    assert first.next_run.history().count("\n") == 2


def test_a_signal_does_not_end_the_backoff_of_a_retry_but_a_cancellation_request_does() -> None:
    core = Core()
    first = core.start(workflow_id="target", retry_policy=retry_policy(initial=30))
    source = core.start()
    first.complete(fail_workflow())
    source.complete(signal_external("target"))
    first.next_run.assert_history("1 WorkflowExecutionStarted\n2 WorkflowExecutionSignaled")
    source.complete(cancel_external("target"))
    first.next_run.assert_history("3 WorkflowExecutionCancelRequested\n4 WorkflowTaskScheduled")


def test_too_many_signals() -> None:
    core = Core(Limits(signals_per_execution=1))
    target, source = core.start(workflow_id="target"), core.start()
    source.complete(signal_external("target"), signal_external("target"))
    source.assert_history("""
        7 ExternalWorkflowExecutionSignaled initiated_event_id=5
        8 WorkflowTaskScheduled
        9 SignalExternalWorkflowExecutionFailed initiated_event_id=6 cause=SIGNAL_COUNT_LIMIT_EXCEEDED
    """)
    assert target.state.signal_count == 1


# Children.


@BOTH
def test_a_child_is_reached(what: str) -> None:
    _, parent, child = with_child()
    parent.complete(SENT[what][0]("child", child_workflow_only=True))
    parent.assert_history(f"""
        9 WorkflowTaskCompleted
        10 {SENT[what][1]}Initiated child_workflow_only=true
        11 {SENT[what][2]} initiated_event_id=10
        12 WorkflowTaskScheduled
    """)
    assert child.history().count("\n") == 2


@BOTH
def test_the_current_run_of_a_childs_chain_is_reached(what: str) -> None:
    core, parent, child = with_child()
    core.advance(2)
    child.complete(continue_as_new())
    parent.complete(SENT[what][0]("child", child_workflow_only=True))
    parent.assert_history(f"""
        10 {SENT[what][1]}Initiated
        11 {SENT[what][2]}
        12 WorkflowTaskScheduled
    """)
    assert child.next_run.history().count("\n") == 2


def test_a_child_that_the_same_task_starts_gets_its_signal() -> None:
    parent = Core().start()
    parent.complete(start_child(), signal_external("child", child_workflow_only=True))
    parent.assert_history("""
        5 StartChildWorkflowExecutionInitiated
        6 SignalExternalWorkflowExecutionInitiated
        7 ChildWorkflowExecutionStarted
        8 WorkflowTaskScheduled
        9 ExternalWorkflowExecutionSignaled initiated_event_id=6
    """)
    child_of(parent).assert_history("2 WorkflowTaskScheduled\n3 WorkflowExecutionSignaled")


@BOTH
def test_who_is_no_child_is_not_reached_as_one(what: str) -> None:
    core = Core()
    stranger, source = core.start(workflow_id="target"), core.start()
    send(source, what, child_workflow_only=True)
    assert_not_found(source, what)
    stranger.assert_history("2 WorkflowTaskScheduled")


@BOTH
def test_the_child_of_another_run_of_the_chain_is_not_reached_as_one(what: str) -> None:
    core, parent, child = with_child(parent_close_policy="PARENT_CLOSE_POLICY_ABANDON")
    core.advance(2)
    parent.complete(continue_as_new())
    following = parent.next_run
    send(following, what, "child", child_workflow_only=True)
    assert_not_found(following, what)
    child.assert_history("2 WorkflowTaskScheduled")


def test_a_parent_is_reached() -> None:
    _, parent, child = with_child()
    child.complete(signal_external("workflow"))
    assert_arrived(child, "signal")
    parent.assert_history(f"""
        7 WorkflowTaskScheduled
        8 WorkflowExecutionSignaled external_workflow_execution.run_id={child.state.run_id}
    """)


# The answer.


@pytest.mark.parametrize(("command_type", "command"), [(SIGNAL, signal_external("t")), (CANCEL, cancel_external("t"))])
def test_an_answer_is_taken_once(command_type: int, command: Command) -> None:
    source = Core().start()
    source.complete(command)
    for initiated_event_id in (5, 99):
        with pytest.raises(NotFound, match="Pending request to another workflow not found"):
            source.send(MessageAnswered(source.ref, command_type, initiated_event_id))


@pytest.mark.parametrize(("command_type", "command"), [(SIGNAL, signal_external("t")), (CANCEL, cancel_external("t"))])
def test_a_closed_sender_takes_no_answer(command_type: int, command: Command) -> None:
    source = Core().start()
    source.complete(command, complete_workflow())
    with pytest.raises(NotFound, match="Pending request to another workflow not found"):
        source.send(MessageAnswered(source.ref, command_type, 5))
