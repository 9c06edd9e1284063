"""What a run measures: figures per server, with the sizes that a run has."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True, order=True)
class Figure:
    """One measured thing: `section` and `storage` say where, `name` what, `better` which direction is good."""

    section: str
    storage: str
    name: str
    unit: str
    better: Better


@dataclass
class Figures:
    """Every measured value, by figure and by kind of server, in the order of the first record."""

    values: dict[Figure, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def record(self, figure: Figure, kind: str, value: float) -> None:
        """Add a value; a figure that is measured several times counts with its median."""
        self.values[figure][kind].append(value)

    def find(self, figure: Figure, kind: str) -> float | None:
        """Return the median of a figure for one kind of server, or None where it was not measured."""
        values = self.values[figure][kind] if figure in self.values else []
        return statistics.median(values) if values else None

    def rows(self) -> list[tuple[Figure, float | None, float | None]]:
        """Return (figure, ours, reference) in the order of measurement."""
        return [(figure, self.find(figure, "dx"), self.find(figure, "reference")) for figure in self.values]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


@dataclass(frozen=True)
class Sizes:
    """How much a run does; where a number is by kind, the slower server does less of the same job."""

    rounds: int
    storages: tuple[str, ...]
    concurrencies: tuple[int, ...]
    seconds: float
    ready_starts: int
    idle_seconds: float
    memory_workflows: int
    growth: dict[str, tuple[int, ...]]
    growth_window: int
    run_activities: dict[str, int]
    run_window: int
    timers: int
    sequence_activities: dict[str, int]
    run_events: dict[str, int]
    signals: dict[str, int]
    updates: dict[str, int]
    children: dict[str, int]
    reloads: int
    reload_runs: int
    reload_pause_seconds: float
    browser_starts: int
    browser_runs: int
    browser_keys: int
    browser_settle_seconds: float


FULL = Sizes(
    rounds=3,
    storages=("memory", "file", "file, full"),
    concurrencies=(1, 20, 100),
    seconds=4,
    ready_starts=7,
    idle_seconds=10,
    memory_workflows=1_000,
    growth={"dx": (100, 1_000, 2_000, 5_000, 10_000, 20_000), "reference": (100, 1_000, 2_000)},
    growth_window=500,
    run_activities={"dx": 10_000, "reference": 10_000},
    run_window=1_000,
    timers=200,
    sequence_activities={"dx": 2_000, "reference": 2_000},
    run_events={"dx": 50_000, "reference": 50_000},
    signals={"dx": 5_000, "reference": 1_000},
    updates={"dx": 1_500, "reference": 200},
    children={"dx": 1_000, "reference": 200},
    reloads=20,
    reload_runs=20,
    reload_pause_seconds=2,
    browser_starts=5,
    browser_runs=60_000,
    browser_keys=40,
    browser_settle_seconds=60,
)

QUICK = Sizes(
    rounds=1,
    storages=("memory", "file"),
    concurrencies=(1, 20),
    seconds=1,
    ready_starts=1,
    idle_seconds=1,
    memory_workflows=60,
    growth={"dx": (20, 60, 400), "reference": (20, 60)},
    growth_window=20,
    run_activities={"dx": 600, "reference": 200},
    run_window=50,
    timers=20,
    sequence_activities={"dx": 200, "reference": 20},
    run_events={"dx": 2_000, "reference": 600},
    signals={"dx": 500, "reference": 60},
    updates={"dx": 200, "reference": 20},
    children={"dx": 100, "reference": 10},
    reloads=5,
    reload_runs=5,
    reload_pause_seconds=1,
    browser_starts=1,
    browser_runs=1_000,
    browser_keys=10,
    browser_settle_seconds=1,
)
