"""The wheel and the sdist build, hold what they should, and run where nothing else is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.server_process import PROJECT_FOLDER, ServerProcess, find_free_port, running

pytestmark = pytest.mark.timeout(300)

CONSTRAINTS = PROJECT_FOLDER / "constraints.txt"


def environment() -> dict[str, str]:
    """Return the environment without what leads back to the project's own packages."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}


def run(command: Sequence[str | Path], *, cwd: Path = PROJECT_FOLDER) -> str:
    """Run a command that must succeed and return its stdout."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def find_one(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from it."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder])
    return folder


@pytest.fixture(scope="module")
def wheel_names(dist: Path) -> set[str]:
    with zipfile.ZipFile(find_one(dist, "*.whl")) as wheel:
        return set(wheel.namelist())


def test_wheel_holds_the_packages_and_the_templates(wheel_names: set[str]) -> None:
    shipped = {
        path.relative_to(PROJECT_FOLDER).as_posix()
        for folder in ("engine", "durable_cli")
        for path in (PROJECT_FOLDER / folder).rglob("*.py")
        if "pictures" not in path.parts
    }
    templates = {
        f"durable_cli/{path.relative_to(PROJECT_FOLDER).as_posix()}"
        for path in (PROJECT_FOLDER / "templates").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert templates
    assert wheel_names >= shipped | templates | {"durable_cli/py.typed"}


def test_wheel_holds_nothing_else(wheel_names: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel_names}
    (info,) = tops - {"engine", "durable_cli"}
    assert info.endswith(".dist-info")
    assert f"{info}/licenses/LICENSE" in wheel_names
    assert not [name for name in wheel_names if "__pycache__" in name or "pictures" in name or name.endswith(".db")]


def test_sdist_holds_what_its_tests_and_examples_need(dist: Path) -> None:
    with tarfile.open(find_one(dist, "*.tar.gz")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names >= {
        "README.md", "CHANGELOG.md", "LICENSE", "Makefile", "pyproject.toml", "constraints.txt", "templates/README.md",
        "engine/README.md", "durable_cli/README.md", "examples/order/demo.py", "tests/conftest.py",
        "examples/order-typescript/package-lock.json",
    }  # fmt: skip
    assert not [name for name in names if "node_modules" in name or "__pycache__" in name or ".venv" in name]


@pytest.mark.parametrize("distribution", ["*.whl", "*.tar.gz"], ids=["wheel", "sdist"])
def test_installs_into_an_empty_venv_and_runs(distribution: str, dist: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--constraint", CONSTRAINTS, find_one(dist, distribution)])

    dx = home / "bin" / "dx"
    version = tomllib.loads((PROJECT_FOLDER / "pyproject.toml").read_text())["project"]["version"]
    assert run([dx, "--version"], cwd=tmp_path) == f"dx {version}\n"

    if distribution == "*.whl":
        run([*pip, "--constraint", CONSTRAINTS, "pytest"])
        (tmp_path / "test_it.py").write_text("def test_it(dx_client):\n    assert dx_client.namespace\n")
        pytest_words = [home / "bin" / "python", "-m", "pytest", "-p", "durable_cli.testing", "test_it.py"]
        assert "1 passed" in run(pytest_words, cwd=tmp_path)

    with serving(dx, tmp_path) as server:
        listed = run([dx, "workflow", "list", "--address", server.address, "-o", "json"], cwd=tmp_path)
        assert json.loads(listed) == []
        assert server.stop() == 0


@contextmanager
def serving(dx: Path, folder: Path) -> Iterator[ServerProcess]:
    """Run the installed server; unlike the other suites' servers it must not see the project's folder."""
    port, log = find_free_port(), folder / "server.log"
    command = [str(dx), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    with running(ServerProcess(process, port, log)) as server:
        server.wait_ready()
        yield server
