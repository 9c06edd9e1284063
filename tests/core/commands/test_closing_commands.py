"""The commands that complete, fail or cancel the run, and what they have in common."""

from __future__ import annotations

import pytest
from temporalio.api.command.v1 import Command

from engine.core.errors import InvalidArgument, NotFound
from engine.core.policy.limits import Limits
from tests.core.commands.bad_command import assert_fails_the_task
from tests.core.support.core import Core
from tests.core.support.messages import (
    application_failure,
    cancel_workflow,
    command,
    complete_workflow,
    continue_as_new,
    fail_workflow,
    schedule_activity,
    start_timer,
)

SMALL_BLOBS = Limits(blob_size_error_bytes=100)


@pytest.mark.parametrize(
    ("closing", "event"),
    [
        (complete_workflow(), "WorkflowExecutionCompleted result=-"),
        (complete_workflow(1, 2), "WorkflowExecutionCompleted result=1,2"),
        (
            fail_workflow(application_failure("no")),
            "WorkflowExecutionFailed failure.message=no retry_state=RETRY_POLICY_NOT_SET",
        ),
        (cancel_workflow(), "WorkflowExecutionCanceled details=-"),
        (cancel_workflow("tidy"), "WorkflowExecutionCanceled 'details=\"tidy\"'"),
    ],
)
def test_it_closes_the_run(closing: Command, event: str) -> None:
    core = Core()
    run = core.start()
    run.complete(start_timer("t", 1), schedule_activity("a"))
    run.signal()
    run.complete(closing)
    run.assert_history(f"""
        10 WorkflowTaskCompleted
        11 {event} workflow_task_completed_event_id=10
    """)
    assert not run.state.running
    assert run.next_deadline_ns is None
    core.advance(3600)
    assert run.dispatch_activity(run.offered_activities[6]) is None
    with pytest.raises(NotFound, match="workflow execution already completed"):
        run.signal()


@pytest.mark.parametrize("closing", [complete_workflow(), fail_workflow(), cancel_workflow(), continue_as_new()])
def test_nothing_may_be_unseen(closing: Command) -> None:
    run = Core().start()
    run.poll()
    run.signal()
    reply = run.complete(start_timer("t", 5), closing)
    assert isinstance(reply.error, InvalidArgument)
    assert reply.error.message == "UnhandledCommand"
    run.assert_history("""
        3 WorkflowTaskStarted
        4 WorkflowTaskFailed cause=UNHANDLED_COMMAND failure.message=UnhandledCommand failure.server_failure_info={} \
identity=worker
        5 WorkflowExecutionSignaled
        6 WorkflowTaskScheduled attempt=1
    """)
    assert run.state.timers == {}
    run.complete(closing)
    assert not run.state.running


def test_unhandled_command_fails_a_transient_task_too() -> None:
    run = Core().start()
    run.fail_workflow_task()
    run.poll()
    run.signal()
    assert run.complete(complete_workflow()).error is not None
    run.assert_history("""
        4 WorkflowTaskFailed
        5 WorkflowExecutionSignaled
        6 WorkflowTaskScheduled attempt=1
    """)


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        ([Command()], "unknown command type: Unspecified"),
        (
            [complete_workflow(), start_timer("t", 1)],
            "invalid command sequence: [CompleteWorkflowExecution, StartTimer], "
            "command CompleteWorkflowExecution must be the last command.",
        ),
        (
            [complete_workflow(), complete_workflow()],
            "invalid command sequence: [CompleteWorkflowExecution, CompleteWorkflowExecution], "
            "command CompleteWorkflowExecution must be the last command.",
        ),
    ],
)
def test_a_bad_sequence_is_refused_and_the_task_goes_on(commands: list[Command], message: str) -> None:
    run = Core().start()
    with pytest.raises(InvalidArgument) as raised:
        run.complete(*commands)
    assert raised.value.message == message
    run.assert_history("3 WorkflowTaskStarted")
    run.complete(complete_workflow())
    run.assert_history("5 WorkflowExecutionCompleted")


def test_a_failure_must_be_there() -> None:
    assert_fails_the_task(
        command("FAIL_WORKFLOW_EXECUTION"),
        cause="BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES",
        message="BadFailWorkflowExecutionAttributes: Failure is not set on FailWorkflowExecutionCommand.",
    )


def test_an_oversize_result_ends_the_run() -> None:
    assert_fails_the_task(
        complete_workflow("x" * 100),
        core=Core(SMALL_BLOBS),
        cause="BAD_SCHEDULE_ACTIVITY_ATTRIBUTES",
        message="BadScheduleActivityAttributes: CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.",
        terminates=True,
    )


def test_an_oversize_failure_ends_the_run() -> None:
    assert_fails_the_task(
        fail_workflow(application_failure("x" * 100)),
        core=Core(SMALL_BLOBS),
        cause="BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES",
        message="BadFailWorkflowExecutionAttributes: "
        "FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.",
        terminates=True,
    )
