"""A few lines of text that change often."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.text import Text
from textual.geometry import Region, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

__all__ = ["TextLines"]


class TextLines(Widget):
    """Shows texts, one a line, cut where there is no room; a line is drawn again only when it has changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Text] = ()

    def show(self, lines: Sequence[Text]) -> None:
        """Show other lines; the screen is laid out anew only where they are more or fewer."""
        before, self._lines = self._lines, lines
        if len(before) != len(lines):
            self.refresh(layout=True)
            return
        width, left, top = self.size.width, self.styles.padding.left, self.styles.padding.top
        pairs = enumerate(zip(before, lines, strict=True))
        changed = [y for y, (old, new) in pairs if old != new or old.style != new.style]
        if changed:
            self.refresh(*(Region(left, top + y, width, 1) for y in changed))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines)

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        return selection.extract("\n".join(line.plain for line in self._lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, style = self.size.width, self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, style)
        line = self._lines[y].copy()
        line.end, line.no_wrap = "", True
        span = self.text_selection.get_span(y) if self.text_selection else None
        if span is not None:
            start, end = span
            line.stylize(self.screen.get_component_rich_style("screen--selection"), start, None if end < 0 else end)
        line.truncate(width, overflow="ellipsis")
        # A text without spans leaves its own style to others.
        own = style + self.app.console.get_style(line.style)
        segments = list(Segment.apply_style(line.render(self.app.console), own))
        return Strip(segments).adjust_cell_length(width, style).apply_offsets(0, y)
