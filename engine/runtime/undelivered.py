"""Replies whose client has gone, and the inputs that take back their tasks."""

from __future__ import annotations

import asyncio
from typing import Any

from engine.core.inputs import ActivityTaskUndelivered, Input, RunRef, WorkflowTaskUndelivered
from engine.core.run.activity_task import StartedActivityTask
from engine.core.run.start import StartReply
from engine.core.run.workflow_task import StartedWorkflowTask
from engine.core.run.workflow_task_completed import CompletedReply

__all__ = ["ENDED_BY_WORKER", "goes_on", "take_back"]

ENDED_BY_WORKER = "the worker ends its polls"
"""What a poll's task is cancelled with when its client still waits for the answer."""


def goes_on(error: asyncio.CancelledError, answer: asyncio.Future[Any]) -> bool:
    """Say whether the poll that was cancelled has its task already and a worker that waits for it; it is not then."""
    if error.args != (ENDED_BY_WORKER,) or not answer.done() or answer.cancelled():
        return False
    poll = asyncio.current_task()
    return poll is not None and poll.uncancel() == 0


def take_back(reply: object) -> list[Input]:
    """Return the inputs that give the tasks in `reply` to others; none for a reply without tasks."""
    if isinstance(reply, StartReply):
        return take_back(reply.eager_task)
    if isinstance(reply, CompletedReply):
        return [item for task in (reply.new_workflow_task, *reply.activity_tasks) for item in take_back(task)]
    if isinstance(reply, StartedWorkflowTask):
        return [WorkflowTaskUndelivered(RunRef(reply.namespace_id, run_key=reply.run_key), reply.token)]
    if isinstance(reply, StartedActivityTask):
        run = RunRef(reply.run.namespace_id, run_key=reply.run.run_key)
        scheduled_event_id = reply.activity.scheduled_event_id
        return [ActivityTaskUndelivered(run, scheduled_event_id, reply.attempt, reply.started_time_ns)]
    return []
