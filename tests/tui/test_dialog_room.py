"""Names of any length leave a dialog the room for what it asks."""

from __future__ import annotations

import pytest

from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.messages import RunsListed
from durable_cli.tui.widgets.dialog_title import DialogTitle, shorten, shorten_names
from tests.tui.conftest import screen_text
from tests.tui.scenes import Scene, Still, playing
from tests.tui.scenes.workflows import make_runs

LONG = "a" * 450 + "b" * 450


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Signal order-9", "Signal order-9"),
        (f"Signal {LONG}, now", f"Signal {'a' * 23}…{'b' * 22}, now"),
        ("注" * 30, "注" * 11 + "…" + "注" * 11),
    ],
)
def test_the_middle_of_long_names_is_left_out(text: str, shown: str) -> None:
    assert shorten_names(text) == shown


def test_a_title_of_many_words_is_cut_too() -> None:
    assert shorten("ab " * 100, 11) == "ab ab…b ab "


async def list_one(still: Still) -> None:
    row = make_runs()[0]._replace(workflow_id=LONG)
    await still.tell(RunsListed("default", "", b"", [row], b""))


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("full_stop", ("What to do with", "Signal", "Terminate")),
        ("s", ("Signal aaa", "signal", "Send (^s)", "Leave (esc)")),
        ("t", ("Terminate aaa", "no chance to clean up", "reason", "Terminate (^s)")),
        ("c", ("Cancel aaa", "asked to clean up", "No (n)")),
        ("p", ("Pause aaa", "reason", "Pause (^s)")),
        ("R", ("Reset aaa", "or fork it", "go on from", "Reset (^s)")),
        ("U", ("Update aaa", "wait", "Send (^s)")),
    ],
)
async def test_the_smallest_screen_shows_all_of_a_dialog(
    key: str, wanted: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with playing(Scene("list", list_one), (80, 24), "", monkeypatch) as still:
        await still.press(key)
        await still.settle()
        assert still.app.screen.query_one(DialogTitle).size.height <= 2
        shown = screen_text(still.app)
        assert [words for words in wanted if words not in shown] == []


async def test_what_is_chosen_from_is_not_mostly_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("list", list_one), (80, 24), "", monkeypatch) as still:
        moves = [
            ("skip", "skip a time…"),
            ("next", f"skip 5m to what is due next: timer 1 of {LONG}"),
            ("auto", "jump"),
        ]
        await still.app.push_screen(PickDialog("The server's clock", moves))
        await still.settle()
        assert all(words in screen_text(still.app) for words in ("skip a time…", "timer 1 of", "bbb", "jump"))


async def test_what_is_said_of_a_long_name_leaves_the_buttons(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing(Scene("list", list_one), (80, 24), "", monkeypatch) as still:
        await still.app.push_screen(ConfirmDialog("Cancel 1 run?", f"All that match WorkflowId = '{LONG}'", verb="Do"))
        await still.settle()
        assert all(words in screen_text(still.app) for words in ("bbb'", "Do (y)", "No (n)"))
        fields = [Field(name, name) for name in "abcdefgh"]
        problem = f"can't start workflow '{LONG}': it is running"
        await still.app.push_screen(FormDialog("Start", fields, verb="Start", problem=problem))
        await still.settle()
        assert all(words in screen_text(still.app) for words in ("running", "Start (^s)"))
