"""Every action on one run, by the browser on a real server: what it does is looked up on the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RawValue
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList

from durable_cli.tui.actions.dev import MEANINGS
from durable_cli.tui.app import BrowserApp
from durable_cli.tui.dialogs.form import FormDialog
from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.feed.actions_start import read_model
from durable_cli.tui.feed.link import Link
from durable_cli.tui.screens.base import BrowserScreen, Change
from durable_cli.tui.screens.workflow import WorkflowScreen
from durable_cli.tui.screens.workflows import WorkflowsScreen
from durable_cli.tui.widgets.virtual_table import VirtualTable
from tests.cli.conftest import SERVER_UNDER_TEST, Stage
from tests.support.server_process import launch_dx, launch_reference, running
from tests.tui.conftest import browsing, fill, sample_stage, screen_text, until, until_server
from tests.tui.sample_worker import TASK_QUEUE

WIDE = (130, 45)


@pytest.fixture(scope="module")
def carts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server with the worker of these tests; `DX_TEST_SERVER=reference` takes the reference server."""
    folder: Path = tmp_path_factory.mktemp("carts")
    launch = launch_reference if SERVER_UNDER_TEST == "reference" else launch_dx
    with running(launch(folder)) as server, sample_stage(server, folder) as stage:
        yield stage


async def start_cart(stage: Stage, customer: str = "ada") -> WorkflowHandle[Any, Any]:
    """Start a cart whose packing has failed once, and is tried again in an hour; one "by hand" is being packed."""
    client = await Client.connect(stage.server.address)
    handle = await client.start_workflow(
        "Cart",
        args=[customer, 3],
        id=stage.new_id("cart"),
        task_queue=TASK_QUEUE,
        memo={"why": "a test"},
        static_summary="a cart",
        static_details="of a *test*",
    )

    async def is_so() -> bool:
        activities = await pending_activities(handle)
        return any(each.attempt > 1 or each.HasField("last_started_time") for each in activities)

    await until_server(is_so, "its activity is tried")
    return handle


async def describe(handle: WorkflowHandle[Any, Any]) -> DescribeWorkflowExecutionResponse:
    """Describe a run; the SDK's own way to do so does not know that a run can be paused."""
    execution = WorkflowExecution(workflow_id=handle.id, run_id=handle.result_run_id or "")
    request = DescribeWorkflowExecutionRequest(namespace="default", execution=execution)
    return await handle._client.workflow_service.describe_workflow_execution(request)


async def pending_activities(handle: WorkflowHandle[Any, Any]) -> Any:
    return (await describe(handle)).pending_activities


async def events(handle: WorkflowHandle[Any, Any], kind: str) -> list[Any]:
    """Return the attributes of the run's events of a kind."""
    history = await handle.fetch_history()
    name = f"{kind}_event_attributes"
    return [getattr(event, name) for event in history.events if event.HasField(name)]  # type: ignore[arg-type]


def values(payloads: Any) -> list[Any]:
    return [json.loads(payload.data) for payload in payloads.payloads]


async def until_form(app: BrowserApp, title: str) -> None:
    await until(lambda: isinstance(app.screen, FormDialog) and title in screen_text(app), f"the form opens: {title}")


async def until_problem(app: BrowserApp, words: str) -> None:
    """Wait until an open form says what is wrong; it stays open."""
    await until(lambda: isinstance(app.screen, FormDialog) and words in screen_text(app), f"it is said: {words}")


async def until_waiting(app: BrowserApp) -> None:
    await until(lambda: "activity pack  attempt 2 of 5" in screen_text(app), "it waits for its activity")


