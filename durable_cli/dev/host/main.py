"""Starts a host: makes a package of this folder, under a name that no module of the user has, and runs it.

The interpreter is the user's and may be as old as 3.10. See README.md for the protocol.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

PACKAGE = "_dx_worker_host"


def main() -> None:
    """Take the package's place on the path, and run the host until it ends."""
    folder = Path(__file__).resolve().parent
    # With PYTHONSAFEPATH the script's folder is not on the path.
    if sys.path and sys.path[0] == str(folder):
        sys.path.pop(0)
    sys.path.insert(0, os.getcwd())
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    importlib.import_module(f"{PACKAGE}.session").run()


if __name__ == "__main__":
    main()
