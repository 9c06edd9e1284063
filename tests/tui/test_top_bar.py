"""What stands in the first line, by its width."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from durable_cli.tui.places import PLACES, Place, find_place
from durable_cli.tui.widgets.top_bar import BarPart, lay_out_bar

USUAL = PLACES[:-1]
SERVER = (BarPart("localhost:7233 ", "quiet", find_place("server").action), BarPart("●", "success"))
STRIP = "1 workflows  2 schedules  3 task queues  4 workers  5 deployments  6 batches  7 namespaces  8 server"


def bar(
    width: int,
    detail: str = "",
    *,
    namespace: str = "default",
    has_keys: bool = True,
    places: Sequence[Place] = USUAL,
) -> str:
    parts = lay_out_bar(
        width,
        namespace=namespace,
        place=find_place("schedules"),
        detail=detail,
        server=SERVER,
        has_keys=has_keys,
        places=places,
    )
    return "".join(part.text for part in parts)


@pytest.mark.parametrize(
    ("width", "detail", "shown"),
    [
        (140, "", f"dx / default         {STRIP}   localhost:7233 ●"),
        (140, "nightly-report", f"dx / default / nightly-report       {STRIP}   ●"),
        (100, "", "dx / default / schedules" + " " * 41 + " 1 2 3 4 5 6 7 8   localhost:7233 ●"),
        (80, "nightly-report", "dx / default / schedules / nightly-report     1 2 3 4 5 6 7 8   localhost:7233 ●"),
        (66, "nightly-report", "dx / default / schedules / nightly-report      1 2 3 4 5 6 7 8   ●"),
        (60, "nightly-report", "dx / default / schedules / nightly-report   localhost:7233 ●"),
        (50, "nightly-report", "dx / default / schedules / nightly-report        ●"),
        (30, "nightly-report", "dx / default / schedules …   ●"),
    ],
)
def test_what_has_room(width: int, detail: str, shown: str) -> None:
    assert bar(width, detail) == shown


def test_in_a_project_there_is_a_way_to_what_dx_dev_does() -> None:
    assert bar(140, places=PLACES) == f"dx / default                 {STRIP}  9 dev   ●"
    assert bar(100, places=PLACES).endswith(" 1 2 3 4 5 6 7 8 9   localhost:7233 ●")


def test_wide_characters_take_their_room() -> None:
    assert bar(33, "夜間レポート", namespace="") == "dx / schedules / 夜間レポート   ●"
    assert bar(30, "夜間レポート", namespace="") == "dx / schedules / 夜間レポ…   ●"


def test_a_screen_that_needs_the_number_keys_shows_none() -> None:
    assert STRIP.replace("3 task", "task") not in bar(140, has_keys=False)
    assert "workflows  schedules  task queues" in bar(140, has_keys=False)
    assert "1 2 3" not in bar(80, has_keys=False)


def test_every_word_of_the_strip_goes_somewhere() -> None:
    parts = lay_out_bar(140, namespace="default", place=PLACES[0], detail="", server=SERVER, has_keys=True)
    going = {part.text: part.action for part in parts if part.action}
    assert {place.title: place.action for place in PLACES}.items() <= going.items()
    assert going["default"] == "app.choose_namespace"
    assert going["dx"] == "app.command_palette"


def test_the_address_is_left_out_before_the_profile_and_the_clock() -> None:
    server = (SERVER[0], BarPart("prod "), BarPart("+3d00h ‖ paused "), SERVER[1])

    def bar_of(width: int) -> str:
        parts = lay_out_bar(
            width, namespace="default", place=USUAL[0], detail="", server=server, has_keys=True, places=USUAL
        )
        return "".join(part.text for part in parts)

    assert bar_of(140).endswith(" 1 2 3 4 5 6 7 8   localhost:7233 prod +3d00h ‖ paused ●"), "before names of places"
    assert bar_of(100).endswith(" 8   localhost:7233 prod +3d00h ‖ paused ●")
    assert bar_of(80).endswith(" 8   prod +3d00h ‖ paused ●")
    assert bar_of(60).endswith("dx / default / workflows              prod +3d00h ‖ paused ●")
