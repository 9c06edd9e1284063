"""What shall be done to many runs, and how far it is: pure, no widget and no server.

Rules:
- What only makes sense for a run that goes on is done to those that go on; the filter that goes to the server says so,
  and is what a person is asked about.
- Whoever was refused is kept by name, whatever the number.
- A server that does not answer, or does not know how, ends all of it: the rest would be refused in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["OPERATIONS", "BatchOrder", "ManyRuns", "Operation", "Refusal", "Run", "join_filters", "order_filter"]

EVERYTHING = "WorkflowId IS NOT NULL"
OPEN = "ExecutionStatus = 'Running'"
_OR = re.compile(r"\bOR\b|\|\|", re.IGNORECASE)
_SAYS_STATUS = re.compile(r"\b(ExecutionStatus|CloseTime)\b")

Run = tuple[str, str]
"""Workflow id and run id."""


class Operation(NamedTuple):
    """Something that is done to runs; `done` is said of how many."""

    name: str
    title: str
    warning: str
    done: str
    is_for_open: bool = True


OPERATIONS: Mapping[str, Operation] = {
    each.name: each
    for each in (
        Operation("signal", "Signal", "Each of them gets the signal.", "signaled"),
        Operation("cancel", "Cancel", "Their code is asked to clean up and end.", "asked to cancel"),
        Operation("terminate", "Terminate", "They end at once, without a chance to clean up.", "terminated"),
        Operation("reset", "Reset", "They go on anew, each as another run.", "reset", False),
        Operation("delete", "Delete", "Their histories are gone; what is open ends first.", "deleted", False),
    )
}


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """An operation, and to which runs: those that are named, or else all that match `query`."""

    operation: Operation
    query: str = ""
    runs: Sequence[Run] = ()
    reason: str = ""
    signal_name: str = ""
    arguments: str = ""
    reset_point: str = "its last workflow task"


class Refusal(NamedTuple):
    """A run that it was not done to, and why."""

    workflow_id: str
    run_id: str
    message: str


@dataclass(slots=True)
class ManyRuns:
    """How far it is."""

    total: int
    done_run_ids: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    stopped: str = ""
    """Why it was ended before all had their turn."""

    @property
    def done(self) -> int:
        """How many it was done to."""
        return len(self.done_run_ids)

    @property
    def left(self) -> int:
        """How many have had no turn."""
        return self.total - self.done - len(self.refusals)

    def words(self, done: str) -> str:
        """Say how it went: `terminated 12 runs, 2 refused, 3 left`."""
        parts = [f"{done} {self.done:,} {'run' if self.done == 1 else 'runs'}"]
        if self.refusals:
            parts.append(f"{len(self.refusals):,} refused")
        if self.left:
            parts.append(f"{self.left:,} left")
        return ", ".join(parts)


def order_filter(operation: Operation, query: str, *, is_for_batch: bool) -> str:
    """Return the filter of the runs that an operation is done to.

    Args:
        is_for_batch: a batch takes no empty filter.
    """
    if operation.is_for_open and not _SAYS_STATUS.search(query):
        return join_filters(query, OPEN)
    return query or (EVERYTHING if is_for_batch else "")


def join_filters(query: str, condition: str) -> str:
    """Return the filter of what matches both."""
    if not query:
        return condition
    # Not every server knows parentheses.
    return f"({query}) AND {condition}" if _OR.search(query) else f"{query} AND {condition}"
