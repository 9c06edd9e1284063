"""A run's history, as text: one line an event, or one section an event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from rich.text import Text
from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.event_text import Names, name_event, summarize_event
from durable_cli.output.proto_json import to_json
from durable_cli.output.text import TextScreen

__all__ = ["HistoryView"]

_ID_WIDTH = 5
_TIME_WIDTH = 24
_TYPE_WIDTH = 36

_STYLES = [
    ("Failed", "red"),
    ("Terminated", "red"),
    ("TimedOut", "yellow"),
    ("Canceled", "magenta"),
    ("CancelRequested", "magenta"),
    ("WorkflowExecutionStarted", "blue"),
    ("WorkflowExecutionCompleted", "green"),
    ("Completed", ""),
]


class HistoryView:
    """Prints events as they come."""

    def __init__(self, screen: TextScreen, *, detailed: bool) -> None:
        self._screen = screen
        self._detailed = detailed
        self._count = 0
        self._names = Names()

    def append(self, event: HistoryEvent) -> None:
        """Print one event."""
        self._names.note(event)
        if self._detailed:
            self._print_section(event)
        else:
            self._print_line(event)
        self._count += 1

    def _print_line(self, event: HistoryEvent) -> None:
        if not self._count:
            heading = f"{'ID':>{_ID_WIDTH}}  {'Time':<{_TIME_WIDTH}}  {'Type':<{_TYPE_WIDTH}}  Detail"
            self._screen.line(Text(heading, style="bold"))
        name = name_event(event)
        line = Text.assemble(
            (f"{event.event_id:>{_ID_WIDTH}}  {format_event_time(event):<{_TIME_WIDTH}}  ", "dim"),
            (f"{name:<{_TYPE_WIDTH}}  ", _style(name)),
            " ".join(summarize_event(event, self._names).split()),
        )
        line.rstrip()
        self._screen.line(line)

    def _print_section(self, event: HistoryEvent) -> None:
        if self._count:
            self._screen.line()
        name = name_event(event)
        self._screen.line(Text.assemble((f"[{event.event_id}] ", "dim"), (name, f"bold {_style(name)}")))
        fields = to_json(event, shorthand_payloads=True)
        for path, value in sorted(_flatten(fields)):
            self._screen.line(Text.assemble((f"  {path}: ", "dim"), str(value)))


def format_event_time(event: HistoryEvent) -> str:
    """Format an event's time to the millisecond, in UTC."""
    moment = event.event_time.ToDatetime(tzinfo=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _style(name: str) -> str:
    return next((style for ending, style in _STYLES if name.endswith(ending)), "")


def _flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted paths and values; the attributes' own name and the two fields of the title are left out."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            if not path and key in {"eventId", "eventType"}:
                continue
            inner = "" if not path and key.endswith("EventAttributes") else key
            yield from _flatten(item, f"{path}.{inner}" if path and inner else path or inner)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _flatten(item, f"{path}[{index}]")
    elif path:
        yield path, value
