"""What `dx new` prints: the list of templates, and what to do with a new project; plain strings."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from durable_cli.scaffold.target import shorten

if TYPE_CHECKING:
    from durable_cli.scaffold.catalogue import Template

__all__ = ["render_catalogue", "render_next_steps"]


def render_catalogue(templates: Sequence[Template], form: str, color: str) -> str:
    """Render the templates, one a line; `form` is text, json, jsonl or none."""
    if form == "none":
        return ""
    rows = [{"name": template.name, "summary": template.summary} for template in templates]
    if form == "json":
        return json.dumps(rows, indent=2) + "\n"
    if form == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows)
    bold, reset = ("\x1b[1m", "\x1b[0m") if _is_coloured(color) else ("", "")
    width = max(len(template.name) for template in templates)
    return "".join(f"  {bold}{template.name:<{width}}{reset}  {template.summary}\n" for template in templates)


def render_next_steps(name: str, folder: Path, form: str, color: str) -> str:
    """Render what was made of which template, and how to go on from here."""
    if form == "none":
        return ""
    if form in {"json", "jsonl"}:
        return json.dumps({"template": name, "folder": str(folder)}) + "\n"
    coloured = _is_coloured(color)
    bold, dim, green, reset = ("\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[0m") if coloured else ("", "", "", "")
    shown = shorten(folder)
    steps = [] if shown == "." else [(f"cd {shlex.quote(shown)}", "")]
    if (folder / "dx.toml").is_file():
        steps.append(("dx dev", "a server and the worker, reloaded when you save"))
    lines = "".join(
        f"  {bold}{command}{reset}   {dim}# {comment}{reset}\n" if comment else f"  {bold}{command}{reset}\n"
        for command, comment in steps
    )
    readme = f"\n{dim}README.md tells the rest.{reset}\n"
    told = readme if (folder / "README.md").is_file() else ""
    return f"\n{green}✓{reset} made {bold}{shown}{reset} from the template {name}\n\n{lines}{told}"


def _is_coloured(color: str) -> bool:
    return color == "always" or (color == "auto" and sys.stdout.isatty() and "NO_COLOR" not in os.environ)
