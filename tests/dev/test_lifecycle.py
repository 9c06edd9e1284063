"""`dx dev` and `dx worker run` as a whole: server, workers, crashes, other servers, and what is wrong said plainly."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psutil
from temporalio.client import Client

from tests.support.server_process import PROJECT_FOLDER, dx_command, find_free_port, launch_dx, running

from .dev_process import (
    ACTIVITIES,
    NO_REPLAY,
    PYTHON_WORKER,
    SERVER,
    DevProcess,
    find_served,
    replace_in,
    running_dev,
    wait_until,
    write_project,
)

SECOND_WORKER = PYTHON_WORKER.replace("[worker.orders]", "[worker.others]").replace('"orders"', '"others"')


async def finish_order(client: Client, workflow_id: str, task_queue: str = "orders") -> None:
    handle = await client.start_workflow("OrderWorkflow", 7, id=workflow_id, task_queue=task_queue)
    await handle.signal("finish")
    assert await handle.result() == 7


def find_child(dev: DevProcess, word: str) -> psutil.Process:
    """Return the process of `dx dev` that has a word in its command line."""
    return next(one for one in dev.all_processes()[1:] if any(word in part for part in one.cmdline()))


def find_hosts(dev: DevProcess) -> list[psutil.Process]:
    """Return the hosts: the one that serves and the one that waits."""
    return [one for one in dev.all_processes() if "main.py" in " ".join(one.cmdline())]


async def test_a_project_runs_whole(tmp_path: Path) -> None:
    toml = SERVER + NO_REPLAY + PYTHON_WORKER
    toml += 'env = { PLAIN = "yes" }\n[search_attributes]\nCustomerId = "Keyword"\n[namespaces.shop]\n'
    project = write_project(tmp_path / "shop", toml)
    with running_dev(project) as dev:
        ready = dev.wait_for("orders", "ready", task_queue="orders")
        assert [each["name"] for each in ready["workflows"] + ready["activities"]] == ["OrderWorkflow", "charge"]
        assert "dx     · namespace shop: created\n" in dev.output
        await finish_order(await Client.connect(dev.address), "order-1")
        assert (project / ".dx" / ".gitignore").read_text() == "*\n"
        assert (project / ".dx" / "dx.schema.json").exists()
        assert (project / ".dx" / "history.db").exists()
        assert "\x1b" not in dev.output
    # The history is there at the next start, and what was made is made no more.
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        client = await Client.connect(dev.address)
        assert await client.get_workflow_handle("order-1").result() == 7
        assert "created" not in dev.output


async def test_a_server_that_crashes_comes_back_where_it_was(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER)
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        address = dev.address
        find_child(dev, "start-dev").kill()
        dev.wait_for("server", "crashed", exit_code=-9, retry_seconds=1.0)
        dev.wait_for("server", "server_ready", address=address)
        await finish_order(await Client.connect(address), "order-1")
        assert not [line for line in dev.events if line["source"] == "orders" and line["event"] == "crashed"]


async def test_a_worker_that_crashes_comes_back(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER)
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        find_served(dev).kill()
        dev.wait_for("orders", "crashed", exit_code=-9, retry_seconds=1.0)
        dev.wait_for("orders", "ready")
        await finish_order(await Client.connect(dev.address), "order-1")


def test_what_a_worker_detaches_does_not_hide_its_end(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    waiting = f"import os, time\nwhile os.path.exists({str(gate)!r}):\n    time.sleep(0.1)"
    words = [sys.executable, "-c", waiting]
    detach = f"import subprocess\nsubprocess.Popen({words}, start_new_session=True)\n"
    project = write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER, activities=detach + ACTIVITIES)
    with running_dev(project) as dev:
        psutil.Process(dev.wait_for("orders", "ready")["pid"]).kill()
        dev.wait_for("orders", "crashed", exit_code=-9)
        dev.wait_for("orders", "ready")
        replace_in(project / "activities.py", "return amount", "return amount + 0")
        dev.wait_for("orders", "ready", is_new_code=True)
        dev.wait_for("orders", "drained", is_clean=True)
        replace_in(project / "activities.py", "return amount + 0", "return amount\n\n\nimport nothing_there")
        dev.wait_for("orders", "load_failed", old_goes_on=True)
        assert dev.end() == 0
        gate.unlink()
        assert "Event loop is closed" not in dev.output


def test_a_spare_that_is_no_good_any_more_is_replaced(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER)
    with running_dev(project) as dev:
        served = dev.wait_for("orders", "ready")["pid"]
        wait_until(lambda: len(find_hosts(dev)) == 2)
        next(host for host in find_hosts(dev) if host.pid != served).kill()
        replace_in(project / "activities.py", "return amount", "return amount + 0")
        dev.wait_for("orders", "ready", is_new_code=True)
        dev.wait_for("orders", "drained")
        wait_until(lambda: len(find_hosts(dev)) == 2)
        python = project / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\necho the new interpreter\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        replace_in(project / "activities.py", "return amount + 0", "return amount")
        dev.wait_for("orders", "ready", is_new_code=True)
        assert "the new interpreter" in dev.output
        assert not [line for line in dev.events if line["event"] == "load_failed"]


async def test_code_that_finds_no_server_is_tried_until_there_is_one(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", NO_REPLAY + PYTHON_WORKER)
    port = find_free_port()
    with ExitStack() as stack:
        with running(launch_dx(tmp_path, port=port)) as server:
            dev = stack.enter_context(running_dev(project, "--address", server.address))
            dev.wait_for("orders", "ready")
        replace_in(project / "activities.py", "return amount", "return amount + 0")
        dev.wait_for("orders", "note", text="trying again in 1 s")
        with running(launch_dx(tmp_path, port=port)):
            dev.wait_for("orders", "ready", is_new_code=True)
            dev.wait_for("orders", "drained")
        find_served(dev).kill()
        dev.wait_for("orders", "crashed", exit_code=-9)
        dev.wait_for("orders", "note", level="warn")
        with running(launch_dx(tmp_path, port=port)) as server:
            dev.wait_for("orders", "ready", is_new_code=False)
            await finish_order(await Client.connect(server.address), "order-1")


def test_a_load_error_keeps_the_old_worker(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER)
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        replace_in(project / "activities.py", "return amount", "return amount)")
        failed = dev.wait_for("orders", "load_failed", old_goes_on=True)
        assert failed["problem"]["error"] == "SyntaxError"
        assert failed["problem"]["line"] == 6
        wait_until(lambda: "       │ activities.py:6\n" in dev.output, "the line of the error")
        replace_in(project / "activities.py", "return amount)", "return amount + 0")
        dev.wait_for("orders", "ready", is_new_code=True)
        dev.wait_for("orders", "drained", is_clean=True)


def test_an_old_worker_that_crashes_during_a_reload_is_not_said_to_go_on(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER)
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        served = find_served(dev)
        slow = f"from pathlib import Path\nimport time\nwhile Path('/proc/{served.pid}').exists(): time.sleep(0.1)\n"
        (project / "activities.py").write_text(f"{slow}time.sleep(0.5)\nimport nothing_there\n")
        dev.wait_for("orders", "changed")
        served.kill()
        dev.wait_for("orders", "crashed", exit_code=-9, retry_seconds=0.0)
        dev.wait_for("orders", "load_failed", old_goes_on=False)
        assert dev.wait_for("orders", "note", level="warn")["text"].endswith("no worker runs until the next save")
        (project / "activities.py").write_text(ACTIVITIES)
        dev.wait_for("orders", "ready", is_new_code=False)


def test_the_first_start_waits_for_a_save_that_mends_it(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER, activities="import nothing_there\n")
    with running_dev(project) as dev:
        dev.wait_for("orders", "load_failed", old_goes_on=False)
        (project / "activities.py").write_text(ACTIVITIES)
        dev.wait_for("orders", "ready", is_new_code=False)


async def test_some_workers_for_another_server(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", NO_REPLAY + PYTHON_WORKER + SECOND_WORKER)
    with running(launch_dx(tmp_path, "--namespace", "shop")) as server:
        with running_dev(project, "others", "--address", server.address, "--namespace", "shop", "--no-reload") as dev:
            dev.wait_for("dx", "server_ready", address=server.address)
            dev.wait_for("others", "ready")
            client = await Client.connect(server.address, namespace="shop")
            await finish_order(client, "order-1", "others")
            replace_in(project / "activities.py", "return amount", "return amount + 1")
            await finish_order(client, "order-2", "others")
            sources = {line["source"] for line in dev.events}
            assert sources == {"dx", "others"}
            assert not (project / ".dx" / "history.db").exists()
        with running_dev(
            project, "orders", "--reload", "--address", server.address, "-n", "shop", verb=("worker", "run")
        ) as dev:
            dev.wait_for("orders", "ready")
            replace_in(project / "activities.py", "return amount + 1", "return amount")
            dev.wait_for("orders", "ready", is_new_code=True)
            await finish_order(client, "order-3")


def run_briefly(project: Path, *words: str, **environment: str) -> str:
    """Run a command that fails, and return what it says."""
    result = subprocess.run(
        [*dx_command(), *words],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(PROJECT_FOLDER), **environment},
    )
    assert result.returncode != 0
    return result.stderr


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER + SECOND_WORKER)
    assert (
        run_briefly(project, "dev", "order") == "error: dx.toml has no worker 'order'\n\nhint: did you mean orders?\n"
    )
    assert "error: which worker? Give its name\n\nhint: dx.toml has orders, others\n" in run_briefly(
        project, "worker", "run"
    )
    assert "error: nothing listens at 127.0.0.1:1" in run_briefly(
        project, "worker", "run", "orders", "--address", "127.0.0.1:1"
    )
    assert "nothing listens at 127.0.0.1:1" in run_briefly(project, "dev", TEMPORAL_ADDRESS="127.0.0.1:1")
    assert "error: there is no dx.toml" in run_briefly(tmp_path, "dev")
    port = find_free_port()
    (project / "dx.toml").write_text(f"[server]\nport = {port}\n" + PYTHON_WORKER)
    with running(launch_dx(tmp_path, port=port)):
        said = run_briefly(project, "dev")
    assert f"error: port {port} on 127.0.0.1 is in use\n" in said
    assert "hint: stop what listens there, or take another one in dx.toml: [server] port = 0 takes a free one" in said


def test_a_second_dx_in_the_folder_leaves_the_journal_alone(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER)
    journal = project / ".dx" / "dev.jsonl"
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        before = journal.read_text()
        run_briefly(project, "dev")
        run_briefly(project, "worker", "run", "--address", "127.0.0.1:1")
        assert journal.read_text() == before
        replace_in(project / "activities.py", "return amount", "return amount + 1")
        dev.wait_for("orders", "ready", is_new_code=True)
        assert journal.read_text().startswith(before)
        assert list(journal.parent.glob("*.jsonl")) == [journal]


def test_a_saved_dx_toml_is_looked_at(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER)
    with running_dev(project) as dev:
        dev.wait_for("orders", "ready")
        replace_in(project / "dx.toml", 'task_queue = "orders"', "task_queue = 5")
        assert dev.wait_for("dx", "note", level="error")["text"].startswith("dx.toml:7: ")
        assert "       │     task_queue = 5\n" in dev.output
        replace_in(project / "dx.toml", "task_queue = 5", 'task_queue = "others"')
        dev.wait_for("dx", "note", text="dx.toml was saved: it counts when dx dev is started again")


def test_a_web_page_whose_port_is_taken_is_left_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        port = 0
        while not 0 < port <= 64535:
            port = find_free_port()
        taken.bind(("127.0.0.1", port + 1000))
        taken.listen()
        project = write_project(tmp_path / "shop", f"[server]\nport = {port}\n" + NO_REPLAY + PYTHON_WORKER)
        with running_dev(project) as dev:
            note = dev.wait_for("server", "note", level="warn")["text"]
            assert note.endswith("; it goes without: [server] ui_port in dx.toml takes another")
            dev.wait_for("server", "server_ready", ui_port=None)
            dev.wait_for("orders", "ready")
            # Where the server's own port is taken too, only that is said.
            other = write_project(tmp_path / "other", (project / "dx.toml").read_text())
            said = run_briefly(other, "dev")
            assert said.startswith(f"error: port {port} on 127.0.0.1 is in use\n")
            assert '"note"' not in (other / ".dx" / "dev.jsonl").read_text()
        replace_in(project / "dx.toml", "[server]\n", "[server]\nui_port = 0\n")
        with running_dev(project) as dev:
            assert dev.wait_for("server", "server_ready")["ui_port"] not in {None, port + 1000}
