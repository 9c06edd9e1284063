"""Search in a history: in what its lines say, and in what its events carry."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from durable_cli.tui.rows import EventRow

__all__ = ["Search"]

STEP_ROWS = 1_000


class Search:
    """Finds the events that hold a text, without regard to case; `matches` are their ids as far as was looked."""

    def __init__(self, text: str, rows: Sequence[EventRow]) -> None:
        self.text = text
        self.matches: list[int] = []
        self._rows = rows
        self._looked = 0
        self._words = text.casefold()
        # In a payload letters beyond ASCII may stand for themselves, or escaped.
        needles = {text.lower().encode(), json.dumps(text)[1:-1].lower().encode()}
        self._needles = tuple(needle for needle in needles if needle)

    def steps(self) -> Iterator[None]:
        """Look at the rows that were not looked at yet, some in each step."""
        while self._looked < len(self._rows):
            end = min(self._looked + STEP_ROWS, len(self._rows))
            for index in range(self._looked, end):
                if self._is_match(self._rows[index]):
                    self.matches.append(self._rows[index].event_id)
            self._looked = end
            yield

    def _is_match(self, row: EventRow) -> bool:
        if self._words in row.name.casefold() or self._words in row.summary.casefold():
            return True
        content = row.serialized.lower()
        return any(needle in content for needle in self._needles)

    def find_next(self, event_id: int, *, is_backward: bool = False) -> int | None:
        """Return the next match after an event, or before it; at the end it goes on at the other end."""
        if not self.matches:
            return None
        if is_backward:
            return self.matches[bisect_left(self.matches, event_id) - 1]
        return self.matches[bisect_right(self.matches, event_id) % len(self.matches)]

    def number_of(self, event_id: int) -> int:
        """Return the number of a match among the matches, from 1; 0 for an event that is none."""
        index = bisect_left(self.matches, event_id)
        return index + 1 if index < len(self.matches) and self.matches[index] == event_id else 0
