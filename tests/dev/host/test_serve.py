"""A host that serves: seen by the server, drained without losing anything, and gone when it is left alone."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import psutil
from temporalio.client import Client, WorkflowHandle

from durable_cli.dev.host_events import Failed, Serving
from durable_cli.dev.host_process import HostConnection

from .conftest import Host, Hosts

FLOWS = """\
from datetime import timedelta
from temporalio import workflow
from temporalio.common import RetryPolicy

AT_ONCE = RetryPolicy(initial_interval=timedelta(milliseconds=1))


@workflow.defn
class Call:
    def __init__(self) -> None:
        self.released = False

    @workflow.run
    async def run(self, name: str, argument: str) -> str:
        return await workflow.execute_activity(
            name, argument, start_to_close_timeout=timedelta(seconds=60), retry_policy=AT_ONCE
        )


@workflow.defn
class Wait:
    def __init__(self) -> None:
        self.released = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.released)
        return "VERSION"

    @workflow.signal
    def release(self) -> None:
        self.released = True
"""
ACTIVITIES = """\
import asyncio
import logging
import subprocess
import sys
import threading
from pathlib import Path
from temporalio import activity


@activity.defn
def read_input(word: str) -> str:
    print("reading for", word, file=sys.stderr)
    return word + sys.stdin.read() + subprocess.run(["cat"], capture_output=True, text=True).stdout


@activity.defn
async def log(word: str) -> str:
    activity.logger.info("about %s", word)
    logging.getLogger(__name__).debug("not this")
    return word


@activity.defn
async def wait_for_file(path: str) -> str:
    Path(path + ".started").touch()
    while not Path(path).exists():
        await asyncio.sleep(0.01)
    return f"attempt {activity.info().attempt}"


@activity.defn
def block(path: str) -> None:
    Path(path).touch()
    threading.Event().wait()


@activity.defn
def spawn(path: str) -> None:
    Path(path).write_text(str(subprocess.Popen(["sleep", "1000"]).pid))
    threading.Event().wait()
"""


LIMITS = {"max_concurrent_activities": 3, "max_activities_per_second": 100.5, "max_cached_workflows": 50}


async def serving(hosts: Hosts, folder: Path, task_queue: str = "", grace_seconds: float = 10.0) -> Host:
    """Start a host that serves the modules above."""
    (folder / "flows.py").write_text(FLOWS)
    (folder / "activities.py").write_text(ACTIVITIES)
    host = await hosts.start(folder, task_queue)
    await host.load("flows", activities=("activities",), graceful_shutdown_timeout=grace_seconds, options=LIMITS)
    assert await host.process.serve() == Serving(host.task_queue, seen=True)
    return host


async def start(client: Client, host: Host, name: str, *arguments: str) -> WorkflowHandle[object, object]:
    """Start a workflow on the host's task queue."""
    return await client.start_workflow(name, args=arguments, id=f"{name}-{host.task_queue}", task_queue=host.task_queue)


async def exists(path: Path, *, with_text: bool = False) -> None:
    """Wait for a file."""
    while not path.exists() or (with_text and not path.read_text()):  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.01)


