"""Pin the import of `engine` to the package that was installed beside this one.

`engine` is an ordinary word: a user's folder or PYTHONPATH may well hold a module of that name, and Python would
find it first. The finder answers for that one name only; PYTHONPATH stays as it is for the user's own processes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

__all__ = ["pin_engine"]


class _EngineFinder:
    """A meta-path finder that knows where `engine` is, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "engine":
            return None
        return spec_from_file_location(
            "engine", self._folder / "__init__.py", submodule_search_locations=[str(self._folder)]
        )


def pin_engine() -> None:
    """Make `import engine` mean dx's own package from now on."""
    if not any(isinstance(finder, _EngineFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _EngineFinder(Path(__file__).resolve().parent.parent / "engine"))
