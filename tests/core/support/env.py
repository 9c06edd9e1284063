"""A world for the core in which time stands still and ids are counted."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS

START_NS = 1_767_225_600 * SECOND_NS
"""2026-01-01T00:00:00Z, when every test begins."""


def counted_id(number: int) -> str:
    """Return the id that `VirtualEnv.new_id` gives as its `number`th, from 1."""
    return str(UUID(int=number))


@dataclass
class VirtualEnv:
    """Gives the time that the test sets, and ids in order."""

    time_ns: int = START_NS
    ids: int = 0
    run_keys: int = 0

    def now_ns(self) -> int:
        return self.time_ns

    def new_id(self) -> str:
        self.ids += 1
        return counted_id(self.ids)

    def new_run_key(self) -> int:
        self.run_keys += 1
        return self.run_keys
