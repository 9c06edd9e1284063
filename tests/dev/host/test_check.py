"""The replay check: real histories, made by a real worker with the old code, against the new code.

`replayed/old/shop.py` and `replayed/new/shop.py` have the same workflow types, one for each kind of change; a comment
with the type's name marks the line of the new code that must be shown.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle

from durable_cli.dev.host_events import Checked, Mismatch, ReplayFailure, Serving
from tests.support.server_process import ServerProcess

from .conftest import Hosts, wait_quiet

REPLAYED = Path(__file__).with_name("replayed")
ARGUMENTS = {"ChangedArgument": ["order"], "ContinuedAsNew": [1]}


@dataclass
class Replayed:
    """All that the check of the new code says, and when the histories were made."""

    checked: Checked
    printed: list[str]

    def mismatch(self, workflow_type: str) -> Mismatch:
        """Return the only mismatch of a type."""
        (found,) = [entry for entry in self.checked.mismatches if entry.workflow_type == workflow_type]
        return found

    def failure(self, workflow_type: str) -> ReplayFailure:
        """Return the only failure of a type."""
        (found,) = [entry for entry in self.checked.failures if entry.workflow_type == workflow_type]
        return found


@pytest.fixture(scope="module")
def replayed(server: ServerProcess) -> Replayed:
    """The old code has run its workflows; the new code is checked."""

    async def run() -> Replayed:
        hosts = Hosts(server.address)
        client = await Client.connect(server.address)
        try:
            old = await hosts.start(REPLAYED / "old")
            loaded = await old.load("shop", activities=("shop",))
            assert isinstance(await old.process.serve(), Serving)
            await make_histories(client, old.task_queue, [entry.name for entry in loaded.workflows])
            await old.process.drain()
            new = await hosts.start(REPLAYED / "new", old.task_queue)
            await new.load("shop", activities=("shop",))
            checked = await new.process.check(open_runs=200, closed_runs=10)
            assert isinstance(checked, Checked), checked
            await new.process.drain()
            return Replayed(checked, new.lines)
        finally:
            await hosts.close()

    return asyncio.run(run())


async def make_histories(client: Client, task_queue: str, types: list[str]) -> None:
    """Run one workflow of each type until it waits or ends."""
    handles: dict[str, WorkflowHandle[object, object]] = {}
    for name in types:
        if not name.startswith("Child"):
            handles[name] = await client.start_workflow(
                name, args=ARGUMENTS.get(name, []), id=f"{name}-{uuid.uuid4().hex}", task_queue=task_queue
            )
    await handles["RemovedSignalHandler"].signal("release")
    await handles["SignalHandlerCalls"].signal("pay")
    await handles["RemovedUpdateHandler"].execute_update("pay")
    for name in ("InsertedAfter", "RemovedLastActivity"):
        await handles[name].result()
    for handle in handles.values():
        await wait_quiet(client, handle.id)


MISMATCHES = {
    "ChangedActivityType": (5, "ActivityTaskScheduled charge_payment", "ScheduleActivityTask reserve_stock"),
    "InsertedBefore": (5, "ActivityTaskScheduled charge_payment", "ScheduleActivityTask reserve_stock"),
    "InsertedAfter": (11, "WorkflowExecutionCompleted", "ScheduleActivityTask reserve_stock"),
    "RemovedActivity": (5, "ActivityTaskScheduled charge_payment", "ScheduleActivityTask ship"),
    "RemovedLastActivity": (11, "ActivityTaskScheduled ship", "CompleteWorkflowExecution"),
    "Reordered": (5, "ActivityTaskScheduled charge_payment", "ScheduleActivityTask ship"),
    "AddedTimer": (11, "ActivityTaskScheduled ship", "StartTimer 10ms"),
    "RemovedTimer": (5, "TimerStarted 10ms", "ScheduleActivityTask ship"),
    "RemovedSignalHandler": (None, "ActivityTaskScheduled ship", ""),
    "ChangedChildType": (5, "StartChildWorkflowExecutionInitiated ChildOne", "StartChildWorkflowExecution ChildTwo"),
    "RemovedPatch": (5, "MarkerRecorded patch reserve-first", "ScheduleActivityTask charge_payment"),
    "Gathered": (6, "ActivityTaskScheduled reserve_stock", "ScheduleActivityTask ship"),
    "WaitsInstead": (5, "ActivityTaskScheduled charge_payment", ""),
    "EndsInstead": (11, "ActivityTaskScheduled ship", "CompleteWorkflowExecution"),
    "ChangedLocalActivity": (
        5,
        "MarkerRecorded local activity charge_payment",
        "RecordMarker local activity reserve_stock",
    ),
    "RemovedUpdateHandler": (None, "WorkflowExecutionUpdateAccepted pay", ""),
    "SignalHandlerCalls": (None, "ActivityTaskScheduled charge_payment", "ScheduleActivityTask ship"),
    "AfterTimers": (None, "ActivityTaskScheduled ship", "ScheduleActivityTask reserve_stock"),
    "ContinuedAsNew": (5, "ActivityTaskScheduled charge_payment", "ScheduleActivityTask reserve_stock"),
}


@pytest.mark.parametrize("workflow_type", MISMATCHES)
def test_event_command_and_line_of_a_mismatch(workflow_type: str, replayed: Replayed) -> None:
    event_id, event_summary, command_summary = MISMATCHES[workflow_type]
    found = replayed.mismatch(workflow_type)
    assert (found.kind, found.event_summary, found.command_summary) == (
        "nondeterminism",
        event_summary,
        command_summary,
    )
    assert event_id in (None, found.event_id)
    assert found.event_type == event_summary.split()[0]
    assert found.command_type == "".join(command_summary.split()[:1])
    assert "Nondeterminism error: " in found.message
    assert found.file == str(REPLAYED / "new" / "shop.py")
    shown = dict(found.source)[found.line or 0]
    assert shown.endswith(f"  # {workflow_type}")
    assert len(found.source) == 3
    assert found.open == (workflow_type not in ("InsertedAfter", "RemovedLastActivity", "ContinuedAsNew"))


def test_a_line_that_is_reached_through_another_function(replayed: Replayed) -> None:
    found = replayed.mismatch("ThroughHelper")
    lines = (REPLAYED / "new" / "shop.py").read_text().splitlines()
    assert "execute_activity(name, " in dict(found.source)[found.line or 0]
    ((file, line),) = found.callers
    assert (file, lines[line - 1].strip()) == (found.file, 'await call("reserve_stock")  # ThroughHelper')


def test_nothing_else_is_a_mismatch(replayed: Replayed) -> None:
    assert {entry.workflow_type for entry in replayed.checked.mismatches} == {*MISMATCHES, "TypeGone", "ThroughHelper"}
    assert {entry.workflow_type for entry in replayed.checked.failures} == {"ChangedArgument", "RaisesNow"}
    assert (replayed.checked.is_good, replayed.checked.is_clean, replayed.checked.not_replayed) == (False, True, 0)


def test_a_workflow_type_that_is_gone(replayed: Replayed) -> None:
    found = replayed.mismatch("TypeGone")
    assert (found.kind, found.event_id, found.event_summary, found.command_summary) == (
        "workflow_type_missing",
        1,
        "WorkflowExecutionStarted TypeGone",
        "",
    )
    assert found.message.startswith("the new code has no workflow 'TypeGone'; it has AddedPatch, AddedTimer, ")


def test_an_argument_that_can_not_be_decoded(replayed: Replayed) -> None:
    found = replayed.failure("ChangedArgument")
    assert found.kind == "workflow_task_failed"
    assert found.message == (
        "Failed decoding arguments: Cannot convert to dataclass <class 'shop.Order'>, value is <class 'str'> not dict"
    )
    assert "async def run(self, order: Order) -> None:" in dict(found.source)[found.line or 0]


def test_code_that_raises_in_the_replay(replayed: Replayed) -> None:
    found = replayed.failure("RaisesNow")
    assert (found.kind, found.error, found.message) == ("workflow_task_failed", "ZeroDivisionError", "division by zero")
    assert dict(found.source)[found.line or 0].endswith("# RaisesNow")
    assert "division by zero" in found.traceback


def test_how_many_runs_were_looked_at(replayed: Replayed) -> None:
    closed = {entry.workflow_type for entry in replayed.checked.mismatches if not entry.open}
    assert closed == {"InsertedAfter", "RemovedLastActivity", "ContinuedAsNew"}
    # Three mismatches, and the child that was run.
    assert replayed.checked.closed == 4
    assert replayed.checked.open == replayed.checked.open_total == 24


def test_a_replay_is_silent(replayed: Replayed) -> None:
    assert replayed.printed == []
