"""A check replays with the user's data converter, interceptors and plugins, as the worker runs with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.converter import DataConverter

from durable_cli.dev.host_events import Checked

from .conftest import Hosts, wait_quiet
from .with_codec import codec

MODULES = Path(__file__).with_name("with_codec")
TIMER = "timer_fired_event_attributes"

TABLES: dict[str, dict[str, object]] = {
    "converter_and_interceptor": {"data_converter": "codec:converter", "interceptors": ("codec:Tracing",)},
    "interceptor_of_both_kinds": {"interceptors": ("codec:both",)},
    "plugin": {"plugins": ("codec:plugin",)},
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
async def test_with_what_the_worker_uses(table: dict[str, object], tmp_path: Path, hosts: Hosts) -> None:
    for name in ("codec.py", "flows.py"):
        shutil.copy(MODULES / name, tmp_path)
    host = await hosts.start(tmp_path)
    await host.load("flows", activities=("flows",), **table)
    await host.process.serve()
    plain = "interceptors" in table and "data_converter" not in table
    client = await Client.connect(
        host.connection.address, data_converter=DataConverter.default if plain else codec.converter
    )
    handle = await client.start_workflow("Order", "word", id=f"order-{host.task_queue}", task_queue=host.task_queue)
    await wait_quiet(client, handle.id)
    assert [event for event in (await handle.fetch_history()).events if event.HasField(TIMER)]
    await host.process.drain()

    same = await hosts.start(tmp_path, host.task_queue)
    await same.load("flows", activities=("flows",), **table)
    checked = await same.process.check(open_runs=9, closed_runs=9)
    assert isinstance(checked, Checked)
    assert (checked.open, checked.is_good) == (1, True)

    text = (tmp_path / "flows.py").read_text()
    (tmp_path / "flows.py").write_text(text.replace("execute_activity(ship", "execute_activity(charge"))
    changed = await hosts.start(tmp_path, host.task_queue)
    await changed.load("flows", activities=("flows",), **table)
    checked = await changed.process.check(open_runs=9, closed_runs=9)
    assert isinstance(checked, Checked)
    (found,) = checked.mismatches
    assert (found.event_summary, found.command_summary) == (
        "ActivityTaskScheduled ship",
        "ScheduleActivityTask charge",
    )
    assert "execute_activity(charge, word" in dict(found.source)[found.line or 0]