async def test_a_worker_serves(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await serving(hosts, tmp_path)
    assert await (await start(client, host, "Call", "read_input", "word")).result() == "word"
    assert (await host.process.drain()).in_time
    assert host.lines == ["stderr: reading for word"]
    assert await host.process.wait_exited() == 0
    assert host.process.failed.result() is None


async def test_what_activities_log_is_shown(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await serving(hosts, tmp_path)
    assert await (await start(client, host, "Call", "log", "word")).result() == "word"
    assert (await host.process.drain()).in_time
    assert host.lines == ["stderr: INFO about word"]


async def test_logging_of_the_users_own_is_left_alone(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    (tmp_path / "own.py").write_text("import logging; logging.basicConfig(level='WARNING')\n")
    (tmp_path / "activities.py").write_text(f"import own\n{ACTIVITIES}")
    (tmp_path / "flows.py").write_text(FLOWS)
    host = await hosts.start(tmp_path)
    await host.load("flows", activities=("activities",))
    await host.process.serve()
    assert await (await start(client, host, "Call", "log", "word")).result() == "word"
    assert (await host.process.drain()).in_time
    assert host.lines == []


async def test_an_activity_in_flight_ends_before_the_worker(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await serving(hosts, tmp_path)
    file = tmp_path / "go"
    handle = await start(client, host, "Call", "wait_for_file", str(file))
    await exists(tmp_path / "go.started")
    draining = asyncio.create_task(host.process.drain())
    other = await serving(hosts, tmp_path, host.task_queue)
    file.touch()
    assert (await draining).in_time
    assert await handle.result() == "attempt 1"
    await other.process.drain()


async def test_an_activity_that_takes_too_long_is_cancelled_and_tried_again(
    tmp_path: Path, hosts: Hosts, client: Client
) -> None:
    host = await serving(hosts, tmp_path, grace_seconds=0.1)
    file = tmp_path / "go"
    handle = await start(client, host, "Call", "wait_for_file", str(file))
    await exists(tmp_path / "go.started")
    other = await serving(hosts, tmp_path, host.task_queue)
    assert (await host.process.drain()).in_time
    file.touch()
    assert await handle.result() == "attempt 2"
    await other.process.drain()


async def test_an_activity_that_does_not_end_is_abandoned(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await serving(hosts, tmp_path, grace_seconds=0.1)
    await start(client, host, "Call", "block", str(tmp_path / "started"))
    await exists(tmp_path / "started")
    assert not (await host.process.drain()).in_time
    assert await host.process.wait_exited() == 0


async def test_a_cached_workflow_goes_on_at_once_elsewhere(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await serving(hosts, tmp_path)
    handle = await start(client, host, "Wait")
    await handle.query("__stack_trace")
    other = await serving(hosts, tmp_path, host.task_queue)
    await host.process.drain()
    await handle.signal("release")
    assert await handle.result() == "VERSION"
    events = (await handle.fetch_history()).events
    assert not [event for event in events if event.HasField("workflow_task_timed_out_event_attributes")]
    await other.process.drain()


async def test_an_old_worker_keeps_its_code(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await serving(hosts, tmp_path)
    stamp = (tmp_path / "flows.py").stat()
    (tmp_path / "flows.py").write_text(FLOWS.replace("VERSION", "CHANGED"))
    # As after two saves within one second: Python would take what it has compiled for fresh.
    os.utime(tmp_path / "flows.py", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    handle = await start(client, host, "Wait")
    await handle.signal("release")
    assert await handle.result() == "VERSION"
    new = await hosts.start(tmp_path)
    await new.load("flows", activities=("activities",))
    await new.process.serve()
    handle = await start(client, new, "Wait")
    await handle.signal("release")
    assert await handle.result() == "CHANGED"


async def test_nobody_is_left_when_the_commander_is_gone(tmp_path: Path, hosts: Hosts, client: Client) -> None:
    host = await serving(hosts, tmp_path)
    file = tmp_path / "child"
    await start(client, host, "Call", "spawn", str(file))
    await exists(file, with_text=True)
    child = psutil.Process(int(file.read_text()))
    stdin = host.process._process.stdin
    assert stdin is not None
    stdin.close()
    assert await host.process.wait_exited() == -9
    assert await asyncio.to_thread(psutil.wait_procs, [child], 10) == ([child], [])


async def test_a_namespace_that_is_not_there(tmp_path: Path, hosts: Hosts) -> None:
    (tmp_path / "flows.py").write_text(FLOWS)
    host = await hosts.start(tmp_path)
    await host.process.load(host.worker("flows"), HostConnection(host.connection.address, "nowhere", "someone"))
    failed = await host.process.serve()
    assert isinstance(failed, Failed)
    assert "nowhere" in failed.message
    assert (await host.process.drain()).in_time
