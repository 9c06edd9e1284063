"""Priority and fairness of tasks: what a request may say, and what an activity or child takes over."""

from __future__ import annotations

from temporalio.api.common.v1.message_pb2 import Priority

from engine.core.errors import InvalidArgument
from engine.core.policy.limits import MAX_FAIRNESS_KEY_LENGTH

__all__ = ["merge_priority", "validate_priority"]


def validate_priority(priority: Priority) -> None:
    """Check the priority of a workflow or an activity.

    Raises:
        InvalidArgument: a negative key or weight, or a fairness key that is too long.
    """
    if priority.priority_key < 0:
        raise InvalidArgument("priority key can't be negative")
    if len(priority.fairness_key.encode()) > MAX_FAIRNESS_KEY_LENGTH:
        raise InvalidArgument("fairness key length exceeds limit")
    if priority.fairness_weight < 0:
        raise InvalidArgument("must be greater than zero")


def merge_priority(base: Priority | None, own: Priority | None) -> Priority | None:
    """Return the priority of an activity or child: its own, with what it leaves open taken from its workflow's."""
    if base is None or own is None:
        return own or base
    return Priority(
        priority_key=own.priority_key or base.priority_key,
        fairness_key=own.fairness_key or base.fairness_key,
        fairness_weight=own.fairness_weight or base.fairness_weight,
    )
