"""Starting by workflow id: request ids, conflict and reuse policies, signal-with-start."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.errors import WorkflowExecutionAlreadyStarted
from engine.core.run.state import SIGNAL_REQUEST
from tests.core.support.core import WORKFLOW_ID, Core, Run
from tests.core.support.messages import complete_workflow, fail_workflow, payload, payloads, seconds

CONFLICT = "WORKFLOW_ID_CONFLICT_POLICY_"
REUSE = "WORKFLOW_ID_REUSE_POLICY_"


def close(run: Run, how: str) -> None:
    """Close a run in one of three ways."""
    if how == "terminated":
        run.terminate()
    else:
        run.complete(complete_workflow() if how == "completed" else fail_workflow())


# A running execution.


@pytest.mark.parametrize(
    "policies",
    [
        {},
        {"workflow_id_conflict_policy": CONFLICT + "FAIL"},
        {"workflow_id_reuse_policy": REUSE + "ALLOW_DUPLICATE"},
        {"workflow_id_reuse_policy": REUSE + "REJECT_DUPLICATE"},
    ],
)
def test_a_running_execution_is_in_the_way(policies: dict[str, Any]) -> None:
    core = Core()
    run = core.start(request_id="first")
    with pytest.raises(WorkflowExecutionAlreadyStarted) as raised:
        core.start_workflow(**policies)
    assert raised.value.message == (
        f"Workflow execution is already running. WorkflowId: {WORKFLOW_ID}, RunId: {run.state.run_id}."
    )
    detail: Any = raised.value.detail
    assert (detail.start_request_id, detail.run_id) == ("first", run.state.run_id)
    assert len(core.runs) == 1


def test_use_existing_answers_with_it() -> None:
    core = Core()
    run = core.start()
    reply = core.start_workflow(workflow_id_conflict_policy=CONFLICT + "USE_EXISTING")
    assert (reply.run_id, reply.started, reply.link.workflow_event.event_ref.event_id) == (run.state.run_id, False, 1)
    run.assert_history("2 WorkflowTaskScheduled")


def test_use_existing_may_attach_the_request() -> None:
    core = Core()
    run = core.start()
    attach = {
        "workflow_id_conflict_policy": CONFLICT + "USE_EXISTING",
        "on_conflict_options": {"attach_request_id": True},
        "request_id": "attached",
    }
    for _ in range(2):
        reply = core.start_workflow(**attach)
        assert (reply.run_id, reply.started) == (run.state.run_id, False)
        assert reply.link.workflow_event.request_id_ref.request_id == "attached"
    run.assert_history("""
        2 WorkflowTaskScheduled
        3 WorkflowExecutionOptionsUpdated attached_request_id=attached .worker_may_ignore=true
    """)


@pytest.mark.parametrize(
    "policies",
    [
        {"workflow_id_conflict_policy": CONFLICT + "TERMINATE_EXISTING"},
        {"workflow_id_reuse_policy": REUSE + "TERMINATE_IF_RUNNING"},
    ],
)
def test_terminate_existing_makes_room(policies: dict[str, Any]) -> None:
    core = Core()
    old = core.start()
    old.poll()
    new = core.start(**policies)
    assert new is not old
    old.assert_history(f"""
        4 WorkflowTaskFailed cause=FORCE_CLOSE_COMMAND
        5 WorkflowExecutionTerminated 'reason=TerminateIfRunning WorkflowIdReusePolicy' identity=history-service \
