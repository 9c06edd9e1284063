"""Histories as JSON files, for the replay command of a worker that dx does not run itself."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.history.v1 import History
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from durable_cli.dev.clients import Clients
from durable_cli.dev.project.model import Replay, Worker

__all__ = ["HistoryCounts", "HistoryFolder"]

NEWEST_RUNS = 1000
# Terminated: so ends what has been reset, and what a person ended since it did not survive a change.
NOT_REPLAYED = (
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED,
)


@dataclass(frozen=True, slots=True)
class HistoryCounts:
    """How many runs were written, and how many open ones there are."""

    open: int
    closed: int
    open_total: int


class HistoryFolder:
    """A folder of one worker that is filled anew for each check; it stays, to look at."""

    def __init__(self, folder: Path, clients: Clients, replay: Replay) -> None:
        self._folder = folder
        self._clients = clients
        self._replay = replay

    async def write(self, worker: Worker) -> tuple[Path, HistoryCounts]:
        """Write the open runs of the worker's task queue, and the last closed runs of each type.

        Raises:
            CliError: the server does not answer, or refuses.
            OSError: the files can't be written.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        namespace = worker.namespace
        of_queue = f'TaskQueue = "{worker.task_queue}"' if worker.task_queue else ""
        open_query = " AND ".join(filter(None, [of_queue, 'ExecutionStatus = "Running"']))
        open_runs = await self._clients.list_runs(namespace, open_query, self._replay.open_runs)
        open_total = await self._clients.count_runs(namespace, open_query)
        closed_runs = self._choose(await self._clients.list_runs(namespace, of_queue, NEWEST_RUNS))
        for run in [*open_runs, *closed_runs]:
            await self._write_run(namespace, run)
        return self._folder, HistoryCounts(len(open_runs), len(closed_runs), open_total)

    def _choose(self, runs: list[WorkflowExecutionInfo]) -> list[WorkflowExecutionInfo]:
        """Return the newest closed runs of each type."""
        counts: Counter[str] = Counter()
        chosen = []
        for run in runs:
            if (
                run.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
                and counts[run.type.name] < self._replay.closed_runs
            ):
                counts[run.type.name] += 1
                chosen.append(run)
        return chosen

    async def _write_run(self, namespace: str, run: WorkflowExecutionInfo) -> None:
        history = History()
        client = self._clients.of(namespace)
        async for event in client.iterate_history(run.execution.workflow_id, run.execution.run_id):
            history.events.append(event)
        name = re.sub(r"[^A-Za-z0-9._-]", "_", run.execution.workflow_id)[:100]
        path = self._folder / f"{name}.{run.execution.run_id}.json"
        path.write_text(json.dumps(MessageToDict(history)), encoding="utf-8")
