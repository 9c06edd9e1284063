"""Numbers as small pictures of block characters."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["plot", "progress_bar", "sparkline"]

BLOCKS = " ▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int, *, top: float = 0) -> str:
    """Draw the newest values in one line, the newest at the right; what was not measured is blank.

    Args:
        top: the value of a full block, when no value is larger.
    """
    return plot(values, width, 1, top=top)[0]


def plot(values: Sequence[float], width: int, height: int, *, top: float = 0) -> list[str]:
    """Draw the newest values in several lines, the upper one first; zero is the ground, and more is above it."""
    shown = values[-width:] if width > 0 else ()
    highest = max(top, max(shown, default=0))
    levels = [max(2, round(value / highest * height * 8)) if value > 0 else 1 for value in shown]
    lines = []
    for row in reversed(range(height)):
        blocks = "".join(BLOCKS[min(8, max(0, level - row * 8))] for level in levels)
        lines.append(blocks.rjust(width))
    return lines


def progress_bar(done: int, total: int, width: int) -> tuple[str, str]:
    """Draw how much is done: the done part and the rest."""
    full = width if total <= 0 else min(width, done * width // total)
    return "━" * full, "─" * (width - full)