'details="terminated by new runID: {new.state.run_id}"'
    """)
    new.assert_history(f"""
        1 WorkflowExecutionStarted first_execution_run_id={new.state.run_id} continued_execution_run_id=
        2 WorkflowTaskScheduled
    """)


# A closed one.


@pytest.mark.parametrize("how", ["completed", "failed", "terminated"])
@pytest.mark.parametrize(
    "policy",
    ["UNSPECIFIED", "ALLOW_DUPLICATE", "ALLOW_DUPLICATE_FAILED_ONLY", "REJECT_DUPLICATE", "TERMINATE_IF_RUNNING"],
)
def test_the_reuse_policy_decides_after_a_close(how: str, policy: str) -> None:
    core = Core()
    run = core.start()
    close(run, how)
    refusal = {
        ("completed", "ALLOW_DUPLICATE_FAILED_ONLY"): (
            "Workflow execution already finished successfully. {ids} Workflow Id reuse policy: "
            "allow duplicate workflow Id if last run failed."
        ),
        (how, "REJECT_DUPLICATE"): (
            "Workflow execution already finished. {ids} Workflow Id reuse policy: reject duplicate workflow Id."
        ),
    }.get((how, policy))
    if refusal is None:
        assert core.start(workflow_id_reuse_policy=REUSE + policy) is not run
        return
    with pytest.raises(WorkflowExecutionAlreadyStarted) as raised:
        core.start(workflow_id_reuse_policy=REUSE + policy)
    assert raised.value.message == refusal.format(ids=f"WorkflowId: {WORKFLOW_ID}, RunId: {run.state.run_id}.")


# The request id.


@pytest.mark.parametrize("how", ["running", "completed", "failed", "terminated"])
def test_the_same_request_gets_the_same_answer(how: str) -> None:
    core = Core()
    first = core.start_workflow(request_id="again")
    run = core.current()
    assert run is not None
    if how != "running":
        close(run, how)
    second = core.start_workflow(request_id="again", workflow_id_reuse_policy=REUSE + "REJECT_DUPLICATE")
    assert (second.run_id, second.started, second.status) == (first.run_id, True, run.state.status)
    assert len(core.runs) == 1


def test_other_workflow_ids_are_nobodys_business() -> None:
    core = Core()
    assert core.start(request_id="same").state.run_id != core.start(workflow_id="other", request_id="same").state.run_id


# Signal-with-start.


def test_signal_with_start_puts_the_signal_before_the_first_task() -> None:
    core = Core()
    reply = core.signal_with_start(
        "go", signal_input=payloads(1), input=payloads(2), header={"fields": {"h": payload(3)}}, request_id="r"
    )
    run = core.current()
    assert run is not None
    assert (reply.run_id, reply.started) == (run.state.run_id, True)
    assert reply.signal_link.workflow_event.request_id_ref.request_id == "r"
    assert run.state.request_ids == {"r": SIGNAL_REQUEST}
    run.assert_history("""
        1 WorkflowExecutionStarted input=2 header.fields.h=3
        2 WorkflowExecutionSignaled signal_name=go input=1 header.fields.h=3 identity=starter request_id=r
        3 WorkflowTaskScheduled
    """)


def test_signal_with_start_only_signals_a_running_execution() -> None:
    core = Core()
    run = core.start()
    reply = core.signal_with_start("go", input=payloads("unused"))
    assert (reply.run_id, reply.started) == (run.state.run_id, False)
    run.assert_history("2 WorkflowTaskScheduled\n3 WorkflowExecutionSignaled signal_name=go")


def test_the_same_signal_with_start_twice() -> None:
    core = Core()
    first = core.signal_with_start("go", request_id="r")
    second = core.signal_with_start("go", request_id="r")
    assert (second.run_id, second.started) == (first.run_id, True)
    run = core.current()
    assert run is not None
    run.assert_history("2 WorkflowExecutionSignaled\n3 WorkflowTaskScheduled")


def test_signal_with_start_twice_into_a_running_execution() -> None:
    core = Core()
    run = core.start()
    for _ in range(2):
        assert not core.signal_with_start("go", request_id="r").started
    run.assert_history("3 WorkflowExecutionSignaled")


def test_signal_with_start_follows_a_closed_execution() -> None:
    core = Core()
    old = core.start()
    close(old, "completed")
    core.signal_with_start("go")
    new = core.current()
    assert new is not None
    assert new is not old
    new.terminate()
    with pytest.raises(WorkflowExecutionAlreadyStarted):
        core.signal_with_start("go", workflow_id_reuse_policy=REUSE + "REJECT_DUPLICATE")


def test_signal_with_start_may_terminate_the_running_execution() -> None:
    core = Core()
    old = core.start()
    core.signal_with_start("go", workflow_id_conflict_policy=CONFLICT + "TERMINATE_EXISTING")
    old.assert_history("3 WorkflowExecutionTerminated 'reason=TerminateIfRunning WorkflowIdReusePolicy'")
    new = core.current()
    assert new is not None
    new.assert_history("1 WorkflowExecutionStarted\n2 WorkflowExecutionSignaled\n3 WorkflowTaskScheduled")


def test_signal_with_start_with_a_delay() -> None:
    core = Core()
    core.signal_with_start("go", workflow_start_delay=seconds(30))
    run = core.current()
    assert run is not None
    run.assert_history("1 WorkflowExecutionStarted\n2 WorkflowExecutionSignaled")
    core.advance(30)
    run.assert_history("3 WorkflowTaskScheduled .event_time=+30s")


def test_signal_with_start_ends_the_delay_of_a_running_execution() -> None:
    core = Core()
    run = core.start(workflow_start_delay=seconds(30))
    run.signal()
    run.assert_history("2 WorkflowExecutionSignaled")
    core.signal_with_start("go")
    run.assert_history("3 WorkflowExecutionSignaled\n4 WorkflowTaskScheduled .event_time=+0s")
    core.advance(30)
    run.assert_history("4 WorkflowTaskScheduled .event_time=+0s")


def test_a_signal_with_the_request_id_of_the_start_is_another_request() -> None:
    core = Core()
    run = core.start(request_id="r")
    for _ in range(2):
        run.signal(request_id="r")
    run.assert_history("2 WorkflowTaskScheduled\n3 WorkflowExecutionSignaled")
    run.reload()
    run.signal(request_id="r")
    run.assert_history("2 WorkflowTaskScheduled\n3 WorkflowExecutionSignaled")
    assert core.start_workflow(request_id="r").run_id == run.state.run_id


def test_a_start_with_the_request_id_of_a_signal_is_another_request() -> None:
    core = Core()
    run = core.start()
    run.signal(request_id="r")
    with pytest.raises(WorkflowExecutionAlreadyStarted):
        core.start_workflow(request_id="r")
    run.terminate()
    assert core.start_workflow(request_id="r").run_id != run.state.run_id
