"""What the core may know of the world: the time and new ids, given to it by the runtime.

Rules:
- Nothing in `engine.core` reads a clock or makes a random id except through `Env`.
- Times are integer nanoseconds since the Unix epoch (`_ns`), as fine as a protobuf Timestamp.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Env"]


class Env(Protocol):
    """The core's only source of time and identity; the simulation gives a virtual one."""

    def now_ns(self) -> int:
        """Return the time in nanoseconds since the epoch."""
        ...

    def new_id(self) -> str:
        """Return a new UUID in its 36-character form (run ids, request ids)."""
        ...

    def new_run_key(self) -> int:
        """Return the next integer key of a run: unique in the database file, growing with creation order."""
        ...
