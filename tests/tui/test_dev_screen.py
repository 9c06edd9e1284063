"""The browser attached to a real `dx dev`: reloads, mismatches beside the source line, the log, its ends and starts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from durable_cli.options import ConnectionOptions
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.screens.dev import DevScreen
from durable_cli.tui.screens.dev_mismatch import MismatchScreen
from durable_cli.tui.screens.reader import ReaderScreen
from durable_cli.tui.widgets.log_view import LogView
from tests.dev.dev_process import (
    ACTIVITIES,
    PYTHON_WORKER,
    SERVER,
    WORKFLOWS,
    DevProcess,
    replace_in,
    running_dev,
    write_project,
)
from tests.dev.test_browser import STARTED
from tests.dev.test_reload import start_order
from tests.support.server_process import dx_command, find_free_port
from tests.support.tmux import needs_tmux, terminal
from tests.tui.conftest import browsing, screen_text, until

LOGGING = """\
import logging

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
log = logging.getLogger("shop")
"""
CHARGED = """\
    log.info("charged %s", amount)
    try:
        raise ValueError("no money")
    except ValueError:
        log.exception("receipt not printed")
    log.warning("printer is slow")
    return amount
"""
CALL = "        await workflow.execute_activity(charge, amount, start_to_close_timeout=timedelta(seconds=30))\n"
PAYING = (
    WORKFLOWS.replace(CALL, "        await self.pay(amount)\n")
    + "\n    async def pay(self, amount: int) -> None:\n"
    + CALL
)
BREAKING = (CALL, "        await workflow.sleep(60)\n" + CALL)


def make_project(folder: Path, toml: str = SERVER + PYTHON_WORKER) -> Path:
    activities = LOGGING + ACTIVITIES.replace("    return amount\n", CHARGED)
    return write_project(folder, toml, activities=activities, workflows=PAYING)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevProcess]:
    with running_dev(make_project(tmp_path_factory.mktemp("dev") / "shop")) as dev:
        dev.wait_for("orders", "ready")
        yield dev


@asynccontextmanager
async def attached(
    dev: DevProcess, *, size: tuple[int, int] = (140, 45)
) -> AsyncIterator[tuple[BrowserApp, Pilot[None]]]:
    """The browser, which has found `dx dev`."""
    async with browsing(dev.address, dev_journal=dev.folder, size=size) as (app, pilot):
        await until(lambda: app.attachment is not None and app.attachment.book.is_running, "dx dev is found")
        yield app, pilot


@asynccontextmanager
async def broken(dev: DevProcess) -> AsyncIterator[None]:
    """The workflows with a change that their runs do not survive; mended at the end."""
    file = dev.folder / "workflows.py"
    before = file.read_text()
    replace_in(file, *BREAKING)
    try:
        yield
    finally:
        if file.read_text() != before:
            replace_in(file, file.read_text(), before)
        await asyncio.to_thread(dev.wait_for, "orders", "checked", mismatches=[])


def pane_text(app: BrowserApp) -> str:
    """Return what the pane says, as it is painted."""
    panes = list(app.screen.query("#mismatch-pane"))
    if not panes:
        return ""
    pane = panes[0].region
    lines = screen_text(app).splitlines()[pane.y : pane.bottom]
    return "\n".join(line[pane.x : pane.right].rstrip() for line in lines)


async def test_a_mismatch_opens_at_its_event_beside_the_source_line_until_it_is_mended(dev: DevProcess) -> None:
    await start_order(dev, "order-17")
    async with attached(dev) as (app, pilot):
        await pilot.press("9")
        await until(lambda: "queue orders" in screen_text(app), "the worker is shown")
        async with broken(dev):
            await until(lambda: isinstance(app.screen, MismatchScreen), "the mismatch opens by itself")
            await until(lambda: "→" in pane_text(app), "the source is shown")
            shown = next(line for line in pane_text(app).splitlines() if "→" in line)
            assert "await workflow.sleep(60)" in shown
            assert "event 5   ActivityTaskScheduled charge" in pane_text(app)
            assert "new code  StartTimer 60s" in pane_text(app)
            number = PAYING[: PAYING.index("await self.pay")].count("\n") + 1
            assert f"called from workflows.py:{number}  await self.pay(amount)" in pane_text(app)
            assert "the old worker goes on; save a fix" in pane_text(app)
            await until(
                lambda: bool(app.screen.query("#events")) and app.screen.selected_event_id() == 5,
                "the cursor is on its event",
            )
        await until(lambda: "orders repeats this run again" in pane_text(app), "the pane is clear")
        assert "→" not in pane_text(app)
        await until(lambda: "serving after" in pane_text(app), "the fix is served")
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, DevScreen), "back at the reloads")
        await until(lambda: "order-17 at event 5" in screen_text(app), "what happened is listed")


async def test_what_happens_is_told_on_other_screens(dev: DevProcess) -> None:
    await start_order(dev, "order-2")
    async with attached(dev, size=(120, 35)) as (app, pilot):
        await until(lambda: "order-2" in screen_text(app), "the workflows are listed")
        assert "Mismatch" not in screen_text(app).splitlines()[-1]
        async with broken(dev):
            await until(lambda: "does not repeat its history at event 5" in screen_text(app), "it is told")
            await until(lambda: "M Mismatch" in screen_text(app).splitlines()[-1], "its key is shown")
            await pilot.press("M")
            await until(lambda: isinstance(app.screen, MismatchScreen), "the mismatch opens")
            await until(lambda: "1 of " in pane_text(app), "it is one of several")
            first = cast(MismatchScreen, app.screen).workflow_id
            await pilot.press("greater_than_sign")
            await until(lambda: "2 of " in pane_text(app), "the next one opens")
            assert cast(MismatchScreen, app.screen).workflow_id != first
            await pilot.press("W")
            await until(lambda: 'if workflow.patched("' in screen_text(app), "the advice is shown")
            await pilot.press("escape", "escape")
        await until(lambda: "orders: reloaded in" in screen_text(app), "the reload is told")


async def test_after_a_change_of_the_server_no_run_of_another_one_opens(dev: DevProcess, tmp_path: Path) -> None:
    await start_order(dev, "order-6")
    other = f"127.0.0.1:{find_free_port()}"
    config = tmp_path / "temporal.toml"
    config.write_text(f'[profile.here]\naddress = "{dev.address}"\n[profile.other]\naddress = "{other}"\n')
    connection = ConnectionOptions()
    async with browsing(
        connection=connection, config_file=config, profile="here", dev_journal=dev.folder, size=(140, 45)
    ) as (app, pilot):
        await pilot.press("9")
        await until(lambda: "queue orders" in screen_text(app), "the worker is shown")
        assert "you browse" not in screen_text(app)
        await pilot.press("at")
        await until(lambda: "type to narrow" in screen_text(app), "the profiles are offered")
        await pilot.press(*"other", "enter")
        await until(lambda: f"at {dev.address}; you browse {other}" in screen_text(app), "it says where it is")
        async with broken(dev):
            await until(lambda: "order-6 at event 5" in screen_text(app), "the mismatch is listed")
            await pilot.press("M")
            await until(lambda: "its runs are at" in screen_text(app), "it is said where its run is")
            assert isinstance(app.screen, ReaderScreen)


async def test_a_module_that_can_not_be_loaded_is_read_with_its_place(dev: DevProcess) -> None:
    file = dev.folder / "activities.py"
    async with attached(dev) as (app, pilot):
        await pilot.press("9")
        await until(lambda: "queue orders" in screen_text(app), "the worker is shown")
        replace_in(file, 'log = logging.getLogger("shop")', "log = logging.getLogger(shop)")
        await until(lambda: "failed: NameError: name 'shop' is not defined" in screen_text(app), "it is told")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ReaderScreen), "it opens")
        await until(lambda: "→     4  log = logging.getLogger(shop)" in screen_text(app), "its line is shown")
        replace_in(file, "getLogger(shop)", 'getLogger("shop")')
        await pilot.press("escape")
        await until(lambda: "● orders  serving" in screen_text(app), "it serves again")


async def test_the_log_is_searched_narrowed_and_paused(dev: DevProcess) -> None:
    async with attached(dev) as (app, pilot):
        await pilot.press("9")
        await start_order(dev, "order-3")
        view = app.screen.query_one(LogView)
        await until(lambda: "receipt not printed" in screen_text(app), "the worker's lines are shown")
        assert "ValueError: no money" in screen_text(app)
        await pilot.press("l", "l", "l")
        await until(lambda: "error and above" in screen_text(app), "errors alone are shown")
        assert {line.level for line in view.lines} == {3}
        assert "ValueError: no money" in screen_text(app)
        await pilot.press("l", "slash", *"charged")
        await until(lambda: bool(view.lines) and all("charged" in line.text for line in view.lines), "words are found")
        await pilot.press("escape", "w")
        await until(lambda: "orders" in screen_text(app) and "all workers" not in screen_text(app), "one worker alone")
        assert {line.source for line in view.lines} == {"orders"}
        await pilot.press("w", "w", "space")
        count = len(view.lines)
        await start_order(dev, "order-4")
        await until(lambda: "paused" in screen_text(app) and "paused, 0 more" not in screen_text(app), "lines wait")
        assert len(view.lines) == count
        await pilot.press("space")
        await until(lambda: len(view.lines) > count and "following" in screen_text(app), "they are shown")
        await pilot.press("space", "w", "l", "slash", *"charged", "enter")
        assert "paused" in screen_text(app), "narrowing does not let it go on"
        await pilot.press("escape", "space")
        await until(lambda: "following" in screen_text(app), "it goes on")


async def test_it_goes_on_when_dx_dev_ends_and_starts_again(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER)
    async with browsing(dev_journal=project, size=(140, 45)) as (app, pilot):
        await pilot.press("9")
        await until(lambda: "dx dev has not run yet in shop" in screen_text(app), "it says what to do")
        for _ in range(2):
            with running_dev(project) as dev:
                await until(lambda: "● server  serving" in screen_text(app), "it is seen by itself")
                await asyncio.to_thread(dev.end)
            await until(lambda: "dx dev  has ended" in screen_text(app), "its end is told")


async def test_without_a_project_it_says_what_to_do(tmp_path: Path) -> None:
    async with browsing(dev_journal=tmp_path) as (app, pilot):
        assert "9" not in screen_text(app).splitlines()[0].replace("127.0.0.1", "")[:70]
        await pilot.press("9")
        await until(lambda: "No project here" in screen_text(app), "it is said")
        assert "Search the log" not in screen_text(app)


@needs_tmux
async def test_a_question_is_answered_from_here(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER + STARTED)
    with terminal(project, [*dx_command(), "dev"]) as screen:
        await asyncio.to_thread(screen.wait_for, "● orders")
        dev = DevProcess(None, project, project / "none")  # type: ignore[arg-type]
        async with attached(dev) as (app, pilot):
            await pilot.press("9")
            await until(lambda: "● orders  serving" in screen_text(app), "it serves")
            await start_order(dev, "order-5")
            replace_in(project / "workflows.py", *BREAKING)
            await until(lambda: isinstance(app.screen, MismatchScreen), "the mismatch opens")
            await until(lambda: "A answers here" in pane_text(app), "it asks")
            # The keys of its window do other things here.
            assert re.search(r"│ keep +keep the old worker", pane_text(app))
            await pilot.press("A")
            await until(lambda: "terminate: terminate the runs" in screen_text(app), "the choices are there")
            await pilot.press(*"terminate", "enter")
            await until(lambda: "terminate: sure?" in screen_text(app), "it is confirmed first")
            await pilot.press("y")
            await until(lambda: "orders serves the new code all the same" in pane_text(app), "the new code serves")
        await asyncio.to_thread(screen.wait_for, "the browser answers: terminate")
        await asyncio.to_thread(screen.wait_for, "terminated order-5")
        screen.press("q")
        await asyncio.to_thread(screen.wait_for, "exit 0")


async def test_a_mismatch_in_another_namespace_opens_there(tmp_path: Path) -> None:
    worker = f'{PYTHON_WORKER}namespace = "shop"\n[namespaces.shop]\n'
    project = make_project(tmp_path / "shop", SERVER + worker + STARTED + 'namespace = "shop"\n')
    with running_dev(project) as dev:
        async with attached(dev, size=(80, 24)) as (app, pilot):
            await pilot.press("9")
            await until(lambda: "printer is slow" in screen_text(app), "the order is paid")
            replace_in(project / "workflows.py", *BREAKING)
            await until(lambda: isinstance(app.screen, MismatchScreen), "the mismatch opens")
            await until(lambda: "→" in pane_text(app) and "OrderWorkflow" in screen_text(app), "the run is shown")
            assert app.link.namespace == "shop"
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, DevScreen), "back at the reloads")
            await until(lambda: "order-1 at" in screen_text(app), "what happened is listed")
