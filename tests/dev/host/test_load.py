"""What a host finds in a user's modules, and what it says about those that it can't use."""

from __future__ import annotations

import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from durable_cli.dev.host_events import LoadFailed
from durable_cli.dev.host_process import HostConnection, HostEndedError

from .conftest import Hosts

WORKFLOW = """\
from temporalio import workflow

@workflow.defn
class {name}:
    @workflow.run
    async def run(self) -> None:
        pass
"""


def write(folder: Path, **files: str) -> None:
    """Write modules; `__` in a name is a folder."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


async def test_what_a_module_defines_is_found(tmp_path: Path, hosts: Hosts) -> None:
    write(
        tmp_path,
        flows__init="",
        elsewhere=WORKFLOW.format(name="Elsewhere"),
        parts="from temporalio import activity\n\n@activity.defn\ndef borrowed() -> None: ...\n",
        activities="""\
from functools import wraps
from temporalio import activity
from parts import borrowed


@activity.defn(name="charge")
async def charge_payment() -> None: ...


@activity.defn
def blocking() -> None: ...


alias = blocking


class Mail:
    @activity.defn
    async def send(self) -> None: ...

    @staticmethod
    def not_one() -> None: ...


class Unused:
    @activity.defn
    async def never(self) -> None: ...


mail = Mail()
""",
    )
    (tmp_path / "flows" / "__init__.py").write_text(
        "from elsewhere import Elsewhere\nfrom flows.order import Order\n" + WORKFLOW.format(name="Own")
    )
    write(tmp_path, flows__order="\n\n" + WORKFLOW.format(name="Order"))
    host = await hosts.start(tmp_path)
    loaded = await host.load("flows", activities=("activities",))
    assert {(entry.name, Path(entry.file).name, entry.line) for entry in loaded.workflows} == {
        ("Order", "order.py", 6),
        ("Own", "__init__.py", 6),
    }
    assert [(entry.name, entry.line) for entry in loaded.activities] == [("charge", 7), ("blocking", 11), ("send", 19)]
    assert loaded.notes == [
        "the activities of class Unused (activities.py) are not served: make an instance of it in module 'activities'"
    ]
    assert (await host.process.drain()).in_time


@dataclass
class Refusal:
    """Modules that can't be loaded, and what must be said."""

    files: dict[str, str]
    error: str
    message: str
    place: tuple[str, int] | None = None
    hint: str = ""
    workflows: tuple[str, ...] = ("flows",)
    activities: tuple[str, ...] = ()
    table: dict[str, object] | None = None


