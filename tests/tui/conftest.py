"""A real server with a real worker, and the browser over them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from textual._context import active_app
from textual.pilot import Pilot
from textual.widgets import Input, Select, TextArea

from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.times import set_server_clock
from tests.cli.conftest import Cli, Stage, run_stage
from tests.support.server_process import (
    PROJECT_FOLDER,
    ServerProcess,
    dx_command,
    find_free_port,
    launch_dx,
    reference_executable,
    running,
)

PATIENCE_SECONDS = 20.0


@pytest.fixture(autouse=True)
def own_preferences(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what the browser remembers out of the user's folder, and the terminal of the tests out of its looks."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")


@pytest.fixture(autouse=True)
def clock_of_this_machine() -> None:
    """Let no test go by the clock of the server that the one before has looked at."""
    set_server_clock()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server of this module alone."""
    folder: Path = tmp_path_factory.mktemp("tui")
    with running(launch_dx(folder, "--namespace", "other")) as server:
        yield from run_stage(server, folder)


@contextmanager
def sample_stage(server: ServerProcess, folder: Path) -> Iterator[Stage]:
    """A server with the worker of the browser's tests."""
    with (folder / "worker.log").open("w") as log:
        command = [sys.executable, "-m", "tests.tui.sample_worker", server.address]
        worker = subprocess.Popen(command, cwd=PROJECT_FOLDER, stdout=log, stderr=subprocess.STDOUT)
    environment = {"TEMPORAL_ADDRESS": server.address}
    official = Cli([reference_executable() or "temporal"], folder, environment)
    try:
        yield Stage(server, Cli(dx_command(), folder, environment), official)
    finally:
        worker.kill()
        worker.wait()


@asynccontextmanager
async def browsing(
    address: str = "",
    *,
    namespace: str | None = None,
    workflow_id: str = "",
    is_read_only: bool = False,
    dev_journal: Path | None = None,
    size: tuple[int, int] = (120, 35),
    connection: ConnectionOptions | None = None,
    config_file: Path | None = None,
    profile: str | None = None,
) -> AsyncIterator[tuple[BrowserApp, Pilot[None]]]:
    """The browser on a server; without an address, where nothing listens."""
    app = BrowserApp(
        GlobalOptions(disable_config_env=True, config_file=str(config_file) if config_file else None, profile=profile),
        connection or ConnectionOptions(address=address or f"127.0.0.1:{find_free_port()}", namespace=namespace),
        workflow_id=workflow_id,
        is_read_only=is_read_only,
        dev_journal=dev_journal,
    )
    async with app.run_test(size=size, notifications=True) as pilot:
        yield app, pilot


@contextmanager
def browser_process(folder: Path, *words: str) -> Iterator[Callable[[], None]]:
    """The browser as a process that paints for nobody; yield what quits it and waits for its end."""
    read_fd, write_fd = os.pipe()
    process = subprocess.Popen(
        [*dx_command(), "tui", *words, "--end-with-fd", str(read_fd)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=[read_fd],
        env={**os.environ, "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver", "XDG_CONFIG_HOME": str(folder)},
    )

    def quit_it() -> None:
        os.close(write_fd)
        assert process.wait(PATIENCE_SECONDS) == 0

    try:
        yield quit_it
    finally:
        process.kill()
        process.communicate()
        os.close(read_fd)


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so; when it never is, fail with the screen."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"never: {what}\n{screen_text(active_app.get())}", pytrace=False)
        await asyncio.sleep(0.02)


async def until_server(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until something is so on the server; it is asked again and again."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not await condition():
        if time.monotonic() > end:
            pytest.fail(f"never: {what}", pytrace=False)
        await asyncio.sleep(0.02)


def fill(app: BrowserApp, **values: str) -> None:
    """Write into the fields of the form that is open."""
    for name, value in values.items():
        field = app.screen.query_one(f"#field-{name}")
        if isinstance(field, TextArea):
            field.text = value
        else:
            assert isinstance(field, Input | Select)
            field.value = value


def screen_text(app: BrowserApp) -> str:
    """Return the whole screen, as a person would read it."""
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())
