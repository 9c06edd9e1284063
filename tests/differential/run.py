"""Run scenarios concurrently and say how they differ from their records."""

from __future__ import annotations

import asyncio
import difflib
import json
import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from temporalio.api.operatorservice.v1.service_pb2_grpc import OperatorServiceStub
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub
from temporalio.client import Client

from tests.differential.scenario import Scenario
from tests.differential.world import OTHER_NAMESPACE, Connection, World
from tests.support.server_process import ServerProcess, running

CONCURRENT_SCENARIOS = 16
SCENARIO_DEADLINE_SECONDS = 40
RECORD_LINE_LENGTH = 120


def _flags(name: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (name, value)]


_STANDARD_FLAGS = [
    *_flags("--namespace", [OTHER_NAMESPACE]),
    *_flags(
        "--search-attribute",
        [
            "DiffKeyword=Keyword",
            "DiffText=Text",
            "DiffInt=Int",
            "DiffDouble=Double",
            "DiffBool=Bool",
            "DiffDatetime=Datetime",
            "DiffKeywordList=KeywordList",
        ],
    ),
    # With its four partitions the reference server gives waiting tasks in any order.
    *_flags(
        "--dynamic-config-value",
        ["matching.numTaskqueueReadPartitions=1", "matching.numTaskqueueWritePartitions=1"],
    ),
]

# What each kind of server under comparison is started with.
SERVER_FLAGS = {
    "standard": _STANDARD_FLAGS,
    # Limits that a scenario reaches with a few events and kilobytes.
    "small_limits": [
        *_STANDARD_FLAGS,
        *_flags(
            "--dynamic-config-value",
            [
                "limit.blobSize.warn=4096",
                "limit.blobSize.error=8192",
                "limit.memoSize.warn=1024",
                "limit.memoSize.error=2048",
                "limit.historyCount.suggestContinueAsNew=15",
                "limit.historyCount.warn=30",
                "limit.historyCount.error=40",
                "limit.historySize.suggestContinueAsNew=12000",
                "limit.historySize.warn=20000",
                "limit.historySize.error=24000",
                "limit.mutableStateSize.warn=16000",
                "limit.mutableStateSize.error=20000",
                "limit.numPendingActivities.error=3",
                "limit.numPendingChildExecutions.error=3",
                "limit.numPendingSignals.error=3",
                "limit.numPendingCancelRequests.error=3",
                "history.maximumSignalsPerExecution=5",
                "history.maximumBufferedEventsBatch=4",
            ],
        ),
    ],
}


@dataclass
class Outcome:
    """What one scenario saw: its steps, and why it stopped early if it did."""

    scenario: Scenario
    steps: list[dict[str, Any]]
    error: str = ""


async def run_on_servers(
    launch: Callable[..., ServerProcess], folder: Path, scenarios: Sequence[Scenario]
) -> dict[str, Outcome]:
    """Run `scenarios` on fresh servers of the kinds that they need; return their outcomes by full name."""
    by_kind: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        by_kind.setdefault(scenario.server, []).append(scenario)
    with ExitStack() as servers:
        runs = [
            run_scenarios(servers.enter_context(running(launch(folder, *SERVER_FLAGS[kind]))).address, chosen)
            for kind, chosen in by_kind.items()
        ]
        outcomes = await asyncio.gather(*runs)
    return {name: outcome for each in outcomes for name, outcome in each.items()}


async def run_scenarios(address: str, scenarios: Sequence[Scenario]) -> dict[str, Outcome]:
    """Run `scenarios` on the server at `address`; return their outcomes by full name."""
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # workers fail on purpose here
    turn = asyncio.Semaphore(CONCURRENT_SCENARIOS)
    options = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        connection = Connection(
            client=await Client.connect(address, identity="sdk-client"),
            service=WorkflowServiceStub(channel),
            operator=OperatorServiceStub(channel),
        )

        async def run(scenario: Scenario) -> Outcome:
            async with turn:
                return await _run_one(connection, scenario)

        outcomes = await asyncio.gather(*(run(scenario) for scenario in scenarios))
    return {outcome.scenario.full_name: outcome for outcome in outcomes}


async def _run_one(connection: Connection, scenario: Scenario) -> Outcome:
    world = World(connection, scenario.full_name)
    outcome = Outcome(scenario, world.steps)
    try:
        await asyncio.wait_for(scenario.function(world), SCENARIO_DEADLINE_SECONDS)
    except Exception:
        outcome.error = traceback.format_exc()
    return outcome


def render_record(outcome: Outcome) -> str:
    """Return the text of a scenario's record."""
    record = {"scenario": outcome.scenario.full_name, "about": outcome.scenario.description, "steps": outcome.steps}
    return render_json(record) + "\n"


def render_json(value: Any, indent: str = "") -> str:
    """Return `value` as JSON, with everything that fits on one line on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + len(indent) <= RECORD_LINE_LENGTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {render_json(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + render_json(item, inner) for item in value) + f"\n{indent}]"


def explain_difference(outcome: Outcome) -> str:
    """Return what differs between an outcome and its record, or an empty text."""
    path = outcome.scenario.record_path
    if not path.exists():
        return f"{path.name} is not recorded yet: python -m tests.differential.record {outcome.scenario.full_name}"
    expected = path.read_text(encoding="utf-8").splitlines()
    actual = render_record(outcome).splitlines()
    diff = list(difflib.unified_diff(expected, actual, "reference", "this server", lineterm="", n=12))
    if not diff and not outcome.error:
        return ""
    return "\n".join([f"{outcome.scenario.full_name}: {outcome.scenario.description}", *diff, outcome.error])
