"""What is done to a row is offered while there is one: by the keys at the foot, by `?`, the palette and the menu."""

from __future__ import annotations

import pytest
from textual.message import Message

from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.key_groups import find_key_groups
from durable_cli.tui.messages import RunsListed, Trouble, TroubleChanged
from durable_cli.tui.place_messages import (
    BatchesListed,
    DeploymentDescribed,
    DeploymentsListed,
    NamespacesListed,
    SchedulesListed,
    TaskQueuesDescribed,
    WorkersListed,
)
from durable_cli.tui.place_rows import BatchRow, NamespaceRow, TaskQueueRow, WorkerRow
from durable_cli.tui.screens.deployment import DeploymentScreen
from durable_cli.tui.screens.schedule import ScheduleScreen
from durable_cli.tui.screens.workflow import WorkflowScreen
from tests.tui.conftest import screen_text
from tests.tui.scenes import Scene, Still, ago, playing
from tests.tui.scenes.places import DEPLOYMENTS, DETAIL, SCHEDULES, VERSIONS, ScheduleDescribed
from tests.tui.scenes.workflows import make_runs

BATCH = BatchRow("7f0c", "signal", "Running", ago(minutes=2), 0, 10, 4, 0, "", "WorkflowType = 'Order'", "mara")
WORKER = WorkerRow(
    *("key", "4711@till-3", "running", "orders", "", "temporal-python 1.35.0", "till-3", "4711"),
    *(ago(hours=30), ago(seconds=20), (), 0, 0, 0, 0.4, 0.7, ""),
)
OF_RUNS = {"Open", "Actions", "Signal", "Cancel", "Terminate", "Mark", "Start like this one", "Update", "Query", "Sort"}
PLACES: list[tuple[str, Message, Message, set[str], set[str]]] = [
    (
        "1",
        RunsListed("default", "", b"", [], b""),
        RunsListed("default", "", b"", make_runs(), b""),
        OF_RUNS | {"Pause or unpause the workflow", "Reset / fork from here"},
        {"Start a workflow", "Batch", "Filter"},
    ),
    (
        "2",
        SchedulesListed(()),
        SchedulesListed(SCHEDULES),
        {"Open", "Trigger", "Pause", "Backfill", "Delete"},
        {"Create"},
    ),
    (
        "3",
        TaskQueuesDescribed(()),
        TaskQueuesDescribed((TaskQueueRow("orders"),)),
        {"Open", "Runs"},
        {"Add a name"},
    ),
    ("4", WorkersListed(()), WorkersListed((WORKER,)), {"Open", "Runs"}, set()),
    ("5", DeploymentsListed(()), DeploymentsListed(DEPLOYMENTS), {"Open", "Delete"}, set()),
    ("6", BatchesListed(()), BatchesListed((BATCH,)), {"Open", "Stop", "Runs"}, set()),
    (
        "7",
        NamespacesListed(()),
        NamespacesListed((NamespaceRow("default", "registered", 259_200, "", "", "1", ()),)),
        {"Open", "Edit", "Delete", "Add an attribute", "Remove an attribute"},
        {"Create"},
    ),
]


def offered(still: Still) -> set[str]:
    """Return what keys, help and palette offer."""
    return {line.description for group in find_key_groups(still.app.screen) for line in group.lines}


async def stay(still: Still) -> None:
    """Tell nothing."""


@pytest.mark.parametrize(("key", "none", "some", "of_a_row", "always"), PLACES, ids=[place[0] for place in PLACES])
async def test_of_a_place(
    key: str, none: Message, some: Message, of_a_row: set[str], always: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def foot() -> set[str]:
        line = screen_text(still.app).splitlines()[-1]
        return {words for words in of_a_row if f" {words} " in line}

    async with playing(Scene("rows", stay), (140, 45), "", monkeypatch) as still:
        await still.press(key)
        await still.settle()
        assert not offered(still) & of_a_row, "it was told nothing yet"
        for _ in range(2):
            await still.tell(none)
            await still.settle()
            assert not offered(still) & of_a_row
            assert not foot()
            assert always <= offered(still)
            await still.tell(some)
            await still.settle()
            assert of_a_row | always <= offered(still)
            assert foot()
            if key == "1":
                break  # a list of runs grows, and is begun anew by its filter alone


async def test_of_a_schedule_that_is_not_read_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    of_it = {"Trigger", "Pause", "Backfill", "Delete", "Edit"}
    async with playing(Scene("rows", stay), (140, 45), "", monkeypatch) as still:
        await still.app.push_screen(ScheduleScreen("nightly-report"))
        await still.settle()
        assert not offered(still) & of_it
        await still.tell(ScheduleDescribed(DETAIL))
        await still.settle()
        assert of_it <= offered(still)


async def test_of_a_deployment_without_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    of_a_version = {"Make current", "Ramp", "Delete", "Runs"}
    async with playing(Scene("rows", stay), (140, 45), "", monkeypatch) as still:
        await still.app.push_screen(DeploymentScreen("shop"))
        await still.tell(DeploymentDescribed(DEPLOYMENTS[0], ()))
        await still.settle()
        assert not offered(still) & of_a_version
        await still.press("w")
        assert isinstance(still.app.screen, DeploymentScreen), "runs of no version are not shown"
        await still.tell(DeploymentDescribed(DEPLOYMENTS[0], VERSIONS))
        await still.settle()
        assert of_a_version <= offered(still)


async def test_of_a_run_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    of_a_run = {"Actions", "Signal", "Cancel", "Terminate", "Update", "Start like this one"}
    of_a_run |= {"Complete the activity", "Fail the activity", "Pause or unpause the activity"}
    of_a_run |= {"Begin the activity again", "Options of the activity", "Open its run", "Travel from here"}
    of_views = {"1": {"Export the history", "Copy its values"}, "3": {"Copy the result"}, "7": {"Export the history"}}
    async with playing(Scene("rows", stay), (140, 45), "", monkeypatch) as still:
        await still.app.push_screen(WorkflowScreen("order-9", ""))
        await still.tell(TroubleChanged(Trouble("can't describe workflow 'order-9': not found", "")))
        await still.settle()
        for key, of_it in of_views.items():
            await still.press(key)
            await still.settle()
            assert not offered(still) & (of_a_run | of_it)
        await still.press("full_stop")
        assert not isinstance(still.app.screen, PickDialog)
        await still.tell(TroubleChanged(None))
        await still.settle()
        for key, of_it in of_views.items():
            await still.press(key)
            await still.settle()
            assert (of_a_run | of_it) <= offered(still)
