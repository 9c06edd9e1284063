"""Pausing and its undo, and what is changed of an activity: on the reference server, since ours has no such RPCs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from tests.cli.conftest import Stage
from tests.support.server_process import launch_reference, running
from tests.tui.conftest import browsing, fill, sample_stage, screen_text, until, until_server
from tests.tui.test_actions_run import (
    WIDE,
    describe,
    events,
    pending_activities,
    start_cart,
    until_form,
    until_problem,
    until_waiting,
)

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def pausing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("pausing")
    setting = ("--dynamic-config-value", "frontend.WorkflowPauseEnabled=true")
    with running(launch_reference(folder, *setting)) as server, sample_stage(server, folder) as stage:
        yield stage


async def test_a_workflow_is_paused_which_is_undone(pausing: Stage) -> None:
    cart = await start_cart(pausing)

    async def pause_of() -> Any:
        return (await describe(cart)).workflow_extended_info.pause_info

    async with browsing(pausing.server.address, workflow_id=cart.id, size=WIDE) as (app, pilot):
        await until_waiting(app)
        await pilot.press("p")
        await until_form(app, f"Pause {cart.id}")
        await pilot.press(*"too early", "ctrl+s")
        await until(lambda: f"paused {cart.id}; u takes it back" in screen_text(app), "it says so")
        assert (await pause_of()).reason == "too early"
        await until(lambda: "‖ Paused" in screen_text(app), "the header says so")
        assert f"workflow  paused by {(await pause_of()).identity}: too early" in screen_text(app)
        await pilot.press("u")
        await until(lambda: f"unpaused {cart.id}" in screen_text(app), "it is undone")
        assert not (await pause_of()).reason
        await until(lambda: "● Running" in screen_text(app), "it runs again")

        # The other way round, by the same key from the list.
        await pilot.press("p", "ctrl+s")
        await until(lambda: "‖ Paused" in screen_text(app), "it is paused again")
        await pilot.press("escape")
        await until(lambda: "‖ Paused" in screen_text(app), "the list says so, too")
        await pilot.press("p")
        await until_form(app, f"Unpause {cart.id}")
        await pilot.press(*"go on", "ctrl+s")
        await until(lambda: f"unpaused {cart.id}; u takes it back" in screen_text(app), "it says so")
        await pilot.press("u")
        await until(lambda: "paused " + cart.id in screen_text(app), "it is undone")
        reasons = [each.reason for each in await events(cart, "workflow_execution_unpaused")]
        assert reasons == ["taken back", "go on"]
        assert (await pause_of()).identity


async def test_an_activity_is_paused_reset_and_given_other_options(pausing: Stage) -> None:
    cart = await start_cart(pausing)

    async def pack() -> Any:
        return (await pending_activities(cart))[0]

    async with browsing(pausing.server.address, workflow_id=cart.id, size=WIDE) as (app, pilot):
        await until_waiting(app)
        await pilot.press("P")
        await until_form(app, "Pause activity pack (pack-1)")
        await pilot.press(*"no boxes", "ctrl+s")
        await until(lambda: "paused pack (pack-1); u takes it back" in screen_text(app), "it says so")
        assert (await pack()).pause_info.manual.reason == "no boxes"
        await until(lambda: "attempt 2 of 5, paused by" in screen_text(app), "the header says so")
        assert ": no boxes" in screen_text(app)
        await pilot.press("P")
        await until(lambda: "Unpause activity pack (pack-1)?" in screen_text(app), "the same key asks for the opposite")
        await pilot.press("n", "u")
        await until(lambda: "unpaused pack (pack-1)" in screen_text(app), "the pause is undone")
        assert not (await pack()).paused

        await pilot.press("O")
        await until_form(app, "Options of activity pack (pack-1)")
        assert app.screen.query_one("#field-start_to_close", Input).value == "1h"
        fill(app, attempts="many")
        await pilot.press("ctrl+s")
        await until_problem(app, "most attempts: a whole number")
        fill(app, attempts="9", start_to_close="77s")
        await pilot.press("ctrl+s")
        await until(lambda: "changed pack (pack-1): time limit of an attempt" in screen_text(app), "it says so")
        options = (await pack()).activity_options
        assert (options.start_to_close_timeout.seconds, options.retry_policy.maximum_attempts) == (77, 9)
        await pilot.press("u")
        await until(lambda: "of 5" in screen_text(app), "the change is undone")
        options = (await pack()).activity_options
        assert (options.start_to_close_timeout.seconds, options.retry_policy.maximum_attempts) == (3600, 5)

        before = (await pack()).last_attempt_complete_time
        await pilot.press("B")
        await until_form(app, "Reset activity pack (pack-1)")
        await pilot.press("ctrl+s")
        await until(lambda: "reset pack (pack-1)" in screen_text(app), "it says so")

        async def is_tried_again() -> bool:
            activity = await pack()
            return bool(activity.attempt == 2 and activity.last_attempt_complete_time != before)

        await until_server(is_tried_again, "its first attempt has failed again")
