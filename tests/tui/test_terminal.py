"""The real program in a real terminal: tmux runs it, keys are typed, the window changes its size, colours are few."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.cli.conftest import Stage
from tests.support.server_process import dx_command
from tests.support.tmux import PATIENCE_SECONDS, Terminal, needs_tmux, terminal

# Bold, underlined, reversed, and the colours that the terminal has by itself.
NO_COLORS = {0, 1, 4, 7, 39, 49}
CODES = re.compile(r"\x1b\[([\d;:]*)m")


@contextmanager
def browser(
    stage: Stage, folder: Path, *environment: str, words: Sequence[str] = (), columns: int = 80, lines: int = 24
) -> Iterator[Terminal]:
    """`dx tui` in a terminal of its own; however it ends, no traceback is ever seen."""
    command = ["env", *environment, *dx_command(), "tui", "--address", stage.server.address, *words]
    with terminal(folder, command, columns=columns, lines=lines) as screen:
        yield screen
        assert "Traceback" not in screen.tmux("capture-pane", "-p", "-S", "-200")


def assert_restored(screen: Terminal) -> None:
    """Check that the terminal is as it was: the shell's own screen, a cursor, no reports of the mouse."""
    screen.wait_for("exit 0")
    state = screen.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}")
    assert state.split() == ["0", "1", "0"]
    assert screen.screen().strip() == "exit 0"


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def find_codes(screen: Terminal) -> set[int]:
    """Return the numbers of all the looks that are on the screen: 1 is bold, 7 reversed, from 30 on colours."""
    looks = CODES.findall(screen.tmux("capture-pane", "-p", "-e"))
    return {int(code) for look in looks for code in re.split("[;:]", look) if code}


@needs_tmux
def test_a_workflow_is_opened_signalled_and_seen_to_complete(stage: Stage, tmp_path: Path) -> None:
    workflow_id = stage.start("Waiter")
    with browser(stage, tmp_path, "COLUMNS=80", "LINES=24") as screen:  # as a shell may have exported them once
        screen.wait_for(workflow_id)
        screen.press("Enter")
        screen.wait_for("nothing is scheduled")
        screen.press("2", "Down")
        screen.wait_for("grouped")
        screen.press("s")
        screen.wait_for(f"Signal {workflow_id}")
        screen.press(*"finish", "C-s")
        screen.wait_for("✓ Completed")
        screen.resize(140, 45)
        screen.wait_for("3 Input & result")
        screen.press("?")
        screen.wait_for("This view")
        while "deployments  batches" not in screen.screen():  # each time a page further, in the end it closes
            screen.press("?")
            time.sleep(0.3)
        screen.press("C-p")
        screen.wait_for("Search for commands")
        screen.press(*"go to namesp")
        screen.wait_for("Go to namespaces")
        screen.press("Enter")
        screen.wait_for("2 namespaces")
        screen.press("q")
        screen.wait_for("exit 0")


@needs_tmux
def test_a_terminal_of_sixteen_colors_gets_no_others(stage: Stage, tmp_path: Path) -> None:
    workflow_id = stage.start("Waiter")
    with browser(stage, tmp_path, "-u", "COLORTERM", "TERM=xterm-16color") as screen:
        screen.wait_for(workflow_id)
        codes = find_codes(screen)
        assert not codes & {38, 48}, "no colour by its number or its parts"
        assert codes & set(range(90, 98)), "but of the sixteen"
        assert codes & {44, 104}, "the row under the cursor is on blue"
        screen.press("c")
        screen.wait_for("asked to clean up")
        assert not find_codes(screen) & {38, 48}
        screen.press("n")
        wait_until(lambda: "asked to clean up" not in screen.screen())
        screen.press("q")
        assert_restored(screen)


@needs_tmux
def test_no_color_means_none(stage: Stage, tmp_path: Path) -> None:
    workflow_id = stage.start("Waiter")
    with browser(stage, tmp_path, "NO_COLOR=1", "COLORTERM=truecolor") as screen:
        screen.wait_for(workflow_id)
        assert find_codes(screen) <= NO_COLORS
        [line] = [each for each in screen.tmux("capture-pane", "-p", "-e").splitlines() if workflow_id in each]
        assert "\x1b[7m" in line, "the row under the cursor is reversed"
        screen.press("Space", "s")
        screen.wait_for(f"Signal {workflow_id}")
        assert find_codes(screen) <= NO_COLORS
        screen.press("Escape")
        wait_until(lambda: f"Signal {workflow_id}" not in screen.screen())
        screen.press("q")
        assert_restored(screen)


@needs_tmux
def test_a_signal_to_end_leaves_the_terminal_as_it_was(stage: Stage, tmp_path: Path) -> None:
    workflow_id = stage.start("Waiter")
    with browser(stage, tmp_path, words=["-w", workflow_id]) as screen:
        screen.wait_for("nothing is scheduled")
        shell = psutil.Process(int(screen.tmux("display-message", "-p", "#{pane_pid}")))
        [program] = shell.children()
        os.kill(program.pid, signal.SIGTERM)
        assert_restored(screen)


@needs_tmux
def test_a_failure_of_the_browser_itself_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    program = tmp_path / "failing.py"
    program.write_text(
        "from durable_cli.main import main\n"
        "from durable_cli.tui.app import BrowserApp\n"
        "def fail(app): raise RuntimeError('it is [b]broken[/b]')\n"
        "BrowserApp.action_next_theme = fail\n"
        "main()\n"
    )
    command = [sys.executable, str(program), "tui", "--address", "127.0.0.1:1"]
    with terminal(tmp_path, command, columns=100, lines=24) as screen:
        screen.wait_for("nothing listens")
        screen.press("C-c")
        screen.wait_for("q quits")
        screen.press("C-t")
        said = screen.wait_for("exit 1")
        assert "error: dx failed unexpectedly: RuntimeError: it is [b]broken[/b]" in said
        assert "Traceback" not in screen.tmux("capture-pane", "-p", "-S", "-200")
