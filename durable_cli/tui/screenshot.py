"""A picture of the screen as a small SVG: a line of text for each row, and nothing that is fetched from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import chain
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.console import COLOR_SYSTEMS
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual._compositor import LayoutUpdate
from textual.app import App

__all__ = ["Run", "draw_screen", "iterate_runs"]

FONT_SIZE, CELL_WIDTH, LINE_HEIGHT, BASELINE = 14, 8.4, 17, 13
MARGIN = 10
DIM = 0.6
LONG_WORD = 8
"""A shorter one has its length in any font, near enough."""
_PIECES = re.compile(r"[!-~]+(?: [!-~]+)*|[^ -~]+")


class Run(NamedTuple):
    """Text that looks the same: where it stands, its colours as a terminal shows them, and its signs beside colour."""

    row: int
    column: int
    text: str
    color: str
    background: str
    emphasis: str


def iterate_runs(app: App[Any]) -> Iterator[Run]:
    """Yield what stands on the screen, with what is seen behind a dialog, in the colours that the terminal has."""
    terminal, system = app.ansi_theme, COLOR_SYSTEMS[app.console.color_system or "truecolor"]
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert isinstance(update, LayoutUpdate)
    for row, strips in enumerate(update.strips):
        column = 0
        for segment in chain.from_iterable(strips):
            style = segment.style or Style()
            color = _hex(style.color, terminal, system, is_text=True)
            background = _hex(style.bgcolor, terminal, system, is_text=False)
            if style.reverse:
                color, background = background, color
            if style.dim:
                color = _mix(color, background)
            is_on = {"b": style.bold, "i": style.italic, "u": style.underline or style.underline2, "s": style.strike}
            yield Run(row, column, segment.text, color, background, "".join(key for key in is_on if is_on[key]))
            column += cell_len(segment.text)


def draw_screen(app: App[Any], title: str) -> str:
    """Draw the screen as SVG."""
    classes: dict[tuple[str, str], str] = {}
    backgrounds: dict[str, int] = {}
    runs = list(_join_alike(iterate_runs(app)))
    for run in runs:
        backgrounds[run.background] = backgrounds.get(run.background, 0) + cell_len(run.text)
    ground = max(backgrounds, key=lambda color: backgrounds[color], default="#000000")
    body: list[list[str]] = [[] for _ in range(app.size.height)]
    for run in _join_alike(runs, by_ground=True):
        if run.background != ground:
            body[run.row].append(_rectangle(run))
    for run in runs:
        for found in _PIECES.finditer(run.text):
            name = classes.setdefault((run.color, run.emphasis), f"c{len(classes)}")
            body[run.row].append(_text(run, found, name))
    looks = "".join(f".{name}{{fill:{color}{_css(emphasis)}}}" for (color, emphasis), name in classes.items())
    full_width, full_height = app.size.width * CELL_WIDTH + 2 * MARGIN, app.size.height * LINE_HEIGHT + 2 * MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full_width:g} {full_height:g}">',
            f"<title>{escape(title)}</title>",
            f"<style>text{{font:{FONT_SIZE}px monospace;white-space:pre}}{looks}</style>",
            f'<rect width="100%" height="100%" rx="6" fill="{ground}"/>',
            f'<g transform="translate({MARGIN} {MARGIN})">',
            *(
                f'<g transform="translate(0 {row * LINE_HEIGHT})">{"".join(parts)}</g>' if parts else ""
                for row, parts in enumerate(body)
            ),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _join_alike(runs: Iterable[Run], *, by_ground: bool = False) -> Iterator[Run]:
    """Join what stands side by side and looks the same, or has the same ground."""
    last: Run | None = None
    for run in runs:
        is_same = last is not None and (last.row, last.background) == (run.row, run.background)
        if last is not None and is_same and (by_ground or (last.color, last.emphasis) == (run.color, run.emphasis)):
            last = last._replace(text=last.text + run.text)
            continue
        if last is not None:
            yield last
        last = run
    if last is not None:
        yield last


def _rectangle(run: Run) -> str:
    x, width = run.column * CELL_WIDTH, cell_len(run.text) * CELL_WIDTH
    return f'<rect x="{x:.5g}" width="{width:.5g}" height="{LINE_HEIGHT}" fill="{run.background}"/>'


def _text(run: Run, found: re.Match[str], name: str) -> str:
    """Draw a piece in just the cells that it has, whichever font there is."""
    x = (run.column + cell_len(run.text[: found.start()])) * CELL_WIDTH
    fit = ""
    if len(found[0]) > (LONG_WORD if found[0].isascii() else 1):
        # Letters keep their shape; signs and lines, which often come from another font, are made to fit.
        adjust = "" if found[0].isascii() else ' lengthAdjust="spacingAndGlyphs"'
        fit = f' textLength="{cell_len(found[0]) * CELL_WIDTH:.5g}"{adjust}'
    return f'<text class="{name}" x="{x:.5g}" y="{BASELINE}"{fit}>{escape(found[0], quote=False)}</text>'


def _css(emphasis: str) -> str:
    lines = " ".join(word for letter, word in (("u", "underline"), ("s", "line-through")) if letter in emphasis)
    css = ";font-weight:bold" if "b" in emphasis else ""
    css += ";font-style:italic" if "i" in emphasis else ""
    return css + (f";text-decoration:{lines}" if lines else "")


def _hex(color: Color | None, terminal: TerminalTheme, system: ColorSystem, *, is_text: bool) -> str:
    return (color or Color.default()).downgrade(system).get_truecolor(terminal, foreground=is_text).hex


def _mix(color: str, background: str) -> str:
    pairs = ((int(color[at : at + 2], 16), int(background[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(below + (above - below) * DIM):02x}" for above, below in pairs)
