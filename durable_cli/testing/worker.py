"""The fixture `dx_worker`: workers of the official SDK, with what suits a test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Unpack

from temporalio.client import Client
from temporalio.worker import Worker, WorkerConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from durable_cli.testing.connection import ClientOptions
from durable_cli.testing.errors import ReplayFailedError, StuckError
from durable_cli.testing.replay import (
    describe_history,
    describe_mismatch,
    fetch_histories,
    find_mismatches,
    replayer_options,
)
from durable_cli.testing.watch import Watch

__all__ = ["DxWorker"]

# Workflows that stand in a test's file are imported again in the sandbox, and so is what that file imports.
_TEST_LIBRARIES = ("_pytest", "anyio", "durable_cli", "pluggy", "pytest", "pytest_asyncio")
_MAX_CONCURRENT_ACTIVITIES = 100
_REPLAYED_RUNS = 20
# For those who have been told of a problem to fail by themselves.
_CANCEL_SECONDS = 1.0
# What a replayer takes of a worker's options.
_REPLAYED_OPTIONS = frozenset(
    {
        "workflows",
        "workflow_task_executor",
        "workflow_runner",
        "unsandboxed_workflow_runner",
        "build_id",
        "identity",
        "workflow_failure_exception_types",
        "debug_mode",
        "disable_safe_workflow_eviction",
    }
)


class DxWorker:
    """Makes the workers of one test: `async with dx_worker(workflows=[...], activities=[...]) as worker:`."""

    def __init__(self, client: Client, watch: Watch, client_options: ClientOptions, test_name: str) -> None:
        self._client = client
        self._watch = watch
        self._client_options = client_options
        self._test_name = test_name
        self._numbers = itertools.count(1)

    def __call__(
        self, *, fail_when_stuck: bool = True, replay: bool = True, **options: Unpack[WorkerConfig]
    ) -> AbstractAsyncContextManager[Worker]:
        """Return a worker that runs inside `async with`, on a task queue of its own: `worker.task_queue`.

        Args:
            fail_when_stuck: raise where the test waits, as soon as workflow code has failed, an activity is unknown or
                a task queue has no worker; otherwise such a workflow waits and tries for ever, as in production.
            replay: at the end, replay the histories of the newest runs, so that a workflow that is not deterministic
                fails its test at once.
            options: arguments of `temporalio.worker.Worker`. `client` is the test's client, `task_queue` a new one,
                `activity_executor` a thread pool, and `workflow_runner` the sandbox that passes pytest through.
        """
        values: dict[str, Any] = {**options}
        values.setdefault("client", self._client)
        values.setdefault("task_queue", f"{self._test_name}-{next(self._numbers)}")
        values.setdefault("workflow_runner", _sandbox())
        return self._running(values, fail_when_stuck, replay)

    @asynccontextmanager
    async def _running(self, values: dict[str, Any], fail_when_stuck: bool, replay: bool) -> AsyncIterator[Worker]:
        threads = None
        if "activity_executor" not in values:
            concurrency = values.get("max_concurrent_activities") or _MAX_CONCURRENT_ACTIVITIES
            threads = values["activity_executor"] = ThreadPoolExecutor(concurrency, thread_name_prefix="activity")
        try:
            async with Worker(**values) as worker:
                self._watch.add_task_queue(worker.task_queue, fail_when_stuck=fail_when_stuck)
                async with _stopping_when_stuck(self._watch):
                    yield worker
            if replay and values.get("workflows"):
                await self._replay(values)
        finally:
            if threads is not None:
                threads.shutdown(wait=False, cancel_futures=True)

    async def _replay(self, values: dict[str, Any]) -> None:
        """Replay what the worker has run.

        Raises:
            ReplayFailedError: a history and the code that has made it do not match.
        """
        options = replayer_options(self._client_options)
        for name in ("interceptors", "plugins"):
            options[name] = [*options[name], *values.get(name, ())]
        options |= {name: value for name, value in values.items() if name in _REPLAYED_OPTIONS}
        histories = await fetch_histories(self._client, values["task_queue"], _REPLAYED_RUNS)
        for place, mismatch in (await find_mismatches(histories, options)).items() if histories else ():
            raise ReplayFailedError(
                f"{describe_history(histories[place])}: the code does not match the history that it has just made, so "
                f"it is not deterministic\n\n{describe_mismatch(mismatch)}\n\n"
                "hint: take time, random numbers and ids from temporalio.workflow, and do the rest in activities. "
                "`dx_worker(..., replay=False)` leaves this check out."
            ) from None


@asynccontextmanager
async def _stopping_when_stuck(watch: Watch) -> AsyncIterator[None]:
    """Raise the watch's problem at the end; cancel a body that does not hear of it by a call of its client."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    cancelled = False

    def cancel() -> None:
        nonlocal cancelled
        if watch.unheard is not None and not over.is_set():
            cancelled = True
            task.cancel()

    def tell(problem: StuckError) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(loop.call_later, _CANCEL_SECONDS, cancel)

    over = asyncio.Event()
    try:
        with watch.listening(tell):
            yield
    except asyncio.CancelledError:
        if cancelled and watch.unheard is not None:
            task.uncancel()
            raise watch.unheard from watch.unheard.__cause__
        raise
    finally:
        over.set()
    if watch.unheard is not None:
        raise watch.unheard


def _sandbox() -> SandboxedWorkflowRunner:
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*_TEST_LIBRARIES))
