"""Text output: tables, cards and colours, drawn on a terminal and plain in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from durable_cli.output.times import format_relative

__all__ = ["STATUS_STYLES", "Row", "TextScreen", "style_status"]

Row = tuple[str, "str | Text"]

STATUS_STYLES = {
    "Running": "blue",
    "Completed": "green",
    "Failed": "red",
    "Canceled": "magenta",
    "Terminated": "red",
    "ContinuedAsNew": "cyan",
    "TimedOut": "yellow",
    "Paused": "yellow",
}
PIPE_WIDTH = 10_000  # in a pipe nothing is folded or cut: the reader decides


def style_status(status: str) -> Text:
    """Colour a workflow's status."""
    return Text(status, style=STATUS_STYLES.get(status, ""))


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # rich would exit with 1; a reader that went away is no error


class TextScreen:
    """Draws what a person reads."""

    def __init__(self, *, color: str, time_format: str) -> None:
        self.is_terminal = sys.stdout.isatty()
        self._time_format = time_format
        self.clock_offset = timedelta()
        """How far the server's clock, by which relative times go, is ahead of this machine's."""
        self._console = _Console(
            file=sys.stdout,
            force_terminal=True if color == "always" else None,
            color_system=None if color == "never" else "auto",
            highlight=False,
            # Ids and payloads are the user's words: brackets and colons in them mean nothing here.
            markup=False,
            emoji=False,
            width=None if self.is_terminal else PIPE_WIDTH,
            soft_wrap=not self.is_terminal,
        )

    def line(self, text: str | Text = "") -> None:
        """Print one line; a terminal folds it, a pipe gets it whole."""
        self._console.print(text, soft_wrap=True)

    def heading(self, text: str) -> None:
        """Print the title of what follows."""
        self.line(Text(text, style="bold"))

    def card(self, title: str | Text, rows: Iterable[Row]) -> None:
        """Print labelled values under a title; rows with an empty value are left out."""
        kept = [(label, value) for label, value in rows if value]
        label_width = max((len(label) for label, _ in kept), default=0)
        if self.is_terminal:
            grid = Table.grid(padding=(0, 2))
            grid.add_column(style="dim", no_wrap=True)
            grid.add_column(overflow="fold")
            for label, value in kept:
                grid.add_row(label, value)
            heading = title if isinstance(title, Text) else Text(title)
            heading.stylize("bold")
            self._console.print(
                Panel(grid, title=heading, title_align="left", box=box.ROUNDED, border_style="dim", expand=False)
            )
            return
        self.heading(f"{title}:")
        for label, value in kept:
            text = value if isinstance(value, Text) else Text(value)
            first, *more = text.split("\n") if text.plain else [Text()]
            self.line(Text.assemble((f"  {label:<{label_width}}  ", "dim"), first))
            for rest in more:
                line = Text.assemble(" " * (label_width + 4), rest)
                line.rstrip()
                self.line(line)

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, header: bool = True, right: int = 0
    ) -> None:
        """Print a table; its first `right` columns are aligned to the right."""
        table = Table(
            box=box.SIMPLE_HEAD if self.is_terminal else None,
            show_header=header,
            header_style="bold",
            pad_edge=False,
            padding=(0, 2, 0, 0),
        )
        for index, column in enumerate(columns):
            table.add_column(
                column, justify="right" if index < right else "left", overflow="fold", no_wrap=not self.is_terminal
            )
        for row in rows:
            table.add_row(*row)
        self._console.print(table if self.is_terminal else Padding(table, (0, 0, 0, 2), expand=False))

    def format_time(self, time: Timestamp) -> str:
        """Format a time as `--time-format` asks for; an unset one is empty."""
        if time.seconds <= 0 and time.nanos == 0:
            return ""
        moment = time.ToDatetime(tzinfo=UTC)
        if self._time_format == "raw":
            return f"{moment:%Y-%m-%d %H:%M:%S.%f} +0000 UTC"
        if self._time_format == "iso":
            return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        return format_relative(moment, datetime.now(UTC) + self.clock_offset)
