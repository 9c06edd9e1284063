"""Show what was measured: a table for people, markdown for the README, JSON for machines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from .figures import Figure, Figures


@dataclass(frozen=True)
class Comparison:
    """A figure of ours set against a figure of the reference that may be on another storage."""

    title: str
    figure: Figure
    reference_storage: str


def _order(name: str, unit: str, *, higher: bool = False) -> Figure:
    return Figure("throughput", "file", name, unit, "higher" if higher else "lower")


COMPARISONS = (
    Comparison("throughput, 20 at a time", _order("20 at a time: workflows", "/s", higher=True), "memory"),
    Comparison("throughput, 100 at a time", _order("100 at a time: workflows", "/s", higher=True), "memory"),
    Comparison("p50 latency, 1 at a time", _order("1 at a time: p50", "ms"), "memory"),
    Comparison("CPU per workflow, 20 at a time", _order("20 at a time: CPU per workflow", "ms"), "memory"),
    Comparison(
        "RSS after 1,000 workflows", Figure("footprint", "file", "RSS after 1,000 workflows", "MiB", "lower"), "memory"
    ),
    Comparison("throughput, 20 at a time", _order("20 at a time: workflows", "/s", higher=True), "file"),
    Comparison("throughput, 100 at a time", _order("100 at a time: workflows", "/s", higher=True), "file"),
    Comparison("disk per workflow", Figure("footprint", "file", "disk per workflow", "bytes", "lower"), "file"),
)


def times_better(figure: Figure, ours: float | None, reference: float | None) -> float | None:
    """Return how many times better ours is (below 1: worse), or None where one side is missing or zero."""
    if not ours or not reference:
        return None
    return ours / reference if figure.better == "higher" else reference / ours


def compared(figures: Figures) -> list[tuple[str, float | None, float | None, float | None]]:
    """Return (title, ours on a file, the reference on the named storage, times better) of what both have."""
    rows = []
    for comparison in COMPARISONS:
        figure = comparison.figure
        other = Figure(figure.section, comparison.reference_storage, figure.name, figure.unit, figure.better)
        ours, reference = figures.find(figure, "dx"), figures.find(other, "reference")
        if ours is not None and reference is not None:
            title = f"{comparison.title} ({figure.unit}): our file, reference {comparison.reference_storage}"
            rows.append((title, ours, reference, times_better(figure, ours, reference)))
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
            number(ours, figure.unit),
            number(reference, figure.unit),
            ratio(times_better(figure, ours, reference)),
        )
        section = figure.section
    console.print(table)
    rows = compared(figures)
    if rows:
        summary = Table(box=box.SIMPLE_HEAD, title="our durable file beside the reference", title_justify="left")
        for heading in ("what", "ours", "reference", "times better"):
            summary.add_column(heading, justify="left" if heading == "what" else "right")
        for title, ours, reference, better in rows:
            summary.add_row(title, number(ours), number(reference), ratio(better))
        console.print(summary)


def markdown(figures: Figures) -> str:
    """Return the figures as one markdown table."""
    lines = ["| | storage | dx | reference | times better |", "|---|---|---:|---:|---:|"]
    for figure, ours, reference in figures.rows():
        better = ratio(times_better(figure, ours, reference))
        cells = (figure.name, figure.storage, number(ours, figure.unit), number(reference, figure.unit), better)
        lines.append("| " + " | ".join(cells) + " |")
    for title, ours_, reference_, better_ in compared(figures):
        lines.append(f"| **{title}** | | {number(ours_)} | {number(reference_)} | {ratio(better_)} |")
    return "\n".join(lines)


def as_json(figures: Figures) -> dict[str, Any]:
    """Return the figures as plain data: medians, and all the values that they come from."""
    return {
        "figures": [
            {**asdict(figure), "dx": ours, "reference": reference, "values": dict(figures.values[figure])}
            for figure, ours, reference in figures.rows()
        ],
        "compared": [
            {"what": title, "dx": ours, "reference": reference, "times_better": better}
            for title, ours, reference, better in compared(figures)
        ],
    }
