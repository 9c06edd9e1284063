"""The version of the installed distribution."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["find_version"]


def find_version() -> str:
    """Return the version of `durable-dx`, from its metadata or, in a source folder, from pyproject.toml."""
    try:
        return version("durable-dx")
    except PackageNotFoundError:
        project = Path(__file__).resolve().parent.parent / "pyproject.toml"
        if not project.exists():
            return "unknown"
        return str(tomllib.loads(project.read_text())["project"]["version"])
