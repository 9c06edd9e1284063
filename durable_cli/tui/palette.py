"""The command palette: every action that the screen has, found by its words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from durable_cli.tui.places import PLACES

__all__ = ["ActionProvider"]


class ActionProvider(Provider):
    """Finds the actions that keys would do here, so that none is known to the keyboard alone."""

    def _actions(self) -> Iterator[tuple[str, str, str]]:
        """Yield what an action is called, the words for its key, and the action."""
        seen = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.description and active.enabled and binding.action not in seen:
                seen.add(binding.action)
                yield binding.description, f"key {self.app.get_key_display(binding)}", binding.action
        for place in PLACES:
            # Where a screen needs the number keys itself, the places are still found here.
            if place.action not in seen:
                yield f"Go to {place.title}", "", place.action

    async def discover(self) -> Hits:
        for description, key, action in self._actions():
            yield DiscoveryHit(description, partial(self.screen.run_action, action), help=key)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for description, key, action in self._actions():
            score = matcher.match(description)
            if score > 0:
                run = partial(self.screen.run_action, action)
                yield Hit(score, matcher.highlight(description), run, help=key)
