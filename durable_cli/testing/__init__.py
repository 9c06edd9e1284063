"""A pytest plugin for tests of workflows, against a real local server that starts in a moment.

Load it in the top conftest.py, with `pytest_plugins = ["durable_cli.testing"]`, or by `-p durable_cli.testing`:

    async def test_an_order(dx_client, dx_worker):
        async with dx_worker(workflows=[OrderWorkflow], activities=[charge]) as worker:
            result = await dx_client.execute_workflow(
                OrderWorkflow.run, "order-1", id="order-1", task_queue=worker.task_queue
            )
        assert result == "charged"

README.md in this folder has the rest. Nothing of the SDK is imported before a fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_cli.testing.errors import (
    DxError,
    ReplayFailedError,
    ServerEndedError,
    ServerNotStartedError,
    StuckError,
    WorkflowTaskFailedError,
)
from durable_cli.testing.server import DxServer, ServerOptions

if TYPE_CHECKING:
    from durable_cli.testing.connection import ClientOptions
    from durable_cli.testing.replay import ReplayHistories
    from durable_cli.testing.time import DxTime
    from durable_cli.testing.worker import DxWorker

__all__ = [
    "ClientOptions",
    "DxError",
    "DxServer",
    "DxTime",
    "DxWorker",
    "ReplayFailedError",
    "ReplayHistories",
    "ServerEndedError",
    "ServerNotStartedError",
    "ServerOptions",
    "StuckError",
    "WorkflowTaskFailedError",
]

pytest_plugins = ["durable_cli.testing.fixtures", "durable_cli.testing.hooks"]

_MODULES = {"ClientOptions": "connection", "DxTime": "time", "DxWorker": "worker", "ReplayHistories": "replay"}


def __getattr__(name: str) -> object:
    """Import the types that need the SDK when they are asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"durable_cli.testing.{_MODULES[name]}"), name)
