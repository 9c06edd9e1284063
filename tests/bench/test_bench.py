"""Run every section of the benchmark with tiny numbers: figures come out. No speed is judged here."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server_process import PROJECT_FOLDER

from .figures import FULL, Figure, Figures, Sizes, percentile
from .measure import Bench
from .report import HEADLINES, as_json, headlines, markdown, times_better
from .sections import SECTIONS

KIND = os.environ.get("DX_TEST_SERVER", "dx")
TINY = Sizes(
    rounds=1,
    storages=("memory", "file, full"),
    concurrencies=(2,),
    seconds=0.2,
    ready_starts=1,
    idle_seconds=0.3,
    memory_workflows=10,
    growth={KIND: (4, 8)},
    growth_window=4,
    run_activities={KIND: 120},
    run_window=20,
    timers=2,
    sequence_activities={KIND: 4},
    run_events={KIND: 400},
    signals={KIND: 20},
    updates={KIND: 20},
    children={KIND: 30},
    reloads=2,
    reload_runs=1,
    reload_pause_seconds=0.5,
    browser_starts=1,
    browser_runs=200,
    browser_keys=2,
    browser_settle_seconds=0.1,
)
CALLS = ("p50", "p99")
UPDATES = ("1 update at a time", "10 updates at a time to one run", "20 updates at a time to 20 runs")
BROWSER_KEYS = {
    "list of many runs": ("down", "page down", "to an end"),
    "timeline of many events": ("down", "page down", "to an end"),
    "history of many events": ("down", "page down", "to an end"),
    "run of many events": ("another view",),
}
BROWSER = {
    "first paint",
    "first paint with runs",
    "run of many events: all read after",
    *(f"{where}: {key}: p{percent}" for where, keys in BROWSER_KEYS.items() for key in keys for percent in (50, 95)),
    *(f"{where} of many {what}: RSS" for where, what in (("list", "runs"), ("run", "events"))),
    *(f"{what} while 100 events a second arrive: CPU" for what in ("list", "run")),
}
EXPECTED = {
    "throughput": {f"2 at a time: {what}" for what in ("workflows", *CALLS, "CPU per workflow")},
    "footprint": {"RSS at start", "RSS after 10 workflows", "disk per workflow"},
    "ready": {"process start to first answer"},
    "idle": {"CPU with 20 waiting pollers"},
    "growth": {f"up to {point}: {what}" for point in (4, 8) for what in ("workflows", *CALLS, "CPU per workflow")},
    "long-run": {f"{end} 20 activities: {what}" for end in ("first", "last") for what in ("each", "CPU each")},
    "events": {
        *(f"{end} tenth of many events: {what}" for end in ("first", "last") for what in ("each", "CPU each")),
        *(f"RSS {when} many events" for when in ("before", "after")),
        "poll with the whole history of many events",
        "CPU of that poll",
    },
    "sequence": {"each activity of a sequence", "CPU each"},
    "timer": {"100 ms timer, late by: p50", "100 ms timer, late by: p99"},
    "signals": {f"20 signals at a time: {what}" for what in ("signals", *CALLS, "CPU per signal")},
    "updates": {f"{label}: {what}" for label in UPDATES for what in ("updates", *CALLS, "CPU per update")},
    "children": {
        "each of many children",
        "CPU per child",
        "many children: longest start of another workflow",
    },
    "reload": {f"{what}: p{percent}" for what in ("save to new code serving", "replay check") for percent in (50, 99)}
    if KIND == "dx"
    else set(),
    "browser": BROWSER if KIND == "dx" else set(),
}


def test_every_section_has_its_figures_listed() -> None:
    assert set(EXPECTED) == set(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_section_measures_its_figures(section: str, tmp_path: Path) -> None:
    figures = Figures()
    asyncio.run(SECTIONS[section](Bench([KIND], TINY, tmp_path, figures)))
    assert {figure.name for figure in figures.values} == EXPECTED[section]
    for figure in figures.values:
        value = figures.find(figure, KIND)
        assert value is not None
        assert math.isfinite(value)
        if figure.unit in ("/s", "MiB", "bytes", "s"):
            assert value > 0, figure


def test_headlines_are_measured() -> None:
    """Each headline's figure is one of a section, with the sizes of a full run."""
    assert FULL.run_events["dx"] == 50_000
    for headline in HEADLINES:
        figure = headline.figure
        name = figure.name.replace("1,000 workflows", "10 workflows")
        if figure.section == "throughput":
            concurrency, what = figure.name.split(" at a time")
            assert int(concurrency) in FULL.concurrencies
            name = f"2 at a time{what}"
        assert name in EXPECTED[figure.section]


def test_ratio_says_how_many_times_better_ours_is() -> None:
    rate = Figure("throughput", "file", "workflows", "/s", "higher")
    latency = Figure("throughput", "file", "p50", "ms", "lower")
    assert times_better(rate, 600, 100) == 6
    assert times_better(latency, 10, 150) == 15
    assert times_better(latency, None, 150) is None
    assert times_better(latency, 0, 150) is None


def test_our_file_is_compared_with_the_reference_in_memory() -> None:
    figures = Figures()
    for storage, ours, reference in (("memory", 900, 100), ("file", 600, 30)):
        figure = Figure("throughput", storage, "20 at a time: workflows", "/s", "higher")
        for spread in (-1, 0, 1):
            figures.record(figure, "dx", ours + spread)
            figures.record(figure, "reference", reference + spread)
    assert [row[1:] for row in headlines(figures)] == [(600, 100), (600, 30)]
    assert "| throughput, 20 at a time | file, beside the reference in memory | 600 /s | 100 /s | 6x |" in markdown(
        figures
    )
    assert "| throughput, 20 at a time | file | 600 /s | 30 /s | 20x |" in markdown(figures)
    assert "| 20 at a time: workflows | memory | 900 /s | 100 /s | 9x |" in markdown(figures)
    assert as_json(figures)["figures"][1]["values"]["reference"] == [29, 30, 31]


def test_percentile_is_the_nearest_rank() -> None:
    values = list(range(1, 101))
    assert (percentile(values, 50), percentile(values, 99), percentile([7], 99)) == (50, 99, 7)


def test_command_writes_json_and_markdown(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--server", KIND, "--section", "ready"]
    result = subprocess.run(
        [*command, "--markdown", "--json", str(target)], cwd=PROJECT_FOLDER, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert "| process start to first answer | memory |" in result.stdout
    assert json.loads(target.read_text())["figures"][0][KIND] > 0


def test_command_refuses_an_unknown_section() -> None:
    command = [sys.executable, "-m", "tests.bench", "--section", "speed"]
    result = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True, timeout=30)
    assert result.returncode == 2
    assert "no section speed" in result.stderr
