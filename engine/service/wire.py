"""Replies that carry history, put together from stored bytes: events are neither parsed nor serialized again.

A message's serialized fields may stand in any order, so the history field is appended to what protobuf made of the
rest.
"""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import Message
from temporalio.api.history.v1 import History
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedResponse, StartWorkflowExecutionResponse

__all__ = ["append_workflow_task", "join_history", "with_history"]


def _tag(field_number: int) -> bytes:
    return _varint(field_number << 3 | 2)


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_EVENT_TAG = _tag(History.DESCRIPTOR.fields_by_name["events"].number)
_WORKFLOW_TASK_TAGS: dict[type[Message], bytes] = {
    response: _tag(response.DESCRIPTOR.fields_by_name[name].number)
    for response, name in (
        (RespondWorkflowTaskCompletedResponse, "workflow_task"),
        (StartWorkflowExecutionResponse, "eager_workflow_task"),
    )
}
_HISTORY_TAGS: dict[type[Message], bytes] = {}


def join_history(events: Iterable[bytes]) -> bytes:
    """Return the serialized History of serialized events."""
    parts: list[bytes] = []
    for event in events:
        parts += (_EVENT_TAG, _varint(len(event)), event)
    return b"".join(parts)


def with_history(response: Message, events: Iterable[bytes]) -> bytes:
    """Serialize `response`, whose `history` is unset, with a history of these serialized events."""
    tag = _HISTORY_TAGS.get(type(response))
    if tag is None:
        tag = _HISTORY_TAGS[type(response)] = _tag(response.DESCRIPTOR.fields_by_name["history"].number)
    history = join_history(events)
    return b"".join((response.SerializeToString(), tag, _varint(len(history)), history))


def append_workflow_task(
    response: RespondWorkflowTaskCompletedResponse | StartWorkflowExecutionResponse, workflow_task: bytes
) -> bytes:
    """Serialize `response` with a serialized PollWorkflowTaskQueueResponse as its workflow task."""
    tag = _WORKFLOW_TASK_TAGS[type(response)]
    return b"".join((response.SerializeToString(), tag, _varint(len(workflow_task)), workflow_task))
