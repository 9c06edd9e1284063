"""Three themes on one scale: dark, light, and one of high contrast.

Every colour that a widget uses is a variable of the theme, so that a screen never names a colour.
"""

from __future__ import annotations

from textual.theme import Theme

__all__ = ["DEFAULT_THEME", "THEMES"]

DEFAULT_THEME = "dx-dark"


def _statuses(
    running: str, completed: str, failed: str, canceled: str, terminated: str, continued: str, late: str
) -> dict[str, str]:
    return {
        "status-running": running,
        "status-completed": completed,
        "status-failed": failed,
        "status-canceled": canceled,
        "status-terminated": terminated,
        "status-continued": continued,
        "status-timed-out": late,
        "status-paused": late,
    }


THEMES = (
    Theme(
        name="dx-dark",
        dark=True,
        primary="#7aa2f7",
        secondary="#7dcfc4",
        accent="#7dcfc4",
        warning="#e0af68",
        error="#f7768e",
        success="#8fce7a",
        foreground="#cdd6e4",
        background="#11141b",
        surface="#171b24",
        panel="#1e2430",
        variables={
            **_statuses("#7aa2f7", "#8fce7a", "#f7768e", "#bb9af7", "#ff9e64", "#7dcfc4", "#e0af68"),
            "quiet": "#76829a",
            "line": "#2b3343",
            "cursor": "#28344e",
        },
    ),
    Theme(
        name="dx-light",
        dark=False,
        primary="#2456b8",
        secondary="#0b7285",
        accent="#0b7285",
        warning="#8f5902",
        error="#b3261e",
        success="#2b7a2b",
        foreground="#1d2433",
        background="#fbfbfa",
        surface="#f3f3f0",
        panel="#e9e9e4",
        variables={
            **_statuses("#2456b8", "#2b7a2b", "#b3261e", "#7b3fb0", "#b04a00", "#0b7285", "#8f5902"),
            "quiet": "#68707f",
            "line": "#d4d4cd",
            "cursor": "#d8e4f8",
        },
    ),
    Theme(
        name="dx-contrast",
        dark=True,
        primary="#66b2ff",
        secondary="#5ffff0",
        accent="#ffff66",
        warning="#ffd24d",
        error="#ff6b6b",
        success="#66ff66",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#000000",
        variables={
            **_statuses("#66b2ff", "#66ff66", "#ff6b6b", "#e19bff", "#ffa64d", "#5ffff0", "#ffd24d"),
            "quiet": "#d0d0d0",
            "line": "#ffffff",
            "cursor": "#0040a0",
        },
    ),
)
