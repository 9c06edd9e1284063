"""Profiles of the configuration file: the whole connection is another one, and nothing of the former stays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import ModalScreen

from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.profiles import Profile, choose_profile, list_profiles, load_profile_codec
from durable_cli.tui.actions.profile import profile_options
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.times import moved_ns
from tests.cli.conftest import Stage, run_stage
from tests.support.server_process import find_free_port, launch_dx, running
from tests.tui.conftest import browsing, screen_text, until
from tests.tui.secrets_support import TASK_QUEUE as SECRET_TASK_QUEUE
from tests.tui.secrets_support import CodecServer, Secret, running_worker

Browsing = tuple[BrowserApp, Pilot[None]]
HOUR = 3600 * 1_000_000_000


@pytest.fixture(scope="module")
def second_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Another server, with a namespace of its own."""
    folder: Path = tmp_path_factory.mktemp("second")
    with running(launch_dx(folder, "--namespace", "shop")) as server:
        yield from run_stage(server, folder)


def browsing_profiles(config: Path, profile: str | None = None) -> AbstractAsyncContextManager[Browsing]:
    return browsing(connection=ConnectionOptions(), config_file=config, profile=profile)


@pytest.fixture
def config(tmp_path: Path, stage: Stage, second_stage: Stage) -> Path:
    file = tmp_path / "temporal.toml"
    file.write_text(f"""
[profile.default]
address = "{stage.server.address}"

[profile.shop]
address = "{second_stage.server.address}"
namespace = "shop"

[profile.nowhere]
address = "127.0.0.1:{find_free_port()}"
""")
    return file


async def choose(app: BrowserApp, pilot: Pilot[None], name: str) -> None:
    await pilot.press("at")
    await until(lambda: "Profile" in screen_text(app) and "type to narrow" in screen_text(app), "they are offered")
    await pilot.press(*name, "enter")


async def start(stage: Stage, *words: str) -> str:
    return await asyncio.to_thread(stage.start, "Waiter", *words)


def watching(app: BrowserApp) -> list[str]:
    return [type(each.node).__name__ for each in app.workers if each.group == "watches" and not each.is_finished]


async def test_another_profile_is_another_server(config: Path, stage: Stage, second_stage: Stage) -> None:
    here, there = await start(stage), await start(second_stage, "--namespace", "shop")
    async with browsing_profiles(config) as (app, pilot):
        await until(lambda: here in screen_text(app), "the first server is listed")
        await pilot.press("3")
        await until(lambda: "cli-tests" in screen_text(app), "another place was looked at, too")
        await pilot.press("1", "slash", *"WorkflowType = 'Waiter'", "enter")
        await until(lambda: "WorkflowType = 'Waiter'" in screen_text(app), "a filter is set")

        await choose(app, pilot, "shop")
        await until(lambda: there in screen_text(app), "the other server is listed")
        shown = screen_text(app)
        assert "dx / shop" in shown
        assert f"{second_stage.server.address} shop ●" in shown
        assert here not in shown
        assert "WorkflowType = " not in shown
        assert watching(app) == ["WorkflowsScreen"]

        await pilot.press("n")
        await until(lambda: "default" in screen_text(app), "its namespaces are offered")
        await pilot.press(*"default", "enter")
        await until(lambda: "dx / default" in screen_text(app) and "0 runs" in screen_text(app), "one can go there")

        await pilot.click("TopBar", offset=(screen_text(app).splitlines()[0].index(" shop ●") + 1, 0))
        await until(lambda: "type to narrow" in screen_text(app), "a click on its name offers the profiles, too")
        await pilot.press("escape")
        await choose(app, pilot, "as started")
        await until(lambda: here in screen_text(app), "one can go back")
        assert there not in screen_text(app)
        assert f"{stage.server.address} ●" in screen_text(app)


async def test_a_profile_that_is_not_reached_is_calm_and_one_can_go_back(config: Path, stage: Stage) -> None:
    workflow_id = await start(stage)
    async with browsing_profiles(config, "default") as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await choose(app, pilot, "nowhere")
        await until(lambda: "nothing listens at" in screen_text(app), "it says so")
        assert "nowhere ○" in screen_text(app)
        assert "@ goes to another profile" in screen_text(app)
        assert workflow_id not in screen_text(app)
        await choose(app, pilot, "default")
        await until(lambda: workflow_id in screen_text(app) and "default ●" in screen_text(app), "one can go back")
        assert "nothing listens at" not in screen_text(app)


async def test_what_was_open_is_closed(config: Path, stage: Stage, second_stage: Stage) -> None:
    workflow_id = await start(stage)
    async with browsing_profiles(config) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, WorkflowScreen), "it opens")
        app.action_choose_profile()
        await until(lambda: "type to narrow" in screen_text(app), "they are offered")
        await pilot.press(*"shop", "enter")
        await until(lambda: "dx / shop / workflows" in screen_text(app), "the list is shown")
        assert not any(isinstance(screen, WorkflowScreen) for screen in app.screen_stack)
        assert watching(app) == ["WorkflowsScreen"]


