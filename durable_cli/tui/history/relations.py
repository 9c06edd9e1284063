"""The runs around a run, as a tree: its parents above it, the runs of its chain beside it, its children below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.kinds import Kind, State

__all__ = ["Node", "RelatedRun", "TreeRow", "children_of", "flatten", "grow_tree"]

# Statuses by number of WorkflowExecutionStatus; 0 for a child that is not started.
_STATUSES = {
    State.STARTED: 1,
    State.CANCEL_REQUESTED: 1,
    State.COMPLETED: 2,
    State.FAILED: 3,
    State.CANCELED: 4,
    State.TERMINATED: 5,
    State.CONTINUED: 6,
    State.TIMED_OUT: 7,
}


class RelatedRun(NamedTuple):
    """A run, and how it came to be; times are nanoseconds since the epoch, 0 when there is none."""

    workflow_id: str
    run_id: str
    workflow_type: str
    status: int
    start_time_ns: int = 0
    close_time_ns: int = 0
    how: str = ""


@dataclass(slots=True, eq=False)
class Node:
    """A run in the tree; `children` is None while they are not known."""

    run: RelatedRun
    children: list[Node] | None = None
    is_this: bool = False
    is_unfolded: bool = False


class TreeRow(NamedTuple):
    """A line of the tree: the lines that lead to it, and the run."""

    guide: str
    node: Node


def children_of(groups: Iterable[Group]) -> list[Node]:
    """Return the children that a history tells of."""
    return [
        Node(
            RelatedRun(
                group.workflow_id,
                group.run_id,
                group.name,
                _STATUSES.get(group.state, 0),
                group.start_time_ns,
                group.end_time_ns or 0,
                "child",
            )
        )
        for group in groups
        if group.kind is Kind.CHILD
    ]


def grow_tree(
    parents: Sequence[RelatedRun], chain: Sequence[RelatedRun], run_id: str, children: list[Node]
) -> list[Node]:
    """Make the tree.

    Args:
        parents: the outermost first.
        chain: the runs of the workflow, oldest first.
        run_id: the run that is looked at; the children are its own.
    """
    nodes = []
    for run in chain:
        is_this = run.run_id == run_id
        nodes.append(Node(run, children if is_this else None, is_this, is_unfolded=is_this))
    for parent in reversed(parents):
        nodes = [Node(parent, nodes, is_unfolded=True)]
    return nodes


def flatten(nodes: Sequence[Node], guide: str = "", *, is_root: bool = True) -> Iterator[TreeRow]:
    """Yield the rows of the tree from its top, without what is folded."""
    for number, node in enumerate(nodes, 1):
        is_last = number == len(nodes)
        yield TreeRow("" if is_root else f"{guide}{'└ ' if is_last else '├ '}", node)
        if node.is_unfolded and node.children:
            deeper = "" if is_root else f"{guide}{'  ' if is_last else '│ '}"
            yield from flatten(node.children, deeper, is_root=False)
