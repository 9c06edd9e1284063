"""What is pasted into an input of one line is taken whole."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App
from textual.widgets import Input

from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.widgets.filter_bar import FilterBar
from durable_cli.tui.widgets.line_input import LineInput
from tests.tui.scenes import Scene, Still, playing
from tests.tui.scenes.workflows import list_runs


@pytest.mark.parametrize(
    ("pasted", "taken"),
    [
        ("a = 1", "a = 1"),
        (" a = 1 ", " a = 1 "),
        ("a = 1\n", "a = 1"),
        ("a = 1\nAND b = 2", "a = 1 AND b = 2"),
        ("a = 1 \r\n\r\n    AND b = 2\n", "a = 1 AND b = 2"),
    ],
)
async def test_ends_of_lines_become_single_spaces(pasted: str, taken: str) -> None:
    app = App[None]()
    async with app.run_test() as pilot:
        for is_by_key in (False, True):
            field = LineInput("was there", select_on_focus=False)
            await app.mount(field)
            app.set_focus(field)
            field.select_all()
            if is_by_key:
                app.copy_to_clipboard(pasted)
                await pilot.press("ctrl+v")
            else:
                app.post_message(events.Paste(pasted))
                await pilot.pause()
            assert field.value == taken


async def paste(still: Still) -> str:
    """Paste a filter of two lines; return what the input with the focus has then."""
    still.app.post_message(events.Paste("WorkflowType = 'A'\nAND TaskQueue = 'b'"))
    await still.settle()
    focused = still.app.focused
    assert isinstance(focused, Input)
    return focused.value


async def test_bars_and_dialogs_take_all_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = "WorkflowType = 'A' AND TaskQueue = 'b'"
    async with playing(Scene("list", list_runs), (120, 35), "", monkeypatch) as still:
        await still.press("slash")
        assert isinstance(still.app.focused, FilterBar)
        assert await paste(still) == whole
        await still.press("escape")
        await still.app.push_screen(FormDialog("Save a filter", (Field("name", "name"),), verb="Save"))
        await still.settle()
        assert await paste(still) == whole
        await still.app.push_screen(PickDialog("To all runs", [("cancel", "Cancel")]))
        await still.settle()
        assert await paste(still) == whole
