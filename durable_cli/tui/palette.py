"""The command palette: every action that the screen has, found by its words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from durable_cli.tui.key_groups import MOVING, PALETTE, KeyLine, find_key_groups
from durable_cli.tui.places import PLACES

__all__ = ["ActionProvider"]

DESCRIPTION_WIDTH = 44
# What no key does.
WITHOUT_KEY = (("Choose a theme", "app.change_theme"), ("Save a picture of the screen", "app.save_picture"))


def _write_line(line: KeyLine, description: Content) -> Content:
    """Return what the palette shows: the description, highlighted or not, and the keys."""
    gap = " " * max(2, DESCRIPTION_WIDTH - len(line.description))
    return Content.assemble(description, gap, (line.keys, "$quiet"))


class ActionProvider(Provider):
    """Finds the actions that keys would do here, so that none is known to the keyboard alone."""

    def _actions(self) -> Iterator[KeyLine]:
        """Yield what can be done: here, then everywhere, then where to go, last how to move."""
        known: dict[str, KeyLine] = {}
        moves: list[KeyLine] = []
        for group in find_key_groups(self.screen):
            if group.title == MOVING:
                moves = group.lines
            else:
                known.update((line.action, line) for line in group.lines if line.action != PALETTE)
        if self.app.check_action("go_to_place", ()):
            for place in PLACES:
                # Where a screen needs the number keys itself, the places are still found here.
                known.setdefault(place.action, KeyLine(f"Go to {place.title}", "", place.action))
        for description, action in WITHOUT_KEY:
            known[action] = KeyLine(description, "", action)
        yield from known.values()
        yield from moves

    async def discover(self) -> Hits:
        for each in self._actions():
            run = partial(self.screen.run_action, each.action)
            yield DiscoveryHit(_write_line(each, Content(each.description)), run, text=each.description)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for each in self._actions():
            score = matcher.match(each.description)
            if score > 0:
                run = partial(self.screen.run_action, each.action)
                yield Hit(score, _write_line(each, matcher.highlight(each.description)), run, text=each.description)
