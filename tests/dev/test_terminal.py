"""`dx dev` at a real terminal: what it looks like, what the keys do, and that the terminal is as before afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

from tests.support.server_process import PROJECT_FOLDER, dx_command

from .dev_process import (
    PYTHON_WORKER,
    SERVER,
    WAIT_SECONDS,
    DevProcess,
    assert_gone,
    replace_in,
    wait_until,
    write_project,
)
from .test_reload import BROKEN, start_order

pytestmark = [
    pytest.mark.needs_tmux,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux"),
]


class Terminal:
    """A shell in a terminal, and `dx dev` running in it."""

    def __init__(self, socket: Path, project: Path) -> None:
        self._socket = socket
        self._project = project

    def tmux(self, *words: str) -> str:
        command = ["tmux", "-S", str(self._socket), "-f", os.devnull, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", "-t", "dx", *keys)

    @property
    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", "dx").rstrip("\n")

    @property
    def last_line(self) -> str:
        return self.screen.rpartition("\n")[2]

    def wait(self, text: str) -> str:
        """Return the screen once it has the text."""
        until = time.monotonic() + WAIT_SECONDS
        while text not in (screen := self.screen):
            assert time.monotonic() < until, f"{text!r} is not on the screen:\n{screen}"
            time.sleep(0.05)
        return screen

    def dev(self) -> DevProcess:
        """Return the `dx dev` that runs in it."""
        shell = int(self.tmux("display-message", "-p", "-t", "dx", "#{pane_pid}"))
        (process,) = psutil.Process(shell).children()
        return DevProcess(process, self._project, self._project.with_suffix(".log"))


@contextmanager
def terminal(tmp_path: Path, project: Path, *arguments: str, columns: int = 100) -> Iterator[Terminal]:
    """Run `dx dev` from a shell in a terminal of its own."""
    (project / ".dx" / "dev.jsonl").unlink(missing_ok=True)
    # The path of a socket must be short.
    socket = Path("/tmp") / f"dx-tmux-{os.getpid()}-{abs(hash(tmp_path)) % 100000}"
    one = Terminal(socket, project)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_FOLDER), "ENV": "", "COLORTERM": ""}
    for name in [name for name in environment if name.startswith(("TEMPORAL_", "TMUX"))]:
        del environment[name]
    command = ["tmux", "-S", str(socket), "-f", os.devnull, "new-session", "-d", "-s", "dx"]
    command += ["-x", str(columns), "-y", "70", "-c", str(project), "sh"]
    subprocess.run(command, check=True, env=environment, timeout=30)
    try:
        one.press("PS1='shell> '; clear", "Enter")
        one.press(" ".join([*dx_command(), "dev", *arguments]), "Enter")
        yield one
    finally:
        one.press("C-c")
        time.sleep(0.1)
        one.tmux("kill-server")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "shop", SERVER + PYTHON_WORKER)


async def test_a_mismatch_is_shown_and_the_choices_are_taken(tmp_path: Path, project: Path) -> None:
    with terminal(tmp_path, project, columns=80) as one:
        one.wait("● server  ● orders")
        dev = one.dev()
        handle = await start_order(dev)
        replace_in(project / "workflows.py", *BROKEN)
        screen = one.wait("▲ orders waits  k keep  r reload  s reset  t terminate  w patched")
        assert "event 5 of the history" in screen
        assert "ActivityTaskScheduled" in screen
        assert "StartTimer" in screen
        assert "→ 16          await workflow.sleep(60)" in screen
        one.press("w")
        one.wait('if workflow.patched("')
        # A letter that ends runs asks once more, and any other key is no.
        one.press("t")
        one.wait("terminate 1 run? y yes, any other key no")
        one.press("n")
        one.wait("▲ orders waits")
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
        one.press("k")
        one.wait("the new code is not served; the old worker goes on.")
        # The same again, and the run goes on from before the difference.
        replace_in(project / "workflows.py", "sleep(60)", "sleep(61)")
        one.wait("▲ orders waits")
        one.press("s")
        one.wait("reset 1 run? y yes")
        one.press("y")
        one.wait("reset order-1 to event 4; it goes on as run")
        one.wait("● server  ● orders")
        dev.wait_for("orders", "ready", is_new_code=True)
        current = await Client.connect(dev.address)
        events = [event async for event in current.get_workflow_handle("order-1").fetch_history_events()]
        assert EventType.EVENT_TYPE_TIMER_STARTED in {event.event_type for event in events}


async def test_keys(tmp_path: Path, project: Path) -> None:
    with terminal(tmp_path, project, columns=120) as one:
        one.wait("● server  ● orders   r restart  o open  p replay  t time  q quit  ? help")
        dev = one.dev()
        await start_order(dev)
        one.press("?")
        one.wait("│ q  end everything in order, as Ctrl-C does; Ctrl-C twice ends it at once")
        one.press("o")
        one.wait("│ 1  order-1  OrderWorkflow")
        one.press("9", "BSpace", "1", "Enter")
        one.wait("WorkflowId        order-1")
        one.press("o")
        one.wait("workflow (number or id):")
        for key in "nothing-there":
            one.press(key)
        one.press("Enter")
        one.wait("dx     ✗ can't describe workflow 'nothing-there'")
        one.press("p")
        one.wait("orders ✓ replay: 1 open and 0 closed runs repeat their history")
        one.press("t")
        one.wait("dx     · time stands still: nothing falls due until t is pressed again")
        one.press("t")
        one.wait("dx     · time goes on")
        one.press("r")
        dev.wait_for("orders", "ready", is_new_code=True)
        processes = dev.all_processes()
        one.press("q")
        wait_until(lambda: one.last_line == "shell>", "the shell's prompt")
        assert_gone(processes)
        # The terminal echoes again.
        one.press("echo", "Space", "back")
        wait_until(lambda: one.last_line == "shell> echo back", "the echo")


def test_a_terminal_that_is_closed_ends_everything(tmp_path: Path, project: Path) -> None:
    with terminal(tmp_path, project) as one:
        one.wait("● server  ● orders")
        processes = one.dev().all_processes()
        one.tmux("new-session", "-d", "-s", "other", "sh")
        one.tmux("kill-session", "-t", "dx")
        assert_gone(processes)
        one.tmux("rename-session", "-t", "other", "dx")


def test_a_terminal_is_restored_after_a_kill(tmp_path: Path, project: Path) -> None:
    with terminal(tmp_path, project) as one:
        one.wait("● server  ● orders")
        processes = one.dev().all_processes()
        processes[0].kill()
        assert_gone(processes)
        one.press("C-u", "echo", "Space", "back", "Enter")
        wait_until(lambda: "\nback\n" in one.screen, "the echo")


def test_ctrl_c_ends_in_order(tmp_path: Path, project: Path) -> None:
    with terminal(tmp_path, project) as one:
        one.wait("● server  ● orders")
        processes = one.dev().all_processes()
        one.press("C-c")
        wait_until(lambda: one.last_line == "shell>", "the shell's prompt")
        assert_gone(processes)
        ends = [line for line in one.screen.splitlines() if "■ stopped" in line]
        assert ends == ["orders ■ stopped", "server ■ stopped"]
