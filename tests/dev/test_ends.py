"""However `dx dev` ends, nothing that it has started outlives it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from .dev_process import (
    NO_REPLAY,
    PYTHON_WORKER,
    SERVER,
    WAIT_SECONDS,
    DevProcess,
    assert_gone,
    running_dev,
    wait_until,
    write_project,
)

# A worker that heeds no signal, and a grandchild in the same group.
STUBBORN = """\
[worker.stubborn]
command = ["sh", "-c", "trap '' TERM HUP INT; sleep 1000 & while :; do sleep 1000; done"]
graceful_shutdown_timeout = "500ms"
"""
TALKING = """\
[worker.talking]
command = ["sh", "-c", "trap 'echo last words; exit 0' TERM; echo first words; while :; do sleep 0.05; done"]
"""


def wait_ready(dev: DevProcess, *workers: str) -> None:
    for worker in workers:
        dev.wait_for(worker, "ready", anywhere=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER + STUBBORN)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_outlives_a_signal(project: Path, number: signal.Signals) -> None:
    with running_dev(project) as dev:
        wait_ready(dev, "orders", "stubborn")
        processes = dev.all_processes()
        assert len(processes) >= 6  # dx, guard, server, host, shell and its sleep
        code = dev.end(number)
        assert_gone(processes)
        assert code == (-number if number == signal.SIGKILL else 0)


def test_a_kill_in_the_first_moments_leaves_nothing(project: Path) -> None:
    with running_dev(project) as dev:
        wait_until(lambda: len(dev.all_processes()) >= 3)
        processes = dev.all_processes()
        dev.end(signal.SIGKILL)
        assert_gone(processes)


def test_ctrl_c_lets_the_workers_end_before_the_server(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + NO_REPLAY + PYTHON_WORKER + TALKING)
    with running_dev(project) as dev:
        wait_ready(dev, "orders", "talking")
        assert dev.end(signal.SIGINT) == 0
        stopped = [line["source"] for line in dev.events if line["event"] == "stopped"]
        assert sorted(stopped[:2]) == ["orders", "talking"]
        assert stopped[2:] == ["server"]
        assert "talking │ first words\n" in dev.output
        assert "talking │ last words\n" in dev.output


def test_a_second_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + STUBBORN.replace("500ms", "1h"))
    with running_dev(project) as dev:
        wait_ready(dev, "stubborn")
        processes = dev.all_processes()
        dev.send(signal.SIGINT)
        dev.wait_for("stubborn", "stopping")
        assert dev.end(signal.SIGINT) == 130
        assert_gone(processes)
        assert not [line for line in dev.events if line["event"] == "stopped"]


def test_a_killed_guard_ends_everything_in_order(project: Path) -> None:
    with running_dev(project) as dev:
        wait_ready(dev, "orders", "stubborn")
        processes = dev.all_processes()
        next(one for one in processes if "watch" in one.cmdline()).kill()
        assert dev.process.wait(WAIT_SECONDS) == 1
        assert_gone(processes)
        assert "the guard of dx was killed" in dev.output
        stopped = [line["source"] for line in dev.events if line["event"] == "stopped"]
        assert stopped[-1] == "server"
