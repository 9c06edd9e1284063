"""What stands where a list would be: nothing is there yet, or the server has no such thing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
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
        colors = self.app.theme_variables
        text = Text.assemble((title, "bold"), "\n")
        for line in advice:
            is_command = line.startswith("$ ")
            text.append("\n")
            text.append(f"  {line[2:]}" if is_command else line, style=colors["accent" if is_command else "quiet"])
        self.update(text)
        self.add_class("-shown")

    def hide(self) -> None:
        """Make room for the list."""
        self.remove_class("-shown")
