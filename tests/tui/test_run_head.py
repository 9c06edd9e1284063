"""What stands above the views of a run on the smallest screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from durable_cli.tui.screens.workflow.header import RunHeader
from tests.tui.conftest import screen_text
from tests.tui.histories import START_NS
from tests.tui.scenes import Scene, Still, ago, playing
from tests.tui.scenes.runs import open_run, order_story, order_summary


@pytest.mark.parametrize(
    ("start_time_ns", "span"),
    [
        (START_NS, "Running  1m35s   OrderWorkflow"),
        (ago(seconds=10), "Running  10s since the reset, 1m35s in all   OrderWorkflow"),
    ],
)
async def test_a_run_lasts_since_its_reset(start_time_ns: int, span: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def open_it(still: Still) -> None:
        story = order_story()
        summary = order_summary(len(story.events))
        await open_run(still, story, replace(summary, row=summary.row._replace(start_time_ns=start_time_ns)))

    async with playing(Scene("head", open_it), (80, 24), "", monkeypatch) as still:
        assert span in screen_text(still.app)
        assert still.app.screen.query_one(RunHeader).size.height == 2
