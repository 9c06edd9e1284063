"""Source code in the theme's colours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.style import Style
from rich.syntax import Syntax, SyntaxTheme
from rich.text import Text

from durable_cli.tui.dev.source import Excerpt

__all__ = ["draw_excerpt"]

VARIABLES = (
    ("Token.Comment", "quiet"),
    ("Token.Literal.String", "success"),
    ("Token.Literal.Number", "warning"),
    ("Token.Keyword", "primary"),
    ("Token.Operator.Word", "primary"),
    ("Token.Name.Decorator", "secondary"),
    ("Token.Name.Function", "secondary"),
    ("Token.Name.Class", "secondary"),
)


class ThemeColors(SyntaxTheme):
    """The colours of the browser's theme, by the kind of a word."""

    def __init__(self, colors: Mapping[str, str]) -> None:
        self._colors = colors

    def get_style_for_token(self, token_type: Any) -> Style:
        """Return the style of a kind of words."""
        kind = str(token_type)
        variable = next((variable for prefix, variable in VARIABLES if kind.startswith(prefix)), "foreground")
        return Style.parse(self._colors[variable])

    def get_background_style(self) -> Style:
        """Leave the background as it is."""
        return Style()


def draw_excerpt(excerpt: Excerpt, file: str, colors: Mapping[str, str]) -> Text:
    """Draw lines with their numbers, the one that is meant marked."""
    code = "\n".join(line.expandtabs(4) for line in excerpt.lines)
    syntax = Syntax(code, Syntax.guess_lexer(Path(file).name, code), theme=ThemeColors(colors))
    drawn = syntax.highlight(code)
    drawn.rstrip()
    width = len(str(excerpt.first + len(excerpt.lines)))
    text = Text(no_wrap=True, overflow="ellipsis")
    for number, line in enumerate(drawn.split("\n", allow_blank=True), excerpt.first):
        if number < excerpt.first_shown:
            continue
        is_meant = number == excerpt.line
        before = Text.assemble(
            ("→ " if is_meant else "  ", f"bold {colors['error']}"),
            (f"{number:>{width}}  ", colors["foreground" if is_meant else "quiet"]),
        )
        line = Text.assemble(before, line)
        if is_meant:
            line.stylize(Style(bold=True, bgcolor=colors["cursor"]))
        text.append("\n" if text else "").append_text(line)
    return text
