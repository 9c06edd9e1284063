"""What callers and workers hear, once it is committed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from engine.core.effects import AnswerQueries, AnswerUpdate, SetDeadline
from engine.core.run.update import AdmittedUpdate
from engine.core.run.update_with_start import UpdateWithStartReply

if TYPE_CHECKING:
    from engine.runtime.engine import Engine

__all__ = ["answer", "fail", "resolve", "tell"]


def tell(engine: Engine, effect: AnswerQueries | AnswerUpdate | SetDeadline) -> None:
    """Carry out an effect that waits for the commit."""
    if isinstance(effect, AnswerQueries):
        engine.queries.answer_buffered(effect.run_key, effect.results, unblock=effect.unblock)
    elif isinstance(effect, AnswerUpdate):
        engine.update_waiters.answer(effect)
    else:
        engine.due_runs.note(effect.run_key, effect.due_ns)


def answer(engine: Engine, future: asyncio.Future[Any], reply: Any) -> None:
    """Give a caller the reply; one who waits for an update hears of everything that comes after it."""
    if future.done():
        engine.take_back(reply)
        return
    if isinstance(reply, AdmittedUpdate):
        reply = engine.update_waiters.join(reply)
    elif isinstance(reply, UpdateWithStartReply):
        reply = reply, engine.update_waiters.join(reply.update)
    future.set_result(reply)


def resolve(future: asyncio.Future[Any], reply: Any) -> None:
    """Give the reply, unless nobody waits for it any more."""
    if not future.done():
        future.set_result(reply)


def fail(future: asyncio.Future[Any] | None, error: Exception) -> None:
    """Give the error, unless nobody waits for it."""
    if future is not None and not future.done():
        future.set_exception(error)
