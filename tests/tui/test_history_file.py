"""A history from a file, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.feed.documents import history_json
from durable_cli.tui.feed.history_file import read_events
from tests.cli.conftest import Stage
from tests.tui.conftest import screen_text, until


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
