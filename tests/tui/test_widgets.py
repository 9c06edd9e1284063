"""Widgets that draw only what is seen: folded lines, a waterfall under the mouse."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.selection import Selection

from durable_cli.tui.history.axis import Span
from durable_cli.tui.history.bars import find_bar
from durable_cli.tui.lines import Line, Look
from durable_cli.tui.theme import DEFAULT_THEME, THEMES
from durable_cli.tui.widgets.columns import Column
from durable_cli.tui.widgets.line_view import LineView, fold_words
from durable_cli.tui.widgets.nothing_note import nothing_words
from durable_cli.tui.widgets.virtual_table import VirtualTable
from durable_cli.tui.widgets.waterfall import Waterfall
from tests.tui.histories import SECOND_NS, START_NS, Story


class Stand(App[None]):
    """An app with one widget."""

    def __init__(self, widget: LineView | Waterfall | VirtualTable[Text]) -> None:
        super().__init__()
        self._widget = widget
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DEFAULT_THEME

    def compose(self) -> ComposeResult:
        yield self._widget


def rows(view: LineView, count: int) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(count)]


async def shown(lines: Sequence[Line], width: int, count: int) -> list[str]:
    view = LineView()
    async with Stand(view).run_test(size=(width, 10)):
        view.set_lines(lines)
        return rows(view, count)


async def test_long_lines_are_folded_beside_the_scrollbar() -> None:
    assert await shown([Line("abcdefghijkl"), Line("m")], 6, 4) == ["abcde", "fghij", "kl", "m"]


async def test_wide_letters_are_never_cut_in_two() -> None:
    assert await shown([Line("日本語テキスト"), Line("x")], 6, 5) == ["日本", "語テ", "キス", "ト", "x"]


async def test_right_to_left_letters_stay_in_their_order() -> None:
    assert await shown([Line('"שלום"', Look.JSON)], 20, 1) == ['"שלום"']


async def test_a_selection_has_folded_lines_whole() -> None:
    view = LineView()
    async with Stand(view).run_test(size=(6, 10)):
        view.set_lines([Line("abcdefgh"), Line("second"), Line("third")])
        # From the third letter of the first line to the second one of the next.
        selected = view.get_selection(Selection(Offset(2, 0), Offset(2, 2)))
    assert selected is not None
    assert selected[0] == "cdefgh\nse"


async def test_many_lines_are_scrolled_to_their_end() -> None:
    view = LineView()
    async with Stand(view).run_test(size=(40, 10)) as pilot:
        view.set_lines([Line(f"line {number}") for number in range(20_000)])
        view.focus()
        await pilot.press("G")
        await pilot.pause()
        assert rows(view, 10)[-1] == "line 19999"


@pytest.fixture
def waterfall() -> Waterfall:
    story = Story().start()
    story.complete(story.schedule("charge", at=10), at=20)
    story.add("workflow_execution_completed", 100)
    book = story.book()
    view = Waterfall(
        lambda group: find_bar(book, group, START_NS + 100 * SECOND_NS),
        lambda: Span(START_NS, START_NS + 100 * SECOND_NS),
    )
    view.set_rows(book.history.groups)
    return view


async def test_the_wheel_zooms_where_the_pointer_is(waterfall: Waterfall) -> None:
    async with Stand(waterfall).run_test(size=(123, 10)):
        axis = waterfall.axis
        column = axis.columns // 2
        under = axis.time_at(column)
        waterfall.on_mouse_scroll_up(wheel(waterfall.label_width + 1 + column, ctrl=True))
        assert waterfall.axis.span.length_ns < axis.span.length_ns
        assert abs(waterfall.axis.position(under) - column) < 1
        before = waterfall.axis.span
        waterfall.on_mouse_scroll_down(wheel(60, shift=True))
        assert waterfall.axis.span.start_ns > before.start_ns
        for _ in range(5):
            waterfall.on_mouse_scroll_down(wheel(60, ctrl=True))
        assert waterfall.is_fitted


def wheel(x: int, *, ctrl: bool = False, shift: bool = False) -> events.MouseScrollUp:
    return events.MouseScrollUp(None, x, 3, 0, 0, 0, shift, False, ctrl, x, 3)


async def test_a_row_is_its_sign_its_name_and_its_bar(waterfall: Waterfall) -> None:
    async with Stand(waterfall).run_test(size=(80, 10)):
        drawn = [waterfall.render_line(y).text for y in range(3)]
    assert drawn[0].split()[2:] == ["0", "30s", "1m", "1m30s"]
    assert drawn[1].startswith("✓ workflow Order")
    assert drawn[2].startswith("✓ charge")
    assert "─────╸ 10.00s" in drawn[2]


MEASURE = """
import psutil
import durable_cli.tui.app, durable_cli.tui.screens.workflow.history
from durable_cli.tui.feed.events import EventReader
from durable_cli.tui.history.groups import History
from tests.tui.histories import Story
history, reader, story = History(), EventReader(), Story().start()
while len(history.rows) < 50_000:
    for number in range(100):
        story.complete(story.schedule("charge", {"order": number, "sum": 12.5}), {"receipt": f"r-{number}"})
    history.take(*reader.read(story.events))
    story = Story(after=len(history.rows))
