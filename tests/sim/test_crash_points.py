"""Small worlds, and the server dies at every commit that they take: just before, and just after with nobody told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import RetryPolicy
from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.history.v1 import HistoryEvent

from engine.core.errors import NotFound, ServiceError
from engine.runtime.engine import Engine
from tests.sim.commands import seconds
from tests.sim.script import (
    Script,
    activity_command,
    child_command,
    complete_command,
    fail_command,
    signal_command,
    timer_command,
)
from tests.sim.server import ServerGoneError

_EVENTS = [
    "WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
    "ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted",
    "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
    "TimerStarted", "TimerFired", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
    "WorkflowExecutionSignaled", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
    "WorkflowExecutionCompleted",
]  # fmt: skip
_HAPPEN_AGAIN = {f"WorkflowTask{what}" for what in ("Scheduled", "Started", "Completed", "TimedOut", "Failed")}


class _Play:
    """A client, a workflow worker and an activity worker that try again until they are answered."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.activity_runs: list[str] = []

    async def play(self) -> None:
        """Let the client have its way and every workflow come to its end."""
        workers = [asyncio.ensure_future(self._run_workflows()), asyncio.ensure_future(self._run_activities())]
        await self.ask()
        for _ in range(200):
            await asyncio.sleep(1)
            if not self.script.engine.database.writer.execute("SELECT 1 FROM runs WHERE status = 1").fetchall():
                break
        for worker in workers:
            assert not worker.done(), worker
            worker.cancel()

    async def ask(self) -> None:
        """Do what the client does."""
        raise NotImplementedError

    def decide(self, history: list[HistoryEvent]) -> list[Command]:
        """Return the commands of a workflow's next task."""
        raise NotImplementedError

    async def send(self, request: Callable[[], Awaitable[Any]]) -> Any:
        """Try until the server has answered; None when it refused, as it does when it has carried it out before."""

        async def operation(engine: Engine) -> Any:
            return await request()

        while True:
            try:
                reply = await self.script.server.call(operation)
            except NotFound:
                return None
            except (ServerGoneError, ServiceError):
                await asyncio.sleep(0.1)
                continue
            return reply

    async def _run_workflows(self) -> None:
        while True:
            polled = await self.send(self._poll_workflow)
            if polled is not None:
                task, history = polled
                await self.send(lambda task=task, history=history: self.script.complete(task, *self.decide(history)))

    async def _poll_workflow(self) -> Any:
        task = await self.script.poll_workflow()
        if task is None:
            return None
        state = self.script.engine.find_run(task.run_key)
        assert state is not None
        blobs = self.script.engine.load_history(state, 1, task.next_event_id)
        return task, [HistoryEvent.FromString(blob) for blob in blobs]

    async def _run_activities(self) -> None:
        while True:
            task = await self.send(self.script.poll_activity)
            if task is not None:
                self.activity_runs.append(task.activity.activity_id)
                await self.send(lambda task=task: self.script.complete_activity(task))


class _Order(_Play):
    """A workflow with an activity, a timer and a signal."""

    async def ask(self) -> None:
        await self.send(lambda: self.script.start(request_id="order"))
        await asyncio.sleep(60)
        await self.send(lambda: self.script.signal("ship", request_id="ship"))

    def decide(self, history: list[HistoryEvent]) -> list[Command]:
        types = [event.event_type for event in history]
        if EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED in types:
            return [complete_command()]
        if EventType.EVENT_TYPE_TIMER_STARTED in types:
            return []
        if EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED in types:
            return [timer_command("later", 5)]
        command = activity_command("charge", start_to_close_timeout=5)
        command.schedule_activity_task_command_attributes.retry_policy.maximum_attempts = 0
        return [command]


