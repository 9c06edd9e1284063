"""Which runs a check looks at, what it does with code that does not end, and what it leaves behind."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest, RespondWorkflowTaskFailedRequest
from temporalio.client import Client, WorkflowHandle

from durable_cli.dev.host_events import Checked

from .conftest import Host, Hosts

FLOWS = """\
import asyncio
import time
from datetime import timedelta
from temporalio import workflow

SEEN = []


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.released = False

    @workflow.run
    async def run(self, order: str) -> str:
        print("running", order)
        SEEN.append(order)
        # CHANGE
        await workflow.wait_condition(lambda: self.released)
        return order

    @workflow.signal
    def release(self) -> None:
        self.released = True


@workflow.defn
class Look:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity("look", start_to_close_timeout=timedelta(seconds=9))


@workflow.defn(sandboxed=False)
class Blocking:
    @workflow.run
    async def run(self) -> None:
        # BLOCK
        await workflow.wait_condition(lambda: False)
"""
ACTIVITIES = """\
from temporalio import activity


@activity.defn
async def look() -> str:
    import flows

    return repr(flows.SEEN)
"""


async def load(hosts: Hosts, folder: Path, task_queue: str = "", **changes: str) -> Host:
    """Start a host and load the modules above, changed."""
    text = FLOWS
    for name, line in changes.items():
        text = text.replace(f"# {name}", line)
    (folder / "flows.py").write_text(text)
    (folder / "activities.py").write_text(ACTIVITIES)
    host = await hosts.start(folder, task_queue)
    await host.load("flows", activities=("activities",))
    return host


async def check(host: Host, *, open_runs: int = 200, closed_runs: int = 10, **limits: float) -> Checked:
    """Check, which must be possible."""
    checked = await host.process.check(open_runs=open_runs, closed_runs=closed_runs, **limits)
    assert isinstance(checked, Checked), checked
    return checked


async def start(client: Client, host: Host, name: str, number: int, *arguments: str) -> WorkflowHandle[object, object]:
    """Start a workflow on the host's task queue."""
    return await client.start_workflow(
        name, args=arguments, id=f"{name}-{number}-{host.task_queue}", task_queue=host.task_queue
    )


async def test_no_more_runs_than_allowed_and_the_newest_first(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await load(hosts, tmp_path)
    await host.process.serve()
    handles = [await start(client, host, "Order", number, "an order") for number in range(7)]
    for handle in handles:
        await handle.query("__stack_trace")
    for handle in handles[:3]:
        await handle.signal("release")
        await handle.result()
    await host.process.drain()
    new = await load(hosts, tmp_path, host.task_queue, CHANGE="await asyncio.sleep(1)")
    checked = await check(new, open_runs=3, closed_runs=2)
    assert (checked.open, checked.open_total, checked.closed) == (3, 4, 2)
    assert [entry.workflow_id for entry in checked.mismatches] == [handles[2].id, handles[1].id]
    assert (await check(new, open_runs=0, closed_runs=0)).is_good


async def test_runs_that_have_not_run_yet(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await load(hosts, tmp_path, CHANGE="order.missing()")
    being_run = await start(client, host, "Order", 2, "an order")
    unknown = await start(client, host, "Mistyped", 3)
    failing = await start(client, host, "Order", 4, "an order")
    request = PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=host.task_queue))
    polled = [await client.workflow_service.poll_workflow_task_queue(request) for _ in range(3)]
    tokens = {task.workflow_execution.workflow_id: task.task_token for task in polled}
    for handle in (failing, unknown):
        await client.workflow_service.respond_workflow_task_failed(
            RespondWorkflowTaskFailedRequest(namespace="default", task_token=tokens[handle.id])
        )
    waiting = await start(client, host, "Order", 1, "an order")
    late = await client.start_workflow(
        "Order", "late", id=f"late-{host.task_queue}", task_queue=host.task_queue, start_delay=timedelta(hours=1)
    )
    checked = await check(host)
    assert (checked.open, checked.mismatches) == (5, [])
    # Of the others, one has failed already, one has an unknown type, and one has nothing to do for an hour.
    assert {(entry.workflow_id, entry.error, entry.line) for entry in checked.failures} == {
        (waiting.id, "AttributeError", 18),
        (being_run.id, "AttributeError", 18),
    }
    await late.terminate()


async def test_code_that_does_not_end(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await load(hosts, tmp_path)
    await host.process.serve()
    for number in range(3):
        await (await start(client, host, "Order", number, "an order")).query("__stack_trace")
    await (await start(client, host, "Blocking", 1)).query("__stack_trace")
    await host.process.drain()
    new = await load(hosts, tmp_path, host.task_queue, BLOCK="time.sleep(1000)")
    checked = await check(new, seconds_per_run=0.5)
    assert [(entry.workflow_type, entry.kind) for entry in checked.failures] == [("Blocking", "time_limit")]
    assert (checked.open, checked.mismatches, checked.is_clean) == (4, [], False)
    assert (await check(new, seconds=0.0)).not_replayed == 4
    await new.process.drain()
    looping = await load(hosts, tmp_path, host.task_queue, CHANGE="while True: self.count = 1")
    checked = await check(looping, open_runs=2)
    assert {(entry.workflow_type, entry.kind, entry.line) for entry in checked.failures} == {
        ("Order", "workflow_task_failed", 18)
    }
    assert checked.failures[0].message.startswith("[TMPRL1101] Potential deadlock detected")
    await looping.process.drain()


async def test_a_check_leaves_no_trace(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await load(hosts, tmp_path)
    await host.process.serve()
    handle = await start(client, host, "Order", 1, "an order")
    await handle.query("__stack_trace")
    await host.process.drain()
    assert host.lines == ["stdout: running an order"]
    new = await load(hosts, tmp_path, host.task_queue)
    assert (await check(new)).is_good
    await new.process.serve()
    await handle.signal("release")
    assert await handle.result() == "an order"
    assert await (await start(client, new, "Look", 1)).result() == "[]"
    await new.process.drain()
    # Once by the worker itself, which did not have the run in its cache.
    assert new.lines == ["stdout: running an order"]


async def test_runs_do_not_disturb_each_other(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    """A worker gives every run modules of its own, and what a check keeps of an earlier run does not count."""
    host = await load(hosts, tmp_path)
    await host.process.serve()
    for number in range(3):
        handle = await start(client, host, "Order", number, "an order")
        await handle.signal("release")
        await handle.result()
    await host.process.drain()
    new = await load(hosts, tmp_path, host.task_queue, CHANGE="if len(SEEN) > 1: await asyncio.sleep(1)")
    checked = await check(new)
    assert (checked.closed, checked.is_good) == (3, True)
    always = await load(hosts, tmp_path, host.task_queue, CHANGE="if SEEN: await asyncio.sleep(1)")
    assert len((await check(always)).mismatches) == 3