async def test_a_run_is_signaled_updated_and_queried_by_the_names_that_its_code_gives(carts: Stage) -> None:
    cart = await start_cart(carts)
    async with browsing(carts.server.address, workflow_id=cart.id, size=WIDE) as (app, pilot):
        await until_waiting(app)
        await pilot.press("s")
        await until_form(app, f"Signal {cart.id}")
        await until(lambda: "↓ close  note" in screen_text(app), "what the code takes is suggested")
        await pilot.press("ctrl+s")
        await until_problem(app, "signal: this is needed")
        await pilot.press("down", "down")
        assert app.screen.query_one("#field-name", Input).value == "note"
        await pilot.press("tab", *'"a", {', "ctrl+s")
        await until_problem(app, "not JSON, line 1")
        assert not await events(cart, "workflow_execution_signaled")
        fill(app, arguments='"grüße",\n7')
        await pilot.press("ctrl+s")
        await until(lambda: f"signaled {cart.id}: note" in screen_text(app), "it says so")
        (signaled,) = await events(cart, "workflow_execution_signaled")
        assert (signaled.signal_name, values(signaled.input)) == ("note", ["grüße", 7])

        # An update, from the menu of all actions; its result is shown.
        await pilot.press("full_stop", *"update", "enter")
        await until_form(app, f"Update {cart.id}")
        await until(lambda: "↓ add_item" in screen_text(app), "what the code takes is suggested")
        await pilot.click("#suggestions-name", offset=(5, 0))
        assert app.screen.query_one("#field-name", Input).value == "add_item"
        await pilot.press("tab", *'"ink", 2')
        await pilot.click("#submit")
        await until(lambda: "✓ completed" in screen_text(app), "the update is over")
        assert '"ink"' in screen_text(app)
        (accepted,) = await events(cart, "workflow_execution_update_accepted")
        assert values(accepted.accepted_request.input.args) == ["ink", 2]
        await pilot.click("#leave")
        await pilot.press("full_stop")
        await until(lambda: "U   Update" in screen_text(app), "all actions are listed")
        await pilot.click("#options", offset=(6, 1))
        await until_form(app, f"Update {cart.id}")
        await pilot.press(*"add_item", "tab", *'"ink", 10', "ctrl+s")
        await until_problem(app, "rejected: ValueError: 10 are too many")
        assert '"ink", 10' in screen_text(app), "what was typed can be put right"
        assert len(await events(cart, "workflow_execution_update_accepted")) == 1
        await pilot.press("escape", "U")
        await until_form(app, f"Update {cart.id}")
        assert '"ink", 10' in screen_text(app), "nor is it lost when the form is left"
        fill(app, name="add_item", arguments='"rare", 1')
        await pilot.press("ctrl+s")
        await until(lambda: "✗ failed after it was accepted" in screen_text(app), "one that fails later is told apart")
        assert "SoldOut: sold out" in screen_text(app)
        assert "frames in libraries: v shows all" in screen_text(app)
        assert "v shows all of it, y copies it" in screen_text(app)
        await pilot.press("v")
        await until(lambda: "in libraries" not in screen_text(app), "all of it is shown")
        await pilot.press("escape", "U")
        await until_form(app, f"Update {cart.id}")
        fill(app, name="add_item", arguments='"pen", 1', wait="until it is accepted")
        await pilot.press("ctrl+s")
        await until(lambda: "✓ accepted" in screen_text(app) or "✓ completed" in screen_text(app), "it is accepted")

        # A query, from another view.
        await pilot.press("escape", "2", "Q")
        await until_form(app, "Ask a query")
        await pilot.press(*"items", "ctrl+s")
        await until(lambda: '"pen"' in screen_text(app), "it is answered")


