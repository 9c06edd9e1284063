"""`dx dev` at a real terminal: what it looks like, what the keys do, and that the terminal is as before afterwards."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import psutil
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

from tests.support.server_process import dx_command
from tests.support.tmux import Terminal, needs_tmux, terminal

from .dev_process import (
    ACTIVITIES,
    PYTHON_WORKER,
    SERVER,
    DevProcess,
    assert_gone,
    find_served,
    replace_in,
    running_dev,
    write_project,
)
from .test_reload import BROKEN, start_order

DEV = [*dx_command(), "dev"]
RUNNING = "● server  ● orders"


def find_dev(screen: Terminal, project: Path) -> DevProcess:
    """Return the `dx dev` that runs in a terminal."""
    shell = psutil.Process(int(screen.tmux("display-message", "-p", "#{pane_pid}")))
    (process,) = shell.children()
    return DevProcess(process, project, project.with_suffix(".log"))


def wait_echo(screen: Terminal) -> None:
    """Wait until what is typed is shown: the terminal is as before."""
    screen.press("t", "y", "p", "e", "d")
    screen.wait_for("typed")


def change_time(dev: DevProcess, verb: str) -> None:
    """Run a verb of `dx time` against the server of a `dx dev`."""
    subprocess.run([*dx_command(), "time", verb, "--address", dev.address], check=True, timeout=30)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "shop", SERVER + PYTHON_WORKER)


@needs_tmux
async def test_a_mismatch_is_shown_and_the_choices_are_taken(project: Path) -> None:
    with terminal(project, DEV, columns=80, lines=70) as screen:
        screen.wait_for(RUNNING)
        dev = find_dev(screen, project)
        handle = await start_order(dev)
        replace_in(project / "workflows.py", *BROKEN)
        shown = screen.wait_for("▲ orders waits  k keep  r reload  s reset  t terminate  w patched")
        assert "event 5 of the history" in shown
        assert "ActivityTaskScheduled" in shown
        assert "StartTimer" in shown
        assert "→ 16          await workflow.sleep(60)" in shown
        screen.press("w")
        screen.wait_for('if workflow.patched("sleep-60s"):')
        # A letter that ends or breaks runs asks once more, and any other key is no.
        screen.press("t")
        screen.wait_for("terminate 1 run? y yes, any other key no")
        screen.press("n")
        screen.wait_for("▲ orders waits")
        screen.press("r")
        screen.wait_for("reload, and break 1 run? y yes, any other key no")
        screen.press("n")
        screen.wait_for("▲ orders waits")
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
        screen.press("k")
        screen.wait_for("the new code is not served; the old worker goes on.")
        # The same again, and the run goes on from before the difference.
        replace_in(project / "workflows.py", "sleep(60)", "sleep(61)")
        screen.wait_for("▲ orders waits  k keep")
        screen.press("s")
        screen.wait_for("reset 1 run? y yes")
        screen.press("y")
        screen.wait_for("reset order-1 to event 4; it goes on as run")
        screen.wait_for(RUNNING)
        dev.wait_for("orders", "ready", is_new_code=True)
        current = await Client.connect(dev.address)
        events = [event async for event in current.get_workflow_handle("order-1").fetch_history_events()]
        assert EventType.EVENT_TYPE_TIMER_STARTED in {event.event_type for event in events}
        # A run that is let go is not counted as one that repeats its history.
        replace_in(project / "workflows.py", BROKEN[1].replace("60", "61"), BROKEN[0])
        screen.wait_for("▲ orders waits  k keep")
        screen.press("r")
        screen.wait_for("reload, and break 1 run? y yes")
        screen.press("y")
        screen.wait_for(RUNNING)
        screen.press("p")
        screen.wait_for("replay: 0 open and 0 closed runs repeat their history")
        assert dev.wait_for("orders", "checked", mismatches=[])["forgiven"] == 1


@needs_tmux
async def test_a_worker_that_crashes_during_a_question_or_a_replay(project: Path) -> None:
    hold = project.with_name("hold")
    slow = f"import pathlib, time\nwhile pathlib.Path({str(hold)!r}).exists():\n    time.sleep(0.05)\n"
    (project / "activities.py").write_text(slow + ACTIVITIES)
    with terminal(project, DEV, columns=80, lines=70) as screen:
        screen.wait_for(RUNNING)
        dev = find_dev(screen, project)
        dev.wait_for("orders", "ready")
        handle = await start_order(dev)
        served = find_served(dev)
        replace_in(project / "workflows.py", *BROKEN)
        screen.wait_for("▲ orders waits")
        served.kill()
        screen.wait_for("run no worker until a save")
        screen.wait_for("▲ orders waits  k keep")
        screen.press("k")
        screen.wait_for("the new code is not served; no worker runs.")
        replace_in(project / "workflows.py", *reversed(BROKEN))
        dev.wait_for("orders", "ready", is_new_code=False)
        # A restart that falls due during a replay comes after it.
        served = find_served(dev)
        hold.touch()
        screen.press("p")
        served.kill()
        retry = dev.wait_for("orders", "crashed", exit_code=-9)
        await asyncio.sleep(retry["retry_seconds"] + 0.5)
        hold.unlink()
        dev.wait_for("orders", "ready", is_new_code=False)
        replace_in(project / "workflows.py", *BROKEN)
        screen.wait_for("▲ orders waits  k keep")
        screen.press("t")
        screen.wait_for("terminate 1 run? y yes")
        screen.press("y")
        screen.wait_for("terminated order-1")
        dev.wait_for("orders", "ready", is_new_code=True)
        assert (await handle.describe()).status == WorkflowExecutionStatus.TERMINATED


@needs_tmux
async def test_keys(project: Path) -> None:
    with terminal(project, DEV, columns=120, lines=70) as screen:
        screen.wait_for("● server  ● orders   r restart  o open  p replay  t time  q quit  ? help")
        dev = find_dev(screen, project)
        await start_order(dev)
        screen.press("?")
        screen.wait_for("│ q  end everything in order, as Ctrl-C does; Ctrl-C twice ends it at once")
        screen.press("o")
        screen.wait_for("│ 1  order-1  OrderWorkflow")
        screen.press("9", "BSpace", "1", "Enter")
        screen.wait_for("✓ charge")
        screen.press("q")
        screen.wait_for(RUNNING)
        screen.press("o")
        screen.wait_for("nothing for the list): ▏")
        screen.press("x", "Escape")
        screen.wait_for(RUNNING)
        screen.press("o", *"order-1", "Enter")  # in one go, before the server has listed the runs
        screen.wait_for("✓ charge")
        screen.press("q")
        screen.wait_for(RUNNING)
        screen.press("p")
        screen.wait_for("orders ✓ replay: 1 open and 0 closed runs repeat their history")
        screen.press("t")
        screen.wait_for("dx     · time stands still: nothing falls due until t is pressed again")
        screen.wait_for(f"{RUNNING}  ‖ time stands")
        screen.press("t")
        screen.wait_for("dx     · time goes on")
        change_time(dev, "auto")
        screen.press("t")
        screen.wait_for(f"{RUNNING}  ‖ time stands")
        screen.press("t")
        screen.wait_for("dx     · time jumps again to what is due next")
        change_time(dev, "pause")
        screen.press("r")
        dev.wait_for("orders", "ready", is_new_code=True)
        processes = dev.all_processes()
        screen.press("q")
        screen.wait_for("exit 0")
        assert_gone(processes)
        wait_echo(screen)
    with running_dev(project) as dev:
        assert dev.wait_for("dx", "note")["text"].startswith("the server's time stands still at ")


@needs_tmux
def test_a_terminal_that_is_closed_ends_everything(project: Path) -> None:
    with terminal(project, DEV, lines=70) as screen:
        screen.wait_for(RUNNING)
        processes = find_dev(screen, project).all_processes()
        screen.tmux("kill-server")
        assert_gone(processes)


@needs_tmux
def test_a_terminal_is_restored_after_a_kill(project: Path) -> None:
    with terminal(project, DEV, lines=70) as screen:
        screen.wait_for(RUNNING)
        processes = find_dev(screen, project).all_processes()
        processes[0].kill()
        assert_gone(processes)
        screen.wait_for("exit 137")
        wait_echo(screen)


@needs_tmux
def test_ctrl_c_ends_in_order(project: Path) -> None:
    with terminal(project, DEV, lines=70) as screen:
        screen.wait_for(RUNNING)
        processes = find_dev(screen, project).all_processes()
        screen.press("C-c")
        shown = screen.wait_for("exit 0")
        assert_gone(processes)
        ends = [line for line in shown.splitlines() if "■ stopped" in line]
        assert ends == ["orders ■ stopped", "server ■ stopped"]
