"""How the log grows under the eyes of who reads it, and how a reload reads in its list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from durable_cli.dev.host_events import Checked, Mismatch
from durable_cli.tui.dev.log_lines import LogBook, LogLine, RawLine
from durable_cli.tui.dev.rows import Outcome, Reload
from durable_cli.tui.dev_looks import RELOAD_COLUMNS, reload_cells
from durable_cli.tui.theme import THEMES
from durable_cli.tui.widgets.columns import lay_out
from durable_cli.tui.widgets.log_view import LogView


class LogApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.book = LogBook()

    def compose(self) -> ComposeResult:
        yield LogView()

    def make_lines(self, count: int, text: str = "line") -> list[LogLine]:
        first = self.book.count
        return list(self.book.take(RawLine(0, "orders", f"{text} {number}") for number in range(first, first + count)))


@asynccontextmanager
async def viewing(size: tuple[int, int] = (60, 10)) -> AsyncIterator[tuple[LogApp, LogView, Pilot[None]]]:
    app = LogApp()
    async with app.run_test(size=size) as pilot:
        view = app.query_one(LogView)
        view.focus()
        yield app, view, pilot


def shown(view: LogView) -> list[str]:
    """Return what each row of the view says behind the sign."""
    rows = ["".join(segment.text for segment in view.render_line(y)) for y in range(view.size.height)]
    return [row.partition("│ ")[2].rstrip() for row in rows]


async def test_the_end_stays_in_view_until_one_looks_at_what_was_before() -> None:
    async with viewing() as (app, view, pilot):
        view.set_lines(app.make_lines(50))
        await pilot.pause()
        assert shown(view)[-1] == "line 49"
        view.grow_lines(app.make_lines(5))
        assert shown(view)[-1] == "line 54"
        await pilot.press("up", "up")
        assert shown(view)[-1] == "line 52"
        view.grow_lines(app.make_lines(5))
        assert shown(view)[-1] == "line 52"
        await pilot.press("G")
        view.grow_lines(app.make_lines(1))
        assert shown(view)[-1] == "line 60"


async def test_what_is_read_stays_in_its_place_when_old_lines_go() -> None:
    async with viewing() as (app, view, pilot):
        view.set_lines(app.make_lines(5_000))
        await pilot.pause()
        for _ in range(4):
            await pilot.press("pageup")
        before = shown(view)
        view.grow_lines(app.make_lines(10))
        assert shown(view) == before
        assert len(view.lines) == 4_000


async def test_long_lines_are_folded_whole_also_when_they_are_wide() -> None:
    async with viewing(size=(40, 12)) as (app, view, pilot):
        view.set_lines(app.make_lines(1, "x" * 50))
        await pilot.pause()
        assert "".join(shown(view)).replace(" ", "") == f"{'x' * 50}0"
        view.set_lines(app.make_lines(1, "注文" * 20))
        assert "".join(shown(view)).replace(" ", "") == f"{'注文' * 20}1"
        await pilot.resize_terminal(30, 12)
        assert "".join(shown(view)).replace(" ", "") == f"{'注文' * 20}1"


MISMATCH = Mismatch("nondeterminism", "order-17", "run", "Order", True, "differs", event_id=12)
GOOD = Checked(2, 1, 2, 0.041, [], [])


@pytest.mark.parametrize(
    ("reload", "cells"),
    [
        (
            Reload(1, "orders", 0, "save", ["a.py"], Outcome.SERVING, "", 0.08, GOOD, None, 0.273),
            ["●", "orders", "a.py", "80 ms", "✓ 3 runs repeat, 41 ms", "serving", "273 ms"],
        ),
        (
            Reload(1, "orders", 0, "save", ["a.py", "b.py", "c.py"], Outcome.HELD, "the old worker goes on", 0.08,
                   Checked(2, 1, 2, 0.041, [MISMATCH], [])),
            ["▲", "orders", "a.py, b.py and 1 more", "80 ms", "✗ 1 of 3 runs differs", "order-17 at event 12", ""],
        ),
        (
            Reload(1, "orders", 0, "start", (), Outcome.FAILED, "NameError: x"),
            ["✗", "orders", "start", "", "", "NameError: x", ""],
        ),
        (
            Reload(1, "orders", 0, "save", ["a.py"], checked=Checked(2, 0, 5, 0.1, [], [])),
            ["↻", "orders", "a.py", "", "▲ 2 runs repeat, 100 ms; 3 not checked", "under way", ""],
        ),
        (
            Reload(1, "orders", 0, "check", (), Outcome.CHECKED, checked=GOOD),
            ["✓", "orders", "replay of the runs", "", "✓ 3 runs repeat, 41 ms", "replayed only", ""],
        ),
    ],
)  # fmt: skip
def test_a_reload_in_its_list(reload: Reload, cells: list[str]) -> None:
    colors = dict.fromkeys(("quiet", "success", "warning", "error", "accent"), "#ffffff")
    sign, _, *others = (str(cell) for cell in reload_cells(reload, colors))
    assert [sign, *others] == cells


@pytest.mark.parametrize("width", [78, 138])
def test_a_reload_says_whose_it_is_also_where_there_is_little_room(width: int) -> None:
    shown = [RELOAD_COLUMNS[index].title for index, _ in lay_out(RELOAD_COLUMNS, width)]
    assert {"Worker", "Saved", "Replay", "Result"} <= set(shown)
