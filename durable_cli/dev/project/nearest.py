"""Which project a folder belongs to, without a look into its file."""

from __future__ import annotations

from pathlib import Path

__all__ = ["FILENAME", "find_nearest"]

FILENAME = "dx.toml"


def find_nearest(folder: Path) -> Path | None:
    """Return the nearest `dx.toml` in a folder and those above it."""
    files = (each / FILENAME for each in (folder, *folder.parents))
    return next((file for file in files if file.is_file()), None)
