"""Lines that change often: cut, drawn again where they changed, selected by the mouse."""

from __future__ import annotations

from rich.text import Text
from textual.app import App, ComposeResult
from textual.geometry import Offset, Region
from textual.selection import Selection

from durable_cli.tui.widgets.text_lines import TextLines


class _Stage(App[None]):
    CSS = "TextLines { height: auto; padding: 0 1; }"

    def compose(self) -> ComposeResult:
        yield TextLines()


def _shown(lines: TextLines) -> list[str]:
    return [lines.render_line(y).text.rstrip() for y in range(lines.size.height)]


async def test_lines_are_cut_and_only_changed_ones_are_drawn_again() -> None:
    async with _Stage().run_test(size=(12, 6)) as pilot:
        lines = pilot.app.query_one(TextLines)
        lines.show([Text("one"), Text("much too long"), Text("wide 山山山山")])
        await pilot.pause()
        assert _shown(lines) == ["one", "much too …", "wide 山山…"]
        drawn: list[Region] = []
        refresh = lines.refresh

        def note(*regions: Region, layout: bool = False) -> TextLines:
            assert not layout, "as many lines as before"
            drawn.extend(regions)
            return refresh(*regions)

        lines.refresh = note  # type: ignore[method-assign]
        lines.show([Text("one"), Text("two"), Text("wide 山山山山", style="red")])
        assert drawn == [Region(1, 1, 10, 1), Region(1, 2, 10, 1)]
        await pilot.pause()
        assert _shown(lines) == ["one", "two", "wide 山山…"]
        assert lines.render_line(2)._segments[0].style.color.name == "red"


async def test_fewer_lines_take_less_room_and_a_selection_can_be_copied() -> None:
    async with _Stage().run_test(size=(20, 6)) as pilot:
        lines = pilot.app.query_one(TextLines)
        lines.show([Text("run 01a216"), Text("waits"), Text("more")])
        await pilot.pause()
        assert lines.size.height == 3
        lines.show([Text("run 01a216"), Text("waits")])
        await pilot.pause()
        assert lines.size.height == 2
        chosen = Selection(Offset(4, 0), Offset(2, 1))
        assert lines.get_selection(chosen) == ("01a216\nwa", "\n")
        pilot.app.screen.selections = {lines: chosen}
        await pilot.pause()
        marked = pilot.app.screen.get_component_rich_style("screen--selection").bgcolor
        segments = list(lines.render_line(0))
        assert [segment.text for segment in segments if segment.style and segment.style.bgcolor == marked] == ["01a216"]
