"""Search in the history of a run: every hit is gone to, also in groups that are folded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from durable_cli.tui.screens.workflow import WorkflowScreen
from tests.tui.conftest import screen_text
from tests.tui.histories import Story, values
from tests.tui.scenes import Scene, Still, playing
from tests.tui.scenes.runs import closed_summary, open_run


def story() -> Story:
    """Two activities at once, whose events alternate, and hits in all of them but one."""
    told = Story().start()
    told.task()
    first, second = told.schedule("pay", "needle", activity_id="1"), told.schedule("pack", activity_id="2")
    told.add("activity_task_started", scheduled_event_id=first, identity="needle@here", attempt=1)
    told.add("activity_task_started", scheduled_event_id=second, identity="needle@here", attempt=1)
    told.add("activity_task_completed", scheduled_event_id=first, result=values("needle"))
    told.add("activity_task_completed", scheduled_event_id=second, result=values("straw"))
    told.add("workflow_execution_completed")
    return told


HITS = [5, 7, 8, 9]


@asynccontextmanager
async def searching(monkeypatch: pytest.MonkeyPatch, text: str) -> AsyncIterator[tuple[Still, WorkflowScreen]]:
    """The grouped history of a run in which something was searched."""

    async def play(still: Still) -> None:
        told = story()
        await open_run(still, told, closed_summary(told, 2), "2", "slash", *text, "enter")

    async with playing(Scene("search", play), (100, 40), "", monkeypatch) as still:
        assert isinstance(still.app.screen, WorkflowScreen)
        yield still, still.app.screen


async def press_and_look(still: Still, screen: WorkflowScreen, key: str, count: int) -> list[int | None]:
    """Return what is under the cursor after each of some presses."""
    seen = []
    for _ in range(count):
        await still.press(key)
        seen.append(screen.selected_event_id())
    return seen


async def test_every_hit_is_gone_to_forwards_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with searching(monkeypatch, "needle") as (still, screen):
        assert screen.selected_event_id() == HITS[0]
        assert "└" not in screen_text(still.app), "a group that is hit where it begins stays folded"
        assert await press_and_look(still, screen, "n", 4) == [*HITS[1:], HITS[0]]
        assert "/needle: 1 of 4" in screen_text(still.app)
        assert screen_text(still.app).count("└") == 6, "the groups with further hits are open"
        assert await press_and_look(still, screen, "N", 4) == HITS[::-1]


async def test_the_hit_before_opens_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    async with searching(monkeypatch, "needle") as (still, screen):
        assert await press_and_look(still, screen, "N", 4) == HITS[::-1]


async def test_hits_that_are_folded_away_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    async with searching(monkeypatch, "WorkflowTaskStarted") as (still, screen):
        await still.until(lambda: "found is in workflow tasks" in screen_text(still.app))
        await still.press("w", "n")
        assert screen.selected_event_id() == 3
