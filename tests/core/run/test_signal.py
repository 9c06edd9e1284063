"""Signals, cancel requests and terminations from outside."""

from __future__ import annotations

import pytest

from engine.core.errors import InvalidArgument, NotFound
from engine.core.policy.limits import Limits
from tests.core.support.core import Core
from tests.core.support.messages import complete_workflow, payload, payloads


def test_a_signal_wakes_the_workflow() -> None:
    run = Core().start()
    run.complete()
    reply = run.signal("go", input=payloads(1), header={"fields": {"h": payload(2)}}, request_id="r")
    run.assert_history("""
        5 WorkflowExecutionSignaled signal_name=go input=1 header.fields.h=2 identity=signaller request_id=r
        6 WorkflowTaskScheduled
    """)
    event = reply.link.workflow_event  # type: ignore[attr-defined]
    assert (event.namespace, event.workflow_id, event.run_id) == ("default", "workflow", run.state.run_id)
    assert event.request_id_ref.request_id == "r"


@pytest.mark.parametrize("started", [False, True])
def test_a_signal_sent_again_changes_nothing(started: bool) -> None:
    run = Core().start()
    if started:
        run.poll()
    for _ in range(2):
        run.signal("go", request_id="r")
        run.reload()
        run.signal("go", request_id="r")
    run.signal("go", request_id="other")
    run.signal("go")
    run.signal("go")
    if started:
        run.complete()
    assert run.history().count("WorkflowExecutionSignaled") == 4


def test_too_many_signals() -> None:
    run = Core(Limits(signals_per_execution=2)).start()
    run.signal()
    run.signal()
    with pytest.raises(InvalidArgument, match="exceeded workflow execution limit for signal events"):
        run.signal()
    assert run.history().count("WorkflowExecutionSignaled") == 2


def test_a_cancel_request_is_made_once() -> None:
    run = Core().start()
    run.complete()
    run.request_cancel(reason="why", request_id="one")
    run.request_cancel(request_id="two")
    run.request_cancel(request_id="one")
    run.assert_history("""
        5 WorkflowExecutionCancelRequested cause=why identity=canceller
        6 WorkflowTaskScheduled
    """)
    run.complete()
    run.request_cancel(request_id="three")
    assert run.history().count("CancelRequested") == 1


def test_a_cancel_request_to_a_closed_run_is_no_error() -> None:
    run = Core().start()
    run.complete(complete_workflow())
    run.request_cancel()
    assert run.history().endswith("5 WorkflowExecutionCompleted")


@pytest.mark.parametrize("what", ["request_cancel", "terminate"])
def test_the_chain_that_is_meant_may_be_named(what: str) -> None:
    run = Core().start()
    with pytest.raises(NotFound, match=r"^workflow execution not found$"):
        getattr(run, what)(first_execution_run_id="another")
    getattr(run, what)(first_execution_run_id=run.state.run_id)
    assert len(run.events) == 3


def test_a_closed_run_can_not_be_terminated() -> None:
    run = Core().start()
    run.terminate()
    with pytest.raises(NotFound, match="workflow execution already completed"):
        run.terminate()


def test_links_go_onto_the_events() -> None:
    link = {"workflow_event": {"namespace": "default", "workflow_id": "caller", "run_id": "r"}}
    run = Core().start(links=[link])
    run.signal(links=[link])
    run.request_cancel(links=[link])
    run.terminate(links=[link])
    linked = {event.event_id: event.links[0].workflow_event.workflow_id for event in run.events if event.links}
    assert linked == dict.fromkeys((1, 3, 4, 5), "caller")
