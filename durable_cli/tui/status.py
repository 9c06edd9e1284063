"""How a workflow's status looks: a sign that is read without colour, and a colour."""

from __future__ import annotations

from typing import NamedTuple

from rich.text import Text

__all__ = ["STATUSES", "Status", "find_status", "status_text"]


class Status(NamedTuple):
    """One of the protocol's statuses; `variable` is a colour of the theme."""

    name: str
    sign: str
    variable: str


# By number of WorkflowExecutionStatus, which is not imported here: the first paint must not wait for the protos.
STATUSES = {
    1: Status("Running", "●", "status-running"),
    2: Status("Completed", "✓", "status-completed"),
    3: Status("Failed", "✗", "status-failed"),
    4: Status("Canceled", "⊘", "status-canceled"),
    5: Status("Terminated", "■", "status-terminated"),
    6: Status("ContinuedAsNew", "↻", "status-continued"),
    7: Status("TimedOut", "◷", "status-timed-out"),
    8: Status("Paused", "‖", "status-paused"),
}


def find_status(number: int) -> Status:
    """Return how a status looks; one that a newer server knows is shown by its number."""
    return STATUSES.get(number) or Status(f"Status{number}", "?", "foreground")


def status_text(number: int, colors: dict[str, str], *, with_name: bool = True) -> Text:
    """Write a status in its colour; `colors` are the theme's variables."""
    status = find_status(number)
    text = f"{status.sign} {status.name}" if with_name else status.sign
    return Text(text, style=colors.get(status.variable, ""), no_wrap=True)
