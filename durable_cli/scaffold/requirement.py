"""The requirement by which a new project installs the same dx that made it."""

from __future__ import annotations

import json
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from durable_cli.version import find_version

__all__ = ["find_requirement"]

NAME = "durable-dx"


def find_requirement() -> str:
    """Return what pip installs this dx from: the folder, wheel, repository or index that it came from itself."""
    try:
        source = _find_source(distribution(NAME))
    except PackageNotFoundError:
        source = Path(__file__).resolve().parents[2].as_uri()
    return f"{NAME} @ {source}" if source else f"{NAME}=={find_version()}"


def _find_source(installed: Distribution) -> str | None:
    """Return the URL that a distribution was installed from; None when it came from an index, or the file is gone."""
    recorded = installed.read_text("direct_url.json")
    if recorded is None:
        return None
    origin: dict[str, Any] = json.loads(recorded)
    url = str(origin["url"])
    if "vcs_info" in origin:
        return f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    parts = urlsplit(url)
    if parts.scheme == "file" and not Path(unquote(parts.path)).exists():
        return None
    return url