async def test_a_workflow_is_started_like_another_one(carts: Stage) -> None:
    cart = await start_cart(carts)
    async with browsing(carts.server.address, size=WIDE) as (app, pilot):
        table = app.screen.query_one(VirtualTable)
        await until(lambda: any(row.workflow_id == cart.id for row in table.rows), "it is listed")
        table.move_to([row.workflow_id for row in table.rows].index(cart.id))
        await pilot.press("S")
        await until_form(app, f"Start a workflow like {cart.id}")
        text = screen_text(app)
        assert "It takes over: memo, summary, details." in text
        assert '"ada",' in text
        suggested = app.screen.query_one("#field-workflow_id", Input).value
        assert suggested.startswith(f"{cart.id}-")
        fill(app, arguments='"bob" 3', run_timeout="soon")
        await pilot.press("ctrl+s")
        await until_problem(app, "not JSON, line 1")
        fill(app, arguments='"bob",\n[4]')
        await pilot.press("ctrl+s")
        await until_problem(app, "a time with its unit")
        fill(app, run_timeout="1h30m", workflow_id=cart.id)
        await pilot.press("ctrl+s")
        await until_problem(app, "can't start workflow")
        assert app.screen.query_one("#field-run_timeout", Input).value == "1h30m", "what was typed is not lost"
        fill(app, workflow_id=suggested)
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, WorkflowScreen), "the new run is opened")
        assert isinstance(app.screen, WorkflowScreen)
        assert app.screen.workflow_id == suggested
        handle = (await Client.connect(carts.server.address)).get_workflow_handle(suggested)
        (started,) = await events(handle, "workflow_execution_started")
        assert (started.workflow_type.name, started.task_queue.name) == ("Cart", TASK_QUEUE)
        assert values(started.input) == ["bob", [4]]
        assert started.workflow_run_timeout.seconds == 5400
        assert json.loads(started.memo.fields["why"].data) == "a test"
        said = (await describe(handle)).execution_config.user_metadata
        assert (json.loads(said.summary.data), json.loads(said.details.data)) == ("a cart", "of a *test*")

        # From the run itself, and nothing changed: the very same input.
        await pilot.press("S")
        await until_form(app, f"Start a workflow like {suggested}")
        again = app.screen.query_one("#field-workflow_id", Input).value
        await pilot.press("ctrl+s")
        await until(lambda: f"started {again}" in screen_text(app), "it is started")
        handle = (await Client.connect(carts.server.address)).get_workflow_handle(again)
        assert (await events(handle, "workflow_execution_started"))[0].input == started.input

        # What is not JSON can't be edited, and is sent as it is.
        await pilot.press("escape", "escape")
        raw = RawValue(Payload(metadata={"encoding": b"binary/custom"}, data=b"\x00\x01"))
        client = await Client.connect(carts.server.address)
        odd = await client.start_workflow("Odd", raw, id=carts.new_id("odd"), task_queue="nobody")
        await until(lambda: any(row.workflow_id == odd.id for row in table.rows), "it is listed")
        table.move_to([row.workflow_id for row in table.rows].index(odd.id))
        await pilot.press("S")
        await until_form(app, f"Start a workflow like {odd.id}")
        assert "it can't be edited and is sent as it is: " in screen_text(app)
        again = app.screen.query_one("#field-workflow_id", Input).value
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, WorkflowScreen), "it is started")
        (started,) = await events(client.get_workflow_handle(again), "workflow_execution_started")
        assert started.input.payloads[0] == raw.payload

        # An update that no worker takes is waited for only as long as one wants.
        await pilot.press("U")
        await until_form(app, f"Update {again}")
        await pilot.press(*"any", "ctrl+s")
        await until(lambda: "sent; it waits for a worker" in screen_text(app), "it is said how it stands")
        assert "the update that was sent stays sent" in screen_text(app)
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, WorkflowScreen), "it is left")

        # From the list, what the code can be asked is one key away.
        await pilot.press("escape", "Q")
        await until(lambda: "stack trace" in screen_text(app), "it is there")


async def test_a_workflow_is_started_from_nothing(tmp_path: Path) -> None:
    with running(launch_dx(tmp_path)) as server:
        async with browsing(server.address, size=(80, 24)) as (app, pilot):
            await until(lambda: "0 runs" in screen_text(app), "there is none")
            await pilot.press("S")
            assert isinstance(app.screen, WorkflowsScreen), "there is none to be like"
            await pilot.press("plus")
            await until_form(app, "Start a workflow")
            await pilot.press("ctrl+s")
            await until_problem(app, "workflow type: this is needed")
            await pilot.press(*"Order", "tab", *"orders", "tab", *"order-1", "ctrl+s")
            await until(lambda: isinstance(app.screen, WorkflowScreen), "the new run is opened")
            handle = (await Client.connect(server.address)).get_workflow_handle("order-1")
            (started,) = await events(handle, "workflow_execution_started")
            assert (started.workflow_type.name, started.task_queue.name) == ("Order", "orders")
            assert not started.input.payloads
            await pilot.press("escape", "plus")
            await until_form(app, "Start a workflow")
            fill(app, workflow_type="Order", task_queue="orders", workflow_id="order-1", conflict="show that one")
            await pilot.press("ctrl+s")
            await until(lambda: "order-1 was running already" in screen_text(app), "the one that runs is shown")


