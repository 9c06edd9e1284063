"""Find the Python interpreter of a worker."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from durable_cli.dev.project.model import Worker
from durable_cli.errors import CliError

__all__ = ["find_python"]


def find_python(worker: Worker, project_folder: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the worker's own `python`, else that of the nearest .venv, of $VIRTUAL_ENV, or the one that runs dx.

    The path is not resolved further: a virtual environment's interpreter is a link, and only by its own name is it
    that of the environment.

    Raises:
        CliError: the `python` that was named is not there.
    """
    if worker.python is not None:
        if not os.access(worker.python, os.X_OK) or worker.python.is_dir():
            raise CliError(
                f"there is no Python interpreter at {worker.python}",
                "correct `python` in dx.toml, or make the environment: python3 -m venv .venv",
            )
        return worker.python
    folders = [folder / ".venv" for folder in (worker.cwd, project_folder)]
    if environment.get("VIRTUAL_ENV"):
        folders.append(Path(environment["VIRTUAL_ENV"]))
    candidates = [folder / "bin" / "python" for folder in folders]
    return next((path for path in candidates if os.access(path, os.X_OK)), Path(sys.executable))
