"""The remote codec: payloads are encoded and decoded by an HTTP service of the user's.

Requests are encoded before they are sent and responses decoded when they come, so that commands never see a
difference. Search attributes stay as they are, since the server reads them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol

from google.protobuf import json_format
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, Payloads

from durable_cli.config import CodecSettings
from durable_cli.errors import CliError

__all__ = ["CodecError", "CodedService", "PayloadCodec", "RemoteCodec", "iterate_payloads"]

SECONDS = 30.0


class CodecError(CliError):
    """The codec server does not do it.

    Args:
        reason: why not, in some words.
        status: that of its answer; 0 when there is none that can be used.
    """

    def __init__(self, message: str, reason: str, status: int = 0) -> None:
        super().__init__(message, "check --codec-endpoint and --codec-auth")
        self.reason = reason
        self.status = status


class PayloadCodec(Protocol):
    """Encodes and decodes payloads, as many as it is given."""

    async def encode(self, payloads: Sequence[Payload]) -> Sequence[Payload]:
        """Encode."""

    async def decode(self, payloads: Sequence[Payload]) -> Sequence[Payload]:
        """Decode."""


class CodedService:
    """A service whose calls pass through a codec; the answers of some calls may be `left_alone`."""

    def __init__(self, service: object, codec: PayloadCodec, left_alone: frozenset[str] = frozenset()) -> None:
        self._service = service
        self._codec = codec
        self._left_alone = left_alone

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Message]]:
        call = getattr(self._service, name)

        async def coded_call(request: Message, **options: Any) -> Message:
            coded_request = type(request)()
            coded_request.CopyFrom(request)
            await _transform(coded_request, self._codec.encode)
            response: Message = await call(coded_request, **options)
            if name not in self._left_alone:
                await _transform(response, self._codec.decode)
            return response

        return coded_call


async def _transform(message: Message, change: Callable[[Sequence[Payload]], Awaitable[Sequence[Payload]]]) -> None:
    """Replace every payload of the message."""
    payloads = list(iterate_payloads(message))
    if payloads:
        for payload, replacement in zip(payloads, await change(payloads), strict=True):
            if replacement is not payload:
                payload.CopyFrom(replacement)


class RemoteCodec:
    """The codec server, for payloads of a namespace that may change."""

    def __init__(self, settings: CodecSettings, find_namespace: Callable[[], str]) -> None:
        self._settings = settings
        self._find_namespace = find_namespace

    async def encode(self, payloads: Sequence[Payload]) -> Sequence[Payload]:
        """Encode payloads, all in one request.

        Raises:
            CodecError: the codec server does not do it.
        """
        return await asyncio.to_thread(self.post, "encode", payloads)

    async def decode(self, payloads: Sequence[Payload]) -> Sequence[Payload]:
        """Decode payloads, all in one request.

        Raises:
            CodecError: the codec server does not do it.
        """
        return await asyncio.to_thread(self.post, "decode", payloads)

    @property
    def endpoint(self) -> str:
        """Where the codec server is."""
        return self._settings.endpoint.replace("{namespace}", self._find_namespace()).rstrip("/")

    def post(self, action: str, payloads: Sequence[Payload], timeout_seconds: float = SECONDS) -> Sequence[Payload]:
        """Ask the codec server, and wait for its answer.

        Raises:
            CodecError: it does not do it.
        """
        import urllib.error
        import urllib.request
        from http.client import HTTPException

        url = f"{self.endpoint}/{action}"
        headers = {"X-Namespace": self._find_namespace(), "Content-Type": "application/json", **self._settings.headers}
        try:
            data = json_format.MessageToJson(Payloads(payloads=payloads)).encode()
            request = urllib.request.Request(url, data=data, headers=headers)
            with urllib.request.urlopen(request, timeout=timeout_seconds) as response:
                done = json_format.Parse(response.read(), Payloads(), ignore_unknown_fields=True).payloads
        except urllib.error.HTTPError as error:
            reason = f"{error.code} {error.reason}"
            raise CodecError(f"the codec can't {action} at {url}: {reason}", reason, error.code) from None
        except (OSError, HTTPException, ValueError, json_format.ParseError) as error:
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            reason = str(getattr(cause, "strerror", None) or cause)
            raise CodecError(f"the codec can't {action} at {url}: {reason}", reason) from None
        if len(done) != len(payloads):
            reason = f"it returned {len(done)} payloads for {len(payloads)}"
            raise CodecError(f"the codec can't {action} at {url}: {reason}", reason)
        return done


def iterate_payloads(message: Message) -> Iterator[Payload]:
    """Yield every payload in a message, at any depth, but those of search attributes."""
    if isinstance(message, Payload):
        yield message
        return
    if message.DESCRIPTOR.full_name == "temporal.api.common.v1.SearchAttributes":
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        if descriptor.message_type.GetOptions().map_entry:
            if descriptor.message_type.fields_by_name["value"].message_type is None:
                continue
            children = list(value.values())
        else:
            children = list(value) if descriptor.is_repeated else [value]
        for child in children:
            yield from iterate_payloads(child)
