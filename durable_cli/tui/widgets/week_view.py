"""A week of hours, each with how often something happens in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

from durable_cli.tui.schedules.week import DAYS, HOURS
from durable_cli.tui.times import now_ns

__all__ = ["WeekView"]

LABEL_WIDTH = 7


class WeekView(Widget):
    """A line for each day and a column for each hour; where a number has no room, a block stands for it."""

    DEFAULT_CSS = "WeekView { height: 8; padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._first_day = date.min
        self._counts: Sequence[Sequence[int]] = ()
        self._is_quiet = False

    def show_week(self, first_day: date, counts: Sequence[Sequence[int]], *, is_quiet: bool) -> None:
        """Show the counts of seven days; `is_quiet` when they won't happen."""
        self._first_day, self._counts, self._is_quiet = first_day, counts, is_quiet
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if not self._counts or y > DAYS:
            return Strip.blank(width, base)
        cell = max(2, min(6, (width - LABEL_WIDTH) // HOURS))
        line = self._draw_hours(cell) if y == 0 else self._draw_day(y - 1, cell)
        segments = list(Segment.apply_style(line.render(self.app.console), base))
        return Strip(segments).adjust_cell_length(width, base)

    def _draw_hours(self, cell: int) -> Text:
        colors = self.app.theme_variables
        every = 1 if cell > 2 else 2
        line = Text(" " * LABEL_WIDTH, end="")
        now = datetime.fromtimestamp(now_ns() / 1e9)
        for hour in range(0, HOURS, every):
            is_now = hour <= now.hour < hour + every and now.date() == self._first_day
            line.append(f"{hour:02}".rjust(cell).ljust(cell * every), colors["accent" if is_now else "quiet"])
        return line

    def _draw_day(self, day: int, cell: int) -> Text:
        colors = self.app.theme_variables
        moment = self._first_day + timedelta(days=day)
        is_weekend = moment.isoweekday() > 5
        line = Text(f"{moment:%a %d}".ljust(LABEL_WIDTH), end="", style="")
        line.stylize(colors["quiet" if is_weekend else "foreground"])
        now = datetime.fromtimestamp(now_ns() / 1e9)
        for hour, count in enumerate(self._counts[day]):
            is_past = moment == now.date() and hour < now.hour
            if not count:
                text, variable = ("" if is_past else "·"), "line"
            else:
                text = str(count) if len(str(count)) < cell or count < 10 else "▪" if cell < 4 else f"{count // 1000}k"
                variable = "quiet" if is_past or self._is_quiet else "accent"
            bold = bool(count) and moment == now.date() and hour == now.hour
            line.append(text.rjust(cell), Style(color=colors[variable], bold=bold))
        return line
