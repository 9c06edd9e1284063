"""A connection to a server that heals by itself."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from textual.message import Message

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.call_record import CallRecord
from durable_cli.tui.messages import Connection, ConnectionChanged, Trouble, TroubleChanged

if TYPE_CHECKING:
    from datetime import timedelta

    from durable_cli.client import Client

__all__ = ["AGAIN_SECONDS", "Link", "LostError", "MissingError", "Post", "reporting", "seconds"]

Post = Callable[[Message], Any]

AGAIN_SECONDS = 2.0
LOST = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})


class LostError(CliError):
    """The server does not answer."""


class MissingError(CliError):
    """The server does not know the RPC."""


class Link:
    """The server that is browsed; `namespace` and `address` are known once it is tried."""

    def __init__(self, global_options: GlobalOptions, connection: ConnectionOptions, post: Post) -> None:
        self.global_options = global_options
        self.options = connection
        self._post = post
        self._client: Client | None = None
        self._is_connected = asyncio.Event()
        self._state = Connection.CONNECTING
        environment = {} if global_options.disable_config_env else os.environ
        self.profile = global_options.profile or environment.get("TEMPORAL_PROFILE") or ""
        """The profile of the configuration file that was chosen by name."""
        self.namespace = connection.namespace or ""
        self.address = connection.address or ""
        self.calls = CallRecord()
        self.groups_counts = True
        """Whether the server counts by group; unknown until it has refused to."""

    async def keep_connected(self) -> None:
        """Connect, and try again until it works; after that the connection heals by itself."""
        while self._client is None:
            try:
                await self._connect()
            except CliError as error:
                self._say(Connection.LOST, Trouble(error.message, error.hint))
                await asyncio.sleep(AGAIN_SECONDS)

    async def _connect(self) -> None:
        client = await asyncio.to_thread(_make_client, self.global_options, self.options)
        self.namespace, self.address = client.namespace, client.address
        self._say(Connection.CONNECTING, None)
        from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

        async with client.doing("reach the server"):
            await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=seconds(5))
        self._client = client
        self._is_connected.set()
        self._say(Connection.CONNECTED, None)

    def use_namespace(self, namespace: str) -> None:
        """Ask for another namespace from now on."""
        self.namespace = namespace
        if self._client is not None:
            self._client.namespace = namespace

    def close(self) -> None:
        """Say nothing any more: another server is browsed."""
        self._post = _say_nothing

    async def get_client(self) -> Client:
        """Return the connection, once there is one."""
        await self._is_connected.wait()
        assert self._client is not None
        return self._client

    def _say(self, state: Connection, trouble: Trouble | None) -> None:
        self._state = state
        self._post(ConnectionChanged(self, state, trouble))

    @asynccontextmanager
    async def asking(self, action: str, *, waits: bool = False) -> AsyncIterator[Client]:
        """Ask the server something, once it is connected; notice when it goes away and when it comes back.

        Args:
            waits: the server may keep the answer back until there is one; then its time says nothing of the server.

        Raises:
            CliError: it refused; the message says what (`action`, as in "list workflows") and why.
            MissingError: it refused because it does not know the RPC.
            LostError: it does not answer; everybody has been told.
        """
        client = await self.get_client()
        from temporalio.service import RPCError

        started_s = time.monotonic()
        try:
            async with client.doing(action):
                try:
                    yield client
                except RPCError as error:
                    if error.status.name in LOST:
                        raise LostError(error.message) from None
                    if error.status.name == "UNIMPLEMENTED":
                        raise MissingError(
                            error.message, f"the server at {client.address} does not offer this"
                        ) from None
                    raise
        except CliError as error:
            self.calls.note_error(time.monotonic())
            if not isinstance(error, LostError):
                raise
            hint = "it is tried again by itself; is the server still up?"
            self._say(Connection.LOST, Trouble(f"{client.address} does not answer", hint))
            raise
        self.calls.note(started_s, time.monotonic(), waits=waits)
        if self._state is not Connection.CONNECTED:
            self._say(Connection.CONNECTED, None)


@asynccontextmanager
async def reporting(post: Post) -> AsyncIterator[None]:
    """Turn an error of the block into a message for the screen that posts; success takes it back."""
    try:
        yield
    except LostError:
        return
    except CliError as error:
        post(TroubleChanged(Trouble(error.message, error.hint)))
        return
    post(TroubleChanged(None))


def seconds(number: float) -> timedelta:
    """Return the duration that the service's `timeout` takes."""
    from datetime import timedelta

    return timedelta(seconds=number)


def _say_nothing(message: Message) -> None:
    pass


def _make_client(global_options: GlobalOptions, connection: ConnectionOptions) -> Client:
    from durable_cli.client import Client
    from durable_cli.config import resolve_settings

    return Client(resolve_settings(global_options, connection))
