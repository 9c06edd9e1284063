"""The list of runs as pages that come again: pure, no widget and no server.

Rules:
- A page is known by the token that asked for it; each page's reply names the next token.
- The first page is asked for again and again. What newer runs push out of it stays below it, so nothing between two
  pages is lost while the list grows.
- A run is shown once, as the page that was read last has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from durable_cli.tui.rows import RunRow

__all__ = ["RunList"]


@dataclass(slots=True)
class _Page:
    token: bytes
    rows: list[RunRow]
    next_token: bytes


class RunList:
    """Runs in the server's order, as far as they were read; `rows` is what a table shows."""

    def __init__(self) -> None:
        self.rows: list[RunRow] = []
        self._pages: list[_Page] = []
        self._by_token: dict[bytes, _Page] = {}

    @property
    def next_token(self) -> bytes:
        """The token of the first page that was not read yet; empty when all were."""
        return self._pages[-1].next_token if self._pages else b""

    def take(self, token: bytes, rows: Sequence[RunRow], next_token: bytes) -> bool:
        """Take a page as it is now; return whether anything that is shown has changed."""
        page = self._by_token.get(token)
        if page is None:
            if token != self.next_token:
                return False  # a page of a list that was begun anew since it was asked for
            page = _Page(token, list(rows), next_token)
            self._pages.append(page)
            self._by_token[token] = page
            known = {row.run_id for row in self.rows}
            fresh = [row for row in rows if row.run_id not in known]
            self.rows.extend(fresh)
            return bool(fresh)
        merged = _merge(page.rows, rows)
        if page is self._pages[-1]:
            page.next_token = next_token
            merged = list(rows)
        if merged == page.rows:
            return False
        same_places = [row.run_id for row in merged] == [row.run_id for row in page.rows]
        page.rows = merged
        self._flatten(patch=page if same_places else None)
        return True

    def _flatten(self, patch: _Page | None) -> None:
        if patch is not None:
            fresh = {row.run_id: row for row in patch.rows}
            start = self._find_start(patch)
            end = min(len(self.rows), start + len(patch.rows))
            if all(self.rows[index].run_id in fresh for index in range(start, end)):
                self.rows[start:end] = [fresh[row.run_id] for row in self.rows[start:end]]
                return
        seen: dict[str, RunRow] = {}
        for row in (row for page in self._pages for row in page.rows):
            seen.setdefault(row.run_id, row)
        self.rows = list(seen.values())

    def _find_start(self, page: _Page) -> int:
        start = 0
        for each in self._pages:
            if each is page:
                return start
            start += len(each.rows)
        return start

    def tokens_between(self, first: int, last: int) -> Iterable[bytes]:
        """Return the tokens of the pages that hold the rows from `first` to `last`."""
        start = 0
        for page in self._pages:
            end = start + len(page.rows)
            if start <= last and end > first:
                yield page.token
            start = end


def _merge(before: Sequence[RunRow], now: Sequence[RunRow]) -> list[RunRow]:
    """Put what is there now in front, and behind it what was there and is further down now."""
    fresh = {row.run_id for row in now}
    return [*now, *(row for row in before if row.run_id not in fresh)]
