"""What the keys do here, in the order in which it is looked for: the view, the screen, everywhere; last how to move."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.screen import Screen

__all__ = ["MOVING", "PALETTE", "KeyGroup", "KeyLine", "find_key_groups"]

HERE, VIEWS, EVERYWHERE, PLACES, MOVING = "Here", "Views", "Everywhere", "Places", "Moving"
LAST = (VIEWS, EVERYWHERE, PLACES, MOVING)
# Many keys of one kind stand together, below those that do something.
BY_ACTION = {"show_view(": VIEWS, "go_to_place(": PLACES, "move": MOVING}
PALETTE = "command_palette"


class KeyLine(NamedTuple):
    """What one action is called, its keys as they are shown, and how it is run."""

    description: str
    keys: str
    action: str


class KeyGroup(NamedTuple):
    """The keys that go together."""

    title: str
    lines: list[KeyLine]


def find_key_groups(screen: Screen[object]) -> list[KeyGroup]:
    """Return what can be done now; what Textual's own widgets bring along is left out."""
    found: dict[str, list[tuple[int, int, Binding]]] = {}
    nodes: list[DOMNode] = []
    for active in screen.active_bindings.values():
        binding, ranks = active.binding, _rank_own(type(active.node))
        if active.node not in nodes:
            nodes.append(active.node)
        near = nodes.index(active.node)
        if binding.action == PALETTE:
            found.setdefault(EVERYWHERE, []).append((near, len(ranks), binding))
        elif binding in ranks and binding.description and active.enabled:
            found.setdefault(_find_title(active.node, binding), []).append((near, ranks[binding], binding))
    titles = [title for title in found if title not in LAST] + [title for title in LAST if title in found]
    return [KeyGroup(title, list(_merge_keys(screen.app, found[title]))) for title in titles]


@lru_cache
def _rank_own(node_class: type) -> dict[Binding, int]:
    """Number the bindings that the browser gives to a class, those first that are its very own."""
    ranks: dict[Binding, int] = {}
    for each in node_class.__mro__:
        if not each.__module__.startswith("textual."):
            for _, binding in BindingsMap(each.__dict__.get("BINDINGS", ())):
                ranks.setdefault(binding, len(ranks))
    return ranks


def _find_title(node: DOMNode, binding: Binding) -> str:
    action = binding.action.removeprefix("app.").removeprefix("screen.")
    for prefix, title in BY_ACTION.items():
        if action.startswith(prefix):
            return title
    if isinstance(node, App):
        return EVERYWHERE
    return next((each.BINDING_GROUP_TITLE for each in node.ancestors_with_self if each.BINDING_GROUP_TITLE), HERE)


def _merge_keys(app: App[object], ranked: list[tuple[int, int, Binding]]) -> Iterator[KeyLine]:
    """Yield a line for each action, with all its keys."""
    by_action: dict[str, list[Binding]] = {}
    for *_, binding in sorted(ranked, key=lambda each: each[:2]):
        by_action.setdefault(binding.action, []).append(binding)
    for action, bindings in by_action.items():
        keys = " ".join(dict.fromkeys(app.get_key_display(binding) for binding in bindings))
        description = "Commands" if action == PALETTE else bindings[0].description
        yield KeyLine(description, keys, action)
