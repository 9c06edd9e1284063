"""Where everything that happens is told: to the person at the terminal, and to the programs that follow the journal."""

from __future__ import annotations

from collections.abc import Callable

from durable_cli.dev.events import Event
from durable_cli.dev.journal import Journal
from durable_cli.dev.output_log import OutputLog
from durable_cli.dev.view.state_lines import render_event
from durable_cli.dev.view.view import View

__all__ = ["Report", "Reporter"]


class Report:
    """The view, the journal, and the file of what children write."""

    def __init__(
        self, view: View, journal: Journal, output_log: OutputLog, on_event: Callable[[str, Event], None]
    ) -> None:
        self.view = view
        self._journal = journal
        self._output_log = output_log
        self._on_event = on_event

    def about(self, source: str) -> Reporter:
        """Return what one source tells with."""
        return Reporter(self, source)

    def tell(self, source: str, event: Event) -> None:
        """Write an event to the journal, and show it."""
        self._journal.write(source, event)
        self.view.show(source, render_event(event))
        self._on_event(source, event)

    def open_sink(self, source: str) -> Callable[[bytes], None]:
        """Return what takes the output of one child of a source."""
        return self.view.open_sink(source, lambda line: self._output_log.write(source, line))


class Reporter:
    """Tells what happens to one source."""

    def __init__(self, report: Report, source: str) -> None:
        self._report = report
        self._source = source

    def tell(self, event: Event) -> None:
        """Write an event to the journal, and show it."""
        self._report.tell(self._source, event)

    def open_sink(self) -> Callable[[bytes], None]:
        """Return what takes the output of one child."""
        return self._report.open_sink(self._source)