class _Family(_Play):
    """A parent with a child that is tried twice and one that it leaves behind, and a workflow that it signals."""

    async def ask(self) -> None:
        await self.send(lambda: self.script.start("stock", request_id="stock"))
        await self.send(lambda: self.script.start("parent", request_id="parent"))

    def decide(self, history: list[HistoryEvent]) -> list[Command]:
        started = history[0].workflow_execution_started_event_attributes
        types = {event.event_type for event in history}
        if started.workflow_id == "twice":
            return [fail_command() if started.attempt == 1 else complete_command()]
        if started.workflow_id == "stock":
            return [complete_command()] if EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED in types else []
        if started.workflow_id == "idle":
            return []
        if EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED not in types:
            retry_policy = RetryPolicy(initial_interval=seconds(1), maximum_attempts=2)
            return [child_command("twice", retry_policy=retry_policy), child_command("idle")]
        if EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED not in types:
            return []
        if EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED not in types:
            return [signal_command("stock")]
        return [complete_command()]


_FAMILY = {
    "parent": [
        "WorkflowExecutionStarted",
        "StartChildWorkflowExecutionInitiated", "StartChildWorkflowExecutionInitiated",
        "ChildWorkflowExecutionStarted", "ChildWorkflowExecutionStarted", "ChildWorkflowExecutionCompleted",
        "SignalExternalWorkflowExecutionInitiated", "ExternalWorkflowExecutionSignaled", "WorkflowExecutionCompleted",
    ],
    "stock": ["WorkflowExecutionStarted", "WorkflowExecutionSignaled", "WorkflowExecutionCompleted"],
    "twice": ["WorkflowExecutionStarted", "WorkflowExecutionFailed"],
    "twice again": ["WorkflowExecutionStarted", "WorkflowExecutionCompleted"],
    "idle": ["WorkflowExecutionStarted", "WorkflowExecutionTerminated"],
}  # fmt: skip


def _play(
    folder: Path, play_of: type[_Play], crash_at_commit: int = 0, *, after: bool = False
) -> tuple[Script, list[list[str]], _Play]:
    """Play to the end; return every run's events as well, the oldest run first."""
    folder.mkdir()
    script = Script(folder)
    script.trouble.crash_at_commit, script.trouble.crash_once_after = crash_at_commit, after
    play = play_of(script)
    types: list[list[str]] = []

    async def case() -> None:
        await play.play()
        types.extend(script.event_types(run) for run in range(len(script.histories())))

    script.run(case())
    return script, types, play


def _once(types: list[str]) -> list[str]:
    """Return the events that a crash may not add to."""
    return [name for name in types if name not in _HAPPEN_AGAIN]


def test_order_survives_a_crash_at_every_commit(tmp_path: Path) -> None:
    script, (types,), order = _play(tmp_path / "calm", _Order)
    assert types == _EVENTS
    assert order.activity_runs == ["charge"]
    commits = script.trouble.commits
    assert commits >= 8
    crashes = 0
    for commit in range(1, commits + 1):
        for after in (False, True):
            crashed, (types,), order = _play(tmp_path / f"{commit}-{after}", _Order, commit, after=after)
            where = f"crash {'after' if after else 'before'} commit {commit}: {types}"
            crashes += crashed.server.crashes
            assert types[-1] == "WorkflowExecutionCompleted", where
            assert _once(types) == _once(_EVENTS), where
    assert crashes == 2 * commits


def test_family_survives_a_crash_at_every_commit(tmp_path: Path) -> None:
    """Every child is started, tried and ended once, whatever of it was under way; so is the signal."""
    script, types, _ = _play(tmp_path / "calm", _Family)
    expected = sorted(_FAMILY.values())
    assert sorted(map(_once, types)) == expected
    commits = script.trouble.commits
    assert commits >= 10
    crashes = 0
    for commit in range(1, commits + 1):
        for after in (False, True):
            crashed, types, _ = _play(tmp_path / f"{commit}-{after}", _Family, commit, after=after)
            where = f"crash {'after' if after else 'before'} commit {commit}: {types}"
            crashes += crashed.server.crashes
            assert sorted(map(_once, types)) == expected, where
    assert crashes == 2 * commits
