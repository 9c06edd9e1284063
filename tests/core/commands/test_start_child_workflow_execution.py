"""COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.taskqueue.v1 import TaskQueue

from engine.core.errors import NamespaceNotFound
from engine.core.policy.limits import Limits
from tests.core.commands.bad_command import assert_fails_the_task
from tests.core.support.core import Core
from tests.core.support.messages import payload, payloads, retry_policy, seconds, start_child

BAD = "BAD_START_CHILD_EXECUTION_ATTRIBUTES"
PREFIX = "BadStartChildExecutionAttributes: "
COMMAND = "StartChildWorkflowExecutionCommand"
WHERE = "WorkflowId=child WorkflowType=Child Namespace=default"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (
            {"workflow_id": ""},
            f"Required field WorkflowId is not set on {COMMAND}. WorkflowType=Child Namespace=default",
        ),
        (
            {"workflow_type": None},
            f"Required field WorkflowType is not set on {COMMAND}. WorkflowId=child Namespace=default",
        ),
        (
            {"workflow_type": {"name": ""}},
            f"Required field WorkflowType is not set on {COMMAND}. WorkflowId=child Namespace=default",
        ),
        (
            {"workflow_id": "w" * 1001},
            f"WorkflowId on {COMMAND} exceeds length limit. WorkflowId={'w' * 1001} Length=1001 Limit=1000 "
            "WorkflowType=Child Namespace=default",
        ),
        (
            {"workflow_type": {"name": "t" * 1001}},
            f"WorkflowType on {COMMAND} exceeds length limit. WorkflowId=child WorkflowType={'t' * 1001} Length=1001 "
            "Limit=1000 Namespace=default",
        ),
        (
            {"workflow_execution_timeout": seconds(-1)},
            f"Invalid WorkflowExecutionTimeout on {COMMAND}: negative duration. {WHERE}",
        ),
        (
            {"workflow_run_timeout": seconds(-1)},
            f"Invalid WorkflowRunTimeout on {COMMAND}: negative duration. {WHERE}",
        ),
        (
            {"workflow_task_timeout": seconds(-1)},
            f"Invalid WorkflowTaskTimeout on {COMMAND}: negative duration. {WHERE}",
        ),
        (
            {"retry_policy": retry_policy(coefficient=0.5)},
            f"invalid WorkflowRetryPolicy on {COMMAND}: BackoffCoefficient cannot be less than 1 on retry policy.. "
            f"{WHERE}",
        ),
        ({"cron_schedule": "nonsense"}, f"invalid CronSchedule on {COMMAND}: invalid CronSchedule.. {WHERE}"),
        ({"priority": {"fairness_key": "k" * 65}}, "fairness key length exceeds limit"),
        (
            {"task_queue": TaskQueue(name="/_sys/q")},
            f"invalid TaskQueue on {COMMAND}: task queue name cannot start with reserved prefix /_sys/. {WHERE} "
            'TaskQueue=name:"/_sys/q" kind:TASK_QUEUE_KIND_NORMAL',
        ),
    ],
)
def test_bad_attributes_fail_the_task(attributes: dict[str, Any], message: str) -> None:
    assert_fails_the_task(start_child(**attributes), cause=BAD, message=PREFIX + message)


def test_no_attributes() -> None:
    assert_fails_the_task(
        Command(command_type="COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION"),
        cause=BAD,
        message=PREFIX + f"Required field WorkflowId is not set on {COMMAND}. WorkflowType= Namespace=default",
    )


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"Unknown": payload(1)}, "Namespace default has no mapping defined for search attribute Unknown"),
        (
            {"Number": payload("seven")},
            "invalid SearchAttributes on StartChildWorkflowCommand: "
            f"invalid value for search attribute Number of type Int: seven. {WHERE}",
        ),
    ],
)
def test_bad_search_attributes_fail_the_task(attributes: dict[str, Any], message: str) -> None:
    assert_fails_the_task(
        start_child(search_attributes={"indexed_fields": attributes}),
        core=Core(search_attributes={"Number": 3}),
        cause="BAD_SEARCH_ATTRIBUTES",
        message=f"BadSearchAttributes: {message}",
    )


def test_what_is_oversize_ends_the_run() -> None:
    assert_fails_the_task(
        start_child(input=payloads("x" * 100)),
        core=Core(Limits(blob_size_error_bytes=100)),
        cause=BAD,
        message=PREFIX + "StartChildWorkflowExecutionCommandAttributes. Input exceeds size limit.",
        terminates=True,
    )
    assert_fails_the_task(
        start_child(memo={"fields": {"m": payload("x" * 100)}}),
        core=Core(Limits(memo_size_error_bytes=100)),
        cause=BAD,
        message=PREFIX + "StartChildWorkflowExecutionCommandAttributes.Memo exceeds size limit.",
        terminates=True,
    )


def test_too_many_pending() -> None:
    assert_fails_the_task(
        *(start_child(f"child-{number}") for number in range(4)),
        core=Core(Limits(pending_child_executions_error=3)),
        cause="PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED",
        message="PendingChildWorkflowsLimitExceeded: the number of pending child workflow executions, 3, "
        "has reached the per-workflow limit of 3",
    )


def test_a_child_that_is_closed_is_not_pending() -> None:
    core = Core(Limits(pending_child_executions_error=1))
    run = core.start()
    run.complete(start_child("one"))
    one = core.current("one")
    assert one is not None
    one.terminate()
    run.complete(start_child("two"))
    assert core.current("two") is not None


def test_another_namespace_is_refused() -> None:
    core = Core(namespaces=("other",))
    assert_fails_the_task(
        start_child(namespace="other"),
        core=core,
        cause=BAD,
        message=PREFIX + "cross namespace commands are not allowed",
    )


def test_an_unknown_namespace_is_refused_as_a_whole() -> None:
    """The worker hears of it; its workflow task is still there for it."""
    run = Core().start()
    run.poll()
    with pytest.raises(NamespaceNotFound, match="Namespace nowhere is not found"):
        run.complete(start_child("first"), start_child("second", namespace="nowhere"))
    run.assert_history("3 WorkflowTaskStarted")
    run.complete(start_child("first"))
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 StartChildWorkflowExecutionInitiated
        6 ChildWorkflowExecutionStarted
        7 WorkflowTaskScheduled
    """)


