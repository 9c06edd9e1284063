"""Replies put together from stored bytes are the messages that protobuf would have made."""

from __future__ import annotations

from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryResponse,
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedResponse,
)

from engine.service.wire import append_workflow_task, with_history

# The last one is long enough for a length of three bytes.
EVENTS = [HistoryEvent(event_id=1), HistoryEvent(event_id=2, task_id=77), HistoryEvent(event_id=3)]
EVENTS[2].workflow_execution_signaled_event_attributes.signal_name = "s" * 20_000
BLOBS = [event.SerializeToString() for event in EVENTS]


def test_a_task_with_its_history() -> None:
    message = PollWorkflowTaskQueueResponse(task_token=b"token", attempt=2)
    expected = PollWorkflowTaskQueueResponse(task_token=b"token", attempt=2, history=History(events=EVENTS))
    assert PollWorkflowTaskQueueResponse.FromString(with_history(message, BLOBS)) == expected


def test_an_empty_history_is_there() -> None:
    message = GetWorkflowExecutionHistoryResponse.FromString(with_history(GetWorkflowExecutionHistoryResponse(), []))
    assert message.HasField("history")
    assert not message.history.events


def test_a_completion_that_returns_the_next_task() -> None:
    task = PollWorkflowTaskQueueResponse(task_token=b"next", history=History(events=EVENTS))
    activity_tasks = [PollActivityTaskQueueResponse(activity_id="a")]
    serialized = append_workflow_task(
        RespondWorkflowTaskCompletedResponse(activity_tasks=activity_tasks),
        with_history(PollWorkflowTaskQueueResponse(task_token=b"next"), BLOBS),
    )
    expected = RespondWorkflowTaskCompletedResponse(activity_tasks=activity_tasks, workflow_task=task)
    assert RespondWorkflowTaskCompletedResponse.FromString(serialized) == expected
