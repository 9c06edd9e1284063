"""How every screen and every dialog looks: each scene as SVG, compared with the one that was looked at.

`pytest tests/tui/test_snapshots.py --snapshot-update` takes them anew: look at what changed before it is kept. The
pictures are compared by syrupy; the plugin for Textual needs a pytest and a syrupy that are older than ours.
"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.screen import ModalScreen
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from durable_cli.tui.app import BrowserApp
from durable_cli.tui.screenshot import BASELINE, CELL_WIDTH, LINE_HEIGHT, iterate_runs
from tests.tui.contrast import contrast
from tests.tui.scenes import SCENES, Scene, dialogs, places, playing, runs

TEXT = re.compile(r'<text class="\w+" x="([\d.]+)" y="(\d+)"[^>]*>([^<]*)</text>')
SHOWN_LINES = 40
LEAST_CONTRAST = {"dx-dark": 4.5, "dx-light": 4.5, "dx-contrast": 7.0}


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
    for module in (places, runs, dialogs)
    for scene in SCENES[module.__name__]
    for size in scene.sizes
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
            still.app.theme = theme
            await still.settle()
            picture = still.app.export_screenshot(title=f"{scene.name} in {theme}")
            problems += find_unreadable(still.app, theme)
            kept = snapshot(name=theme, extension_class=PictureExtension)
            if picture != kept:
                file = tmp_path / f"{theme}.svg"
                file.write_text(picture, encoding="utf-8")
                problems.append(f"{theme}, now {file}\n{say_difference(kept, picture)}")
        if problems:
            pytest.fail("\n\n".join(problems), pytrace=False)


def find_unreadable(app: BrowserApp, theme: str) -> list[str]:
    """Return what has too little contrast; what is behind a dialog is dim because it is behind."""
    regions = [child.region for child in app.screen.children] if isinstance(app.screen, ModalScreen) else None
    found = {}
    for run in iterate_runs(app):
        is_seen = regions is None or any(region.contains(run.column, run.row) for region in regions)
        if is_seen and any(map(str.isalnum, run.text)) and contrast(run.color, run.background) < LEAST_CONTRAST[theme]:
            found[run.color, run.background] = run.text.strip()
    return [
        f"{theme}: {text!r} is {color} on {background}, a contrast of {contrast(color, background):.2f}"
        for (color, background), text in found.items()
    ]


def say_difference(snapshot: SnapshotAssertion, picture: str) -> str:
    """Say what is different: the lines of text, or how they look."""
    kept = str(snapshot.executions[max(snapshot.executions)].recalled_data or "")
    before, now = read_text(kept), read_text(picture)
    if not kept:
        return "there was none; --snapshot-update keeps it\n" + "\n".join(now)
    if before == now:
        before, now = kept.splitlines(), picture.splitlines()
    lines = list(difflib.unified_diff(before, now, "kept", "now", lineterm="", n=1))
    return "\n".join(lines[:SHOWN_LINES])


def read_text(picture: str) -> list[str]:
    """Return the text of a picture, a line for each row."""
    rows: dict[int, str] = {}
    for x, y, text in TEXT.findall(picture):
        row = (int(y) - BASELINE) // LINE_HEIGHT
        before = rows.get(row, "")
        rows[row] = before + " " * (round(float(x) / CELL_WIDTH) - cell_len(before)) + unescape(text)
    return [rows.get(row, "") for row in range(max(rows, default=-1) + 1)]
