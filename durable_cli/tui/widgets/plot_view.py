"""Several small plots side by side, each with its name and its newest value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

from durable_cli.tui.plots import plot

__all__ = ["Plot", "PlotView"]

GAP = 3
NARROWEST = 30


class Plot(NamedTuple):
    """What was measured, the newest last; `form` writes a value, and `top` is the least height of the picture."""

    title: str
    values: Sequence[float]
    form: str
    variable: str
    top: float = 0


class PlotView(Widget):
    """Shares its width among the plots; those that have no room go below."""

    DEFAULT_CSS = "PlotView { height: auto; padding: 0 1; margin: 1 0 0 0; }"
    BLOCK_LINES = 3

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plots: Sequence[Plot] = ()
        self._drawn: list[Text] = []

    def show(self, plots: Iterable[Plot]) -> None:
        """Show these."""
        shown = tuple(plots)
        grows = len(shown) != len(self._plots)
        self._plots, self._drawn = shown, []
        self.refresh(layout=grows)

    def _columns(self, width: int) -> int:
        return max(1, min(len(self._plots), (width + GAP) // (NARROWEST + GAP)))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return the lines that all plots need."""
        rows = -(-len(self._plots) // self._columns(width))
        return max(0, rows * (self.BLOCK_LINES + 2) - 1)

    def on_resize(self) -> None:
        self._drawn = []

    def notify_style_update(self) -> None:
        self._drawn = []
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if not self._drawn:
            self._drawn = self._draw(width)
        if y >= len(self._drawn):
            return Strip.blank(width, base)
        segments = list(Segment.apply_style(self._drawn[y].render(self.app.console), base))
        return Strip(segments).adjust_cell_length(width, base)

    def _draw(self, width: int) -> list[Text]:
        columns = self._columns(width)
        share = (width - GAP * (columns - 1)) // columns
        lines: list[Text] = []
        for start in range(0, len(self._plots), columns):
            blocks = [self._draw_plot(each, share) for each in self._plots[start : start + columns]]
            if lines:
                lines.append(Text("", end=""))
            for parts in zip(*blocks, strict=True):
                lines.append(Text(" " * GAP, end="").join(parts))
        return lines

    def _draw_plot(self, each: Plot, width: int) -> list[Text]:
        colors = self.app.theme_variables
        highest = max(each.values[-width:], default=0)
        newest = each.values[-1] if each.values else 0
        title = Text.assemble((each.title, colors["quiet"]), " ", (each.form.format(newest), "bold"), end="")
        most = Text(f"most {each.form.format(highest)}", style=colors["quiet"], end="")
        if title.cell_len + most.cell_len < width:
            title.append(" " * (width - title.cell_len - most.cell_len)).append_text(most)
        title.truncate(width, overflow="ellipsis", pad=True)
        pictures = plot(each.values, width, self.BLOCK_LINES, top=each.top)
        return [title, *(Text(line, style=colors[each.variable], end="") for line in pictures)]
