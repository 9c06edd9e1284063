"""`dx_time`: months pass in a moment, and what falls due on the way happens at its time."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.server_process import find_free_port
from tests.testing.conftest import Project

TESTS = '''
import asyncio
from datetime import timedelta

import pytest
from durable_cli.testing import DxError
from temporalio import workflow


@workflow.defn
class Reminders:
    @workflow.run
    async def run(self, days: int) -> list[float]:
        """Sleep a day, again and again; return how many seconds each of them took."""
        slept = []
        for _ in range(days):
            before = workflow.now()
            await workflow.sleep(timedelta(days=1))
            slept.append((workflow.now() - before).total_seconds())
        return slept


def start(dx_client, worker, days):
    return dx_client.start_workflow(Reminders.run, days, id="reminders", task_queue=worker.task_queue)


async def test_skip(dx_client, dx_worker, dx_time):
    async with dx_worker(workflows=[Reminders]) as worker:
        handle = await start(dx_client, worker, 3)
        began = await dx_time.now()
        await dx_time.skip("2d12h")
        assert timedelta(days=2.5) <= await dx_time.now() - began < timedelta(days=2.6)
        events = (await handle.fetch_history()).events
        assert sum(event.HasField("timer_fired_event_attributes") for event in events) == 2
        await dx_time.skip(timedelta(hours=12))
        assert [round(seconds, -1) for seconds in await handle.result()] == [86400, 86400, 86400]


async def test_auto(dx_client, dx_worker, dx_time):
    async with dx_worker(workflows=[Reminders]) as worker, dx_time.auto():
        handle = await start(dx_client, worker, 90)
        assert len(await handle.result()) == 90


async def test_auto_is_over_with_its_block(dx_client, dx_worker, dx_time):
    async with dx_worker(workflows=[Reminders]) as worker:
        async with dx_time.auto():
            await (await start(dx_client, worker, 1)).result()
        await start(dx_client, worker, 1)
        await asyncio.sleep(0.5)
        assert (await dx_client.get_workflow_handle("reminders").describe()).close_time is None


async def test_blocks_in_each_other(dx_client, dx_worker, dx_time):
    """What is around a block goes on after it."""
    async with dx_worker(workflows=[Reminders]) as worker, dx_time.auto():
        async with dx_time.paused():
            async with dx_time.auto():
                pass
            stands = await dx_time.now()
            await asyncio.sleep(0.01)
            assert await dx_time.now() == stands
        assert len(await (await start(dx_client, worker, 1)).result()) == 1


async def test_time_is_left_going(dx_time):
    """As the fixture does, should a test leave it standing."""
    await dx_time.paused().__aenter__()


async def test_paused(dx_time):
    before = await dx_time.now()
    await asyncio.sleep(0.01)
    assert await dx_time.now() > before
    async with dx_time.paused():
        stands = await dx_time.now()
        await asyncio.sleep(0.01)
        assert await dx_time.now() == stands


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        ("3", 'hint: write it with its unit, such as "90s", "1h30m" or "3d"'),
        (3, '3 is not a duration\\n\\nhint: .*"3d", or give a timedelta'),
        ("0s", "must be positive"),
    ],
)
async def test_no_duration(dx_time, duration, said):
    with pytest.raises(DxError, match=said):
        await dx_time.skip(duration)
'''

NOT_THERE = """
import pytest
from durable_cli.testing import DxError
from durable_cli.testing.time import DxTime


async def test_it():
    with pytest.raises(DxError, match="the time can't be changed: no answer from 127.0.0.1:{port}"):
        await DxTime("127.0.0.1:{port}").now()
"""


def test_time(make_project: Callable[..., Project]) -> None:
    session = make_project(ini="asyncio_mode = auto\n", test_time=TESTS).test().passed()
    assert "9 passed" in session.output


def test_no_server(make_project: Callable[..., Project]) -> None:
    test = NOT_THERE.format(port=find_free_port())
    make_project(ini="asyncio_mode = auto\n", test_it=test).test().passed()
