"""The replay check: do the runs that there are survive the new code?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import temporalio.worker
import temporalio.workflow
from temporalio.client import Client, WorkflowHistory

from . import mismatch, problems, runs, snapshot
from .commands import event_summary, event_type
from .discovery import run_place
from .replays import Replays, ReplayTimeoutError, silence
from .runs import Run
from .sandbox import OncePerModuleRunner, share
from .tracing import Place, Trace, TracingInterceptor
from .worker import Parts

_DYNAMIC = "(dynamic)"
_NAMED_TYPES = 8


@dataclass
class Report:
    """What becomes the `checked` event."""

    open: int = 0
    closed: int = 0
    open_total: int = 0
    not_replayed: int = 0
    is_clean: bool = True
    mismatches: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)


class Check:
    """One check of one worker.

    Args:
        command: the `check` command.
    """

    def __init__(self, client: Client, task_queue: str, parts: Parts, command: Mapping[str, Any]) -> None:
        self._client = client
        self._task_queue = task_queue
        self._parts = parts
        self._command = command
        self._until = time.monotonic() + command["seconds"]
        self._places: dict[str, Place] = {entry.name: run_place(entry.value) for entry in parts.definitions.workflows}
        self._report = Report()
        self._options: dict[str, Any] = {
            "workflows": parts.workflows,
            "namespace": client.namespace,
            "data_converter": client.data_converter,
            "build_id": parts.build_id,
            "workflow_runner": OncePerModuleRunner(),
        }
        if parts.plugins:
            self._options["plugins"] = [value for value in parts.plugins if isinstance(value, temporalio.worker.Plugin)]

    async def run(self) -> Report:
        """List, fetch and replay, within the time that is allowed."""
        if self._parts.workflows:
            found = await self._list()
            with silence():
                suspects = await self._replay_all(found)
                await self._explain_all(suspects)
        return self._report

    async def _list(self) -> list[Run]:
        """Return the runs to look at: the open ones, then the closed ones, the newest first."""
        lister = runs.RunLister(self._client, self._task_queue)
        types = None if _DYNAMIC in self._places else list(self._places)
        limit = self._command["open_runs"]
        open_runs, closed_runs = await asyncio.gather(
            lister.list_open(limit), lister.list_closed(types, self._command["closed_runs"])
        )
        self._report.open_total = len(open_runs) if len(open_runs) < limit else await lister.count_open()
        return [*open_runs, *closed_runs]

    async def _replay_all(self, found: Sequence[Run]) -> list[tuple[Run, WorkflowHistory]]:
        """Take a first look at every run, and return those that seem not to survive."""
        suspects = []
        shared = self._new_shared()
        async for run, history in runs.fetch_histories(self._client, found):
            if time.monotonic() > self._until:
                self._report.not_replayed += 1
                continue
            if history is None:
                continue
            if run.open:
                self._report.open += 1
            else:
                self._report.closed += 1
            replayed = self._choose_history(run, history)
            if replayed is None:
                continue
            try:
                if await shared.replay(replayed, self._seconds_left()) is not None:
                    suspects.append((run, replayed))
            except ReplayTimeoutError:
                self._time_out(run)
                shared = self._new_shared()
        await shared.close()
        return suspects

    def _choose_history(self, run: Run, history: WorkflowHistory | Exception) -> WorkflowHistory | None:
        """Return what to replay; None when there is nothing to replay, or when it is already told why not."""
        if isinstance(history, Exception):
            self._fail(run, "history", str(history))
            return None
        if run.workflow_type not in self._places and _DYNAMIC not in self._places:
            if runs.has_run(history):
                self._report.mismatches.append(self._describe_missing_type(run, history))
            return None
        if runs.has_run(history):
            return history
        return runs.with_first_task(history) if run.open else None

    async def _explain_all(self, suspects: Sequence[tuple[Run, WorkflowHistory]]) -> None:
        """Replay runs as a worker would, and say what is wrong with each, if anything is."""
        tracer, replays = self._new_traced()
        for run, history in suspects:
            # However little time is left, one is explained.
            is_first = not (self._report.mismatches or self._report.failures)
            if time.monotonic() > self._until and not is_first:
                self._report.not_replayed += 1
                continue
            seconds = self._command["seconds_per_run"] if is_first else self._seconds_left()
            trace = tracer.begin()
            try:
                failure = await replays.replay(history, seconds)
            except ReplayTimeoutError:
                self._time_out(run)
                tracer, replays = self._new_traced()
                continue
            if isinstance(failure, temporalio.workflow.NondeterminismError):
                self._describe_mismatch(run, history, trace, failure)
            elif failure is not None:
                self._describe_failure(run, trace, failure)
        await replays.close()

    def _new_traced(self) -> tuple[TracingInterceptor, Replays]:
        """Return a replayer that works as a worker does, and what it tells of a replay."""
        tracer = TracingInterceptor()
        # The outermost: what the user's own interceptors do counts, too.
        interceptors = [tracer, *self._parts.worker_interceptors]
        return tracer, Replays({**self._options, "interceptors": interceptors}, tracer.make_executor())

    def _new_shared(self) -> Replays:
        """Return a replayer for the first look."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="dx_check_")
        replays = Replays({**self._options, "interceptors": self._parts.worker_interceptors}, executor)
        # The user's plugins may have chosen the runner; the replayer has no other place to change it after them.
        config: dict[str, Any] = getattr(replays.replayer, "_config", {})
        if "workflow_runner" in config:
            config["workflow_runner"] = share(config["workflow_runner"])
        return replays

    def _seconds_left(self) -> float:
        seconds: float = min(self._command["seconds_per_run"], self._until - time.monotonic())
        return max(seconds, 0.1)

    def _time_out(self, run: Run) -> None:
        self._report.is_clean = False
        self._fail(run, "time_limit", "the replay did not end: does the workflow block, or never await?")

    def _fail(self, run: Run, kind: str, message: str, **details: Any) -> None:
        self._report.failures.append({**_name(run), "kind": kind, "message": message, **details})

    def _describe_missing_type(self, run: Run, history: WorkflowHistory) -> dict[str, Any]:
        first = history.events[0]
        return {
            **_name(run),
            "kind": "workflow_type_missing",
            "event_id": first.event_id,
            "event_type": event_type(first),
            "event_summary": event_summary(first),
            "message": f"the new code has no workflow {run.workflow_type!r}; it has {self._some_types()}",
        }

    def _describe_mismatch(self, run: Run, history: WorkflowHistory, trace: Trace, failure: Exception) -> None:
        message = mismatch.messages_of(failure)[0]
        pair = mismatch.find(history.events, trace, message)
        self._report.mismatches.append(
            {
                **_name(run),
                "kind": "nondeterminism",
                "message": message,
                **mismatch.to_json(pair, trace, self._place_of(run)),
            }
        )

    def _describe_failure(self, run: Run, trace: Trace, failure: Exception) -> None:
        error = trace.error
        file, line = problems.locate(error) if error is not None else (None, None)
        if file is None or line is None:
            file, line = self._place_of(run)
        self._fail(
            run,
            "workflow_task_failed",
            ": ".join(mismatch.messages_of(failure)),
            error=type(error).__name__ if error is not None else "",
            file=file,
            line=line,
            source=snapshot.excerpt(file, line),
            traceback=problems.format_traceback(error) if error is not None else str(failure),
        )

    def _some_types(self) -> str:
        names = sorted(self._places)
        return ", ".join(names[:_NAMED_TYPES]) + (", …" if len(names) > _NAMED_TYPES else "")

    def _place_of(self, run: Run) -> Place:
        return self._places.get(run.workflow_type) or self._places[_DYNAMIC]


def _name(run: Run) -> dict[str, Any]:
    return {
        "workflow_id": run.workflow_id,
        "run_id": run.run_id,
        "workflow_type": run.workflow_type,
        "open": run.open,
    }
