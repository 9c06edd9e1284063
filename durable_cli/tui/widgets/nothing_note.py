"""What stands where a list would be: nothing is there yet, or the server has no such thing."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

__all__ = ["NothingNote"]


class NothingNote(Static):
    """Says what is so, and below what to do; hidden when there is something."""

    DEFAULT_CSS = """
    NothingNote { display: none; height: 1fr; padding: 1 2; }
    NothingNote.-shown { display: block; }
    """

    def say(self, title: str, advice: Sequence[str]) -> None:
        """Show a title and lines of advice; a line that begins with a $ is a command."""
        parts: list[str | tuple[str, str]] = [(title, "bold"), "\n"]
        for line in advice:
            is_command = line.startswith("$ ")
            parts += ["\n", (f"  {line[2:]}", "$accent") if is_command else (line, "$quiet")]
        self.update(Content.assemble(*parts))
        self.add_class("-shown")

    def hide(self) -> None:
        """Make room for the list."""
        self.remove_class("-shown")
