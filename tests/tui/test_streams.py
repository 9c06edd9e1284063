"""A run to which much happens: it is looked at less often while nobody is at the browser."""

from __future__ import annotations

import asyncio
import time

import pytest
from temporalio.client import Client

from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.screens.workflow.screen import TICK_SECONDS, UNATTENDED_SECONDS
from tests.cli.conftest import Stage
from tests.tui.conftest import browsing, screen_text, until

AWAY_SECONDS = 3_600.0


async def test_a_stream_is_looked_at_less_often_while_nobody_is_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await Client.connect(stage.server.address)
    workflow_id = stage.new_id("stream")
    run = await client.start_workflow("Stream", id=workflow_id, task_queue="nobody")
    slept = 0.0
    monkeypatch.setattr("durable_cli.tui.app.monotonic", lambda: time.monotonic() + slept)
    async with browsing(stage.server.address, workflow_id=workflow_id) as (app, pilot):
        screen = app.screen
        assert isinstance(screen, WorkflowScreen)
        await until(lambda: len(screen.book.history.rows) == 2, "the history is read")
        slept = AWAY_SECONDS
        assert app.is_unattended
        assert screen.pace == TICK_SECONDS, "there is no stream"

        sent = 0

        async def send() -> None:
            nonlocal sent
            while True:
                await run.signal("poke", sent)
                sent += 1

        sending = asyncio.create_task(send())
        await until(lambda: screen.pace == UNATTENDED_SECONDS, "the stream is noticed")
        await pilot.press("2")
        assert not app.is_unattended
        assert screen.pace == TICK_SECONDS

        slept *= 2
        sending.cancel()
        await asyncio.wait([sending])
        await run.signal("last")
        count = (await run.describe()).history_length
        assert count >= 3 + sent
        await until(lambda: f"history {count:,} events" in screen_text(app), "no event is lost")
        await until(lambda: screen.pace == TICK_SECONDS, "the stream is over")