async def test_a_run_is_reset_from_an_event(carts: Stage) -> None:
    cart = await start_cart(carts)
    await cart.signal("note", args=["before", 1])
    await cart.signal("close")
    async with browsing(carts.server.address, workflow_id=cart.id, size=WIDE) as (app, pilot):
        await until_waiting(app)
        await pilot.press("2", "a")
        rows = app.screen.query_one("#events", VirtualTable).rows
        await until(lambda: any("close" in row.summary for row in rows), "the history is read")
        first = next(row for row in rows if "Signaled" in row.name)
        app.screen.query_one("#events", VirtualTable).move_to(first.event_id - 1)
        before = max(row.event_id for row in rows[: first.event_id] if row.name == "WorkflowTaskCompleted")
        await pilot.press("R")
        await until_form(app, f"Reset {cart.id}")
        assert f"event {before}, the end of the workflow task before event {first.event_id}" in screen_text(app)
        fill(app, reapplied="do not come again", reason="not yet")
        await pilot.press("escape", "R")
        await until_problem(app, "as it was when you left it")
        assert "not yet" in screen_text(app)
        await pilot.press("ctrl+s")
        await until(lambda: f"goes on from event {before} as run" in screen_text(app), "it says where it goes on")
        assert isinstance(app.screen, WorkflowScreen)
        new_run_id = app.screen.run_id
        client = await Client.connect(carts.server.address)
        old = client.get_workflow_handle(cart.id, run_id=cart.result_run_id)
        new = client.get_workflow_handle(cart.id, run_id=new_run_id)
        assert new_run_id not in ("", cart.result_run_id)
        assert (await events(old, "workflow_execution_terminated"))[0].reason.endswith("not yet")
        failed = (await events(new, "workflow_task_failed"))[0]
        assert (failed.base_run_id, failed.new_run_id) == (cart.result_run_id, new_run_id)
        assert not await events(new, "workflow_execution_signaled")

        # The new one is reset again from the list, with the signals of the first: there are none, so it waits.
        await pilot.press("escape", "escape")
        table = app.screen.query_one(VirtualTable)
        await until(lambda: any(row.run_id == new_run_id for row in table.rows), "it is listed")
        table.move_to([row.run_id for row in table.rows].index(new_run_id))
        await pilot.press("R")
        await until_form(app, f"Reset {cart.id}")
        fill(app, point="its first workflow task")
        await pilot.press("ctrl+s")
        await until(lambda: "goes on from event 7" in screen_text(app), "it is reset to its first workflow task")
        assert await events(new, "workflow_execution_terminated")


async def test_an_activity_is_completed_or_failed_in_a_workers_place(carts: Stage) -> None:
    cart, other, third = [await start_cart(carts, customer) for customer in ("ada", "by hand", "by hand")]
    async with browsing(carts.server.address, workflow_id=cart.id, size=WIDE) as (app, pilot):
        await until_waiting(app)
        await pilot.press("4", "C")
        await until_form(app, "Complete activity pack (pack-1)")
        await pilot.press(*"packed", "ctrl+s")
        await until_problem(app, "not JSON, line 1")
        assert await pending_activities(cart)
        fill(app, result='"in a box"')
        await pilot.press("ctrl+s")
        await until(lambda: "completed pack (pack-1)" in screen_text(app), "it says so")
        (completed,) = await events(cart, "activity_task_completed")
        assert values(completed.result) == ["in a box"]
        await pilot.press("C")
        await until(lambda: "no activity of this run is pending" in screen_text(app), "there is no other one")

        # What is closed is refused in words.
        await pilot.press("s", *"close", "ctrl+s")
        await until(lambda: "✓ Completed" in screen_text(app), "the workflow completes")
        assert (await cart.result())["packed"] == "in a box"
        history = await cart.fetch_history()
        await pilot.press("c")
        await until(lambda: "there is nothing to cancel" in screen_text(app), "nor can it be canceled")
        assert await cart.fetch_history() == history

    async with browsing(carts.server.address, workflow_id=other.id, size=WIDE) as (app, pilot):
        await until(lambda: "activity pack  attempt 1 of 5, runs for" in screen_text(app), "its activity runs")
        await pilot.press("X")
        await until_form(app, "Fail activity pack (pack-1)")
        await pilot.press("ctrl+s")
        await until_problem(app, "message: this is needed")
        await pilot.press(*"slipped", "tab", *"Slip")
        fill(app, final="it is tried again as its retry policy says")
        await pilot.press("ctrl+s")
        await until(lambda: "failed pack (pack-1)" in screen_text(app), "it says so")
        (activity,) = await pending_activities(other)
        assert (activity.attempt, activity.last_failure.message) == (2, "slipped")
        await until(lambda: "activity pack  attempt 2 of 5, next in" in screen_text(app), "it is tried again later")
        await pilot.press("X")
        await until(lambda: "no attempt of pack (pack-1) is running" in screen_text(app), "only what runs can fail")

    async with browsing(carts.server.address, workflow_id=third.id, size=WIDE) as (app, pilot):
        await until(lambda: "activity pack  attempt 1 of 5, runs for" in screen_text(app), "its activity runs")
        await pilot.press("X")
        await until_form(app, "Fail activity pack (pack-1)")
        await pilot.press(*"no more", "tab", *"Never", "ctrl+s")
        await until(lambda: "failed pack (pack-1)" in screen_text(app), "it says so")
        (failed,) = await events(third, "activity_task_failed")
        info = failed.failure.application_failure_info
        assert (failed.failure.message, info.type, info.non_retryable) == ("no more", "Never", True)


