"""The official SDK's client and worker, made from a worker's table, and the end of both."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import temporalio.client
import temporalio.converter
import temporalio.service
import temporalio.worker
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, ShutdownWorkerRequest

from . import snapshot
from .discovery import Definitions, load_definitions, resolve
from .problems import LoadError
from .sandbox import OncePerModuleRunner

# As many as the SDK's worker runs at once when it is not told.
_DEFAULT_ACTIVITIES = 100
_SEEN_WITHIN_SECONDS = 10.0
_TAKEN_UP_SECONDS = 0.05
# Beyond the grace time, for activities to notice that they are cancelled.
_CANCELLED_WITHIN_SECONDS = 3.0


@dataclasses.dataclass(frozen=True)
class Parts:
    """The user's own code of one worker."""

    definitions: Definitions
    data_converter: temporalio.converter.DataConverter
    interceptors: list[Any]
    plugins: list[Any]

    @property
    def workflows(self) -> list[type]:
        return [entry.value for entry in self.definitions.workflows]

    @property
    def build_id(self) -> str:
        """What the SDK calls the code of this worker; its own way to find that reads every module that there is."""
        return snapshot.digest(sdk_version())

    @property
    def worker_interceptors(self) -> list[temporalio.worker.Interceptor]:
        return [value for value in self.interceptors if isinstance(value, temporalio.worker.Interceptor)]


def load_parts(table: Mapping[str, Any]) -> Parts:
    """Import all that the table names.

    Raises:
        LoadError: as in discovery.
        BaseException: whatever a module raises.
    """
    definitions = load_definitions(table["workflows"], table["activities"])
    converter = table.get("data_converter")
    data_converter = resolve(converter) if converter else temporalio.converter.DataConverter.default
    if not isinstance(data_converter, temporalio.converter.DataConverter):
        raise LoadError("TypeError", f"{converter} is not a temporalio DataConverter")
    return Parts(
        definitions,
        data_converter,
        [resolve(reference) for reference in table.get("interceptors", ())],
        [resolve(reference) for reference in table.get("plugins", ())],
    )


async def connect(command: Mapping[str, Any], parts: Parts) -> temporalio.client.Client:
    """Connect to the server as the user's own worker would.

    Raises:
        LoadError: the server can't be reached.
    """
    options: dict[str, Any] = {}
    client_plugins = [value for value in parts.plugins if not _is_only_for_workers(value)]
    if client_plugins:
        _require_parameter(temporalio.client.Client.connect, "plugins")
        options["plugins"] = client_plugins
    if command.get("api_key"):
        options["api_key"] = command["api_key"]
    if isinstance(command.get("tls"), Mapping):
        options["tls"] = temporalio.service.TLSConfig(
            **{name: value if name == "domain" else value.encode() for name, value in command["tls"].items()}
        )
    elif command.get("tls") is not None:
        options["tls"] = command["tls"]
    try:
        return await temporalio.client.Client.connect(
            command["address"],
            namespace=command["namespace"],
            identity=command["identity"],
            data_converter=parts.data_converter,
            interceptors=[value for value in parts.interceptors if isinstance(value, temporalio.client.Interceptor)],
            rpc_metadata=command.get("metadata") or {},
            **options,
        )
    except RuntimeError as error:
        raise LoadError("ConnectError", f"can't reach the server at {command['address']}: {error}") from None


def make_worker(client: temporalio.client.Client, table: Mapping[str, Any], parts: Parts) -> temporalio.worker.Worker:
    """Make the SDK's worker, which validates every workflow in the sandbox."""
    options: dict[str, Any] = dict(table.get("options") or {})
    worker_plugins = [value for value in parts.plugins if _is_only_for_workers(value)]
    if worker_plugins:
        _require_parameter(temporalio.worker.Worker, "plugins")
        options["plugins"] = worker_plugins
    if not parts.plugins:
        # A plugin may choose a deployment, which excludes a build id.
        options["build_id"] = parts.build_id
    for name in options:
        _require_parameter(temporalio.worker.Worker, name)
    if any(not entry.is_async for entry in parts.definitions.activities):
        maximum = int(options.get("max_concurrent_activities") or _DEFAULT_ACTIVITIES)
        options["activity_executor"] = ThreadPoolExecutor(maximum, thread_name_prefix="activity_")
    # The worker takes the client's interceptors by itself.
    interceptors = [
        value for value in parts.worker_interceptors if not isinstance(value, temporalio.client.Interceptor)
    ]
    return temporalio.worker.Worker(
        client,
        task_queue=table["task_queue"],
        workflows=parts.workflows,
        activities=[entry.value for entry in parts.definitions.activities],
        interceptors=interceptors,
        workflow_runner=OncePerModuleRunner(),
        graceful_shutdown_timeout=timedelta(seconds=table["graceful_shutdown_timeout"]),
        **options,
    )


def _is_only_for_workers(plugin: Any) -> bool:
    return not isinstance(plugin, getattr(temporalio.client, "Plugin", ()))


def _require_parameter(function: Any, name: str) -> None:
    if name not in inspect.signature(function).parameters:
        raise LoadError(
            "UnknownOption",
            f"temporalio {sdk_version()} does not know {name!r}",
            "a newer temporalio may: pip install --upgrade temporalio",
        )


def sdk_version() -> str:
    """Return the version of the SDK."""
    return str(getattr(temporalio.service, "__version__", "?"))


class RunningWorker:
    """A worker that polls, until it is drained or fails."""

    def __init__(self, worker: temporalio.worker.Worker, client: temporalio.client.Client, parts: Parts) -> None:
        self._worker = worker
        self._client = client
        self._parts = parts
        self.ended = asyncio.ensure_future(worker.run())

    async def wait_seen(self, task_queue: str, identity: str) -> bool:
        """Return once the server shows this identity among the pollers: True; False when it does not in a while."""
        kinds = []
        if self._parts.definitions.workflows:
            kinds.append(TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
        if self._parts.definitions.activities:
            kinds.append(TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
        until = time.monotonic() + _SEEN_WITHIN_SECONDS
        pause_seconds = 0.005
        while kinds and time.monotonic() < until and not self.ended.done():
            if await self._is_polling(task_queue, identity, kinds[0]):
                kinds.pop(0)
            else:
                await asyncio.sleep(pause_seconds)
                pause_seconds = min(2 * pause_seconds, 0.1)
        return not kinds

    async def drain(self, grace_seconds: float) -> bool:
        """Shut the worker down; True when all activities have ended in time."""
        await self._rest()
        shutdown = asyncio.ensure_future(self._worker.shutdown())
        done, _ = await asyncio.wait(
            [self.ended, shutdown],
            timeout=grace_seconds + _CANCELLED_WITHIN_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        return bool(done)

    async def _rest(self) -> None:
        """Let dx's server give this worker no more tasks, before the SDK knows that it ends.

        The SDK ends its worker as soon as nothing is in its hands, and so loses what a server gives it between that
        moment and the one at which the server hears of it. Another server does not know this request, and refuses it.
        """
        request = ShutdownWorkerRequest(namespace=self._client.namespace, identity=self._client.identity)
        try:
            await self._client.workflow_service.shutdown_worker(request)
        except temporalio.service.RPCError:
            return
        # What was given before the answer has arrived before it, and only must be taken up.
        await asyncio.sleep(_TAKEN_UP_SECONDS)

    async def _is_polling(self, task_queue: str, identity: str, kind: TaskQueueType.ValueType) -> bool:
        answer = await self._client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self._client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
            ),
            retry=True,
        )
        return any(poller.identity == identity for poller in answer.pollers)
