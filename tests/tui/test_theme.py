"""The colours of every theme, on every ground that text stands on."""

from __future__ import annotations

import pytest
from rich._palettes import STANDARD_PALETTE
from textual.theme import Theme

from durable_cli.tui.theme import SIXTEEN_COLORS, THEMES
from tests.tui.contrast import contrast

LEAST = {"dx-dark": 4.5, "dx-light": 4.5, "dx-contrast": 7.0, "dx-sixteen": 4.5}
TEXTS = ("quiet", "accent", "warning", "error", "success", "primary", "foreground")


def colors_of(theme: Theme) -> dict[str, str]:
    own = {name: value for name, value in vars(theme).items() if isinstance(value, str) and value.startswith("#")}
    return own | theme.variables


@pytest.mark.parametrize("theme", [*THEMES, SIXTEEN_COLORS], ids=lambda theme: theme.name)
def test_text_is_read_on_every_ground(theme: Theme) -> None:
    colors = colors_of(theme)
    texts = [*TEXTS, *(name for name in colors if name.startswith("status-"))]
    poor = {
        (text, ground): round(contrast(colors[text], colors[ground]), 2)
        for text in texts
        for ground in ("background", "surface", "panel", "cursor")
        if contrast(colors[text], colors[ground]) < LEAST[theme.name]
    }
    assert not poor


@pytest.mark.parametrize("theme", [*THEMES, SIXTEEN_COLORS], ids=lambda theme: theme.name)
def test_what_is_chosen_is_told_from_what_is_not(theme: Theme) -> None:
    colors = colors_of(theme)
    assert len({colors["cursor"], colors["background"], colors["block-cursor-background"]}) == 2
    assert contrast(colors["foreground"], colors["input-selection-background"]) >= 4.5
    assert contrast(colors["background"], colors["accent"]) >= 4.5, "a button with the focus"


def test_sixteen_colors_are_those_of_the_terminal() -> None:
    palette = {f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in STANDARD_PALETTE._colors}
    colors = {value for value in colors_of(SIXTEEN_COLORS).values() if value.startswith("#")}
    assert colors <= palette
