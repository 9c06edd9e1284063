"""What the keys do, and the line of state below the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from rich.table import Table
from rich.text import Text

from durable_cli.dev.events import (
    BuildFailed,
    Changed,
    Crashed,
    Event,
    Held,
    LoadFailed,
    Ready,
    ServerReady,
    Starting,
    Stopped,
    Stopping,
)
from durable_cli.dev.patched import explain_patched
from durable_cli.dev.question import Question, Verdict, find_broken_runs
from durable_cli.dev.terminal import ESCAPE
from durable_cli.dev.view.view import View

__all__ = ["Actions", "Interaction"]

HINTS = ("r restart  o open  p replay  t time  q quit  ? help", "q quit  ? help", "? help")

KEYS = (
    ("r", "restart the workers"),
    ("o", "open a workflow in the browser; q there comes back here"),
    ("p", "replay the runs with the code as it is on disk"),
    ("t", "stop the server's time, or let it go on"),
    ("q", "end everything in order, as Ctrl-C does; Ctrl-C twice ends it at once"),
)

ANSWER_KEYS: Mapping[str, Verdict] = {"k": "keep", "r": "reload", "s": "reset", "t": "terminate"}

SETTLE_SECONDS = 0.5
"""How long a new question takes no answer: a key that was meant for something else must not be one."""

_MARKS: dict[type[Event], tuple[str, str]] = {
    Starting: ("◌", "dim"),
    Changed: ("↻", "cyan"),
    Ready: ("●", "green"),
    ServerReady: ("●", "green"),
    LoadFailed: ("✗", "red"),
    BuildFailed: ("✗", "red"),
    Held: ("▲", "yellow"),
    Crashed: ("✗", "red"),
    Stopping: ("◌", "dim"),
    Stopped: ("■", "dim"),
}


class Actions(Protocol):
    """What the keys can ask for."""

    time_stands: bool
    """Whether the server's time stands still, as far as is known here."""

    def restart(self) -> None:
        """Start all workers anew."""

    def check_again(self) -> None:
        """Replay the runs with the code as it is on disk."""

    def quit(self) -> None:
        """End everything in order."""

    async def toggle_time(self) -> None:
        """Stop the server's time, or let it go on."""

    async def list_open_runs(self) -> Sequence[tuple[str, str]]:
        """Show the newest open runs with numbers; return (namespace, workflow id) of each."""

    async def open_workflow(self, namespace: str, workflow_id: str) -> None:
        """Open a workflow in the browser, or without an id the list; an empty namespace is the project's."""

    def find_question(self) -> tuple[str, Question] | None:
        """Return the first worker that waits for an answer, and what it asks."""


