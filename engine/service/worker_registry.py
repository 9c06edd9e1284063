"""Workers as they report themselves: heartbeats, and the polls to end when one shuts down. Memory only."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerInfo, WorkerListInfo

from engine.runtime.undelivered import ENDED_BY_WORKER

__all__ = ["WorkerRegistry", "WorkerShutDown", "list_info"]

MAX_WORKERS = 1_000
MAX_SHUT_DOWN_WORKERS = 1_000

_KEY, _IDENTITY = "key", "identity"


class WorkerShutDown(Exception):  # noqa: N818 - says what happened, nothing failed
    """The poll's worker has shut down: answer it with nothing."""


class WorkerRegistry:
    """Heartbeats by namespace id and worker instance key, and the polls under way of each instance."""

    def __init__(self) -> None:
        self._heartbeats: OrderedDict[tuple[str, str], WorkerHeartbeat] = OrderedDict()
        self._polls: dict[tuple[str, str], set[asyncio.Task[object]]] = {}
        self._shut_down: OrderedDict[str, None] = OrderedDict()
        self._resting: OrderedDict[str, None] = OrderedDict()

    def record(self, namespace_id: str, heartbeat: WorkerHeartbeat) -> None:
        """Remember a worker's latest heartbeat."""
        key = (namespace_id, heartbeat.worker_instance_key)
        self._heartbeats[key] = heartbeat
        self._heartbeats.move_to_end(key)
        if len(self._heartbeats) > MAX_WORKERS:
            self._heartbeats.popitem(last=False)

    def find(self, namespace_id: str, worker_instance_key: str) -> WorkerInfo | None:
        """Return what a worker said last, or None."""
        heartbeat = self._heartbeats.get((namespace_id, worker_instance_key))
        return None if heartbeat is None else WorkerInfo(worker_heartbeat=heartbeat)

    def all(self, namespace_id: str) -> list[WorkerHeartbeat]:
        """Return the last heartbeats of a namespace's workers, the most recent first."""
        return [each for (owner, _), each in reversed(self._heartbeats.items()) if owner == namespace_id]

    @contextmanager
    def polling(self, worker_instance_key: str, identity: str) -> Iterator[None]:
        """Let `shut_down` and `rest` end what runs inside.

        Raises:
            WorkerShutDown: the worker has shut down, before or meanwhile, or rests since a moment.
        """
        task = asyncio.current_task()
        if worker_instance_key in self._shut_down:
            raise WorkerShutDown
        names = [name for name in ((_KEY, worker_instance_key), (_IDENTITY, identity)) if name[1]]
        if task is None or not names:
            yield
            return
        for name in names:
            self._polls.setdefault(name, set()).add(task)
        try:
            yield
        except asyncio.CancelledError as error:
            if error.args == (ENDED_BY_WORKER,) and task.uncancel() == 0:
                raise WorkerShutDown from None
            raise
        finally:
            for name in names:
                self._polls[name].discard(task)
                if not self._polls[name]:
                    del self._polls[name]

    async def wait_at_rest(self, identity: str, timeout_seconds: float) -> None:
        """Wait the poll's whole time when its worker rests; it gets no task, and must not ask again and again.

        Raises:
            WorkerShutDown: it rests.
        """
        if identity in self._resting:
            await asyncio.sleep(timeout_seconds)
            raise WorkerShutDown

    def shut_down(self, worker_instance_key: str) -> None:
        """End the instance's polls; a poll of it that is still on its way finds it shut down.

        A poll that has its task already is answered with it.
        """
        if worker_instance_key:
            _remember(self._shut_down, worker_instance_key)
            self._end_polls((_KEY, worker_instance_key))

    async def rest(self, identity: str) -> None:
        """Give no more tasks to the worker of this identity; return when those on their way have left.

        It completes what it has, and shuts down in its own time.
        """
        _remember(self._resting, identity)
        polls = self._end_polls((_IDENTITY, identity))
        if polls:
            await asyncio.wait(polls)

    def _end_polls(self, name: tuple[str, str]) -> set[asyncio.Task[object]]:
        polls = set(self._polls.get(name, ()))
        for task in polls:
            task.cancel(ENDED_BY_WORKER)
        return polls


def _remember(names: OrderedDict[str, None], name: str) -> None:
    names[name] = None
    if len(names) > MAX_SHUT_DOWN_WORKERS:
        names.popitem(last=False)


def list_info(heartbeat: WorkerHeartbeat) -> WorkerListInfo:
    """Build a list's entry from a heartbeat."""
    return WorkerListInfo(
        worker_instance_key=heartbeat.worker_instance_key,
        worker_identity=heartbeat.worker_identity,
        task_queue=heartbeat.task_queue,
        deployment_version=heartbeat.deployment_version if heartbeat.HasField("deployment_version") else None,
        sdk_name=heartbeat.sdk_name,
        sdk_version=heartbeat.sdk_version,
        status=heartbeat.status,
        start_time=heartbeat.start_time if heartbeat.HasField("start_time") else None,
        host_name=heartbeat.host_info.host_name,
        worker_grouping_key=heartbeat.host_info.worker_grouping_key,
        process_id=heartbeat.host_info.process_id,
        plugins=heartbeat.plugins,
        drivers=heartbeat.drivers,
    )
