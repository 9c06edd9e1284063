"""What children write becomes lines behind their names; what dx says reads well on a terminal, in a pipe, in colour."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import select
import termios
from dataclasses import replace
from typing import get_args

import pytest
from rich.text import Text

from durable_cli.dev.events import (
    BuildFailed,
    Changed,
    CheckFailed,
    Crashed,
    Drained,
    Event,
    Held,
    LoadFailed,
    Note,
    Ready,
    ServerReady,
)
from durable_cli.dev.host_events import Checked, Definition, Mismatch, ReplayFailure
from durable_cli.dev.host_events import LoadFailed as LoadProblem
from durable_cli.dev.view.lines import LONGEST_LINE, LineSplitter, clean
from durable_cli.dev.view.state_lines import RENDERERS, format_seconds, render_event
from durable_cli.dev.view.view import View


def split(*chunks: bytes, keep_colour: bool = False, flush: bool = False) -> list[str]:
    lines: list[str] = []
    splitter = LineSplitter(lines.append, keep_colour=keep_colour)
    for chunk in chunks:
        splitter.feed(chunk)
    if flush:
        splitter.flush()
    return lines


def test_lines_come_whole_however_they_are_cut() -> None:
    assert split(b"on", b"e\ntw", b"o\n\n", b"thr") == ["one", "two", ""]
    assert split("zwölf\n".encode()[:3], "zwölf\n".encode()[3:]) == ["zwölf"]
    assert split(b"one\r\ntwo\r\n") == ["one", "two"]


def test_a_line_that_does_not_end_is_shown_and_goes_on() -> None:
    lines: list[str] = []
    splitter = LineSplitter(lines.append, keep_colour=False)
    splitter.feed(b"name: ")
    splitter.flush()
    splitter.feed(b"Ann\n")
    splitter.feed(b"done? ")
    splitter.flush()
    splitter.feed(b"\nnext\n")
    assert lines == ["name: ", "Ann", "done? ", "next"]


def test_an_endless_line_comes_in_pieces() -> None:
    lines = split(b"x" * (2 * LONGEST_LINE + 5), b"y\nz\n")
    assert [len(line) for line in lines] == [LONGEST_LINE, LONGEST_LINE, 6, 1]
    lines = split(b"x" * (LONGEST_LINE + 5) + b"\nz\n")
    assert [len(line) for line in lines] == [LONGEST_LINE, 5, 1]


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bcreset", "reset"),
        ("a\tb\x00\x07\x7f\x9b31mc", "a\tb31mc"),
        (" 10%\r 50%\r100%", "100%"),
        ("\x1b[", ""),
    ],
)
def test_tricks_are_taken_out(raw: str, plain: str) -> None:
    assert clean(raw, keep_colour=False).replace("[", "") == plain


def test_colours_are_kept_where_there_are_any_and_end_with_the_line() -> None:
    assert clean("\x1b[1;31mred\x1b[2K", keep_colour=True) == "\x1b[1;31mred\x1b[0m"
    assert clean("plain", keep_colour=True) == "plain"


def test_undecodable_bytes_are_marked() -> None:
    assert split(b"\xff\xfe ok \x80\n") == ["�� ok �"]


class Written(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]


async def show(*events: tuple[str, Event], colour: bool = False, encoding: str = "utf-8") -> str:
    stream = Written()
    stream.encoding = encoding  # type: ignore[misc]
    view = View(stream, ["dx", "server", "orders"], colour=colour)
    for source, event in events:
        view.show(source, render_event(event))
    await asyncio.sleep(0)
    return stream.getvalue()


MISMATCH = Mismatch(
    kind="nondeterminism",
    workflow_id="order-17",
    run_id="run-1",
    workflow_type="OrderWorkflow",
    open=True,
    message="the SDK's words",
    event_id=11,
    event_type="ActivityTaskScheduled",
    event_summary="charge (2)",
    command_type="StartTimer",
    command_summary="60 s",
    file="workflows.py",
    line=42,
    source=[(41, "    before"), (42, "    await workflow.sleep(60)"), (43, "    after")],
)


def test_every_event_has_its_line() -> None:
    assert set(RENDERERS) == set(get_args(Event))


async def test_without_a_terminal_every_line_is_plain_and_whole() -> None:
    definitions = [Definition(f"activity_{number}", "/shop/activities.py", number) for number in range(40)]
    text = await show(
        ("server", ServerReady("127.0.0.1:7233", ".dx/history.db", 0.312, 8233)),
        ("orders", Ready("orders", 0.41, False, [Definition("OrderWorkflow", "/shop/workflows.py", 12)], definitions)),
        ("orders", Changed(["a.py", "b.py", "c.py", "d.py", "e.py"])),
        ("dx", Note("hm", "warn")),
    )
    lines = text.splitlines()
    assert (
        lines[0]
        == "server ● ready in 0.31 s at localhost:7233, web page at http://localhost:8233, history in .dx/history.db"
    )
    assert lines[1] == "orders ● ready in 0.41 s on task queue orders"
    assert lines[2] == "       │ workflows   OrderWorkflow workflows.py:12"
    assert lines[3].startswith("       │ activities  activity_0 activities.py:0, activity_1 :1, ")
    assert lines[3].endswith("activity_39 :39")
    assert lines[4] == "orders ↻ a.py, b.py, c.py and 2 more files changed: reloading"
    assert lines[5] == "dx     ▲ hm"


async def test_a_mismatch_is_an_event_beside_a_command() -> None:
    other = [replace(MISMATCH, workflow_id=f"order-{number}") for number in (18, 19)]
    checked = Checked(3, 10, 250, 0.084, [MISMATCH, *other], [])
    text = await show(("orders", checked), ("orders", Held(old_goes_on=True, is_asked=False)))
    assert text.splitlines() == [
        "orders ✗ replay failed: 3 of the newest 3 of 250 open and 10 closed runs do not repeat their history (84 ms)",
        "       │",
        "       │ order-17 and 2 more runs  OrderWorkflow, open, run run-1",
        "       │",
        "       │ event 11 of the history            the new code",
        "       │ ActivityTaskScheduled charge (2)   StartTimer 60 s",
        "       │",
        "       │ workflows.py:42",
        "       │   41      before",
        "       │ → 42      await workflow.sleep(60)",
        "       │   43      after",
        "       │",
        "orders ▲ the new code is not served; the old worker goes on. Save a fix to try again",
    ]


async def test_what_else_can_go_wrong_is_said() -> None:
    problem = LoadProblem("SyntaxError", "bad", "do this", "activities.py", 3, 5, [(3, "ab  (d")])
    failure = ReplayFailure(
        "workflow_task_failed", "order-1", "run-2", "OrderWorkflow", True, "no x", error="NameError"
    )
    text = await show(
        ("orders", LoadFailed(problem, old_goes_on=True)),
        ("orders", LoadFailed(LoadProblem("HostEnded", "ended", traceback="line 1\nline 2"), old_goes_on=False)),
        ("orders", Checked(1, 0, 1, 2.5, [], [failure])),
        ("orders", CheckFailed("no server")),
        ("orders", BuildFailed("npx tsc", 2, old_goes_on=True)),
        ("orders", Crashed(-9, 2.0)),
        ("orders", Crashed(3, 0.0, "why")),
        ("orders", Drained(10.0, is_clean=False)),
    )
    for line in (
        "orders ✗ SyntaxError: bad; the old worker goes on",
        "       │ → 3  ab  (d",
        "       │          ^",
        "       │ hint: do this",
        "orders ✗ HostEnded: ended; no worker runs until the next save",
        "       │ line 2",
        "orders ✗ replay failed: 1 of 1 open and 0 closed runs do not repeat their history (2.50 s)",
        "       │ NameError: no x",
        "orders ▲ replay check could not be done: no server",
        "orders ✗ `npx tsc` failed with exit code 2; the old worker goes on",
        "orders ✗ killed by signal 9; starting again in 2 s",
        "orders ✗ crashed with exit code 3: why",
        "orders ▲ old worker ended after its grace time, 10 s",
    ):
        assert f"\n{line}\n" in f"\n{text}"


async def test_an_old_terminal_gets_ascii() -> None:
    text = await show(("orders", Checked(1, 2, 1, 0.01, [], [])), encoding="ascii")
    assert text == "orders + replay: 1 open and 2 closed runs repeat their history in 10 ms\n"


async def test_runs_that_were_let_go_are_not_said_to_repeat_their_history() -> None:
    text = await show(("orders", Checked(5, 2, 5, 30.0, [], [], not_replayed=3)))
    assert "▲ replay: 3 runs of 5 open and 2 closed runs could not be replayed" in text
    text = await show(("orders", Checked(0, 2, 0, 0.01, [], [], forgiven=1)))
    assert text == (
        "orders ✓ replay: 0 open and 2 closed runs repeat their history in 10 ms, beside 1 run that you let go\n"
    )


def test_seconds_read_well() -> None:
    assert [format_seconds(each) for each in (0.0844, 0.41, 9.999, 12.3)] == ["84 ms", "0.41 s", "10.00 s", "12 s"]


@pytest.fixture
def terminal() -> io.TextIOWrapper:
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 60))
    stream = os.fdopen(slave, "w", encoding="utf-8")
    stream.master = master  # type: ignore[attr-defined]
    return stream


async def read_terminal(terminal: io.TextIOWrapper) -> str:
    """Return everything that was written, once nothing more arrives: a terminal passes it on in its own time."""
    await asyncio.sleep(0)
    data, master = b"", terminal.master  # type: ignore[attr-defined]
    while select.select([master], [], [], 0.1)[0]:
        data += os.read(master, 65536)
    return data.decode().replace("\r\n", "\n")


async def test_a_terminal_folds_dxs_lines_under_themselves(terminal: io.TextIOWrapper) -> None:
    view = View(terminal, ["orders"], colour=True)
    view.show("orders", render_event(Note("one two three four five six seven eight nine ten eleven twelve")))
    text = clean_all(await read_terminal(terminal))
    assert text == "orders · one two three four five six seven eight nine ten\n       │ eleven twelve\n"


async def test_the_state_stays_below_the_last_line(terminal: io.TextIOWrapper) -> None:
    view = View(terminal, ["orders"], colour=False)
    feed = view.open_sink("orders")
    view.set_status(Text("● orders"))
    feed(b"one\n")
    assert await read_terminal(terminal) == "orders │ one\n● orders"
    feed(b"two\nthree\n")
    assert await read_terminal(terminal) == "\r\x1b[Korders │ two\norders │ three\n● orders"
    with view.held():
        feed(b"meanwhile\n")
        assert await read_terminal(terminal) == "\r\x1b[K"
    assert await read_terminal(terminal) == "orders │ meanwhile\n● orders"
    view.set_status(None)
    assert await read_terminal(terminal) == "\r\x1b[K"


async def test_a_line_without_an_end_is_shown_after_a_moment(terminal: io.TextIOWrapper) -> None:
    view = View(terminal, ["orders"], colour=False)
    view.open_sink("orders")(b"password: ")
    await asyncio.sleep(0.5)
    assert await read_terminal(terminal) == "orders │ password: \n"


async def test_a_stream_that_is_gone_is_told_once() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    lost: list[bool] = []
    with os.fdopen(writing, "w") as stream:
        view = View(stream, ["orders"], colour=False, on_lost=lambda: lost.append(True))
        for _ in range(3):
            view.show("orders", render_event(Note("hello")))
            view.flush()
        assert lost == [True]
        # What stays in the buffer can't be written when the stream is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)


def clean_all(text: str) -> str:
    return "\n".join(clean(line, keep_colour=False) for line in text.split("\n"))