async def test_a_moved_clock_stays_with_its_server(config: Path, second_stage: Stage) -> None:
    await asyncio.to_thread(lambda: second_stage.dx("time", "skip", "2h").ok())
    async with browsing_profiles(config) as (app, pilot):
        await until(lambda: app.clock is not None, "the clock of the first is known")
        assert moved_ns() < HOUR
        await choose(app, pilot, "shop")
        await until(lambda: moved_ns() > HOUR and "+2h00m" in screen_text(app), "the second's was moved")
        await choose(app, pilot, "as started")
        await until(lambda: app.clock is not None and moved_ns() < HOUR, "the first's was not")
        assert "+2h00m" not in screen_text(app)


async def test_the_codec_of_a_profile_is_used(config: Path, second_stage: Stage) -> None:
    address = second_stage.server.address
    with CodecServer().running() as codec:
        profile = (
            f'[profile.coded]\naddress = "{address}"\ncodec = {{ endpoint = "{codec.url}", auth = "Bearer me" }}\n'
        )
        await asyncio.to_thread(config.write_text, f"{await asyncio.to_thread(config.read_text)}\n{profile}")
        async with running_worker(address) as client:
            await client.start_workflow(
                Secret.run, "kept", id="coded", task_queue=SECRET_TASK_QUEUE, memo={"note": "a hidden note"}
            )
            async with browsing_profiles(config) as (app, pilot):
                await until(lambda: "runs" in screen_text(app) or "run " in screen_text(app), "it is connected")
                await choose(app, pilot, "coded")
                await until(lambda: "Secret" in screen_text(app), "it is listed")
                await pilot.press("enter")
                await until(lambda: "a hidden note" in screen_text(app), "its memo is decoded")


async def test_what_needs_a_server_says_that_there_is_none() -> None:
    async with browsing() as (app, pilot):
        await until(lambda: "nothing listens at" in screen_text(app), "it says so")
        for key in ("T", "b"):
            app.clear_notifications()
            await pilot.press(key)
            await until(lambda: bool(app._notifications), "it is said at once")
            assert not isinstance(app.screen, ModalScreen)


async def test_without_profiles_it_says_where_they_would_be(tmp_path: Path) -> None:
    async with browsing_profiles(tmp_path / "none.toml") as (app, pilot):
        await pilot.press("at")
        await until(lambda: "there are no profiles" in screen_text(app), "it says so")


async def test_a_file_that_can_not_be_read_is_said(config: Path, stage: Stage) -> None:
    workflow_id = await start(stage)
    async with browsing_profiles(config) as (app, pilot):
        await until(lambda: workflow_id in screen_text(app), "it is listed")
        await asyncio.to_thread(config.write_text, "[profile")
        await pilot.press("at")
        await until(lambda: "configuration can't be used" in screen_text(app), "it says so")
        assert workflow_id in screen_text(app)


def test_a_choice_says_where_each_profile_leads() -> None:
    profiles = [
        Profile("cloud", "abc.tmprl.cloud:7233", "abc", uses_tls=True, has_codec=True),
        Profile("local", "localhost:7233", "default", uses_tls=False, has_codec=False),
    ]
    options = profile_options(profiles, started_as=("", "localhost:7000", "default"), now="local")
    assert [(value, label.rstrip()) for value, label in options] == [
        ("", "  (as started)  localhost:7000        default"),
        ("cloud", "  cloud         abc.tmprl.cloud:7233  abc      TLS codec"),
        ("local", "● local         localhost:7233        default"),
    ]
    assert [value for value, _ in profile_options(profiles, started_as=("local", "x", "y"), now="")] == [
        "cloud",
        "local",
    ]


def test_a_profile_has_its_codec(tmp_path: Path) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text("""
[profile.plain]
address = "one:7233"
[profile.coded]
address = "two:7233"
api_key = "secret"
codec = { endpoint = "http://localhost:8081", auth = "Bearer x" }
[profile.clear]
api_key = "secret"
tls = { disabled = true }
""")
    options = GlobalOptions(config_file=str(file), disable_config_env=True)
    assert [(each.name, each.uses_tls, each.has_codec) for each in list_profiles(options)] == [
        ("clear", False, False),
        ("coded", True, True),
        ("plain", False, False),
    ]
    coded, _ = choose_profile(options, "coded")
    assert load_profile_codec(coded) == {"endpoint": "http://localhost:8081", "auth": "Bearer x"}
    assert load_profile_codec(choose_profile(options, "plain")[0]) == {}
