"""The clock of a local server, which may be moved: what is true of it, in words; pure."""

from __future__ import annotations

from dataclasses import dataclass

from durable_cli.tui.times import clock, rough_span, short_span

__all__ = ["ServerClock"]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
FINE_NS = 10 * MINUTE_NS


@dataclass(frozen=True, slots=True)
class ServerClock:
    """How a server's clock goes; times are nanoseconds since the epoch, 0 when there is none."""

    time_ns: int
    ahead_ns: int
    mode: str
    """running, paused or auto."""
    locks: int = 0
    next_time_ns: int = 0
    next_words: str = ""
    """What is due next, and of which workflow."""
    work_words: str = ""
    """What is in flight, which a jump waits for."""

    @property
    def is_moved(self) -> bool:
        """Whether it is not simply this machine's."""
        return self.mode != "running" or abs(self.ahead_ns) >= SECOND_NS

    @property
    def badge(self) -> str:
        """Say in a word or two what is not as usual: `+3d00h ‖ paused`; empty when nothing is."""
        parts = []
        # One that stands falls behind by itself.
        if abs(self.ahead_ns) >= SECOND_NS and (self.ahead_ns > 0 or self.mode != "paused"):
            sign = "+" if self.ahead_ns > 0 else "-"
            # The seconds that a skip itself took are no news.
            grain_ns = SECOND_NS if abs(self.ahead_ns) < FINE_NS else MINUTE_NS
            parts.append(sign + rough_span(round(abs(self.ahead_ns) / grain_ns) * grain_ns))
        if self.mode == "paused":
            parts.append("‖ paused")
        elif self.mode == "auto":
            parts.append("» locked" if self.locks else "» auto")
        return " ".join(parts)

    @property
    def now_words(self) -> str:
        """Say what time it is there, and how that differs."""
        text = clock(self.time_ns, with_date=True)[:19]
        return f"{text}   {self.badge}" if self.badge else f"{text}   as this machine's"

    @property
    def next_in_words(self) -> str:
        """Say what is due next and when."""
        if not self.next_time_ns:
            return "nothing is due"
        return f"{self.next_words} in {short_span(max(0, self.next_time_ns - self.time_ns))}"
