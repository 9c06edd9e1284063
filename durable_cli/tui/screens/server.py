"""The server: what it is and can do, how it is, and how fast it answers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.feed.server import watch_metrics, watch_server
from durable_cli.tui.place_messages import MetricsRead, ServerDescribed
from durable_cli.tui.place_rows import ServerRow
from durable_cli.tui.screens.base import BrowserScreen, Watch
from durable_cli.tui.server_metrics import MetricsHistory
from durable_cli.tui.status import status_text
from durable_cli.tui.widgets.key_bar import KeyBar
from durable_cli.tui.widgets.plot_view import Plot, PlotView
from durable_cli.tui.widgets.top_bar import TopBar
from durable_cli.tui.widgets.trouble_note import TroubleNote

__all__ = ["ServerScreen"]

PLOTTED_SECONDS = 240
COLUMN_WIDTH = 38


class ServerScreen(BrowserScreen):
    """The server that is browsed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "metrics", "Metrics page"),
        Binding("r", "refresh", "Refresh", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._metrics = MetricsHistory()
        self._problem = ""

    def compose(self) -> ComposeResult:
        yield TopBar()
        yield Static(id="head")
        yield TroubleNote(id="trouble")
        yield PlotView(id="plots")
        with VerticalScroll(id="facts"):
            yield Static(id="facts-text")
        yield KeyBar()

    @property
    def _url(self) -> str:
        return self.browser.preferences.metrics.get(self.browser.link.address, "")

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_server, self.browser.link, self.post_message)
        if self._url:
            yield partial(watch_metrics, self._url, self.post_message)

    def on_server_described(self, message: ServerDescribed) -> None:
        row = message.row
        self.query_one("#head", Static).update(self._head(row))
        self.query_one(PlotView).show(self._plots())
        self.query_one("#facts-text", Static).update(self._facts(row))

    def on_metrics_read(self, message: MetricsRead) -> None:
        self._problem = message.problem
        if not message.problem:
            self._metrics.note(message.time_s, message.values)

    def _head(self, row: ServerRow) -> Text:
        colors = self.palette
        health = {
            True: ("● serving", colors["success"]),
            False: ("○ not serving", colors["error"]),
            None: ("● answers", colors["success"]),
        }[row.is_serving]
        text = Text.assemble(health, "   ", (self.browser.link.address, "bold"))
        text.append("   version ", style=colors["quiet"]).append(dict(row.fields).get("version", ""))
        count = row.namespaces
        text.append(f"   {count:,} {'namespace' if count == 1 else 'namespaces'}")
        total = sum(row.counts.values())
        text.append("\n").append(f"{total:,} {'run' if total == 1 else 'runs'}", style="bold")
        text.append(f" in {self.browser.link.namespace}", style=colors["quiet"])
        for status, runs in row.counts.items():
            if runs:
                text.append("   ").append_text(status_text(status, colors)).append(f" {runs:,}")
        text.no_wrap, text.overflow = True, "ellipsis"
        return text

    def _plots(self) -> Iterator[Plot]:
        calls = self.browser.link.calls.last(time.monotonic(), PLOTTED_SECONDS)
        yield Plot("calls of dx /s", [each.calls for each in calls], "{:.0f}", "accent", top=5)
        yield Plot("answered in ms", [each.mean_seconds * 1000 for each in calls], "{:.1f}", "primary", top=5)
        if any(each.errors for each in calls):
            yield Plot("refused /s", [each.errors for each in calls], "{:.0f}", "warning", top=2)
        history = self._metrics
        if history.requests:
            yield Plot("all requests /s", list(history.requests), "{:.0f}", "accent", top=5)
            yield Plot("all answered in ms", list(history.latency_ms), "{:.1f}", "primary", top=5)
            yield Plot("all errors /s", list(history.errors), "{:.1f}", "warning", top=2)
            yield Plot("to the store /s", list(history.persistence), "{:.0f}", "accent", top=5)
        if history.memory_mb:
            yield Plot("memory MB", list(history.memory_mb), "{:.0f}", "secondary", top=50)

    def _facts(self, row: ServerRow) -> Group:
        quiet = self.palette["quiet"]
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style=quiet, no_wrap=True)
        grid.add_column(overflow="fold")
        for label, value in row.fields:
            if label != "version":
                grid.add_row(label, value)
        grid.add_row("metrics page", self._metrics_words())
        return Group(grid, Text(), Text("Capabilities", style=f"bold {quiet}"), self._capabilities(row))

    def _metrics_words(self) -> Text:
        if not self._url:
            return Text("m says where it is; the server does not tell", style=self.palette["quiet"])
        text = Text(self._url)
        if self._problem:
            text.append(f"  {self._problem}", style=self.palette["warning"])
        return text

    def _capabilities(self, row: ServerRow) -> Table:
        columns = max(1, (self.size.width - 2) // COLUMN_WIDTH)
        grid = Table.grid(padding=(0, 2))
        for _ in range(columns):
            grid.add_column(width=COLUMN_WIDTH - 2, no_wrap=True)
        cells = [
            Text.assemble(("✓ ", self.palette["success"]), name)
            if is_there
            else Text(f"✗ {name}", style=self.palette["quiet"])
            for name, is_there in sorted(row.capabilities, key=lambda pair: (not pair[1], pair[0]))
        ]
        lines = -(-len(cells) // columns)
        for line in range(lines):
            grid.add_row(*cells[line::lines])
        return grid

    @work
    async def action_metrics(self) -> None:
        """Say where the server's metrics page is; it is kept."""
        hint = "its address; the official server prints it at its start"
        fields = (Field("url", hint, value=self._url, placeholder="http://localhost:9090/metrics; empty is none"),)
        values = await self.app.push_screen_wait(FormDialog("The server's metrics page", fields, verb="Take"))
        if values is None:
            return
        metrics, address = self.browser.preferences.metrics, self.browser.link.address
        metrics.pop(address, None)
        if values["url"]:
            metrics[address] = values["url"]
        self._metrics, self._problem = MetricsHistory(), ""
        self.browser.keep_preferences()
        self.restart_watches()

    def action_refresh(self) -> None:
        """Ask the server at once."""
        self.restart_watches()
