"""Four themes on one scale: dark, light, one of high contrast, and one of the sixteen colours that any terminal has.

Every colour that a widget uses is a variable of the theme, so that a screen never names a colour. A theme has one
accent: what can be pressed, and what is chosen. Text has a contrast of 4.5 on every ground that it may stand on, and of
7 in `dx-contrast`.
"""

from __future__ import annotations

from textual.theme import Theme

__all__ = ["DEFAULT_THEME", "SIXTEEN_COLORS", "THEMES"]

DEFAULT_THEME = "dx-dark"


def _make_theme(
    name: str,
    *,
    foreground: str,
    quiet: str,
    line: str,
    background: str,
    surface: str,
    panel: str,
    cursor: str,
    selection: str,
    accent: str,
    running: str,
    completed: str,
    failed: str,
    canceled: str,
    terminated: str,
    late: str,
    dark: bool = True,
) -> Theme:
    """Make a theme.

    Args:
        quiet: of text that is read second; `line`: of rules and scrollbars.
        surface: of bars; `panel`: of what is written into; `cursor`: of the row that is chosen.
        selection: of text that is selected.
    """
    return Theme(
        name=name,
        dark=dark,
        primary=running,
        secondary=accent,
        accent=accent,
        warning=late,
        error=failed,
        success=completed,
        foreground=foreground,
        background=background,
        surface=surface,
        panel=panel,
        variables={
            "quiet": quiet,
            "line": line,
            "cursor": cursor,
            "status-running": running,
            "status-completed": completed,
            "status-failed": failed,
            "status-canceled": canceled,
            "status-terminated": terminated,
            "status-continued": accent,
            "status-timed-out": late,
            "status-paused": late,
            # Textual's own, so that its widgets look like ours.
            "block-cursor-foreground": foreground,
            "block-cursor-background": cursor,
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-foreground": foreground,
            "block-cursor-blurred-background": cursor,
            "block-hover-background": panel,
            "border": accent,
            "border-blurred": line,
            "button-focus-text-style": "bold",
            "input-selection-background": selection,
            "screen-selection-background": selection,
            "text-disabled": quiet,
            "scrollbar": line,
            "scrollbar-hover": quiet,
            "scrollbar-active": accent,
            "scrollbar-background": background,
            "scrollbar-background-hover": background,
            "scrollbar-background-active": background,
            "scrollbar-corner-color": background,
        },
    )


THEMES = (
    _make_theme(
        "dx-dark",
        foreground="#cdd6e4",
        quiet="#8c98b0",
        line="#2b3343",
        background="#11141b",
        surface="#171b24",
        panel="#1e2430",
        cursor="#243049",
        selection="#3a4a6e",
        accent="#7dcfc4",
        running="#7aa2f7",
        completed="#8fce7a",
        failed="#f7768e",
        canceled="#bb9af7",
        terminated="#ff9e64",
        late="#e0af68",
    ),
    _make_theme(
        "dx-light",
        foreground="#1d2433",
        quiet="#5a6270",
        line="#d4d4cd",
        background="#fbfbfa",
        surface="#f3f3f0",
        panel="#e9e9e4",
        cursor="#dbe5f7",
        selection="#b9cff2",
        accent="#0a6577",
        running="#2456b8",
        completed="#266b26",
        failed="#a8231c",
        canceled="#7b3fb0",
        terminated="#9c4200",
        late="#7f4f02",
        dark=False,
    ),
    _make_theme(
        "dx-contrast",
        foreground="#ffffff",
        quiet="#d0d0d0",
        line="#8c8c8c",
        background="#000000",
        surface="#000000",
        panel="#001433",
        cursor="#00204f",
        selection="#0040a0",
        accent="#ffff66",
        running="#79bcff",
        completed="#66ff66",
        failed="#ff8a8a",
        canceled="#e19bff",
        terminated="#ffa64d",
        late="#ffd24d",
    ),
)
# Just the colours that such a terminal has: none is a mixture that would be rounded to something else.
SIXTEEN_COLORS = _make_theme(
    "dx-sixteen",
    foreground="#ffffff",
    quiet="#aaaaaa",
    line="#555555",
    background="#000000",
    surface="#000000",
    panel="#0000aa",
    cursor="#0000aa",
    selection="#aa00aa",
    accent="#55ffff",
    running="#55ffff",
    completed="#55ff55",
    failed="#ff55ff",
    canceled="#ffffff",
    terminated="#ff55ff",
    late="#ffff55",
)
