"""The messages of the workflow and its clients.

One dataclass for each message: a field that is added later gets a default, and the
workflows that are already running can still read what was sent to them.
"""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where a request is; the last four are how it can end."""

    ASKED = "asked"
    REMINDED = "reminded"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    TIMED_OUT = "timed out"


@dataclass
class Request:
    """Something to be approved; the second time counts from the reminder."""

    subject: str
    requester: str
    approver: str
    remind_after_seconds: float = 24 * 60 * 60
    give_up_after_seconds: float = 24 * 60 * 60


@dataclass
class Decision:
    """The argument of the update `decide`."""

    by: str
    approve: bool


@dataclass
class Result:
    """How a request ended, and by whom; nobody, when it timed out."""

    status: Status
    by: str = ""
