"""Which builds of a worker a run has seen: its `BuildIds` search attribute and its automatic reset points.

Both are derived from the WorkflowTaskCompleted events, so the fold keeps them. A point is `resettable` by what is
pending then; buffered answers count, which come into the history after it, so the points are stored beside it.
"""

from __future__ import annotations

import json

from temporalio.api.common.v1 import Payload, WorkerVersionStamp
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import ResetPointInfo, ResetPoints

from engine.core.policy.durations import ns_to_timestamp, timestamp_to_ns
from engine.core.run.state import RunState

__all__ = ["add_build_ids", "add_reset_point", "reset_points", "reset_points_for_next_run"]

MAXIMUM_RESET_POINTS = 20
_UNVERSIONED = "unversioned"


def add_reset_point(state: RunState, event: HistoryEvent) -> None:
    """Remember the first WorkflowTaskCompleted of each build."""
    attributes = event.workflow_task_completed_event_attributes
    build_id, checksum = attributes.worker_version.build_id, attributes.binary_checksum
    for point in state.auto_reset_points:
        if point.build_id == build_id and point.binary_checksum == checksum:
            return
    point = ResetPointInfo(
        build_id=build_id,
        binary_checksum=checksum,
        run_id=state.run_id,
        first_workflow_task_completed_id=event.event_id,
        create_time=event.event_time,
        resettable=not (state.children or state.external_signals or state.external_cancels),
    )
    state.auto_reset_points = [*state.auto_reset_points, point][-MAXIMUM_RESET_POINTS:]


def add_build_ids(state: RunState, worker_version: WorkerVersionStamp) -> None:
    """Add the build to the run's `BuildIds` search attribute."""
    new = [_UNVERSIONED]
    if worker_version.build_id:
        new.append(f"{_UNVERSIONED}:{worker_version.build_id}")
    payload = state.search_attributes.get("BuildIds")
    if payload is None:
        known: list[str] = []
    else:
        known = json.loads(payload.data)
        if all(each in known for each in new):
            return
    known += [each for each in new if each not in known]
    state.search_attributes["BuildIds"] = Payload(
        metadata={"encoding": b"json/plain", "type": b"KeywordList"},
        data=json.dumps(known, separators=(",", ":")).encode(),
    )


def reset_points_for_next_run(state: RunState, now_ns: int, retention_ns: int) -> ResetPoints:
    """Return the points that the next run of the chain inherits; those of this run get the time of their expiry."""
    points = ResetPoints(points=state.auto_reset_points)
    for point in points.points:
        if point.run_id == state.run_id and not timestamp_to_ns(point.expire_time):
            point.expire_time.CopyFrom(ns_to_timestamp(now_ns + retention_ns))
    return points


def reset_points(state: RunState, retention_ns: int) -> ResetPoints:
    """Return the run's points as they are shown: those of a run that was followed by another expire with it."""
    if state.new_execution_run_id:
        return reset_points_for_next_run(state, state.close_time_ns, retention_ns)
    return ResetPoints(points=state.auto_reset_points)