def test_the_event_has_every_default() -> None:
    run = Core().start()
    run.complete(start_child())
    run.assert_history("""
        4 WorkflowTaskCompleted
        5 StartChildWorkflowExecutionInitiated namespace=default namespace_id=namespace-id workflow_id=child \
workflow_type.name=Child task_queue.name=queue task_queue.kind=NORMAL parent_close_policy=TERMINATE \
workflow_id_reuse_policy=ALLOW_DUPLICATE workflow_execution_timeout=- workflow_run_timeout=0s \
workflow_task_timeout=10s workflow_task_completed_event_id=4 input=- memo=- header=- retry_policy=- priority=- \
cron_schedule= control=
        6 ChildWorkflowExecutionStarted
        7 WorkflowTaskScheduled
    """)


def test_what_the_command_says_reaches_the_event_and_the_child() -> None:
    core = Core(search_attributes={"Number": 3})
    run = core.start()
    run.complete(
        start_child(
            namespace="default",
            task_queue=TaskQueue(name="elsewhere"),
            input=payloads("in", 2),
            header={"fields": {"h": payload("header")}},
            memo={"fields": {"m": payload("memo"), "unset": payload(None)}},
            search_attributes={"indexed_fields": {"Number": payload(7)}},
            workflow_execution_timeout=seconds(100),
            workflow_run_timeout=seconds(200),
            workflow_task_timeout=seconds(7),
            retry_policy=retry_policy(initial=2),
            control="kept",
            parent_close_policy="PARENT_CLOSE_POLICY_ABANDON",
            workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE",
        )
    )
    same = """\
'input="in",2' 'header.fields.h="header"' memo.fields=m search_attributes.indexed_fields.Number=7 \
workflow_execution_timeout=100s workflow_run_timeout=100s workflow_task_timeout=7s task_queue.name=elsewhere \
retry_policy.initial_interval=2s retry_policy.maximum_interval=200s"""
    run.assert_history(f"""
        5 StartChildWorkflowExecutionInitiated {same} control=kept parent_close_policy=ABANDON \
workflow_id_reuse_policy=REJECT_DUPLICATE
        6 ChildWorkflowExecutionStarted 'header.fields.h="header"'
        7 WorkflowTaskScheduled
    """)
    child = core.current("child")
    assert child is not None
    child.assert_history(f"""
        1 WorkflowExecutionStarted {same} workflow_execution_expiration_time=+100s
        2 WorkflowTaskScheduled task_queue.name=elsewhere start_to_close_timeout=7s
    """)


def test_user_metadata_of_the_command_is_in_both_histories() -> None:
    core = Core()
    run = core.start()
    started = start_child()
    started.user_metadata.summary.CopyFrom(payload("why"))
    run.complete(started)
    run.assert_history("""
        5 StartChildWorkflowExecutionInitiated '.user_metadata.summary="why"'
        6 ChildWorkflowExecutionStarted
        7 WorkflowTaskScheduled
    """)
    child = core.current("child")
    assert child is not None
    child.assert_history("""
        1 WorkflowExecutionStarted '.user_metadata.summary="why"'
        2 WorkflowTaskScheduled
    """)


@pytest.mark.parametrize(
    ("parents", "own", "childs"),
    [
        (None, None, "-"),
        ({"priority_key": 2, "fairness_key": "a"}, None, 'priority_key: 2 fairness_key: "a"'),
        (None, {"priority_key": 4}, "priority_key: 4"),
        ({"priority_key": 2, "fairness_key": "a"}, {"priority_key": 4}, 'priority_key: 4 fairness_key: "a"'),
    ],
)
def test_what_the_priority_leaves_open_is_the_parents(parents: Any, own: Any, childs: str) -> None:
    core = Core()
    core.start(priority=parents).complete(start_child(priority=own))
    child = core.current("child")
    assert child is not None
    child.assert_history(f"""
        1 WorkflowExecutionStarted 'priority={childs}'
        2 WorkflowTaskScheduled
    """)
