"""The line above the list of workflows: how many there are, how many are chosen, and how many of each status."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from durable_cli.tui.status import status_text

__all__ = ["draw_counts"]

CUT = "   …"


def draw_counts(
    counts: Mapping[int, int] | None, room: int, colors: dict[str, str], *, marked: int = 0, sorted_words: str = ""
) -> Text:
    """Draw the counts of statuses by their numbers; one that has no room is left out as a whole.

    Args:
        counts: None as long as the server has not said.
    """
    total = sum((counts or {}).values())
    words = f"{total:,} {'run' if total == 1 else 'runs'}" if counts is not None else ""
    line = Text(words, style="bold", no_wrap=True, overflow="ellipsis")
    # What was chosen stands first: the end of it is cut off where there is little room.
    if marked:
        line.append(f"   {marked:,} marked", style=colors["accent"])
    if sorted_words:
        line.append(f"   {sorted_words}", style=colors["quiet"])
    parts = [
        Text("   ").append_text(status_text(number, colors)).append(f" {count:,}")
        for number, count in (counts or {}).items()
        if count
    ]
    for number, part in enumerate(parts, 1):
        needed = part.cell_len + (len(CUT) if number < len(parts) else 0)
        if line.cell_len + needed > room:
            return line.append(CUT, style=colors["quiet"])
        line.append_text(part)
    return line
