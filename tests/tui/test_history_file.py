"""A history from a file, without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.feed.documents import history_json
from durable_cli.tui.feed.history_file import read_events
from durable_cli.tui.key_groups import find_key_groups
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.times import now_ns
from tests.cli.conftest import Stage
from tests.tui.conftest import fill, screen_text, until
from tests.tui.histories import Story
from tests.tui.scenes.runs import order_story


async def test_a_history_from_a_file_is_browsed(stage: Stage, tmp_path: Path) -> None:
    workflow_id = stage.start("Waiter")
    stage.official("workflow", "signal", "-w", workflow_id, "--name", "add", "--input", '"kept"').ok()
    stage.official("workflow", "signal", "-w", workflow_id, "--name", "finish").ok()
    stage.finish(workflow_id)
    file = tmp_path / "run.json"
    app = BrowserApp(GlobalOptions(), ConnectionOptions(), history_file=file)
    async with app.run_test(size=(130, 35), notifications=True) as pilot:
        await until(lambda: f"{file} can't be read" in screen_text(app).replace("\n", ""), "there is no such file yet")
        file.write_text(stage.official("workflow", "show", "-w", workflow_id, "-o", "json").ok().stdout)
        await until(lambda: "✓ Completed" in screen_text(app), "it is read")
        await until(lambda: "can't be read" not in screen_text(app), "the note goes away")
        await pilot.press("2")
        await until(lambda: "signal add" in screen_text(app), "its events are shown")
        await pilot.press("s")
        assert "Signal" not in screen_text(app)
        await pilot.press("5")
        await until(
            lambda: "there is no server: this is a history from a file" in screen_text(app), "the rest is refused"
        )
        await pilot.press("escape")
        await until(lambda: "q quits" in screen_text(app), "there is nothing behind it")
        # What the browser exports is such a file.
        exported = tmp_path / "again.json"
        exported.write_text("".join(history_json(row.serialized for row in app.screen.book.history.rows)))
        assert [event.event_id for event in read_events(exported)] == list(
            range(1, len(app.screen.book.history.rows) + 1)
        )


def write(file: Path, story: Story) -> Path:
    file.write_text("".join(history_json(event.SerializeToString() for event in story.events)))
    return file


@asynccontextmanager
async def browsing_file(file: Path) -> AsyncIterator[tuple[BrowserApp, Pilot[None]]]:
    app = BrowserApp(GlobalOptions(), ConnectionOptions(), history_file=file)
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        await until(lambda: "history 2" in screen_text(app), "it is read")
        yield app, pilot


async def test_the_time_of_an_open_run_is_that_of_its_last_event(tmp_path: Path) -> None:
    async with browsing_file(write(tmp_path / "order.json", order_story())) as (app, pilot):
        screen = app.screen
        assert isinstance(screen, WorkflowScreen)
        assert "● Running  1m12s" in screen_text(app)
        assert "as of 2023-11-1" in screen_text(app)
        await pilot.press("4")
        await until(lambda: "1m20s left" in screen_text(app), "the timer has as long to go as it had then")
        assert "runs for 41s" in screen_text(app)
        await pilot.press("2")
        await until(lambda: "1m12s…" in screen_text(app), "what took how long until then")
        assert screen.book.end_time_ns(now_ns()) == screen.book.history.last_time_ns


async def test_what_needs_a_server_is_not_offered(tmp_path: Path) -> None:
    async with browsing_file(write(tmp_path / "order.json", order_story())) as (app, pilot):
        for key in "12345678":
            await pilot.press(key)
            said = {line.description for group in find_key_groups(app.screen) for line in group.lines}
            assert "Quit" in said
            assert key != "5" or "Open" not in said
            assert not said & {"Query", "Open its run", "Back", "Its children", "Look again", "Another query", "Signal"}
            assert not {each for each in said if each.startswith(("Go to", "Profile", "Namespace"))}
        await pilot.press("9", "at", "Q")
        assert app.current_mode == "workflows"
        assert isinstance(app.screen, WorkflowScreen), "no form asks for what nobody would take"
        await pilot.press("5", "down", "enter")
        await until(lambda: "that run is not here" in screen_text(app), "another run is in no file")
        await pilot.press("ctrl+p", *"go to")
        await until(lambda: "No matches found" in screen_text(app), "there is nowhere to go to")


async def test_queries_say_what_they_need(tmp_path: Path) -> None:
    async with browsing_file(write(tmp_path / "order.json", order_story())) as (app, pilot):
        await pilot.press("6")
        await until(lambda: "A history from a file can't be asked" in screen_text(app), "it says what is so")
        assert "$" not in screen_text(app)
        assert "dx tui order" in screen_text(app)
        await pilot.press("1")
        await until(lambda: "✓ reserve_stock" in screen_text(app), "the rest goes on")


async def test_it_is_compared_with_another_file(tmp_path: Path) -> None:
    story, other = order_story(), order_story()
    other.events[8].activity_task_scheduled_event_attributes.activity_type.name = "charge_card"
    another = write(tmp_path / "other.json", other)
    async with browsing_file(write(tmp_path / "order.json", story)) as (app, pilot):
        await pilot.press("7")
        await until(lambda: "x compares it with the history in another file" in screen_text(app), "it says how")
        await pilot.press("x")
        await until(lambda: "Compare with" in screen_text(app), "it asks for the file")
        fill(app, workflow=str(tmp_path / "none.json"))
        await pilot.press("ctrl+s")
        await until(lambda: "none.json can't be read" in screen_text(app), "there is none")
        await pilot.press("x")
        fill(app, workflow="~no-such-user/any.json")
        await pilot.press("ctrl+s")
        await until(lambda: "~no-such-user/any.json can't be read" in screen_text(app), "nobody has no home")
        await pilot.press("x")
        fill(app, workflow=str(another))
        await pilot.press("ctrl+s")
        await until(lambda: "first at activity charge_payment" in screen_text(app), "they are compared")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not JSON", "holds no history"),
        ("{}", "holds no history"),
        ('{"events": []}', "holds no events"),
        ('{"events": [1]}', "holds no history"),
        ("[]", "holds no history"),
        ('{"events": [{"eventId": "x"}]}', "holds no history"),
    ],
)
def test_what_is_no_history(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "some.json"
    file.write_text(text)
    with pytest.raises(CliError) as caught:
        read_events(file)
    assert said in str(caught.value)
