"""The cart example: what updates do, what validators refuse, and that a long cart and a crash lose nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from tests.examples.conftest import EXAMPLES, DurableServer, launch
from tests.examples.histories import load_events, scheduled_activities, types_of
from tests.examples.processes import Example, working
from tests.support.server_process import ServerProcess, running

pytestmark = pytest.mark.timeout(200)

FOLDER = EXAMPLES / "cart"
ONE_TEA = "  1 tea            4.50\n    total          4.50\n"


@pytest.fixture(scope="module")
def example(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Run the worker, and put something into a first cart."""
    with working(FOLDER, server.address, tmp_path_factory.mktemp("cart")) as example:
        done = example.main("add", "cart-1", "tea", "1")
        assert done.stdout == ONE_TEA, done.stderr + example.worker_log.read_text()
        yield example


async def add_tea(client: Client, workflow_id: str) -> WorkflowHandle[Any, Any]:
    """Put one into the cart, which is started if it is not there, and return the cart."""
    start = WithStartWorkflowOperation(
        "CartWorkflow",
        {},
        id=workflow_id,
        task_queue="carts",
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    tea = {"product": "tea", "quantity": 1}
    await client.execute_update_with_start_workflow("add", tea, start_workflow_operation=start)
    return await start.workflow_handle()


@pytest.mark.parametrize(
    ("words", "reason", "is_accepted"),
    [
        (("add", "cart-1", "mug", "0"), "the quantity must be at least 1, not 0", False),
        (("add", "cart-1", "tea", "99"), "nobody needs more than 99 of tea", False),
        (("remove", "cart-1", "kettle"), "there is no kettle in the cart", False),
        (("add", "cart-1", "piano", "1"), "there is no piano; there is tea, mug, kettle", True),
        (("checkout", "cart-1", "--card", "declined"), "the card was declined", True),
    ],
)
async def test_refusal_says_why_and_only_an_accepted_update_leaves_a_trace(
    example: Example, server: ServerProcess, words: tuple[str, ...], reason: str, is_accepted: bool
) -> None:
    handle = (await Client.connect(server.address)).get_workflow_handle("cart-1")
    before = await load_events(handle)
    done = example.main(*words)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"refused: {reason}\n")
    new_types = Counter(types_of(await load_events(handle))[len(before) :])
    assert new_types["WorkflowExecutionUpdateAccepted"] == new_types["WorkflowExecutionUpdateCompleted"] == is_accepted
    assert is_accepted or not new_types
    assert (await handle.query("get_cart"))["lines"] == {"tea": {"quantity": 1, "price": 450}}


async def test_cart_lives_from_the_first_addition_to_the_checkout(example: Example, server: ServerProcess) -> None:
    outputs = [
        example.main(*words).stdout
        for words in (
            ("add", "cart-2", "kettle", "1"),
            ("add", "cart-2", "tea", "1"),
            ("remove", "cart-2", "kettle"),
            ("show", "cart-2"),
            ("checkout", "cart-2"),
            ("show", "cart-2"),
        )
    ]
    assert outputs[2] == outputs[3] == outputs[5] == ONE_TEA
    assert outputs[4].startswith("paid 4.50: payment-")
    handle = (await Client.connect(server.address)).get_workflow_handle("cart-2")
    assert (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED
    receipt = await handle.result()
    assert outputs[4] == f"paid {receipt['total'] / 100:.2f}: {receipt['payment_id']}\n"
    types = types_of(await load_events(handle))
    assert types[-2:] == ["WorkflowExecutionUpdateCompleted", "WorkflowExecutionCompleted"]


def test_empty_cart_cannot_be_checked_out(example: Example) -> None:
    example.main("add", "cart-3", "tea", "1")
    example.main("remove", "cart-3", "tea")
    assert example.main("checkout", "cart-3").stderr == "refused: the cart is empty\n"


@pytest.mark.parametrize("command", ["show", "checkout"])
def test_cart_that_is_not_there_is_one_line(example: Example, command: str) -> None:
    done = example.main(command, "no-cart")
    assert done.returncode == 1
    assert done.stderr.startswith("failed: ")
    assert done.stderr.count("\n") == 1


async def test_what_is_paid_is_what_was_accepted_before_the_checkout(example: Example, server: ServerProcess) -> None:
    client = await Client.connect(server.address)
    handle = await add_tea(client, "cart-4")
    tea = {"product": "tea", "quantity": 1}
    additions = [asyncio.create_task(handle.execute_update("add", tea)) for _ in range(4)]
    receipt = await handle.execute_update("checkout", "valid")
    results = await asyncio.gather(*additions, return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert receipt["total"] == 450 * (5 - len(refused))
    assert await handle.result() == receipt


async def test_long_cart_goes_on_as_new_runs_and_loses_nothing(tmp_path: Path) -> None:
    short = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=30")
    with running(launch(tmp_path, *short)) as server, working(FOLDER, server.address, tmp_path) as example:
        client = await Client.connect(server.address)
        handle = await add_tea(client, "cart-1")
        for _ in range(6):
            await asyncio.gather(*(add_tea(client, "cart-1") for _ in range(4)))
        assert (await handle.query("get_cart"))["lines"]["tea"]["quantity"] == 25
        receipt = await client.get_workflow_handle("cart-1").execute_update("checkout", "valid")
        assert receipt["total"] == 25 * 450

        run_id, runs = handle.first_execution_run_id, []
        while run_id:
            runs.append(await load_events(client.get_workflow_handle("cart-1", run_id=run_id)))
            run_id = runs[-1][-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        assert len(runs) > 2
        assert sum(scheduled_activities(events).count("look_up_price") for events in runs) == 25
        for events in runs:
            counted = Counter(types_of(events))
            assert counted["WorkflowExecutionUpdateAccepted"] == counted["WorkflowExecutionUpdateCompleted"]
        assert "unfinished" not in example.worker_log.read_text()


async def test_cart_survives_a_kill_of_the_server(durable_server: DurableServer, tmp_path: Path) -> None:
    with working(FOLDER, durable_server.address, tmp_path) as example:
        added = example.main("add", "cart-1", "tea", "1")
        durable_server.kill()
        durable_server.start_again()
        assert example.main("show", "cart-1").stdout == added.stdout == ONE_TEA
        example.main("add", "cart-1", "tea", "1")
        assert example.main("checkout", "cart-1").stdout.startswith("paid 9.00: payment-")
