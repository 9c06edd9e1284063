"""What views of folded lines have in common: the keys that move them, and how a selection is marked."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.scroll_view import ScrollView
from textual.selection import Selection

__all__ = ["FoldedView"]


class FoldedView(ScrollView, can_focus=True, inherit_bindings=False):
    """A view that is scrolled by rows; its lines are as wide as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+u", "move_page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "move_page(1)", "Page down", show=False),
        Binding("home,g", "move_to_end(False)", "First", show=False),
        Binding("end,G", "move_to_end(True)", "Last", show=False),
    ]
    DEFAULT_CSS = """
    FoldedView {
        height: 1fr;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        scrollbar-size-horizontal: 0;
    }
    """

    def go_to(self, row: int) -> None:
        """Scroll to a row, or as far as there are rows."""
        self.scroll_to(y=row, animate=False, force=True)

    def action_move(self, by: int) -> None:
        self.go_to(self.scroll_offset.y + by)

    def action_move_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_move_to_end(self, is_last: bool) -> None:
        self.go_to(self.virtual_size.height if is_last else 0)

    def mark_selection(self, text: Text, row: int) -> bool:
        """Mark what is selected of a row; return whether anything is."""
        selection = self.text_selection
        span = selection.get_span(row) if selection is not None else None
        if span is None:
            return False
        first, last = span
        style = self.screen.get_component_rich_style("screen--selection")
        text.stylize(style, first, len(text) if last == -1 else last)
        return True

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()