@pytest.mark.skipif(SERVER_UNDER_TEST == "reference", reason="that server has them")
async def test_what_a_server_lacks_is_said(carts: Stage) -> None:
    cart = await start_cart(carts)
    async with browsing(carts.server.address, workflow_id=cart.id, size=WIDE) as (app, pilot):
        await until_waiting(app)
        history = await cart.fetch_history()
        for key, title, lack in (
            ("p", f"Pause {cart.id}", "this server has no pausing of workflows"),
            ("P", "Pause activity pack", "this server has no actions on activities"),
            ("B", "Reset activity pack", "ResetActivity is not implemented"),
            ("O", "Options of activity pack", "UpdateActivityOptions is not implemented"),
        ):
            await pilot.press(key)
            await until_form(app, title)
            if key == "O":
                fill(app, attempts="7")
            await pilot.press("ctrl+s")
            await until(lambda words=lack: words in screen_text(app), f"it is said: {lack}")  # type: ignore[misc]
        assert await cart.fetch_history() == history
        await until(lambda: "attempt 2 of 5" in screen_text(app), "the screen goes on")

        await pilot.press("c", "n")
        assert await cart.fetch_history() == history, "no is no"
        await pilot.press("c", "y")
        await until(lambda: f"asked {cart.id} to cancel" in screen_text(app), "what it has is done")
        assert len(await events(cart, "workflow_execution_cancel_requested")) == 1


async def test_only_reading_hides_every_change(carts: Stage) -> None:
    cart = await start_cart(carts)
    async with browsing(carts.server.address, workflow_id=cart.id, is_read_only=True, size=WIDE) as (app, pilot):
        await until_waiting(app)
        for key in (*"sctSUpRCXPBO", "full_stop"):
            await pilot.press(key)
            assert isinstance(app.screen, WorkflowScreen), f"{key} does nothing"
        assert "read only" in screen_text(app)
        assert [notice.message for notice in app._notifications] == ["the browser was started with --read-only"]
        await pilot.press("ctrl+p", *"activity")
        await until(lambda: app.screen.query(OptionList).first().display, "the palette is searched")
        assert "Complete the activity" not in screen_text(app)
        await pilot.press("escape", "Q")
        await until_form(app, "Ask a query")


async def test_a_run_that_is_over_takes_nothing_more(carts: Stage) -> None:
    cart = await start_cart(carts)
    async with browsing(carts.server.address, workflow_id=cart.id, size=WIDE) as (app, pilot):
        await until_waiting(app)
        await pilot.press("s")
        await until_form(app, f"Signal {cart.id}")
        fill(app, name="note", arguments='"long words", 1')
        await cart.terminate()
        await pilot.press("ctrl+s")
        await until_problem(app, "the run is closed")
        assert '"long words", 1' in screen_text(app)
        await pilot.press("escape")
        await until(lambda: "■ Terminated" in screen_text(app), "its end is seen")
        # Nothing is offered that it does not take.
        await until(lambda: "Terminate" not in foot(app), "the keys at the foot are those of a closed run")
        await pilot.press("full_stop")
        await until(lambda: "S   Start like this one" in screen_text(app), "the menu is open")
        assert "Reset / fork" in screen_text(app)
        assert not any(f" {key}   " in screen_text(app) for key in "sctpUCXPBO")
        await pilot.press("escape")
        for key, verb in (("s", "signal"), ("U", "update"), ("p", "pause"), ("t", "terminate"), ("c", "cancel")):
            await pilot.press(key)
            said = f"{cart.id} is over: there is nothing to {verb}"
            await until(lambda said=said: said in screen_text(app), f"it is said: {said}")  # type: ignore[misc]
            assert not isinstance(app.screen, FormDialog)

        # What was open at its end has not gone on.
        await pilot.press("2")
        await until(lambda: "pack" in screen_text(app) and "Took" in screen_text(app), "its history is shown")
        row = next(line for line in screen_text(app).splitlines() if " pack " in line)
        assert "s…" not in row


