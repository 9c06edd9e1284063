"""COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION."""

from __future__ import annotations

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import ContinueAsNewInitiator

from engine.core.policy.limits import Limits
from tests.core.commands.bad_command import assert_fails_the_task
from tests.core.support.core import Core
from tests.core.support.messages import (
    complete_workflow,
    continue_as_new,
    payload,
    payloads,
    retry_policy,
    seconds,
)

BAD = "BAD_CONTINUE_AS_NEW_ATTRIBUTES"
PREFIX = "BadContinueAsNewAttributes: "


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            continue_as_new(workflow_type={"name": "t" * 1001}),
            "WorkflowType on ContinueAsNewWorkflowExecutionCommand exceeds length limit. "
            f"WorkflowType={'t' * 1001} Length=1001 Limit=1000",
        ),
    ],
)
def test_bad_attributes_fail_the_task(bad: Command, message: str) -> None:
    assert_fails_the_task(bad, cause=BAD, message=PREFIX + message)


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (continue_as_new(workflow_run_timeout=seconds(-1)), "Invalid WorkflowRunTimeout"),
        (continue_as_new(workflow_task_timeout=seconds(-1)), "Invalid WorkflowTaskTimeout"),
        (continue_as_new(backoff_start_interval=seconds(-1)), "Invalid BackoffStartInterval"),
        (continue_as_new(retry_policy=retry_policy(coefficient=0.1)), "BackoffCoefficient cannot be less than 1"),
    ],
)
def test_bad_timeouts_and_retry_policies_fail_the_task(bad: Command, what: str) -> None:
    run = Core().start()
    error = run.complete(bad).error
    assert error is not None
    assert str(error).startswith(PREFIX)
    assert what in str(error)
    run.assert_history(f"4 WorkflowTaskFailed cause={BAD}")


def test_an_oversize_input_ends_the_run() -> None:
    assert_fails_the_task(
        continue_as_new(input=payloads("x" * 100)),
        core=Core(Limits(blob_size_error_bytes=100)),
        cause=BAD,
        message=PREFIX + "ContinueAsNewWorkflowExecutionCommandAttributes. Input exceeds size limit.",
        terminates=True,
    )


def test_with_nothing_said() -> None:
    core = Core()
    run = core.start(
        input=payloads("first"),
        memo={"fields": {"note": payload("first")}},
        header={"fields": {"h": payload("first")}},
        retry_policy=retry_policy(),
        workflow_execution_timeout=seconds(100),
        workflow_run_timeout=seconds(50),
        workflow_task_timeout=seconds(7),
    )
    core.advance(3)
    run.complete(continue_as_new())
    following = run.next_run
    assert following.state.run_id != run.state.run_id
    run.assert_history(f"""
        5 WorkflowExecutionContinuedAsNew new_execution_run_id={following.state.run_id} workflow_type.name=Workflow \
task_queue.name=queue task_queue.kind=NORMAL workflow_run_timeout=50s workflow_task_timeout=7s \
workflow_task_completed_event_id=4 input=- memo=- header=- backoff_start_interval=- failure=-
    """)
    following.assert_history(f"""
        1 WorkflowExecutionStarted workflow_type.name=Workflow task_queue.name=queue \
continued_execution_run_id={run.state.run_id} first_execution_run_id={run.state.run_id} \
original_execution_run_id={following.state.run_id} initiator=WORKFLOW attempt=1 input=- memo=- header=- \
retry_policy=- workflow_execution_timeout=100s workflow_execution_expiration_time=+100s \
workflow_run_timeout=50s workflow_task_timeout=7s workflow_id=workflow
        2 WorkflowTaskScheduled start_to_close_timeout=7s
    """)


