"""A connection to a server that heals by itself."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, cast

from textual.message import Message

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.call_record import CallRecord
from durable_cli.tui.messages import CodecChanged, Connection, ConnectionChanged, Trouble, TroubleChanged

if TYPE_CHECKING:
    from datetime import timedelta

    from temporalio.service import RPCError, WorkflowService

    from durable_cli.client import Client
    from durable_cli.config import CodecSettings
    from durable_cli.tui.feed.codec import PatientCodec

__all__ = ["AGAIN_SECONDS", "Link", "LostError", "MissingError", "Post", "reporting", "seconds"]

Post = Callable[[Message], Any]

AGAIN_SECONDS = 2.0
CHECK_SECONDS = 5.0
SLOW_SECONDS = 4.0
"""A server that says nothing at all for so long, though it is asked, is said to be slow."""
TIMEOUT_WORDS = "Timeout expired"
BROKEN_WORDS = (
    "connect error",
    "connection",
    "transport error",
    "h2 protocol error",
    "broken pipe",
    "error reading a body",
    "HTTP status code",
)
"""What the transport says when there is no server, or something else than one; a server has other words."""
AGAIN_HINT = "it is tried again by itself"


class LostError(CliError):
    """The server does not answer."""


class LateError(LostError):
    """What may be kept back was not there in its time; that says nothing of the server."""


class MissingError(CliError):
    """The server does not know the RPC."""


class Link:
    """The server that is browsed; `namespace` and `address` are known once it is tried."""

    absence = "not connected yet"
    """Why there is no server, before one was tried."""
    has_server = True
    """Whether there is any to ask."""

    def __init__(self, global_options: GlobalOptions, connection: ConnectionOptions, post: Post) -> None:
        self.global_options = global_options
        self.options = connection
        self._post = post
        self._client: Client | None = None
        self._is_connected = asyncio.Event()
        self._is_lost = asyncio.Event()
        self._state = Connection.CONNECTING
        self._answered_s = 0.0
        self._codec: PatientCodec | None = None
        self._codec_task: asyncio.Task[None] | None = None
        environment = {} if global_options.disable_config_env else os.environ
        self.profile = global_options.profile or environment.get("TEMPORAL_PROFILE") or ""
        """The profile of the configuration file that was chosen by name."""
        self.namespace = connection.namespace or ""
        self.address = connection.address or ""
        self.calls = CallRecord()
        self.groups_counts = True
        """Whether the server counts by group; unknown until it has refused to."""

    async def keep_connected(self) -> None:
        """Connect, and try again until it works; whenever the connection is lost, make a new one.

        A new one says why there is none: nothing listens any more, or something else does.
        """
        try:
            await self._connect_again_and_again()
        finally:
            if self._codec_task is not None:
                self._codec_task.cancel()

    async def _connect_again_and_again(self) -> None:
        while True:
            started_s = time.monotonic()
            try:
                with self._noticing_silence():
                    await self._connect()
            except CliError as error:
                if self._answered_s < started_s:  # else it came back meanwhile
                    hint = f"{error.hint}\n{AGAIN_HINT}" if error.hint else AGAIN_HINT
                    self._say(Connection.LOST, Trouble(error.message, hint))
                    await asyncio.sleep(AGAIN_SECONDS)
                    continue
            self._is_lost.clear()
            await self._watch_silence()

    async def _watch_silence(self) -> None:
        """Return when the server is lost; where nobody asks it anything, as on a run that is closed, ask it."""
        while not self._is_lost.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_lost.wait(), CHECK_SECONDS)
            if not self._is_lost.is_set() and time.monotonic() - self._answered_s >= CHECK_SECONDS:
                with suppress(CliError):
                    async with self.asking("reach the server") as client:
                        await _greet(client)

    async def _connect(self) -> None:
        client = await asyncio.to_thread(self._make_client)
        if self._client is None:
            self.namespace, self.address = client.namespace, client.address
            self._say(Connection.CONNECTING, None)
        else:
            client.namespace = self.namespace
        async with client.doing("reach the server"):
            await _greet(client)
        self._client = client
        self._is_connected.set()
        self._note_answer()

    def _make_client(self) -> Client:
        from durable_cli.client import Client
        from durable_cli.config import resolve_settings

        return Client(resolve_settings(self.global_options, self.options), self._make_coded)

    def _make_coded(self, service: WorkflowService, settings: CodecSettings) -> WorkflowService:
        from durable_cli.codec import CodedService, RemoteCodec
        from durable_cli.tui.feed.codec import LEFT_ALONE, PatientCodec

        if self._codec is None:
            remote = RemoteCodec(settings, lambda: self.namespace)
            self._codec = PatientCodec(remote, lambda trouble: self._post(CodecChanged(trouble)))
            self._codec_task = asyncio.create_task(self._codec.keep_trying())
        return cast("WorkflowService", CodedService(service, self._codec, LEFT_ALONE))

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

    @property
    def is_connected(self) -> bool:
        """Whether the server was reached at all."""
        return self._client is not None

    @contextmanager
    def _noticing_silence(self) -> Iterator[None]:
        """Say when the server says nothing at all for long while the block waits for it."""
        loop = asyncio.get_running_loop()
        handle: asyncio.TimerHandle

        def look() -> None:
            nonlocal handle
            left = SLOW_SECONDS - (time.monotonic() - self._answered_s)
            if left > 0:  # what was asked beside was answered since
                handle = loop.call_later(left, look)
            else:
                self._say_slow()

        handle = loop.call_later(SLOW_SECONDS, look)
        try:
            yield
        finally:
            handle.cancel()

    def _say_slow(self) -> None:
        if self._state in (Connection.CONNECTING, Connection.CONNECTED):
            hint = "it is waited for; what is shown is what it said last"
            if self._client is None:
                hint = "something takes the connection there and is silent: a server that is busy or stopped?"
            self._say(Connection.SLOW, Trouble(f"{self.address} has not answered for {SLOW_SECONDS:.0f} s", hint))

    def _say_lost(self) -> None:
        if self._state is not Connection.LOST:
            self._say(Connection.LOST, Trouble(f"{self.address} does not answer", AGAIN_HINT))
        self._is_lost.set()

    def _note_answer(self) -> None:
        self._answered_s = time.monotonic()
        if self._state is not Connection.CONNECTED:
            self._say(Connection.CONNECTED, None)

    @asynccontextmanager
    async def asking(self, action: str, *, waits: bool = False) -> AsyncIterator[Client]:
        """Ask the server something, once it is connected; notice when it goes away and when it comes back.

        Args:
            waits: the server may keep the answer back until there is one; then its time says nothing of the server.

        Raises:
            CliError: it refused; the message says what (`action`, as in "list workflows") and why.
            MissingError: it refused because it does not know the RPC.
            LostError: it does not answer; everybody has been told.
            LateError: what may be kept back was not there in the request's time.
        """
        client = await self.get_client()
        from temporalio.service import RPCError

        started_s = time.monotonic()
        try:
            with nullcontext() if waits else self._noticing_silence():
                async with client.doing(action):
                    try:
                        yield client
                    except RPCError as error:
                        if is_lost(error.message):
                            kind = LateError if waits and error.message == TIMEOUT_WORDS else LostError
                            raise kind(f"can't {action}: {client.address} does not answer", AGAIN_HINT) from None
                        self._note_answer()
                        if error.status.name == "UNIMPLEMENTED":
                            raise MissingError(
                                error.message, f"the server at {client.address} does not offer this"
                            ) from None
                        explained = client.explain(action, error)
                        raise CliError(explained.message, find_hint(error) or explained.hint) from None
        except CliError as error:
            self.calls.note_error(time.monotonic())
            if isinstance(error, LostError) and not isinstance(error, LateError) and client is self._client:
                self._say_lost()
            raise
        self.calls.note(started_s, time.monotonic(), waits=waits)
        self._note_answer()


async def _greet(client: Client) -> None:
    from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

    await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=seconds(5))


def find_hint(error: RPCError) -> str:
    """Say what can be done here about a refusal; nothing where the command line's words fit as well."""
    if error.status.name != "NOT_FOUND":
        return ""
    if "amespace" in error.message:
        return "another one: n in a list, or a click on its name above"
    if "already completed" in error.message:
        return "the run is closed"
    return "it was deleted, its retention is over, or it never was there"


def is_lost(message: str) -> bool:
    """Say whether an error means that there is no server, rather than that a server refuses."""
    return message == TIMEOUT_WORDS or any(words in message for words in BROKEN_WORDS)


@asynccontextmanager
async def reporting(post: Post, source: str = "") -> AsyncIterator[None]:
    """Turn an error of the block into a message for the screen that posts; success takes it back."""
    try:
        yield
    except LostError:
        return
    except CliError as error:
        post(TroubleChanged(Trouble(error.message, error.hint), source))
        return
    post(TroubleChanged(None, source))


def seconds(number: float) -> timedelta:
    """Return the duration that the service's `timeout` takes."""
    from datetime import timedelta

    return timedelta(seconds=number)


def _say_nothing(message: Message) -> None:
    pass
