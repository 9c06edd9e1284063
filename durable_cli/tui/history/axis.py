"""The time axis of a timeline: which span is seen, how it is zoomed and panned, and where its ticks are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Axis", "Span", "Tick", "fit_live", "list_ticks", "tick_label", "zoom"]

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
SHORTEST_NS = 1_000
"""No zoom goes deeper than a microsecond."""

_STEPS: tuple[int, ...] = (
    *(factor * 10**power for power in range(3, 9) for factor in (1, 2, 5)),
    *(SECOND * number for number in (1, 2, 5, 10, 15, 30)),
    *(MINUTE * number for number in (1, 2, 5, 10, 15, 30)),
    *(HOUR * number for number in (1, 2, 3, 6, 12)),
    *(DAY * number for number in (1, 2, 7, 14, 30, 90, 180, 365)),
)


class Span(NamedTuple):
    """A stretch of time, in nanoseconds since the epoch."""

    start_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        """How long it is."""
        return self.end_ns - self.start_ns


class Tick(NamedTuple):
    """A mark on the axis: its column, and what stands there."""

    column: int
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A span drawn over a number of columns."""

    span: Span
    columns: int

    def position(self, time_ns: int) -> float:
        """Return where a time is, in columns from the left edge; outside of the span it is beyond the edges."""
        return (time_ns - self.span.start_ns) * self.columns / max(1, self.span.length_ns)

    def time_at(self, column: float) -> int:
        """Return the time of a column."""
        return self.span.start_ns + round(column * self.span.length_ns / max(1, self.columns))


def zoom(span: Span, factor: float, around_ns: int, limits: Span) -> Span:
    """Show a shorter (factor over 1) or a longer span around a time that stays where it is, within the limits."""
    length = max(SHORTEST_NS, min(round(span.length_ns / factor), limits.length_ns))
    share = (around_ns - span.start_ns) / max(1, span.length_ns)
    return clamp(Span(around_ns - round(length * share), around_ns - round(length * share) + length), limits)


def clamp(span: Span, limits: Span) -> Span:
    """Move a span into the limits; one that is longer than they are becomes the limits."""
    if span.length_ns >= limits.length_ns:
        return limits
    shift = max(0, limits.start_ns - span.start_ns) - max(0, span.end_ns - limits.end_ns)
    return Span(span.start_ns + shift, span.end_ns + shift)


def fit_live(start_ns: int, now_ns: int) -> Span:
    """Return a span with room for what comes next; it grows in steps, so that a picture does not move all the time."""
    length = max(now_ns - start_ns, SECOND)
    step = nice_step(length / 8)
    return Span(start_ns, start_ns + (length // step + 1) * step)


def nice_step(shortest_ns: float) -> int:
    """Return the shortest round span that is not shorter."""
    return next((step for step in _STEPS if step >= shortest_ns), _STEPS[-1])


def list_ticks(axis: Axis, zero_ns: int, label_columns: int = 12) -> list[Tick]:
    """List ticks at round times after `zero_ns`, no closer than their labels need."""
    if axis.columns < label_columns:
        return []
    step = nice_step(axis.span.length_ns * label_columns / axis.columns)
    first = -(-(axis.span.start_ns - zero_ns) // step)
    last = (axis.span.end_ns - zero_ns) // step
    ticks = (Tick(int(axis.position(zero_ns + n * step)), tick_label(n * step, step)) for n in range(first, last + 1))
    return [tick for tick in ticks if 0 <= tick.column < axis.columns]


def tick_label(offset_ns: int, step_ns: int) -> str:
    """Write how long after the start a tick is, no finer than the step."""
    if offset_ns == 0:
        return "0"
    sign, rest = ("-" if offset_ns < 0 else ""), abs(offset_ns)
    if rest < SECOND:
        unit, size = ("ms", MILLISECOND) if step_ns >= MILLISECOND else ("µs", 1_000)
        return f"{sign}{rest // size:,}{unit}"
    if step_ns < SECOND:
        decimals = 3 if step_ns >= MILLISECOND else 6
        return f"{sign}{rest / SECOND:.{decimals}f}".rstrip("0").rstrip(".") + "s"
    parts = []
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)):
        if rest >= size:
            parts.append(f"{rest // size}{unit}")
            rest %= size
    return sign + "".join(parts)
