"""Replays histories one after another by the SDK's replayer, each within a time limit, and without a trace."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Replayer, WorkflowReplayResult


class ReplayTimeoutError(Exception):
    """A replay did not end in its time; the user's code may still be running."""


class Replays:
    """One replayer, with all that is costly about it made once.

    Args:
        options: of the SDK's Replayer.
        executor: the thread for workflow code.
    """

    def __init__(self, options: dict[str, Any], executor: ThreadPoolExecutor) -> None:
        # A runtime of its own, which logs nothing: what fails in a replay is told by the check.
        runtime = Runtime(telemetry=TelemetryConfig(logging=None))
        self._replayer = Replayer(**options, workflow_task_executor=executor, runtime=runtime)
        self._histories: asyncio.Queue[WorkflowHistory | None] = asyncio.Queue()
        self._scope: AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]] | None = None
        self._results: AsyncIterator[WorkflowReplayResult] | None = None

    @property
    def replayer(self) -> Replayer:
        return self._replayer

    async def replay(self, history: WorkflowHistory, seconds: float) -> Exception | None:
        """Replay a history, and return why it can't be, or None.

        Raises:
            ReplayTimeoutError: it did not end; this object is of no use any more.
        """
        if self._results is None:
            self._scope = self._replayer.workflow_replay_iterator(self._iterate())
            self._results = await self._scope.__aenter__()
        self._histories.put_nowait(history)
        try:
            result = await asyncio.wait_for(_next(self._results), seconds)
        except asyncio.TimeoutError:
            # It can't be closed: that would wait for the user's code.
            self._scope = None
            raise ReplayTimeoutError from None
        return result.replay_failure

    async def close(self) -> None:
        """Free what the replayer holds."""
        scope, self._scope = self._scope, None
        if scope is not None:
            self._histories.put_nowait(None)
            await scope.__aexit__(None, None, None)

    async def _iterate(self) -> AsyncIterator[WorkflowHistory]:
        while True:
            history = await self._histories.get()
            if history is None:
                return
            yield history


async def _next(results: AsyncIterator[WorkflowReplayResult]) -> WorkflowReplayResult:
    return await results.__anext__()


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep to itself what workflow code prints and logs while it is only replayed."""
    sys.stdout.flush()
    sys.stderr.flush()
    disabled = logging.root.manager.disable
    kept = [(fd, os.dup(fd)) for fd in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        logging.disable(logging.CRITICAL)
        for fd, _ in kept:
            os.dup2(nowhere, fd)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for fd, copy in kept:
            os.dup2(copy, fd)
            os.close(copy)
        os.close(nowhere)
        logging.disable(disabled)
