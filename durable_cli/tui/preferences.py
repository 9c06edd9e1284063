"""What the browser remembers between two runs: the theme, the columns, the filters that were saved.

One JSON file in the user's configuration folder. A file that can't be read or written is no reason to stop.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

__all__ = ["Preferences", "load_preferences", "save_preferences"]


@dataclass(slots=True)
class Preferences:
    """Everything that is remembered; an empty list of columns means the usual ones."""

    theme: str = ""
    columns: list[str] = field(default_factory=list)
    filters: dict[str, str] = field(default_factory=dict)
    """List filters by the name that they were saved under."""
    metrics: dict[str, str] = field(default_factory=dict)
    """Where servers have their metrics page, by address."""


def find_file() -> Path:
    """Return where the preferences are: `dx/browser.json` in the configuration folder."""
    from platformdirs import user_config_path

    return user_config_path("dx", appauthor=False) / "browser.json"


def load_preferences() -> Preferences:
    """Read the preferences; what is missing or not understood has its default."""
    try:
        stored: Any = json.loads(find_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Preferences()
    preferences = Preferences()
    if isinstance(stored, dict):
        for entry in fields(Preferences):
            value = stored.get(entry.name)
            if isinstance(value, type(getattr(preferences, entry.name))):
                setattr(preferences, entry.name, value)
    return preferences


def save_preferences(preferences: Preferences) -> None:
    """Write the preferences, whole or not at all."""
    file = find_file()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(asdict(preferences), indent=2, ensure_ascii=False), encoding="utf-8")
        fresh.replace(file)
