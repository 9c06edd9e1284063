"""The close event as a client is to see it.

Rule (temporal server get_history_util.go FixFollowEvents): a client that does not say that it follows next runs by
itself is told of a closed run with a successor (retry, cron) that it continued as new, so that it goes on to that one.
Only the answer is changed, never the history.
"""

from __future__ import annotations

from temporalio.api.enums.v1 import event_type_pb2 as et
from temporalio.api.enums.v1.workflow_pb2 import TIMEOUT_TYPE_START_TO_CLOSE
from temporalio.api.failure.v1 import Failure, TimeoutFailureInfo
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionContinuedAsNewEventAttributes

from engine.core.run.state import RunState
from engine.service.service import Call

__all__ = ["close_event_for"]

_FOLLOWS = "follows-next-run-id"


def close_event_for(call: Call, state: RunState, data: bytes) -> bytes:
    """Return the serialized close event of a closed run as the caller understands it."""
    if not state.new_execution_run_id or _follows_by_itself(call):
        return data
    event = HistoryEvent.FromString(data)
    closed = WorkflowExecutionContinuedAsNewEventAttributes(new_execution_run_id=state.new_execution_run_id)
    if event.event_type == et.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        completed = event.workflow_execution_completed_event_attributes
        if completed.HasField("result"):
            closed.last_completion_result.CopyFrom(completed.result)
    elif event.event_type == et.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
        closed.failure.CopyFrom(event.workflow_execution_failed_event_attributes.failure)
    elif event.event_type == et.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
        timeout = TimeoutFailureInfo(timeout_type=TIMEOUT_TYPE_START_TO_CLOSE)
        closed.failure.CopyFrom(Failure(message="workflow timeout", source="Server", timeout_failure_info=timeout))
    else:
        return data
    return HistoryEvent(
        event_id=event.event_id,
        event_time=event.event_time,
        event_type=et.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
        workflow_execution_continued_as_new_event_attributes=closed,
    ).SerializeToString()


def _follows_by_itself(call: Call) -> bool:
    for key, value in call.invocation_metadata() or ():
        if key == "supported-features" and isinstance(value, str):
            return _FOLLOWS in value.split(",")
    return False
