"""The command palette: every action that the screen has, found by its words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.scroll_view import ScrollView

from durable_cli.tui.places import PLACES

__all__ = ["ActionProvider"]

DESCRIPTION_WIDTH = 44
# What no key does.
WITHOUT_KEY = (("Choose a theme", "app.change_theme"), ("Save a picture of the screen", "app.save_picture"))


class _Action(NamedTuple):
    description: str
    key: str
    action: str

    def line(self, description: Content) -> Content:
        """Return what the palette shows: the description, highlighted or not, and the key."""
        gap = " " * max(2, DESCRIPTION_WIDTH - len(self.description))
        return Content.assemble(description, gap, (self.key, "$quiet"))


class ActionProvider(Provider):
    """Finds the actions that keys would do here, so that none is known to the keyboard alone."""

    def _actions(self) -> Iterator[_Action]:
        """Yield what can be done: first what changes or opens something, then where to go, last how to move."""
        known: dict[str, _Action] = {}
        moves: dict[str, _Action] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.description and active.enabled:
                found = moves if isinstance(active.node, ScrollView) else known
                key = self.app.get_key_display(binding)
                found.setdefault(binding.action, _Action(binding.description, key, binding.action))
        for place in PLACES:
            # Where a screen needs the number keys itself, the places are still found here.
            known.setdefault(place.action, _Action(f"Go to {place.title}", "", place.action))
        for description, action in WITHOUT_KEY:
            known[action] = _Action(description, "", action)
        yield from known.values()
        yield from moves.values()

    async def discover(self) -> Hits:
        for each in self._actions():
            run = partial(self.screen.run_action, each.action)
            yield DiscoveryHit(each.line(Content(each.description)), run, text=each.description)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for each in self._actions():
            score = matcher.match(each.description)
            if score > 0:
                run = partial(self.screen.run_action, each.action)
                yield Hit(score, each.line(matcher.highlight(each.description)), run, text=each.description)
