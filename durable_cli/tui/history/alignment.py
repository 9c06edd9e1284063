"""Two histories beside each other: which of their groups belong together, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from durable_cli.tui.history.groups import Group

__all__ = ["Pair", "align", "find_difference"]

EXACT_COMPARISONS = 1_000_000
"""So many comparisons of names are made at most to find the best alignment of what differs."""


class Pair(NamedTuple):
    """A group here and the one there that it belongs to, or one alone; `difference` is empty when they agree."""

    here: Group | None
    there: Group | None
    difference: str


def align(here: Sequence[Group], there: Sequence[Group]) -> list[Pair]:
    """Pair groups of the same kind and name, in their order."""
    keys_here, keys_there = [_key(group) for group in here], [_key(group) for group in there]
    start = 0
    while start < min(len(here), len(there)) and keys_here[start] == keys_there[start]:
        start += 1
    end = 0
    while end < min(len(here), len(there)) - start and keys_here[-1 - end] == keys_there[-1 - end]:
        end += 1
    middle_here, middle_there = keys_here[start : len(here) - end], keys_there[start : len(there) - end]
    if len(middle_here) * len(middle_there) > EXACT_COMPARISONS:
        # Repeated names make the search quadratic: the nth of a name belongs to the nth of it.
        middle_here, middle_there = _numbered(middle_here), _numbered(middle_there)
    pairs = [_pair(here[index], there[index]) for index in range(start)]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, middle_here, middle_there, autojunk=False).get_opcodes():
        if tag == "equal":
            pairs += [_pair(here[start + i], there[start + j1 + i - i1]) for i in range(i1, i2)]
        else:
            pairs += [_pair(here[start + i], None) for i in range(i1, i2)]
            pairs += [_pair(None, there[start + j]) for j in range(j1, j2)]
    return pairs + [_pair(here[-offset], there[-offset]) for offset in range(end, 0, -1)]


def _key(group: Group) -> Hashable:
    return group.kind, group.name


def _numbered(keys: Sequence[Hashable]) -> list[Hashable]:
    counts: Counter[Hashable] = Counter()
    numbered: list[Hashable] = []
    for key in keys:
        counts[key] += 1
        numbered.append((key, counts[key]))
    return numbered


def _pair(here: Group | None, there: Group | None) -> Pair:
    if here is None or there is None:
        return Pair(here, there, "only there" if here is None else "only here")
    return Pair(here, there, find_difference(here, there))


def find_difference(here: Group, there: Group) -> str:
    """Say what differs between two groups of the same name; times and ids do not count."""
    if here.state is not there.state:
        return f"{here.state.value}, not {there.state.value}"
    if here.fingerprint != there.fingerprint:
        is_other_failure = here.is_trouble and here.outcome_fingerprint != there.outcome_fingerprint
        return "another failure" if is_other_failure else "other values"
    if max(here.attempt, 1) != max(there.attempt, 1):
        return f"attempt {max(here.attempt, 1)}, not {max(there.attempt, 1)}"
    return ""