class Interaction:
    """Keys in, actions out; one key at a time, or a line that is being typed."""

    def __init__(self, view: View, sources: Sequence[str], actions: Actions) -> None:
        self._view = view
        self._actions = actions
        self._marks: dict[str, tuple[str, str]] = {source: ("◌", "dim") for source in sources if source != "dx"}
        self._typed: str | None = None
        self._listing: asyncio.Task[Sequence[tuple[str, str]]] | None = None
        self._confirming: Verdict | None = None
        self._asked: Question | None = None
        self._is_settled = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._keys: dict[str, Callable[[], None]] = {
            "r": actions.restart,
            "p": actions.check_again,
            "q": actions.quit,
            "t": lambda: self._start(self._toggle_time()),
            "o": self._begin_to_type,
            "?": self._show_help,
        }

    def note(self, source: str, event: Event) -> None:
        """Remember in which state a source is."""
        mark = _MARKS.get(type(event))
        if mark is not None and source in self._marks:
            self._marks[source] = mark
        self.refresh()

    def refresh(self) -> None:
        """Show the line of state, and the choices when a question is new."""
        pending = self._actions.find_question()
        question = pending[1] if pending else None
        if question is not self._asked:
            self._asked = question
            self._confirming = None
            self._is_settled = question is None
            if pending is not None:
                self._show_choices(*pending)
                asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settle, pending[1])
        self._view.set_status(self._draw_status(pending))

    def press(self, key: str) -> None:
        """Do what a key means now."""
        pending = self._actions.find_question()
        if self._typed is not None:
            self._type(key)
        elif pending is not None:
            if self._is_settled and pending[1] is self._asked:
                self._answer(pending[1], key)
        elif key in self._keys:
            self._keys[key]()
        self.refresh()

    def _settle(self, question: Question) -> None:
        """Let a question be answered from now on."""
        if question is self._asked:
            self._is_settled = True
            self.refresh()

    def _draw_status(self, pending: tuple[str, Question] | None) -> Text:
        if self._typed is not None:
            return Text.assemble(
                ("workflow (number, id, or nothing for the list): ", "bold"), self._typed, ("▏", "dim")
            )
        if pending is not None:
            name, question = pending
            if self._confirming is not None:
                count = len(find_broken_runs(question.checked))
                runs = "1 run" if count == 1 else f"{count} runs"
                act = f"{self._confirming} {runs}"
                if self._confirming == "reload":
                    act = f"reload, and break {runs}" if count else "reload, though open runs may break"
                return Text(f"{act}? y yes, any other key no", "bold yellow")
            words = "  ".join(f"{key} {word}" for key, word in _list_answers(question)) if self._is_settled else ""
            return Text.assemble((f"▲ {name} waits  ", "bold yellow"), words)
        status = Text()
        for source, (symbol, style) in self._marks.items():
            status.append(symbol, style)
            status.append(f" {source}  ")
        if self._actions.time_stands:
            status.append("‖ time stands  ", "yellow")
        room = self._view.width - status.cell_len - 2
        hint = next((hint for hint in HINTS if len(hint) <= room), "")
        return Text.assemble(status, (f" {hint}", "dim"))

    def _show_help(self) -> None:
        self._view.show_block(_draw_keys(KEYS))

    def _show_choices(self, name: str, question: Question) -> None:
        count = len(find_broken_runs(question.checked))
        runs = "the run" if count == 1 else f"the {count} runs"
        reload = f"serve the new code all the same: the next workflow task of {runs} fails"
        if not question.is_about_open_runs:
            reload = "serve the new code: only closed runs differ, and nothing that runs breaks"
        elif not count:
            reload = "serve the new code all the same: workflow tasks of open runs may fail"
        meanings: dict[str, str] = {
            "keep": "keep the old worker, and go on editing" if question.old_goes_on else "run no worker until a save",
            "reload": reload,
            "reset": f"serve the new code, and let {runs} go on from before the difference",
            "terminate": f"terminate {runs}, and serve the new code",
            "patched": "show how to wrap the change, so that old runs repeat their history",
        }
        self._view.show_block(_draw_keys([(key, meanings[word]) for key, word in _list_answers(question)]))

    def _answer(self, question: Question, key: str) -> None:
        confirming, self._confirming = self._confirming, None
        if confirming is not None:
            if key == "y":
                question.put(confirming)
        elif key == "w" and question.checked.mismatches:
            self._view.show_block(Text(f"\n{explain_patched(question.checked.mismatches[0])}\n", "cyan"))
        elif key in {"q", "?"}:
            self._keys[key]()
        elif ANSWER_KEYS.get(key) in question.choices:
            verdict = ANSWER_KEYS[key]
            if verdict != "keep" and question.is_about_open_runs:
                self._confirming = verdict
            else:
                question.put(verdict)

    async def _toggle_time(self) -> None:
        await self._actions.toggle_time()
        self.refresh()

    def _begin_to_type(self) -> None:
        """Take the keys as text from now on: they may come before the server's answer."""
        self._typed = ""
        self._listing = asyncio.create_task(self._actions.list_open_runs())

    def _type(self, key: str) -> None:
        assert self._typed is not None
        if key in {ESCAPE, "\x04"}:
            self._typed = None
        elif key in {"\x7f", "\b"}:
            self._typed = self._typed[:-1]
        elif key in {"\n", "\r"}:
            typed, self._typed = self._typed.strip(), None
            self._start(self._open(typed))
        elif key.isprintable():
            self._typed += key

    async def _open(self, typed: str) -> None:
        """Open what was typed: a number of the list, or an id."""
        assert self._listing is not None
        listed = await self._listing
        if typed.isdecimal() and 0 < int(typed) <= len(listed):
            await self._actions.open_workflow(*listed[int(typed) - 1])
        else:
            await self._actions.open_workflow("", typed)

    def _start(self, running: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(running)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _list_answers(question: Question) -> list[tuple[str, str]]:
    answers: list[tuple[str, str]] = [
        (key, verdict) for key, verdict in ANSWER_KEYS.items() if verdict in question.choices
    ]
    return [*answers, ("w", "patched")] if question.checked.mismatches else answers


def _draw_keys(keys: Sequence[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for key, meaning in keys:
        grid.add_row(Text(key, "bold"), meaning)
    return grid
