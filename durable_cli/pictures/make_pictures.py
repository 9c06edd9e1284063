"""Make the README's picture from a real run of the demo: `make pictures`.

The demo's own output is drawn as it came, less the scenes that are too long for a picture.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

DEMO = Path(__file__).resolve().parents[2] / "examples" / "order" / "demo.py"
PICTURE = Path(__file__).with_name("demo.svg")
WIDTH = 132
SCENES_SHOWN = ("2", "3", "4", "6")


def play() -> str:
    """Play the demo and return what it printed, with colours and without animations."""
    environment = {**os.environ, "TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "0", "COLUMNS": str(WIDTH)}
    done = subprocess.run([sys.executable, str(DEMO)], env=environment, stdout=subprocess.PIPE, text=True, timeout=200)
    if done.returncode != 0:
        raise SystemExit(done.stdout)
    return done.stdout


def choose(output: str) -> str:
    """Return the scenes that are shown; a scene begins with a rule and its number."""
    scenes = re.split(r"\n(?=(?:\x1b\[[0-9;]*m)*\d\. )", output)
    return "\n".join(scene for scene in scenes if re.sub(r"\x1b\[[0-9;]*m", "", scene)[:1] in SCENES_SHOWN)


def main() -> None:
    """Play, choose, draw."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print(Text.from_ansi(choose(play()).rstrip()), soft_wrap=False)
        # A fixed id keeps the file from changing where the picture does not.
        drawn = console.export_svg(title="make demo", unique_id="demo")
    # The reader's own monospace font is good enough: a picture fetches nothing.
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