def foot(app: BrowserApp) -> str:
    return screen_text(app).splitlines()[-1]


async def test_keys_typed_before_a_form_is_open_are_no_actions(carts: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    cart = await start_cart(carts)
    is_answered = asyncio.Event()

    async def answer_late(*arguments: Any) -> Any:
        await is_answered.wait()
        return await read_model(*arguments)

    monkeypatch.setattr("durable_cli.tui.feed.actions_start.read_model", answer_late)
    async with browsing(carts.server.address, workflow_id=cart.id, size=WIDE) as (app, pilot):
        await until_waiting(app)
        await pilot.press("S")
        await until(lambda: isinstance(app.screen, ModalScreen), "keys are held")
        await pilot.press(*"tc2q", "ctrl+p")
        await until(lambda: "asking the server" in screen_text(app), "it is said, and only that is there")
        is_answered.set()
        await until_form(app, f"Start a workflow like {cart.id}")
        await pilot.press("escape")
        assert len(app.screen_stack) == 2, "the list and the run"
        assert app.is_running


async def test_what_was_said_does_not_lie_over_a_form() -> None:
    async with browsing() as (app, pilot):
        app.notify("something was done")
        await until(lambda: "something was done" in screen_text(app), "it is said")
        await pilot.press("ctrl+f")
        await until_form(app, "Save a filter")
        await until(lambda: "something was done" not in screen_text(app), "the form is free")


@pytest.mark.parametrize(
    ("typed", "taken"), [("t", "terminate"), ("T", "terminate"), ("re", "reload"), ("res", "reset"), ("old", "keep")]
)
async def test_first_letters_of_a_choice_come_first(typed: str, taken: str) -> None:
    options = [(choice, f"{choice}: {meaning}") for choice, meaning in MEANINGS.items()]
    async with browsing() as (app, pilot):
        answers: list[str | None] = []
        await app.push_screen(PickDialog("orders waits for you", options), answers.append)
        await pilot.press(*typed, "enter")
        assert answers == [taken]


async def test_the_menu_takes_an_action_by_its_key(carts: Stage) -> None:
    cart = await start_cart(carts)
    async with browsing(carts.server.address, workflow_id=cart.id, size=WIDE) as (app, pilot):
        await until_waiting(app)
        for key, title in (("t", "Terminate"), ("s", "Signal"), ("S", "Start a workflow like"), ("p", "Pause")):
            await pilot.press("full_stop", key, "enter")
            await until_form(app, f"{title} {cart.id}")
            await pilot.press("escape")
        await pilot.press("full_stop", *"zzz")
        await until(lambda: "nothing like that" in screen_text(app), "there is no such action")


async def test_each_of_two_changes_is_taken_back_but_not_in_another_namespace(carts: Stage) -> None:
    done: list[str] = []

    def change(words: str) -> Change:
        async def act(_: Link) -> str:
            done.append(words)
            return words

        return act

    async with browsing(carts.server.address) as (app, pilot):
        await until(lambda: app.absence is None, "it is connected")
        screen = app.screen
        assert isinstance(screen, BrowserScreen)
        for words in ("one", "two"):
            await screen.do(change(words), undo=change(f"not {words}"))
        await pilot.press("u")
        await until(lambda: done[-1:] == ["not two"], "the last is taken back")
        await pilot.press("u")
        await until(lambda: done[-1:] == ["not one"], "then the one before it")
        await screen.do(change("three"), undo=change("not three"))
        await app.change_namespace("other")
        await pilot.press("u")
        await pilot.pause()
        assert done == ["one", "two", "not two", "not one", "three"]
