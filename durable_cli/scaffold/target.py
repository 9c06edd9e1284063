"""The folder of a new project: which one it is, and whether it may be written to."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from durable_cli.errors import CliError

__all__ = ["check_is_free", "clear", "find_obstacle", "make_project_name", "shorten"]

# A repository that was made beforehand is no reason to refuse.
KEPT = {".git"}


def find_obstacle(folder: Path, given: str = "") -> str | None:
    """Return why no project can be made in that folder, which is called as it was given; None when it can."""
    name = given or shorten(folder)
    if not folder.exists():
        return None
    if not folder.is_dir():
        return f"{name} is a file"
    names = {entry.name for entry in folder.iterdir()} - KEPT
    entries = sorted(names, key=lambda name: (name.startswith("."), name))  # what one sees comes first
    if not entries:
        return None
    others = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
    return f"the folder {name} is not empty: it holds {entries[0]}{others}"


def check_is_free(folder: Path, given: str = "") -> None:
    """Raise CliError when the folder holds something already: nothing of the user's is ever overwritten."""
    obstacle = find_obstacle(folder, given)
    if obstacle:
        raise CliError(obstacle, "name another folder (dx new TEMPLATE DIR), or move away what is there")


def clear(folder: Path, *, existed: bool) -> None:
    """Take away what a rendering that failed has left in a folder that was free before it."""
    if not existed:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for entry in folder.iterdir():
        if entry.name in KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            os.unlink(entry)


def make_project_name(folder: Path) -> str:
    """Return what a project in that folder is called by default; empty when no letter of the name can be used."""
    return re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")


def shorten(folder: Path) -> str:
    """Return how one gets to a folder from here: relative where that is not longer."""
    relative = os.path.relpath(folder)
    return relative if len(relative) <= len(str(folder)) else str(folder)
