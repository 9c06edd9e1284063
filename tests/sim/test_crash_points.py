"""One workflow, and the server dies at every commit that it takes: just before, and just after with nobody told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.history.v1 import HistoryEvent

from engine.core.errors import NotFound, ServiceError
from engine.runtime.engine import Engine
from tests.sim.script import Script, activity_command, complete_command, timer_command
from tests.sim.server import ServerGoneError

_EVENTS = [
    "WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
    "ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted",
    "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
    "TimerStarted", "TimerFired", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
    "WorkflowExecutionSignaled", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
    "WorkflowExecutionCompleted",
]  # fmt: skip
_HAPPEN_AGAIN = {"WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted", "WorkflowTaskTimedOut"}


class _Order:
    """A client, a workflow worker and an activity worker that try again until they are answered."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.activity_runs: list[str] = []
        self.acknowledged = 0

    async def play(self) -> None:
        workers = [asyncio.ensure_future(self._run_workflows()), asyncio.ensure_future(self._run_activities())]
        await self._send(lambda: self.script.start(request_id="order"))
        await asyncio.sleep(60)
        await self._send(lambda: self.script.signal("ship", request_id="ship"))
        for _ in range(200):
            await asyncio.sleep(1)
            if self.script.event_types()[-1] == "WorkflowExecutionCompleted":
                break
        for worker in workers:
            assert not worker.done(), worker
            worker.cancel()

    async def _send(self, request: Callable[[], Awaitable[Any]]) -> Any:
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
            self.acknowledged += 1
            return reply

    async def _run_workflows(self) -> None:
        while True:
            polled = await self._send(self._poll_workflow)
            if polled is not None:
                task, history = polled
                await self._send(lambda task=task, history=history: self.script.complete(task, *_decide(history)))

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
            task = await self._send(self.script.poll_activity)
            if task is not None:
                self.activity_runs.append(task.activity.activity_id)
                await self._send(lambda task=task: self.script.complete_activity(task))


def _decide(history: list[HistoryEvent]) -> list[Command]:
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


def _play(folder: Path, crash_at_commit: int = 0, *, after: bool = False) -> tuple[Script, list[str], _Order]:
    folder.mkdir()
    script = Script(folder)
    script.trouble.crash_at_commit, script.trouble.crash_once_after = crash_at_commit, after
    order = _Order(script)
    types: list[str] = []

    async def case() -> None:
        await order.play()
        types.extend(script.event_types())

    script.run(case())
    return script, types, order


def test_order_survives_a_crash_at_every_commit(tmp_path: Path) -> None:
    script, types, order = _play(tmp_path / "calm")
    assert types == _EVENTS
    assert order.activity_runs == ["charge"]
    commits = script.trouble.commits
    assert commits >= 8
    crashes = 0
    for commit in range(1, commits + 1):
        for after in (False, True):
            crashed, types, order = _play(tmp_path / f"{commit}-{after}", commit, after=after)
            where = f"crash {'after' if after else 'before'} commit {commit}: {types}"
            crashes += crashed.server.crashes
            assert types[-1] == "WorkflowExecutionCompleted", where
            once = [name for name in types if name not in _HAPPEN_AGAIN]
            assert once == [name for name in _EVENTS if name not in _HAPPEN_AGAIN], where
    assert crashes == 2 * commits
