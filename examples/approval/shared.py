"""What the workflow, the activity and their clients share: the messages and the name of the task queue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TASK_QUEUE = "approvals"

ONE_DAY_SECONDS = 24 * 60 * 60


class Status(StrEnum):
    """Where a request is; the last three are how it can end."""

    NEW = "new"
    ASKED = "asked"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    APPROVED = "approved"
    REJECTED = "rejected"
    TIMED_OUT = "timed out"


@dataclass
class Request:
    """Something to be approved: the approver is asked, then reminded, then the manager is asked, too.

    Each of the three times counts from the one before.
    """

    subject: str
    requester: str
    approver: str
    manager: str
    remind_after_seconds: float = ONE_DAY_SECONDS
    escalate_after_seconds: float = ONE_DAY_SECONDS
    give_up_after_seconds: float = ONE_DAY_SECONDS


@dataclass
class Decision:
    """The argument of the `decide` signal."""

    by: str
    is_approved: bool
    comment: str = ""


@dataclass
class Result:
    """How a request ended, and by whom; nobody decided one that timed out."""

    status: Status
    decision: Decision | None = None