print(psutil.Process().memory_info().rss)
"""


def test_a_history_of_fifty_thousand_events_stays_small() -> None:
    measured = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    assert int(measured.stdout) < 200_000_000


@pytest.mark.parametrize(
    ("address", "namespace", "command"),
    [
        ("localhost:7233", "default", "$ dx workflow start --type MyWorkflow --task-queue my-queue"),
        (
            "far:7000",
            "orders",
            "$ dx workflow start --type MyWorkflow --task-queue my-queue --address far:7000 --namespace orders",
        ),
    ],
)
def test_an_empty_list_says_how_to_start_a_workflow_there(address: str, namespace: str, command: str) -> None:
    title, advice = nothing_words(address, namespace, "", is_read_only=False)
    assert title == f"No workflows in namespace {namespace} yet"
    assert command in advice
    assert any(line.startswith("+ starts one") for line in advice)
    assert not any("+" in line for line in nothing_words(address, namespace, "", is_read_only=True)[1])
    assert (
        nothing_words(address, namespace, "x", is_read_only=False)[0] == f"No workflow in namespace {namespace} matches"
    )


@pytest.mark.parametrize("text", ["short", "much longer than its column"])
async def test_a_cell_keeps_its_colour_when_it_is_cut(text: str) -> None:
    table = VirtualTable[Text]([Column("Name", 10)], lambda row: [row], lambda row: row.plain)
    async with Stand(table).run_test(size=(20, 5)):
        table.set_rows([Text(text, style="#123456")])
        first = next(iter(table.render_line(1)))
        assert first.text.rstrip() in (text, f"{text[:9]}…")
        assert first.style is not None
        assert first.style.color is not None
        assert first.style.color.name == "#123456"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("שָׁלוֹם עֲלֵיכֶם רַבִּים", ["שָׁלוֹם עֲלֵיכֶם ", "רַבִּים"]),
        ("until ten", ["until ten"]),
        ("until eleven, then on", ["until ", "eleven, ", "then on"]),
        ("runs for a minute", ["runs for a ", "minute"]),
        ("a-name-without-any-space", ["a-name-wit", "hout-any-s", "pace"]),
        ("to a-name-without-any-space", ["to a-name-", "without-an", "y-space"]),
        ("配送 を待つ時間です", ["配送 を待", "つ時間です"]),
        ("ends here ", ["ends here "]),
    ],
)
def test_a_line_is_folded_between_its_words(text: str, parts: list[str]) -> None:
    assert fold_words(text, 10) == parts
    assert "".join(parts) == text
    assert "".join(fold_words(text, 1)) == text, "a wide character where there is one cell"


async def test_lines_that_have_no_place_yet_are_folded_when_they_get_one() -> None:
    async with Stand(LineView()).run_test(size=(20, 6)) as pilot:
        view = pilot.app.query_one(LineView)
        view.display = False
        await pilot.pause()
        view.set_lines([Line("残高不足")])
        view.display = True
        await pilot.pause()
        assert view.render_line(0).text.rstrip() == "残高不足"
