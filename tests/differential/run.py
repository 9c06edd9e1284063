"""Run scenarios concurrently and say how they differ from their records."""

from __future__ import annotations

import asyncio
import difflib
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from temporalio.api.operatorservice.v1.service_pb2_grpc import OperatorServiceStub
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub
from temporalio.client import Client

from tests.differential.crashing_server import CrashingServer
from tests.differential.scenario import CRASHING_SERVER, Scenario
from tests.differential.world import OTHER_NAMESPACE, Connection, World
from tests.support.server_process import ServerProcess, running

CONCURRENT_SCENARIOS = 16
SCENARIO_DEADLINE_SECONDS = 40
RECORD_LINE_LENGTH = 120

_SEARCH_ATTRIBUTES = (
    "DiffKeyword=Keyword",
    "DiffText=Text",
    "DiffInt=Int",
    "DiffDouble=Double",
    "DiffBool=Bool",
    "DiffDatetime=Datetime",
    "DiffKeywordList=KeywordList",
)
# With its four partitions the reference server gives waiting tasks in any order.
_ONE_PARTITION: dict[str, str | int] = {
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
}
_DYNAMIC_CONFIG: dict[str, dict[str, str | int]] = {
    # Fairness and time skipping are on here and off there, if nobody says otherwise.
    "standard": {
        "matching.enableFairness": "false",
        "frontend.WorkflowTimeSkippingEnabled": "true",
        # Scenarios of list filters ask more often than a server on the net would let them.
        "frontend.namespaceRPS.visibility": 10_000,
        "frontend.namespaceBurstRatio.visibility": 1,
    },
    # What the reference server has, but does not do unless it is told to.
    "switched_on": {"matching.enableFairness": "true", "system.enableCrossNamespaceCommands": "true"},
    # Limits that a scenario reaches with a few events and kilobytes.
    "small_limits": {
        "limit.blobSize.warn": 4096,
        "limit.blobSize.error": 8192,
        "limit.memoSize.warn": 1024,
        "limit.memoSize.error": 2048,
        "limit.historyCount.suggestContinueAsNew": 15,
        "limit.historyCount.warn": 30,
        "limit.historyCount.error": 40,
        "limit.historySize.suggestContinueAsNew": 12_000,
        "limit.historySize.warn": 20_000,
        "limit.historySize.error": 24_000,
        "limit.mutableStateSize.warn": 16_000,
        "limit.mutableStateSize.error": 20_000,
        "limit.numPendingActivities.error": 3,
        "limit.numPendingChildExecutions.error": 3,
        "limit.numPendingSignals.error": 3,
        "limit.numPendingCancelRequests.error": 3,
        "history.maximumSignalsPerExecution": 5,
        "history.maximumBufferedEventsBatch": 4,
        "frontend.WorkflowTimeSkippingEnabled": "false",
    },
    # Few updates, short waits, and no eager start.
    "small_updates": {
        "history.maxInFlightUpdates": 3,
        "history.maxInFlightUpdatePayloads": 5000,
        "history.maxTotalUpdates": 10,
        "history.longPollExpirationInterval": '"2s"',
        "system.enableEagerWorkflowStart": "false",
        "frontend.WorkflowTimeSkippingEnabled": "true",
    },
}

# What each kind of server under comparison is started with.
SERVER_FLAGS = {
    kind: [
        *("--namespace", OTHER_NAMESPACE),
        *(word for definition in _SEARCH_ATTRIBUTES for word in ("--search-attribute", definition)),
        *(
            word
            for key, value in (_ONE_PARTITION | settings).items()
            for word in ("--dynamic-config-value", f"{key}={value}")
        ),
    ]
    for kind, settings in _DYNAMIC_CONFIG.items()
}
# A killed process loses nothing that it gave to the system, so nobody needs to wait for the disk.
SERVER_FLAGS[CRASHING_SERVER] = [*SERVER_FLAGS["standard"], "--sqlite-pragma", "synchronous=off"]


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
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # workers fail on purpose here
    by_kind: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        by_kind.setdefault(scenario.server, []).append(scenario)
    crashing = by_kind.pop(CRASHING_SERVER, [])
    with ExitStack() as servers:
        runs = [
            run_scenarios(servers.enter_context(running(launch(folder, *SERVER_FLAGS[kind]))).address, chosen)
            for kind, chosen in by_kind.items()
        ]
        outcomes = await asyncio.gather(*runs, _run_through_crashes(launch, folder, crashing))
    return {outcome.scenario.full_name: outcome for each in outcomes for outcome in each}


async def run_scenarios(address: str, scenarios: Sequence[Scenario]) -> list[Outcome]:
    """Run `scenarios` on the server at `address`."""
    turn = asyncio.Semaphore(CONCURRENT_SCENARIOS)
    async with connect(address) as connection:

        async def run(scenario: Scenario) -> Outcome:
            async with turn:
                return await _run_one(World(connection, scenario.full_name), scenario)

        return list(await asyncio.gather(*(run(scenario) for scenario in scenarios)))


async def _run_through_crashes(
    launch: Callable[..., ServerProcess], folder: Path, scenarios: Sequence[Scenario]
) -> list[Outcome]:
    if not scenarios:
        return []
    server = CrashingServer(launch, folder, SERVER_FLAGS[CRASHING_SERVER], len(scenarios))

    async def run(connection: Connection, scenario: Scenario) -> Outcome:
        try:
            return await _run_one(World(connection, scenario.full_name, server), scenario)
        finally:
            await server.leave()

    try:
        await server.start()
        async with connect(server.address) as connection:
            return list(await asyncio.gather(*(run(connection, scenario) for scenario in scenarios)))
    finally:
        await server.stop()


@asynccontextmanager
async def connect(address: str) -> AsyncIterator[Connection]:
    """Connect a client of each kind to the server at `address`."""
    options = [
        ("grpc.max_receive_message_length", 64 << 20),
        ("grpc.max_send_message_length", 64 << 20),
        # A server that crashed is back in a moment.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 5000),  # how long an attempt may take
        ("grpc.max_reconnect_backoff_ms", 200),
    ]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        yield Connection(
            client=await Client.connect(address, identity="sdk-client"),
            channel=channel,
            service=WorkflowServiceStub(channel),
            operator=OperatorServiceStub(channel),
        )


async def _run_one(world: World, scenario: Scenario) -> Outcome:
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
