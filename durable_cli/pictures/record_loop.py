"""Record the daily loop for the README from a real terminal: `make pictures`.

A project is written, `dx dev` runs in tmux, its file is saved three times, and the screen is taken after each save.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).with_name("loop.svg")
COLUMNS, LINES = 104, 22
FRAME_SECONDS = 4.0
PATIENCE_SECONDS = 60.0

PROJECT = """\
[server]
port = 0

[worker.orders]
task_queue = "orders"
workflows = ["workflows"]
activities = ["activities"]

[start.order-7]
workflow_type = "OrderWorkflow"
task_queue = "orders"
input = [7]
"""
ACTIVITIES = """\
from temporalio import activity


@activity.defn
async def reserve_stock(order: int) -> None: ...


@activity.defn
async def charge_payment(order: int) -> str:
    return f"payment-{order}"
"""
WORKFLOWS = """\
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities import charge_payment, reserve_stock

SOON = {"start_to_close_timeout": timedelta(seconds=10)}


@workflow.defn
class OrderWorkflow:
    @workflow.run
    async def run(self, order: int) -> str:
        workflow.logger.info("order %s", order)
        payment = await workflow.execute_activity(charge_payment, order, **SOON)
        await workflow.sleep(timedelta(days=1))
        return payment
"""
CHARGE = "        payment ="
RESERVE = "        await workflow.execute_activity(reserve_stock, order, **SOON)\n"
PATCHED = '        if workflow.patched("reserve-stock"):\n    ' + RESERVE


class Screen:
    """`dx dev` in a terminal of tmux."""

    def __init__(self, folder: Path) -> None:
        self._socket = f"dx-pictures-{os.getpid()}"
        words = ["-f", os.devnull, "new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), "-c", str(folder)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        environment |= {"LC_ALL": "C.UTF-8", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        self._tmux(*words, sys.executable, "-m", "durable_cli", "dev", env=environment)

    def _tmux(self, *words: str, env: dict[str, str] | None = None) -> str:
        command = ["tmux", "-L", self._socket, *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=30).stdout

    def take(self, until: str) -> str:
        """Return the screen, with its colours, once it shows a text."""
        end = time.monotonic() + PATIENCE_SECONDS
        while until not in self._tmux("capture-pane", "-p"):
            if time.monotonic() > end:
                raise SystemExit(f"never shown: {until}\n{self._tmux('capture-pane', '-p')}")
            time.sleep(0.1)
        time.sleep(0.5)
        return self._tmux("capture-pane", "-p", "-e")

    def clear(self) -> None:
        """Leave only the newest lines: each frame tells one thing."""
        self._tmux("send-keys", "-R")
        self._tmux("clear-history")

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def close(self) -> None:
        self.press("q")
        time.sleep(2)
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], capture_output=True, timeout=30)


def save(file: Path, text: str) -> None:
    """Save as an editor does."""
    beside = file.with_suffix(".new~")
    beside.write_text(text)
    beside.replace(file)


def play(folder: Path) -> list[tuple[str, str]]:
    """Go once round the loop; return a caption and a screen for each frame."""
    (folder / "dx.toml").write_text(PROJECT)
    (folder / "activities.py").write_text(ACTIVITIES)
    workflows = folder / "workflows.py"
    workflows.write_text(WORKFLOWS)
    screen = Screen(folder)
    try:
        frames = [("dx dev", screen.take("● orders"))]
        screen.clear()
        save(workflows, WORKFLOWS.replace("order %s", "order %s begins"))
        frames.append(("saved: a log line changed", screen.take("serving the new code")))
        screen.clear()
        save(workflows, WORKFLOWS.replace(CHARGE, RESERVE + CHARGE))
        frames.append(("saved: stock is reserved before the charge", screen.take("orders waits")))
        screen.clear()
        screen.press("w")
        frames.append(("w: how to wrap the change", screen.take("workflow.patched(")))
        screen.clear()
        save(workflows, WORKFLOWS.replace(CHARGE, PATCHED + CHARGE))
        frames.append(("saved: the new step is wrapped in patched", screen.take("serving the new code")))
    finally:
        screen.close()
    return frames


def draw(frames: list[tuple[str, str]]) -> str:
    """Draw the frames over each other, each shown in its turn; without animation, the mismatch stays."""
    drawn = []
    for index, (caption, screen) in enumerate(frames):
        with Path(os.devnull).open("w") as nowhere:
            console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
            lines = Text.from_ansi(screen.rstrip("\n")).split(allow_blank=True)
            for line in [*lines, *[Text()] * (LINES - len(lines))]:
                console.print(line, soft_wrap=True)
            drawn.append(console.export_svg(title=caption, unique_id=f"loop{index}"))
    # The reader's own monospace font is good enough: a picture fetches nothing.
    drawn = [re.sub(r"@font-face \{.*?\}\s*", "", one, flags=re.DOTALL) for one in drawn]
    size = re.search(r'viewBox="([^"]+)"', drawn[0])
    assert size is not None
    whole_seconds = FRAME_SECONDS * len(drawn)
    share = 100 / len(drawn)
    style = f"@keyframes turn {{ 0%, {share:.2f}% {{ opacity: 1 }} {share + 0.01:.2f}%, 100% {{ opacity: 0 }} }}"
    groups = ""
    for index, one in enumerate(drawn):
        turn = f"animation: turn {whole_seconds:g}s {index * FRAME_SECONDS:g}s infinite"
        groups += f'<g style="opacity: {int(index == 2)}; {turn}">{one}</g>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size[1]}"><style>{style}</style>{groups}</svg>\n'


def main() -> None:
    """Play, draw."""
    with tempfile.TemporaryDirectory(prefix="dx-loop-") as folder:
        PICTURE.write_text(draw(play(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
