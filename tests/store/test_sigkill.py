"""Kill a real server twenty times under load, on one file: what it acknowledged is there, and everything completes."""

from __future__ import annotations

import asyncio
import copy
import os
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from tests.support.server_process import ServerProcess, find_free_port, launch_dx, launch_reference

from .sigkill_load import ACTIVITY_IDS, Acknowledged, Load

KILLS = 20
CLOSE_EVENTS = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
}


def launch(folder: Path, port: int) -> ServerProcess:
    start = launch_reference if os.environ.get("DX_TEST_SERVER") == "reference" else launch_dx
    return start(folder, db_filename=folder / "history.db", port=port)


def events_of(events: Iterable[HistoryEvent], event_type: EventType.ValueType) -> list[HistoryEvent]:
    return [event for event in events if event.event_type == event_type]


def signal_ids(events: Iterable[HistoryEvent]) -> list[str]:
    signals = events_of(events, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    return [event.workflow_execution_signaled_event_attributes.input.payloads[0].data.decode() for event in signals]


def activity_results(events: list[HistoryEvent]) -> list[tuple[str, bytes]]:
    """Return (activity id, result) of each ActivityTaskCompleted."""
    completed = events_of(events, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    results = []
    for attributes in (event.activity_task_completed_event_attributes for event in completed):
        scheduled = events[attributes.scheduled_event_id - 1].activity_task_scheduled_event_attributes
        results.append((scheduled.activity_id, attributes.result.payloads[0].data))
    return results


def check_acknowledged(workflow_id: str, known: Acknowledged, events: list[HistoryEvent]) -> None:
    """Check that a history holds what was acknowledged, in a sound form."""
    assert [event.event_id for event in events] == list(range(1, len(events) + 1)), workflow_id
    if events[-1].event_type != EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:  # else what came since is held back
        assert known.signal_ids <= set(signal_ids(events)), workflow_id
        assert known.activity_results.items() <= dict(activity_results(events)).items(), workflow_id
    answered = events_of(events, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    started_event_ids = {event.workflow_task_completed_event_attributes.started_event_id for event in answered}
    assert known.workflow_task_started_event_ids <= started_event_ids, workflow_id
    closes = [event for event in events if event.event_type in CLOSE_EVENTS]
    assert closes == ([events[-1]] if known.completed or closes else []), workflow_id


def check_finished(workflow_id: str, events: list[HistoryEvent]) -> None:
    """Check that a run completed once, and that nothing in it was done twice."""
    assert events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, workflow_id
    assert sum(1 for event in events if event.event_type in CLOSE_EVENTS) == 1, workflow_id
    assert Counter(name for name, _ in activity_results(events)) == Counter(ACTIVITY_IDS), workflow_id
    assert signal_ids(events) == [workflow_id.replace("order", "approve")], workflow_id


async def check_recent(load: Load) -> None:
    """Check the open runs, and those about which something was acknowledged since the last check."""
    recent, load.touched = load.touched.union(load.open_runs()), set()
    for workflow_id in recent:
        known = load.runs[workflow_id]
        acknowledged_before = copy.deepcopy(known)
        events = await load.history(workflow_id)
        check_acknowledged(workflow_id, acknowledged_before, events)
        known.completed |= events[-1].event_type in CLOSE_EVENTS  # where the kill took the acknowledgement


async def wait_until_all_complete(load: Load, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while load.open_runs():
            await check_recent(load)
            await asyncio.sleep(0.1)


@pytest.mark.timeout(240)
async def test_twenty_sigkills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20)
    port = find_free_port()
    load = Load()
    server = await asyncio.to_thread(launch, tmp_path, port)
    running = asyncio.create_task(load.run(clients=4, workers=4))
    try:
        for _ in range(KILLS):
            load.server_is_up(server.address)
            await check_recent(load)
            load.start_workflows(True)
            done, _ = await asyncio.wait([running], timeout=chance.uniform(0.1, 0.5))
            if done:
                running.result()
            server.kill()
            load.server_is_down()
            load.start_workflows(False)
            server = await asyncio.to_thread(launch, tmp_path, port)
        load.server_is_up(server.address)
        await check_recent(load)
        await wait_until_all_complete(load, 30)
        for workflow_id, known in load.runs.items():
            events = await load.history(workflow_id)
            check_acknowledged(workflow_id, known, events)
            check_finished(workflow_id, events)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await load.close()
        server.stop()
    assert load.calls_lost >= KILLS, "the kills met no calls in flight"
    assert len(load.runs) >= 2 * KILLS, "too little load to mean anything"
