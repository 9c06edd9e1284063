"""The world outside of the workflows, as far as an example needs one: it is slow, and it remembers what was done to it.

Every call is noted in a ledger, one JSON line when it begins and one when it is done, so that anybody can count
afterwards how often a card was really charged. The ledger is the file that ORDER_LEDGER names; without it
nothing is written down. ORDER_LATENCY_SECONDS says how long a call takes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

from temporalio import activity

_BEAT_SECONDS = 0.2


async def call(subject: str, on_beat: Callable[[], None] = lambda: None) -> None:
    """Do something slow to `subject` in the name of the running activity.

    Args:
        subject: What the activity acts on, for the ledger.
        on_beat: Called a few times a second for as long as the call takes.
    """
    note("started", subject)
    until = time.monotonic() + float(os.environ.get("ORDER_LATENCY_SECONDS", "0.3"))
    while (rest := until - time.monotonic()) > 0:
        on_beat()
        await asyncio.sleep(min(_BEAT_SECONDS, rest))
    note("completed", subject)


def note(stage: str, subject: str) -> None:
    """Append one line to the ledger; it is on its way to the disk before this returns, so a SIGKILL cannot lose it."""
    ledger = os.environ.get("ORDER_LEDGER")
    if not ledger:
        return
    info = activity.info()
    line = {
        "time": datetime.now(UTC).isoformat(),
        "stage": stage,
        "activity": info.activity_type,
        "subject": subject,
        "workflow_id": info.workflow_id,
        "activity_id": info.activity_id,
        "attempt": info.attempt,
        "worker_pid": os.getpid(),
    }
    with open(ledger, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def idempotency_key() -> str:
    """Return a key that every attempt of the running activity shares, and no other activity has.

    A real gateway takes such a key with a charge: seeing it again, it answers with the first charge's result.
    That closes the last gap, a worker that dies after the gateway's answer and before it could report it.
    """
    info = activity.info()
    return hashlib.sha256(f"{info.workflow_run_id}/{info.activity_id}".encode()).hexdigest()[:10]
