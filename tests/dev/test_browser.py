"""The browser of `dx dev`, in a real terminal: in the log's place, beside it, and gone with dx."""

from __future__ import annotations

import json
from pathlib import Path

import psutil

from tests.support.server_process import dx_command
from tests.support.tmux import needs_tmux, terminal

from .dev_process import PYTHON_WORKER, SERVER, assert_gone, wait_until, write_project

STARTED = '[start.order-1]\nworkflow_type = "OrderWorkflow"\ntask_queue = "orders"\ninput = [7]\n'


def is_drained(project: Path) -> bool:
    """Whether the journal says that everything has ended."""
    lines = (project / ".dx" / "dev.jsonl").read_text().splitlines()
    return json.loads(lines[-1])["event"] == "stopped"


@needs_tmux
def test_a_workflow_opens_in_the_logs_place_and_the_log_comes_back(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER + STARTED)
    with terminal(project, [*dx_command(), "dev"]) as screen:
        screen.wait_for("ready in", 0)
        screen.wait_for("● orders")
        screen.press("o")
        screen.wait_for("1  order-1  OrderWorkflow")
        screen.press("1", "Enter")
        screen.wait_for("✓ charge")
        (project / "activities.py").touch()  # what happens meanwhile is shown afterwards
        screen.press("q")
        screen.wait_for("activities.py changed")
        screen.press("q")
        screen.wait_for("exit 0")
    assert is_drained(project)


@needs_tmux
def test_beside_the_log(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER + STARTED)
    with terminal(project, [*dx_command(), "dev", "--tui"], columns=160) as screen:
        screen.wait_for("order-1", pane=1)
        screen.wait_for("● orders", pane=0)
        screen.press("9", pane=1)
        screen.wait_for("● orders  serving", pane=1)
        screen.press("q", pane=1)
        wait_until(lambda: screen.pane_count() == 1, "the pane's end")
        screen.press("q")
        screen.wait_for("exit 0")


@needs_tmux
def test_the_pane_beside_the_log_goes_with_dx(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER)
    with terminal(project, [*dx_command(), "dev", "--tui"], columns=160) as screen:
        screen.wait_for("0 runs", pane=1)
        screen.wait_for("● orders", pane=0)
        screen.press("q")
        screen.wait_for("exit 0")
        assert screen.pane_count() == 1


@needs_tmux
def test_the_browser_ends_when_dx_is_killed(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop", SERVER + PYTHON_WORKER)
    with terminal(project, [*dx_command(), "dev"]) as screen:
        screen.wait_for("● orders")
        screen.press("o")
        screen.wait_for("nothing for the list")
        screen.press("Enter")
        screen.wait_for("0 runs")
        [dx] = [one for one in psutil.process_iter(["cmdline"]) if is_dev(one, project)]
        processes = [dx, *dx.children(recursive=True)]
        assert any("tui" in one.cmdline() for one in processes)
        dx.kill()
        assert_gone(processes)


def is_dev(process: psutil.Process, project: Path) -> bool:
    words = process.info["cmdline"] or []
    return words == [*dx_command(), "dev"] and process.cwd() == str(project)