def test_with_everything_said() -> None:
    core = Core(search_attributes={"Number": 3})
    run = core.start()
    core.advance(3)
    run.complete(
        continue_as_new(
            workflow_type={"name": "Other"},
            task_queue={"name": "elsewhere"},
            input=payloads("next"),
            header={"fields": {"h": payload("new")}},
            memo={"fields": {"note": payload("new"), "gone": payload(None)}},
            search_attributes={"indexed_fields": {"Number": payload(3)}},
            workflow_run_timeout=seconds(40),
            workflow_task_timeout=seconds(6),
            retry_policy=retry_policy(initial=3),
            last_completion_result=payloads("last"),
        )
    )
    run.assert_history("""
        5 WorkflowExecutionContinuedAsNew workflow_type.name=Other task_queue.name=elsewhere 'input="next"' \
workflow_run_timeout=40s workflow_task_timeout=6s 'last_completion_result="last"' memo.fields=note \
search_attributes.indexed_fields=Number
    """)
    run.next_run.assert_history("""
        1 WorkflowExecutionStarted workflow_type.name=Other task_queue.name=elsewhere 'input="next"' \
workflow_run_timeout=40s workflow_task_timeout=6s retry_policy.initial_interval=3s \
retry_policy.maximum_interval=300s 'last_completion_result="last"' memo.fields=note 'memo.fields.note="new"' \
search_attributes.indexed_fields.Number=3 'header.fields.h="new"' first_workflow_task_backoff=-
        2 WorkflowTaskScheduled task_queue.name=elsewhere start_to_close_timeout=6s
    """)


def test_a_short_run_holds_its_successor_back() -> None:
    core = Core()
    run = core.start()
    core.advance(0.25)
    run.complete(continue_as_new())
    following = run.next_run
    following.assert_history("1 WorkflowExecutionStarted first_workflow_task_backoff=0.75s .event_time=+0.25s")
    assert following.offered_workflow_task is None
    core.advance(0.75)
    following.assert_history("2 WorkflowTaskScheduled .event_time=+1s")


def test_a_backoff_of_the_command_is_lengthened_to_the_minimum() -> None:
    core = Core()
    run = core.start()
    run.complete(continue_as_new(backoff_start_interval=seconds(0.5)))
    run.assert_history("5 WorkflowExecutionContinuedAsNew backoff_start_interval=0.5s")
    run.next_run.assert_history("1 WorkflowExecutionStarted first_workflow_task_backoff=1s")


def test_a_longer_backoff_of_the_command_stays() -> None:
    core = Core()
    run = core.start()
    run.complete(continue_as_new(backoff_start_interval=seconds(30)))
    run.next_run.assert_history("1 WorkflowExecutionStarted first_workflow_task_backoff=30s")
    core.advance(29)
    run.next_run.assert_history("1 WorkflowExecutionStarted")
    core.advance(1)
    run.next_run.assert_history("2 WorkflowTaskScheduled")


def test_a_signal_does_not_end_the_minimal_interval() -> None:
    core = Core()
    run = core.start()
    run.complete(continue_as_new())
    following = run.next_run
    following.signal()
    following.assert_history("""
        1 WorkflowExecutionStarted first_workflow_task_backoff=1s
        2 WorkflowExecutionSignaled
    """)
    core.advance(5)
    following.assert_history("3 WorkflowTaskScheduled .event_time=+1s")


def test_the_chain_goes_on_and_keeps_its_first_run() -> None:
    core = Core()
    run = core.start()
    for _ in range(2):
        core.advance(2)
        run.complete(continue_as_new())
        run = run.next_run
    run.complete(complete_workflow())
    first = core.runs[1].state.run_id
    assert run.state.started.first_execution_run_id == first
    assert run.state.started.continued_execution_run_id == core.runs[2].state.run_id


def test_an_initiator_of_the_command_is_kept() -> None:
    core = Core()
    run = core.start()
    core.advance(2)
    run.complete(continue_as_new(initiator=ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE))
    run.assert_history("5 WorkflowExecutionContinuedAsNew initiator=CRON_SCHEDULE")
    run.next_run.assert_history("""
        1 WorkflowExecutionStarted initiator=CRON_SCHEDULE
        2 WorkflowTaskScheduled
    """)


def test_the_execution_timeout_of_the_chain_is_not_renewed() -> None:
    core = Core()
    run = core.start(workflow_execution_timeout=seconds(10))
    core.advance(6)
    run.complete(continue_as_new())
    core.advance(4)
    run.next_run.assert_history("""
        2 WorkflowTaskScheduled
        3 WorkflowExecutionTimedOut retry_state=TIMEOUT .event_time=+10s
    """)
