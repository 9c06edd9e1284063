"""When garbage is collected: a whole collection looks at all that was read, and keys wait for it."""

from __future__ import annotations

import asyncio
import gc
from contextvars import Context

__all__ = ["Cleaner", "collect_less"]

CLEANING_SECONDS = 5.0
"""So long after a screen was left its rows go: what was to be asked again for it holds it until then."""


def collect_less() -> None:
    """Find young garbage as ever, but look at all that lasts only when a screen was left.

    With the events of a long run, or the rows of a long list, that takes a tenth of a second.
    """
    gc.freeze()
    gc.set_threshold(5_000, 10, 1_000)


class Cleaner:
    """Collects what screens leave behind, a while later and together."""

    def __init__(self) -> None:
        self._is_due = self._is_due_again = False

    def clean_later(self) -> None:
        """Collect once what was left has let go."""
        if self._is_due:
            self._is_due_again = True
            return
        self._is_due = True
        # Not in the context of the screen, which would hold it.
        asyncio.get_running_loop().call_later(CLEANING_SECONDS, self._clean, context=Context())

    def _clean(self) -> None:
        gc.collect()
        self._is_due = False
        if self._is_due_again:
            self._is_due_again = False
            self.clean_later()
