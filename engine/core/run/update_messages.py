"""The messages that take updates to the worker, with a workflow task of any kind."""

from __future__ import annotations

import math

from temporalio.api.protocol.v1 import Message

from engine.core.policy.limits import Limits
from engine.core.run.state import RunState

__all__ = ["has_messages", "request_message_id", "suggests_continue_as_new", "take_messages"]


def request_message_id(update_id: str) -> str:
    """Return the id of the message that asks for an update."""
    return f"{update_id}/request"


def has_messages(state: RunState) -> bool:
    """Say whether an update waits for the worker."""
    return any(not update.accepted for update in state.updates.values())


def take_messages(state: RunState, started_event_id: int, *, again: bool) -> tuple[Message, ...]:
    """Return the messages of the updates that wait for the worker, which now are sent, in the order of admission.

    Args:
        started_event_id: of the workflow task that takes them; they are to be seen after the event before it.
        again: also those that were sent before, with a task that failed or got lost.
    """
    messages = []
    for update in state.updates.values():
        if update.accepted or (update.sent and not again):
            continue
        update.sent = True
        # Without a body it is an UpdateAdmitted event that tells the worker.
        if update.body is not None:
            messages.append(
                Message(
                    id=request_message_id(update.update_id),
                    protocol_instance_id=update.update_id,
                    event_id=started_event_id - 1,
                    body=update.body,
                )
            )
    return tuple(messages)


def suggests_continue_as_new(state: RunState, limits: Limits) -> bool:
    """Say whether the run comes near its limit of updates."""
    count = len(state.updates) + len(state.completed_updates)
    threshold = math.ceil(limits.updates_total * limits.updates_suggest_continue_as_new_share) if count else 0
    return 0 < threshold <= count