ORDER = WORKFLOW.format(name="Order")
REFUSALS = {
    "syntax": Refusal({"flows": "x = 1\ndef broken(:\n"}, "SyntaxError", "invalid syntax", ("flows.py", 2)),
    "raises": Refusal(
        {"flows": "import helper\n", "helper": "def fail():\n    raise ValueError('no luck')\n\n\nfail()\n"},
        "ValueError",
        "no luck",
        ("helper.py", 2),
    ),
    "missing_package": Refusal(
        {"flows": "import os\nimport not_there.part\n"},
        "ModuleNotFoundError",
        f"No module named 'not_there' (looked for by {sys.executable})",
        ("flows.py", 2),
        f"{sys.executable} -m pip install not_there",
    ),
    "missing_name": Refusal(
        {"flows": "from os import not_there\n"}, "ImportError", "cannot import name 'not_there'", ("flows.py", 1)
    ),
    "missing_module": Refusal({}, "ModuleNotFoundError", "no module 'flows' in ", None, "is the name in dx.toml right"),
    "nothing_in_it": Refusal(
        {"flows": "from other import Order\n", "other": ORDER},
        "NothingFound",
        "module 'flows' defines no workflow",
        ("flows.py", 1),
        "it imports some from other: name that in dx.toml",
    ),
    "two_of_a_name": Refusal(
        {"flows": ORDER, "more": ORDER},
        "DuplicateName",
        "two definitions of workflow 'Order': flows.py:4 and more.py:4",
        ("more.py", 4),
        workflows=("flows", "more"),
    ),
    "not_for_the_sandbox": Refusal(
        {"flows": ORDER + "\nif workflow.unsafe.in_sandbox():\n    raise RuntimeError('not in here')\n"},
        "RuntimeError",
        "Failed validating workflow Order: not in here",
        ("flows.py", 10),
    ),
    "exits": Refusal({"flows": "import sys\nsys.exit(3)\n"}, "SystemExit", "3", ("flows.py", 2)),
    "option": Refusal(
        {"flows": ORDER}, "UnknownOption", "does not know 'max_magic'", table={"options": {"max_magic": 3}}
    ),
    "attribute": Refusal(
        {"flows": ORDER},
        "AttributeError",
        "module 'flows' has no attribute 'tracer'",
        ("flows.py", 1),
        table={"interceptors": ("flows:tracer",)},
    ),
    "converter": Refusal(
        {"flows": ORDER},
        "TypeError",
        "flows:Order is not a temporalio DataConverter",
        table={"data_converter": "flows:Order"},
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_worker_that_can_not_be_made(refusal: Refusal, tmp_path: Path, hosts: Hosts) -> None:
    write(tmp_path, **refusal.files)
    host = await hosts.start(tmp_path)
    worker = host.worker(*refusal.workflows, activities=refusal.activities, **(refusal.table or {}))
    failed = await host.process.load(worker, host.connection)
    assert isinstance(failed, LoadFailed)
    assert failed.error == refusal.error
    assert refusal.message in failed.message
    assert refusal.hint in failed.hint
    if refusal.place is None:
        assert (failed.file, failed.source) == (None, [])
    else:
        name, line = refusal.place
        assert (Path(failed.file or "").name, failed.line) == (name, line)
        text = (tmp_path / name).read_text().splitlines()[line - 1]
        assert (line, text) in failed.source
    assert (await host.process.drain()).in_time
    assert await host.process.wait_exited() == 0


async def test_a_server_that_is_not_there(tmp_path: Path, hosts: Hosts) -> None:
    write(tmp_path, flows=ORDER)
    host = await hosts.start(tmp_path)
    failed = await host.process.load(host.worker("flows"), HostConnection("127.0.0.1:1", "default", "nobody"))
    assert isinstance(failed, LoadFailed)
    assert failed.error == "ConnectError"
    assert failed.message.startswith("can't reach the server at 127.0.0.1:1: ")


async def test_an_interpreter_without_the_sdk(tmp_path: Path, hosts: Hosts) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    host = await hosts.start(tmp_path, python=python)
    await host.process.wait_warm()
    failed = await host.process.load(host.worker("flows"), host.connection)
    assert isinstance(failed, LoadFailed)
    assert failed.message == f"no temporalio in {python}"
    assert failed.hint.startswith(f"{python} -m pip install temporalio")


async def test_a_process_that_ends_instead_of_answering(tmp_path: Path, hosts: Hosts) -> None:
    write(tmp_path, flows="import os, sys\nprint('last words', file=sys.stderr)\nos._exit(7)\n")
    host = await hosts.start(tmp_path)
    with pytest.raises(HostEndedError) as caught:
        await host.process.load(host.worker("flows"), host.connection)
    assert (caught.value.exit_code, caught.value.last_lines) == (7, ["last words"])
    assert str(caught.value) == "the worker's process ended with code 7"


async def test_modules_are_imported_outside_of_an_event_loop(tmp_path: Path, hosts: Hosts) -> None:
    text = "import asyncio\nasyncio.run(asyncio.sleep(0))\nprint('imported', input is not None, __name__)\n"
    write(tmp_path, activities=text + "from temporalio import activity\n\n@activity.defn\ndef act() -> None: ...\n")
    host = await hosts.start(tmp_path)
    await host.load(activities=("activities",))
    await host.process.drain()
    assert host.lines == ["stdout: imported True activities"]
