"""How a group of events looks: a sign that is read without colour, and a colour of the theme."""

from __future__ import annotations

from typing import NamedTuple

from rich.text import Text

from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.kinds import Kind, State

__all__ = ["STATE_LOOKS", "StateLook", "given_text", "group_look", "group_text", "state_look"]


class StateLook(NamedTuple):
    """A sign, and the theme's variable for its colour."""

    sign: str
    variable: str


STATE_LOOKS = {
    State.SCHEDULED: StateLook("○", "status-running"),
    State.STARTED: StateLook("●", "status-running"),
    State.CANCEL_REQUESTED: StateLook("⊘", "status-running"),
    State.COMPLETED: StateLook("✓", "status-completed"),
    State.FIRED: StateLook("✓", "status-completed"),
    State.FAILED: StateLook("✗", "status-failed"),
    State.TIMED_OUT: StateLook("◷", "status-timed-out"),
    State.CANCELED: StateLook("⊘", "status-canceled"),
    State.TERMINATED: StateLook("■", "status-terminated"),
    State.CONTINUED: StateLook("↻", "status-continued"),
}
MOMENT_LOOK = StateLook("◆", "accent")
QUIET_LOOK = StateLook("·", "quiet")
_QUIET_KINDS = frozenset({Kind.PATCH, Kind.MARKER, Kind.SIDE_EFFECT, Kind.ATTRIBUTES, Kind.WORKFLOW_TASK})


def state_look(state: State) -> StateLook:
    """Return how a state looks."""
    return STATE_LOOKS[state]


def group_look(group: Group, state: State | None = None) -> StateLook:
    """Return how a group looks in a state, or as it is now: what is one moment has a sign of its own."""
    if group.is_trouble and state in (None, group.state):
        return STATE_LOOKS[group.state]
    if group.kind in _QUIET_KINDS and state is None:
        return QUIET_LOOK
    if group.is_moment:
        return MOMENT_LOOK
    return STATE_LOOKS[state or group.state]


def group_text(group: Group, colors: dict[str, str], state: State | None = None) -> Text:
    """Write a group as `✓ child Ship`: its sign, and its name with its kind in a quiet colour."""
    look = group_look(group, state)
    text = Text(f"{look.sign} ", style=colors.get(look.variable, ""), no_wrap=True)
    kind, name = group.title.removesuffix(group.name), group.name
    if group.kind is Kind.ACTIVITY:
        kind = ""  # most of what there is: its name is enough
    text.append(kind, style=colors["quiet"])
    return text.append(name, style=colors["quiet"] if look is QUIET_LOOK else colors["foreground"])


def given_text(group: Group, colors: dict[str, str]) -> Text:
    """Write what a group was given and what came of it, as `0 → 1`; what a run continued with is the next one's."""
    text = Text(group.detail, style=colors["quiet"])
    if group.is_moment or not group.outcome:
        return text
    if group.state is State.CONTINUED:
        text.append(", goes on with " if group.detail else "goes on with ")
    else:
        text.append(" → ")
    return text.append(group.outcome, style=colors["foreground"])
