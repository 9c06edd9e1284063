"""The remote codec: payloads are encoded and decoded by an HTTP service of the user's.

Requests are encoded before they are sent and responses decoded when they come, so that commands never see a
difference. Search attributes stay as they are, since the server reads them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, Payloads

from durable_cli.config import CodecSettings
from durable_cli.errors import CliError

__all__ = ["CodedService"]


class CodedService:
    """A service whose calls pass through the codec."""

    def __init__(self, service: object, settings: CodecSettings) -> None:
        self._service = service
        self._settings = settings

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Message]]:
        call = getattr(self._service, name)

        async def coded_call(request: Message, **options: Any) -> Message:
            coded_request = type(request)()
            coded_request.CopyFrom(request)
            await self._transform(coded_request, "encode")
            response: Message = await call(coded_request, **options)
            await self._transform(response, "decode")
            return response

        return coded_call

    async def _transform(self, message: Message, action: str) -> None:
        """Replace every payload of the message, all in one request."""
        payloads = list(_iterate_payloads(message))
        if not payloads:
            return
        done = await asyncio.to_thread(self._post, action, Payloads(payloads=payloads))
        if len(done.payloads) != len(payloads):
            raise CliError(
                f"the codec at {self._settings.endpoint} returned {len(done.payloads)} payloads for {len(payloads)}",
                "check --codec-endpoint",
            )
        for payload, replacement in zip(payloads, done.payloads, strict=True):
            payload.CopyFrom(replacement)

    def _post(self, action: str, payloads: Payloads) -> Payloads:
        import urllib.error
        import urllib.request

        url = f"{self._settings.endpoint.rstrip('/')}/{action}"
        try:
            request = urllib.request.Request(
                url,
                data=json_format.MessageToJson(payloads).encode(),
                headers={"Content-Type": "application/json", **self._settings.headers},
            )
            with urllib.request.urlopen(request, timeout=30) as response:
                return json_format.Parse(response.read(), Payloads(), ignore_unknown_fields=True)
        except (OSError, ValueError, json_format.ParseError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise CliError(
                f"the codec can't {action} at {url}: {reason}", "check --codec-endpoint and --codec-auth"
            ) from None


def _iterate_payloads(message: Message) -> Iterator[Payload]:
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
            yield from _iterate_payloads(child)
