"""What a poll for the end of a fast-forward is answered.

Rules (temporal server polltimeskipping):
- The poll names a workflow and an id; the id says which fast-forward, whichever run of the chain has it now.
- One that is set again, with the same id too, is another one: its target is another.
- It can't complete any more when the chain of runs has ended, or time skipping is disabled.
"""

from __future__ import annotations

from temporalio.api.enums.v1.time_skipping_pb2 import (
    FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED,
    FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED,
    FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT,
)
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionTimeSkippingResponse

from engine.core.run.state import RunState
from engine.core.run.time_skipping import fast_forward_info

__all__ = ["find_poll_result", "poll_timed_out"]


def find_poll_result(
    state: RunState, fast_forward_id: str, target_ns: int = 0
) -> PollWorkflowExecutionTimeSkippingResponse | None:
    """Return the answer, or None while the fast-forward is pending.

    Args:
        target_ns: that of the fast-forward when the poll began to wait; 0 before.
    """
    skipping = state.time_skipping
    info = fast_forward_info(skipping)
    if skipping is None or info is None or info.fast_forward_id != fast_forward_id:
        reason = "the requested fast_forward_id does not match the execution's current fast-forward"
    elif target_ns and skipping.fast_forward_target_ns != target_ns:
        reason = "the fast-forward was reset"
    elif skipping.fast_forward_reached:
        return PollWorkflowExecutionTimeSkippingResponse(
            fast_forward_polling_result=FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED, fast_forward_info=info
        )
    elif not state.running and not state.new_execution_run_id:
        reason = "the execution ended before the fast-forward completed"
    elif not skipping.enabled:
        reason = "time skipping was disabled before the fast-forward completed"
    else:
        return None
    return PollWorkflowExecutionTimeSkippingResponse(
        fast_forward_polling_result=FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED,
        failed_reason=reason,
        fast_forward_info=info,
    )


def poll_timed_out(state: RunState) -> PollWorkflowExecutionTimeSkippingResponse:
    """Return the answer to a poll that has waited in vain; its client may poll again."""
    return PollWorkflowExecutionTimeSkippingResponse(
        fast_forward_polling_result=FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT,
        fast_forward_info=fast_forward_info(state.time_skipping),
    )
