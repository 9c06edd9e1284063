"""How every screen and every dialog looks: each scene as SVG, compared with the one that was looked at.

`pytest tests/tui/test_snapshots.py --snapshot-update` takes them anew: look at what changed before it is kept. The
pictures are compared by syrupy; the plugin for Textual needs a pytest and a syrupy that are older than ours.
"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path

import pytest
from rich._palettes import STANDARD_PALETTE
from rich.cells import cell_len
from rich.terminal_theme import TerminalTheme
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.screen import ModalScreen

from durable_cli.tui.app import BrowserApp
from durable_cli.tui.screenshot import CELL_WIDTH, iterate_runs
from tests.tui.contrast import contrast
from tests.tui.scenes import SCENES, Scene, dev, dialogs, places, playing, runs, workflows

ROW = re.compile(r'^<g transform="translate\(0 \d+\)">.*$', re.MULTILINE)
TEXT = re.compile(r'<text class="\w+" x="([\d.]+)"[^>]*>([^<]*)</text>')
SHOWN_LINES = 40
LEAST_CONTRAST = {"dx-dark": 4.5, "dx-light": 4.5, "dx-contrast": 7.0, "dx-sixteen": 4.5}
# Of a terminal that has sixteen, as most have them.
USUAL_COLORS = TerminalTheme(
    (0, 0, 0), (170, 170, 170), list(STANDARD_PALETTE._colors[:8]), list(STANDARD_PALETTE._colors[8:])
)


class PictureExtension(SingleFileSnapshotExtension):
    """A file for each picture."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"


@pytest.fixture(autouse=True)
def same_terminal_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the pictures the same on every machine: its time zone, its colours."""
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


CASES = [
    pytest.param(scene, size, id=f"{scene.name}-{size[0]}x{size[1]}")
    for module in (workflows, places, runs, dialogs, dev)
    for scene in SCENES[module.__name__]
    for size in scene.sizes
]

FEW_COLORS = [
    scene
    for module in (workflows, places, runs, dialogs, dev)
    for scene in SCENES[module.__name__]
    if scene.name in {"workflows-marked", "run-timeline-detail", "dialog-columns", "dialog-signal", "palette"}
]


@pytest.mark.parametrize(("scene", "size"), CASES)
async def test_looks(
    scene: Scene,
    size: tuple[int, int],
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    async with playing(scene, size, scene.themes[0], monkeypatch) as still:
        problems = []
        for theme in scene.themes:
            if theme != still.app.theme:
                still.app.theme = theme
                await still.settle()
            problems += find_unreadable(still.app, LEAST_CONTRAST[theme])
            problems += find_change(still.app, theme, snapshot, tmp_path)
        fail_with(problems)


@pytest.mark.parametrize("scene", FEW_COLORS, ids=lambda scene: scene.name)
async def test_looks_in_sixteen_colors(
    scene: Scene, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "standard")
    async with playing(scene, (80, 24), "", monkeypatch) as still:
        still.app.ansi_theme_dark = USUAL_COLORS
        await still.settle()
        problems = find_unreadable(still.app, LEAST_CONTRAST[still.app.theme])
        problems += find_change(still.app, still.app.theme, snapshot, tmp_path)
        fail_with(problems)


@pytest.mark.parametrize("scene", FEW_COLORS, ids=lambda scene: scene.name)
async def test_looks_without_colors(
    scene: Scene, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with playing(scene, (80, 24), "", monkeypatch) as still:
        still.app.ansi_theme_dark = USUAL_COLORS
        await still.settle()
        colors = {(run.color, run.background) for run in iterate_runs(still.app)}
        assert colors == {("#aaaaaa", "#000000"), ("#000000", "#aaaaaa")}, "the terminal's own, and what is reversed"
        problems = find_change(still.app, "no-color", snapshot, tmp_path)
        fail_with(problems)


def fail_with(problems: Sequence[str]) -> None:
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)


def find_change(app: BrowserApp, name: str, snapshot: SnapshotAssertion, folder: Path) -> list[str]:
    """Compare the screen with what was kept of it; say what is different, and where the new picture is."""
    picture = app.export_screenshot(title=name)
    kept = snapshot(name=name, extension_class=PictureExtension)
    if picture == kept:
        return []
    file = folder / f"{name}.svg"
    file.write_text(picture, encoding="utf-8")
    return [f"{name}, now {file}\n{say_difference(kept, picture)}"]


def find_unreadable(app: BrowserApp, least: float) -> list[str]:
    """Return what has too little contrast; what is behind a dialog is dim because it is behind."""
    regions = [child.region for child in app.screen.children] if isinstance(app.screen, ModalScreen) else None
    found = {}
    for run in iterate_runs(app):
        is_seen = regions is None or any(region.contains(run.column, run.row) for region in regions)
        if is_seen and any(map(str.isalnum, run.text)) and contrast(run.color, run.background) < least:
            found[run.color, run.background] = run.text.strip()
    return [
        f"{text!r} is {color} on {background}, a contrast of {contrast(color, background):.2f}"
        for (color, background), text in found.items()
    ]


def say_difference(snapshot: SnapshotAssertion, picture: str) -> str:
    """Say what is different: the lines of text, or how they look."""
    kept = str(snapshot.executions[max(snapshot.executions)].recalled_data or "")
    before, now = read_text(kept), read_text(picture)
    if not kept:
        return "there was none; --snapshot-update keeps it\n" + "\n".join(now)
    if before == now:
        before, now = (text.replace("><", ">\n<").splitlines() for text in (kept, picture))
    lines = list(difflib.unified_diff(before, now, "kept", "now", lineterm="", n=1))
    return "\n".join(lines[:SHOWN_LINES])


def read_text(picture: str) -> list[str]:
    """Return the text of a picture, a line for each row."""
    lines = []
    for row in ROW.findall(picture):
        line = ""
        for x, text in TEXT.findall(row):
            line += " " * (round(float(x) / CELL_WIDTH) - cell_len(line)) + unescape(text)
        lines.append(line)
    return lines
