"""Workers that are commands: set up, built, replayed and swapped; real scripts, a real server."""

from __future__ import annotations

import sys
from pathlib import Path

from .dev_process import PYTHON_WORKER, SERVER, replace_in, running_dev, write_project

# A worker in a process of its own, as in any language: all that dx knows of it is its command.
SCRIPT = """\
import asyncio
import os
import signal

from temporalio.client import Client
from temporalio.worker import Worker

from activities import charge
from workflows import OrderWorkflow


async def main() -> None:
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"], namespace=os.environ["TEMPORAL_NAMESPACE"])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Worker(client, task_queue="orders", workflows=[OrderWorkflow], activities=[charge]):
        print("version 1", os.environ["MODE"], flush=True)
        await stop.wait()
    print("bye", flush=True)


asyncio.run(main())
"""

REPLAY = """\
import os
import sys
from pathlib import Path

files = sorted(Path(os.environ["DX_HISTORIES"]).glob("*.json"))
print("replaying", [file.name.partition(".")[0] for file in files])
sys.exit(1 if "broken" in Path("worker.py").read_text() else 0)
"""


def worker_toml(*lines: str) -> str:
    command = f'[worker.orders]\ncommand = ["{sys.executable}", "worker.py"]\ntask_queue = "orders"\n'
    return SERVER + command + 'env = { MODE = "loud" }\n' + "\n".join(lines) + "\n"


def test_a_command_is_set_up_built_seen_and_swapped(tmp_path: Path) -> None:
    toml = worker_toml(
        'setup = { command = ["sh", "-c", "echo setting up; mkdir made"], creates = "made" }',
        'build = ["sh", "-c", "! grep -q mistake worker.py && cp worker.py built.txt"]',
    )
    project = write_project(tmp_path / "shop", toml, worker=SCRIPT)
    with running_dev(project) as dev:
        dev.wait_for("orders", "setting_up")
        dev.wait_for("orders", "building")
        dev.wait_for("orders", "ready", task_queue="orders", is_new_code=False)
        assert "orders │ version 1 loud\n" in dev.output
        # The build's own output is taken for a save once, and then known.
        dev.wait_for("orders", "changed", files=["built.txt"])
        dev.wait_for(
            "orders", "note", text="built.txt is written by the build and not watched; add it to `ignore` in dx.toml"
        )

        replace_in(project / "worker.py", "version 1", "version 2")
        dev.wait_for("orders", "changed", files=["worker.py"])
        dev.wait_for("orders", "ready", is_new_code=True)
        dev.wait_for("orders", "drained", is_clean=True)
        assert "orders │ version 2 loud\n" in dev.output
        assert "orders │ bye\n" in dev.output

        replace_in(project / "worker.py", "version 2", "mistake")
        dev.wait_for("orders", "build_failed", exit_code=1, old_goes_on=True)
        assert "setting_up" not in [line["event"] for line in dev.events[5:]]


def test_a_python_worker_is_set_up_before_anything_is_imported(tmp_path: Path) -> None:
    setup = 'setup = { command = ["sh", "-c", "test -e ok.py && mv a.txt activities.py"], creates = "activities.py" }\n'
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER + setup)
    (project / "activities.py").rename(project / "a.txt")
    with running_dev(project) as dev:
        dev.wait_for("orders", "setting_up")
        dev.wait_for("orders", "build_failed", exit_code=1, old_goes_on=False)
        (project / "ok.py").touch()
        dev.wait_for("orders", "setting_up")
        dev.wait_for("orders", "ready", is_new_code=False)
        assert "load_failed" not in [line["event"] for line in dev.events]


def test_a_replay_command_decides(tmp_path: Path) -> None:
    toml = worker_toml(f'replay_command = ["{sys.executable}", "replay.py"]', 'watch = ["worker.py"]')
    toml += '[start.order-1]\nworkflow_type = "OrderWorkflow"\ntask_queue = "orders"\ninput = [1]\n'
    project = write_project(tmp_path / "shop", toml, worker=SCRIPT, replay=REPLAY)
    with running_dev(project) as dev:
        dev.wait_for("orders", "checked", open=1, closed=0, failures=[])
        dev.wait_for("orders", "ready", is_new_code=False)
        assert "orders │ replaying ['order-1']\n" in dev.output
        replace_in(project / "worker.py", "version 1", "broken")
        checked = dev.wait_for("orders", "checked")
        assert "ended with exit code 1" in checked["failures"][0]["message"]
        dev.wait_for("orders", "held", old_goes_on=True, is_asked=False)
        replace_in(project / "worker.py", "broken", "version 2")
        dev.wait_for("orders", "ready", is_new_code=True)


def test_a_command_that_is_not_there_and_one_that_crashes(tmp_path: Path) -> None:
    toml = SERVER + '[worker.typo]\ncommand = "no-such-command --x"\n'
    toml += f'[worker.crash]\ncommand = ["{sys.executable}", "crash.py"]\n'
    project = write_project(tmp_path / "shop", toml, crash="import sys\nsys.exit(3)\n")
    with running_dev(project) as dev:
        dev.wait_for("typo", "crashed", exit_code=127, retry_seconds=1.0)
        assert "typo   │ there is no command 'no-such-command'\n" in dev.output
        dev.wait_for("crash", "crashed", anywhere=True, exit_code=3, retry_seconds=1.0)
        dev.wait_for("crash", "crashed", anywhere=True, exit_code=3, retry_seconds=2.0)
        # A save does not wait, and begins with the shortest wait again.
        (project / "crash.py").write_text("import sys\nsys.exit(4)\n")
        dev.wait_for("crash", "changed")
        dev.wait_for("crash", "crashed", exit_code=4, retry_seconds=1.0)
        (project / "crash.py").write_text("import time\ntime.sleep(1000)\n")
        dev.wait_for("crash", "ready")
