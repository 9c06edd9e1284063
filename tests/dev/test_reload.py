"""A save becomes the code that serves, once the runs that there are repeat their history with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from .dev_process import PYTHON_WORKER, SERVER, DevProcess, replace_in, running_dev, write_project

RELOADS = 50
WORKFLOWS = 200

STEPS = """\
from datetime import timedelta

from temporalio import workflow

VERSION = 0

with workflow.unsafe.imports_passed_through():
    from activities import step


@workflow.defn
class Steps:
    @workflow.run
    async def run(self, count: int) -> list[int]:
        done = []
        for number in range(count):
            done.append(await workflow.execute_activity(step, number, start_to_close_timeout=timedelta(minutes=1)))
            await workflow.sleep(0.2)
        return done
"""

STEP_ACTIVITY = """\
import asyncio

from temporalio import activity

VERSION = 0


@activity.defn
async def step(number: int) -> int:
    await asyncio.sleep(0.1)
    return number
"""

STEPS_PROJECT = {"workflows": STEPS, "activities": STEP_ACTIVITY}
BROKEN = (
    "        await workflow.execute_activity",
    "        await workflow.sleep(60)\n        await workflow.execute_activity",
)


async def start_order(dev: DevProcess, workflow_id: str = "order-1") -> WorkflowHandle[object, object]:
    """Start an order, and return once its activity is done."""
    client = await Client.connect(dev.address)
    handle = await client.start_workflow("OrderWorkflow", 7, id=workflow_id, task_queue="orders")
    while True:
        events = [event async for event in handle.fetch_history_events()]
        if any(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED for event in events):
            return handle
        await asyncio.sleep(0.05)


async def assert_finishes(handle: WorkflowHandle[object, object]) -> None:
    await handle.signal("finish")
    assert await handle.result() == 7
    events = [event async for event in handle.fetch_history_events()]
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in {event.event_type for event in events}


async def test_a_mismatch_keeps_the_old_worker_until_it_is_mended(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER)
    with running_dev(project) as dev:
        dev.wait_for("orders", "checked", open=0, closed=0)
        dev.wait_for("orders", "ready")
        handle = await start_order(dev)
        replace_in(project / "workflows.py", *BROKEN)
        checked = dev.wait_for("orders", "checked")
        (mismatch,) = checked["mismatches"]
        assert (mismatch["workflow_id"], mismatch["event_id"], mismatch["open"]) == ("order-1", 5, True)
        assert (mismatch["event_type"], mismatch["command_type"]) == ("ActivityTaskScheduled", "StartTimer")
        assert Path(mismatch["file"]).name == "workflows.py"
        assert "await workflow.sleep(60)" in dict(map(tuple, mismatch["source"]))[mismatch["line"]]
        dev.wait_for("orders", "held", old_goes_on=True, is_asked=False)
        # The old worker answers still.
        await assert_finishes(handle)
        # A closed run counts as well, until the change is mended.
        replace_in(project / "workflows.py", "sleep(60)", "sleep(61)")
        checked = dev.wait_for("orders", "checked", open=0, closed=1)
        assert [run["open"] for run in checked["mismatches"]] == [False]
        dev.wait_for("orders", "held")
        replace_in(project / "workflows.py", BROKEN[1].replace("60", "61"), BROKEN[0])
        dev.wait_for("orders", "checked", mismatches=[], failures=[])
        dev.wait_for("orders", "ready", is_new_code=True)


async def test_the_unattended_may_reload_all_the_same(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER + 'on_nondeterminism = "reload"\n')
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        await start_order(dev)
        replace_in(project / "workflows.py", *BROKEN)
        assert dev.wait_for("orders", "checked")["mismatches"]
        dev.wait_for("orders", "ready", is_new_code=True)


async def test_code_that_was_broken_between_two_sessions_is_found_at_the_start(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER)
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        await start_order(dev)
    replace_in(project / "workflows.py", *BROKEN)
    with running_dev(project) as dev:
        assert dev.wait_for("orders", "checked")["mismatches"]
        dev.wait_for("orders", "held", old_goes_on=False)
        replace_in(project / "workflows.py", *reversed(BROKEN))
        dev.wait_for("orders", "ready", is_new_code=False)


async def test_saves_in_quick_succession_end_with_the_last(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER, **STEPS_PROJECT)
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        client = await Client.connect(dev.address)
        for number in range(1, 11):
            replace_in(
                project / "activities.py",
                f"return number + {number - 1}" if number > 1 else "return number",
                f"return number + {number}",
            )
            await asyncio.sleep(0.12)
        result: object = None
        while result != [10]:
            result = await client.execute_workflow("Steps", 1, id="steps", task_queue="orders")


@pytest.mark.timeout(400)
async def test_reloads_under_load_lose_nothing(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER, **STEPS_PROJECT)
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        client = await Client.connect(dev.address)
        calm = await client.start_workflow("Steps", 5, id="calm", task_queue="orders")
        await calm.result()
        expected = await describe_history(calm)
        handles: list[WorkflowHandle[object, object]] = []
        for reload in range(RELOADS):
            for _ in range(WORKFLOWS // RELOADS):
                handles.append(await client.start_workflow("Steps", 5, id=f"steps-{len(handles)}", task_queue="orders"))
            name = "workflows.py" if reload % 2 else "activities.py"
            replace_in(project / name, f"VERSION = {reload // 2}", f"VERSION = {reload // 2 + 1}")
            await asyncio.to_thread(dev.wait_for, "orders", "ready", is_new_code=True)
        assert await asyncio.gather(*(handle.result() for handle in handles)) == [[0, 1, 2, 3, 4]] * WORKFLOWS
        for handle in handles:
            assert await describe_history(handle) == expected, f"{handle.id}:\n{dev.output[-3000:]}"
        counted = [line for line in dev.events if line["event"] == "checked"]
        assert len(counted) == RELOADS + 1
        assert not [line for line in counted if line["mismatches"] or line["failures"]]
        assert any(line["open"] for line in counted)


async def describe_history(handle: WorkflowHandle[object, object]) -> list[str]:
    """Return a line for each event: its type, and of activities the attempt."""
    assert (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED
    lines = []
    async for event in handle.fetch_history_events():
        line = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        if event.HasField("activity_task_started_event_attributes"):
            line += f" attempt {event.activity_task_started_event_attributes.attempt}"
        lines.append(line)
    return lines
