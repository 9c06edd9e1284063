"""The column of a history that says what happened."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import (
    CancelExternalWorkflowExecutionFailedCause,
    SignalExternalWorkflowExecutionFailedCause,
    StartChildWorkflowExecutionFailedCause,
)
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.update.v1 import Input, Meta, Outcome, Request

from durable_cli.output.event_text import Names, summarize_event

OTHER = WorkflowExecution(workflow_id="other")
CHILD = {"workflow_type": WorkflowType(name="Child"), "workflow_execution": WorkflowExecution(workflow_id="c")}
BROKEN = Failure(message="broke", application_failure_info=ApplicationFailureInfo(type="Oops"))


def _payloads(data: bytes) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=data)])


def _event(kind: str, **attributes: Any) -> HistoryEvent:
    event = HistoryEvent()
    field = getattr(event, f"{kind}_event_attributes")
    field.SetInParent()
    field.MergeFrom(type(field)(**attributes))
    return event


REQUEST = Request(meta=Meta(update_id="u"), input=Input(name="add", args=_payloads(b"5")))
ADMITTED = _event("workflow_execution_update_admitted", request=REQUEST)
ACCEPTED = _event("workflow_execution_update_accepted", protocol_instance_id="u", accepted_request=REQUEST)
ACCEPTED_LATER = _event("workflow_execution_update_accepted", protocol_instance_id="u")


def _completed(outcome: Outcome) -> HistoryEvent:
    return _event("workflow_execution_update_completed", meta=Meta(update_id="u"), outcome=outcome)


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([_event("activity_task_started", attempt=1)], "of event 0"),
        ([_event("activity_task_started", attempt=2, identity="me@here")], "of event 0, attempt 2, by me@here"),
        ([ADMITTED], "add(5)"),
        ([ACCEPTED], "add(5)"),
        ([ADMITTED, ACCEPTED_LATER], "add"),
        ([ACCEPTED_LATER], "u"),
        ([ACCEPTED, _completed(Outcome(success=_payloads(b"6")))], "add: 6"),
        ([ACCEPTED, _completed(Outcome(success=Payloads()))], "add"),
        ([ADMITTED, ACCEPTED_LATER, _completed(Outcome(failure=BROKEN))], "add: Oops: broke"),
        ([_completed(Outcome(success=_payloads(b"6")))], "u: 6"),
        (
            [
                _event(
                    "start_child_workflow_execution_failed",
                    workflow_type=WorkflowType(name="Child"),
                    workflow_id="c",
                    cause=StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS,
                )
            ],
            "Child c: WORKFLOW_ALREADY_EXISTS",
        ),
        ([_event("child_workflow_execution_completed", result=_payloads(b'"done"'), **CHILD)], 'Child c: "done"'),
        ([_event("child_workflow_execution_completed", **CHILD)], "Child c"),
        ([_event("child_workflow_execution_failed", failure=BROKEN, **CHILD)], "Child c: Oops: broke"),
        ([_event("external_workflow_execution_signaled", workflow_execution=OTHER)], "other"),
        ([_event("external_workflow_execution_cancel_requested", workflow_execution=OTHER)], "other"),
        (
            [
                _event(
                    "signal_external_workflow_execution_failed",
                    workflow_execution=OTHER,
                    cause=SignalExternalWorkflowExecutionFailedCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND,
                )
            ],
            "other: EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND",
        ),
        (
            [
                _event(
                    "request_cancel_external_workflow_execution_failed",
                    workflow_execution=OTHER,
                    cause=CancelExternalWorkflowExecutionFailedCause.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND,
                )
            ],
            "other: NAMESPACE_NOT_FOUND",
        ),
        ([_event("workflow_task_failed", cause=999)], "999"),
    ],
)
def test_summary(events: list[HistoryEvent], text: str) -> None:
    names = Names()
    for event in events:
        names.note(event)
    assert summarize_event(events[-1], names) == text
