"""Errors on their way out: a gRPC code, a message, and the typed detail in a trailer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message

from engine.core.errors import Internal, ServiceError
from engine.service.service import Call, Service

__all__ = ["Handler", "answering"]

Handler = Callable[[Service, Any, Call], Awaitable[Message | bytes]]
"""An RPC: the reply is a message, or one already serialized."""

logger = logging.getLogger("dx.service")

_STATUS_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def answering(service: Service, name: str, handler: Handler) -> Callable[[Any, Any], Awaitable[Message | bytes]]:
    """Return `handler` as grpc.aio calls it, with its errors made statuses."""

    async def answer(request: Any, context: Any) -> Message | bytes:
        try:
            return await handler(service, request, context)
        except ServiceError as error:
            await _abort(context, error)
        except Exception:
            logger.exception("internal error in %s", name)
            await _abort(context, Internal(f"internal error in {name}; the server's log has its cause"))

    return answer


async def _abort(context: Any, error: ServiceError) -> NoReturn:
    trailers: list[tuple[str, str | bytes]] = []
    if error.detail is not None:
        trailers.append(("grpc-status-details-bin", error.to_status_bytes()))
    await context.abort(_STATUS_CODES[error.code], error.message, tuple(trailers))
    raise AssertionError("abort returned")
