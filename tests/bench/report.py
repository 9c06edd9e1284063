"""Show what was measured: a table for people, markdown for the README, JSON for machines."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from .figures import Figure, Figures

_MARKDOWN_HEAD = ("| | storage | dx | reference | times better |", "|---|---|---:|---:|---:|")


@dataclass(frozen=True)
class Headline:
    """A figure of ours that stands in the README, set against one of the reference that may be on another storage."""

    title: str
    figure: Figure
    reference_storage: str

    @property
    def reference_figure(self) -> Figure:
        return replace(self.figure, storage=self.reference_storage)

    @property
    def storage(self) -> str:
        if self.figure.storage == self.reference_storage:
            return self.reference_storage
        return f"{self.figure.storage}, beside the reference in {self.reference_storage}"


def _throughput(title: str, name: str, unit: str, reference_storage: str) -> Headline:
    return Headline(title, _figure("throughput", name, unit), reference_storage)


def _on_files(title: str, section: str, name: str, unit: str) -> Headline:
    return Headline(title, _figure(section, name, unit), "file")


def _figure(section: str, name: str, unit: str) -> Figure:
    return Figure(section, "file", name, unit, "higher" if unit == "/s" else "lower")


_MANY_UPDATES = "10 updates at a time to one run"
HEADLINES = (
    _throughput("throughput, 20 at a time", "20 at a time: workflows", "/s", "memory"),
    _throughput("throughput, 100 at a time", "100 at a time: workflows", "/s", "memory"),
    _throughput("p50 latency, 1 at a time", "1 at a time: p50", "ms", "memory"),
    _throughput("CPU per workflow, 20 at a time", "20 at a time: CPU per workflow", "ms", "memory"),
    Headline(
        "RSS after 1,000 workflows",
        _figure("footprint", "RSS after 1,000 workflows", "MiB"),
        reference_storage="memory",
    ),
    _throughput("throughput, 20 at a time", "20 at a time: workflows", "/s", "file"),
    _throughput("throughput, 100 at a time", "100 at a time: workflows", "/s", "file"),
    _on_files("disk per workflow", "footprint", "disk per workflow", "bytes"),
    _on_files("RSS at start", "footprint", "RSS at start", "MiB"),
    _on_files("process start to first answer", "ready", "process start to first answer", "s"),
    _on_files("each activity of a sequence", "sequence", "each activity of a sequence", "ms"),
    _on_files("100 ms timer, late by: p50", "timer", "100 ms timer, late by: p50", "ms"),
    _on_files("100 ms timer, late by: p99", "timer", "100 ms timer, late by: p99", "ms"),
    _on_files("signals to one run, 20 at a time", "signals", "20 signals at a time: signals", "/s"),
    _on_files("CPU per signal, 20 at a time", "signals", "20 signals at a time: CPU per signal", "ms"),
    _on_files("p50 of an update, 1 at a time", "updates", "1 update at a time: p50", "ms"),
    _on_files("updates to one run, 10 at a time", "updates", f"{_MANY_UPDATES}: updates", "/s"),
    _on_files("CPU per update, 10 at a time", "updates", f"{_MANY_UPDATES}: CPU per update", "ms"),
    _on_files("each child of a parent of many", "children", "each of many children", "ms"),
    _on_files("CPU per child", "children", "CPU per child", "ms"),
    _on_files(
        "longest start of a workflow beside many children",
        "children",
        "many children: longest start of another workflow",
        "ms",
    ),
    _on_files("each of the last 5,000 of 50,000 events", "events", "last tenth of many events: each", "ms"),
    _on_files("poll with 50,000 events", "events", "poll with the whole history of many events", "ms"),
)


def times_better(figure: Figure, ours: float | None, reference: float | None) -> float | None:
    """Return how many times better ours is (below 1: worse), or None where one side is missing or zero."""
    if not ours or not reference:
        return None
    return ours / reference if figure.better == "higher" else reference / ours


def headlines(figures: Figures) -> list[tuple[Headline, float, float]]:
    """Return (headline, ours, reference) of what both have."""
    rows = []
    for headline in HEADLINES:
        ours, reference = figures.find(headline.figure, "dx"), figures.find(headline.reference_figure, "reference")
        if ours is not None and reference is not None:
            rows.append((headline, ours, reference))
    return rows


def number(value: float | None, unit: str = "") -> str:
    """Return a value with three digits that matter, or a dash."""
    if value is None:
        return "-"
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def ratio(value: float | None) -> str:
    """Return `12x`, or a dash."""
    return "-" if value is None else f"{value:.0f}x" if value >= 10 else f"{value:.2g}x"


def print_tables(figures: Figures, console: Console) -> None:
    """Print every figure: ours, the reference's, how many times better ours is."""
    table = Table(box=box.SIMPLE_HEAD, title="dx beside the reference server", title_justify="left")
    for heading in ("section", "storage", "what"):
        table.add_column(heading)
    for heading in ("ours", "reference", "times better"):
        table.add_column(heading, justify="right")
    section = None
    for figure, ours, reference in figures.rows():
        if section not in (None, figure.section):
            table.add_section()
        table.add_row(
            "" if section == figure.section else figure.section,
            figure.storage,
            figure.name,
            *_cells(figure, ours, reference),
        )
        section = figure.section
    console.print(table)
    rows = headlines(figures)
    if rows:
        summary = Table(box=box.SIMPLE_HEAD, title="in short", title_justify="left")
        for heading in ("what", "storage"):
            summary.add_column(heading)
        for heading in ("ours", "reference", "times better"):
            summary.add_column(heading, justify="right")
        for headline, our_value, reference_value in rows:
            summary.add_row(headline.title, headline.storage, *_cells(headline.figure, our_value, reference_value))
        console.print(summary)


def markdown(figures: Figures) -> str:
    """Return what stands in the README: the headlines, and every figure."""
    lines = [*_MARKDOWN_HEAD]
    for headline, our_value, reference_value in headlines(figures):
        cells = (headline.title, headline.storage, *_cells(headline.figure, our_value, reference_value))
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "<details><summary>Every figure of that run</summary>", "", *_MARKDOWN_HEAD]
    for figure, ours, reference in figures.rows():
        lines.append("| " + " | ".join((figure.name, figure.storage, *_cells(figure, ours, reference))) + " |")
    return "\n".join([*lines, "", "</details>"])


def _cells(figure: Figure, ours: float | None, reference: float | None) -> tuple[str, str, str]:
    better = ratio(times_better(figure, ours, reference))
    return number(ours, figure.unit), number(reference, figure.unit), better


def as_json(figures: Figures) -> dict[str, Any]:
    """Return the figures as plain data: medians, and all the values that they come from."""
    return {
        "figures": [
            {**asdict(figure), "dx": ours, "reference": reference, "values": dict(figures.values[figure])}
            for figure, ours, reference in figures.rows()
        ],
        "headlines": [
            {
                "what": headline.title,
                "storage": headline.storage,
                "dx": ours,
                "reference": reference,
                "times_better": times_better(headline.figure, ours, reference),
            }
            for headline, ours, reference in headlines(figures)
        ],
    }
