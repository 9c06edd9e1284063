"""Everything of one `dx dev`, from its start to its end in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text
from temporalio.service import ConnectConfig

from durable_cli.config import Settings, default_identity
from durable_cli.dev.answers import Answers
from durable_cli.dev.browser import Browser
from durable_cli.dev.clients import Clients
from durable_cli.dev.command_worker import CommandSupply
from durable_cli.dev.environment import connect_host, make_environment
from durable_cli.dev.events import Event, Note, ServerReady
from durable_cli.dev.histories import HistoryFolder
from durable_cli.dev.interaction import Interaction
from durable_cli.dev.journal import Journal
from durable_cli.dev.keys import Keys
from durable_cli.dev.local_server import LocalServer
from durable_cli.dev.output_log import OutputLog
from durable_cli.dev.processes import Guard
from durable_cli.dev.project.load import ProjectError, load_project
from durable_cli.dev.project.model import Project, Worker
from durable_cli.dev.project.schema import write_schema
from durable_cli.dev.provision.provision import provision
from durable_cli.dev.provision.step import Result
from durable_cli.dev.python_worker import PythonSupply
from durable_cli.dev.question import Question
from durable_cli.dev.report import Report
from durable_cli.dev.runs import Runs
from durable_cli.dev.terminal import Terminal, has_terminal
from durable_cli.dev.view.view import View
from durable_cli.dev.watching import PYTHON_SUFFIXES, Watcher, Watching
from durable_cli.dev.worker_loop import WorkerLoop
from durable_cli.errors import CliError
from durable_cli.exit_codes import ExitCode
from durable_cli.local_clock import describe_clock
from durable_cli.output.clock_text import say_unusual_time

__all__ = ["DevOptions", "DevSession"]

LEVELS = {Result.FAILED: "error", Result.NOT_SERVED: "warn"}


@dataclass(frozen=True, slots=True)
class DevOptions:
    """What the command line says.

    Args:
        workers: their names.
        settings: of another server; None for the local one.
        policy: in place of each worker's `on_nondeterminism`.
        browser_words: the words of `dx tui` that name the other server.
        with_browser: whether the browser is opened at once.
    """

    workers: Sequence[str]
    settings: Settings | None
    reload: bool
    policy: str | None
    colour: bool
    provisions: bool = True
    browser_words: Sequence[str] = ()
    with_browser: bool = False


class DevSession:
    """Runs until it is told to stop; `run` returns the exit code."""

    def __init__(self, project: Project, options: DevOptions) -> None:
        self._project = project
        self._options = options
        self._stop = asyncio.Event()
        self._is_at_once = False
        self._guard = Guard()
        folder = _make_folder(project)
        own_server = ["server"] if options.settings is None else []
        sources = ["dx", *own_server, *options.workers]
        self._view = View(sys.stdout, sources, colour=options.colour, on_lost=self._stop.set)
        self._journal = Journal(folder, {name: project.worker[name].namespace for name in options.workers})
        journal = self._journal.path
        self._output_log = OutputLog(journal.with_suffix(".log"), is_beside=self._journal.is_beside)
        self._report = Report(self._view, self._journal, self._output_log, self._on_event)
        self._dx = self._report.about("dx")
        self._answers = Answers(journal.with_suffix(".answer"), self._find_questions, self._dx)
        self._is_interactive = has_terminal()
        self._loops: list[WorkerLoop] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._server: LocalServer | None = None
        if options.settings is None:
            self._server = LocalServer(project, self._guard, self._report.about("server"))
        self._interaction: Interaction | None = None
        self._terminal: Terminal | None = None
        self._browser: Browser | None = None
        self._sources = sources
        self._last_events: dict[str, Event] = {}

    def stop(self) -> None:
        """End everything in order; when that goes on already, at once."""
        if self._stop.is_set():
            self._is_at_once = True
            self._guard.kill_all()
        self._stop.set()

    async def run(self) -> int:
        """Run everything until it is told to stop.

        Raises:
            CliError: the server does not start, or does not answer.
        """
        loop = asyncio.get_running_loop()
        await self._guard.start()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._stop.set)
        running = asyncio.create_task(self._run())
        stopping = asyncio.create_task(self._stop.wait())
        unguarded = asyncio.create_task(self._guard.wait())
        is_guarded = True
        try:
            await asyncio.wait([running, stopping, unguarded], return_when=asyncio.FIRST_COMPLETED)
            if unguarded.done() and not self._is_at_once:
                is_guarded = False
                self._dx.tell(Note("the guard of dx was killed, so everything ends; start dx again", "error"))
                self._stop.set()
        finally:
            await self._end(running)
            stopping.cancel()
            unguarded.cancel()
        if not is_guarded:
            return ExitCode.FAILURE
        return ExitCode.INTERRUPTED if self._is_at_once else ExitCode.OK

    async def _run(self) -> None:
        if self._journal.is_beside:
            journal = self._journal.path
            name = f"{journal.parent.name}/{journal.name}"
            self._dx.tell(Note(f"another dx works in this folder: the journal of this one is {name}"))
        clients = await self._reach_server()
        if self._options.provisions:
            await self._provision(clients)
        for name in self._options.workers:
            self._loops.append(self._make_loop(name, self._project.worker[name], clients))
        self._tasks = [asyncio.create_task(worker_loop.run()) for worker_loop in self._loops]
        self._tasks.append(asyncio.create_task(self._answers.run()))
        if self._server is not None:
            self._tasks.append(asyncio.create_task(self._server.run()))
        if self._options.reload and self._loops:
            self._tasks.append(asyncio.create_task(self._watch()))
        if not self._loops:
            self._dx.tell(Note("dx.toml has no worker: only the server runs", "warn"))
        time_stands = await self._note_time(clients)
        if self._is_interactive:
            self._open_terminal(clients, time_stands=time_stands)
        if self._browser is not None and self._options.with_browser:
            self._tasks.append(
                asyncio.create_task(self._browser.open("--namespace", self._project.namespace, beside=True))
            )
        await asyncio.gather(*self._tasks)

    async def _end(self, running: asyncio.Task[None]) -> None:
        """The browser first, then workers, then the server, then whatever is left, then the terminal."""
        if self._browser is not None:
            await self._browser.close()
        tasks = [running, *self._tasks]
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        at_once = asyncio.create_task(self._guard.wait())
        in_order = asyncio.create_task(self._end_in_order())
        await asyncio.wait([at_once, in_order], return_when=asyncio.FIRST_COMPLETED)
        if at_once.done() and not at_once.result():
            await asyncio.wait([in_order])
        for ending in (at_once, in_order):
            ending.cancel()
        await self._guard.stop()
        if self._terminal is not None:
            self._terminal.close()
        self._view.set_status(None)
        self._view.flush()
        self._output_log.close()
        self._journal.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _end_in_order(self) -> None:
        await asyncio.gather(*(worker_loop.stop() for worker_loop in self._loops))
        if self._server is not None:
            await self._server.stop()

    async def _reach_server(self) -> Clients:
        if self._server is not None:
            await self._server.start()
            connect = ConnectConfig(target_host=self._server.address, identity=default_identity())
            return Clients(Settings(connect, self._project.namespace, None, None))
        assert self._options.settings is not None
        clients = Clients(self._options.settings)
        started_s = asyncio.get_running_loop().time()
        async with clients.of(self._project.namespace).doing("reach the server"):
            pass
        self._dx.tell(ServerReady(clients.address, "", asyncio.get_running_loop().time() - started_s))
        return clients

    async def _provision(self, clients: Clients) -> None:
        try:
            async for outcome in provision(self._project, clients.of(self._project.namespace)):
                if outcome.result != Result.UNCHANGED:
                    self._dx.tell(Note(outcome.line, LEVELS.get(outcome.result, "info")))
        except CliError as error:
            self._dx.tell(Note(error.message or "", "error"))

    async def _note_time(self, clients: Clients) -> bool:
        """Say so when the server's time is not the system's; return whether it stands still."""
        try:
            clock = await describe_clock(clients.of(self._project.namespace))
        except CliError:  # another server's time is the system's
            return False
        said = say_unusual_time(clock)
        if said:
            self._dx.tell(Note(said, "warn"))
        return bool(clock["mode"] == "paused")

    async def _watch(self) -> None:
        watchings = [self._make_watching(worker_loop) for worker_loop in self._loops]
        watchings.append(Watching([self._project.path], (), frozenset(), self._on_project_saved))
        try:
            await Watcher(watchings).run()
        except OSError as error:
            self._dx.tell(Note(f"files can't be watched: {error}; press r after a save", "error"))

    def _on_project_saved(self, files: Sequence[Path], seen_at_s: float) -> None:
        """Say what is wrong with dx.toml, or that it counts from the next start on."""
        try:
            load_project(self._project.path)
        except ProjectError as error:
            self._dx.tell(Note(error.message or "", "error"))
            self._view.show_block(Text(error.details))
        else:
            self._dx.tell(Note(f"{self._project.path.name} was saved: it counts when dx dev is started again"))

    def _make_watching(self, worker_loop: WorkerLoop) -> Watching:
        worker = self._project.worker[worker_loop.name]
        for path in worker.watch:
            if not path.exists():
                self._report.tell(worker_loop.name, Note(f"there is no {path} to watch", "warn"))

        def tell(files: Sequence[Path], seen_at_s: float) -> None:
            worker_loop.note_saved([os.path.relpath(file, self._project.folder) for file in files], seen_at_s)

        return Watching(worker.watch, worker.ignore, PYTHON_SUFFIXES if worker.is_python else frozenset(), tell)

    def _make_loop(self, name: str, worker: Worker, clients: Clients) -> WorkerLoop:
        reporter = self._report.about(name)
        policy = self._options.policy or worker.on_nondeterminism
        return WorkerLoop(
            name,
            self._make_supply(name, worker, clients),
            reporter,
            Runs(clients, worker.namespace, reporter),
            policy="keep" if policy == "ask" and not self._is_interactive else policy,
            on_question=self._refresh,
        )

    def _make_supply(self, name: str, worker: Worker, clients: Clients) -> PythonSupply | CommandSupply:
        reporter = self._report.about(name)
        is_local = self._server is not None

        def environment(worker: Worker) -> dict[str, str]:
            return make_environment(worker.env, clients.address, worker.namespace, is_local=is_local)

        if worker.is_python:
            connect = clients.settings.connect
            return PythonSupply(
                name,
                worker,
                self._project,
                self._guard,
                reporter,
                environment,
                lambda namespace, identity: connect_host(connect, namespace, identity),
                keeps_spare=self._options.reload,
            )
        histories = HistoryFolder(self._project.folder / ".dx" / "histories" / name, clients, self._project.replay)
        return CommandSupply(worker, self._guard, reporter, environment, clients, histories)

    def _open_terminal(self, clients: Clients, *, time_stands: bool) -> None:
        self._terminal = Terminal(self._press)
        self._terminal.open()
        self._browser = Browser(self._view, self._dx, self._terminal, self._find_browser_words)
        keys = Keys(
            self._project.namespace,
            self._loops,
            clients,
            self._view,
            self._dx,
            self._browser,
            self.stop,
            time_stands=time_stands,
        )
        self._interaction = Interaction(self._view, self._sources, keys)
        with suppress(OSError):  # a terminal may have no name here
            self._guard.note_terminal(self._terminal.path)
        for source, event in self._last_events.items():
            self._interaction.note(source, event)

    def _press(self, key: str) -> None:
        if self._interaction is not None:
            self._interaction.press(key)

    def _find_browser_words(self) -> Sequence[str]:
        words = self._options.browser_words
        if self._server is not None:
            words = ["--address", self._server.address, "--disable-config-file", "--disable-config-env"]
        return [*words, "--dev-journal", str(self._journal.path)]

    def _on_event(self, source: str, event: Event) -> None:
        self._last_events[source] = event
        if self._interaction is not None:
            self._interaction.note(source, event)

    def _find_questions(self) -> Sequence[Question]:
        return [one.question for one in self._loops if one.question is not None]

    def _refresh(self) -> None:
        self._answers.note_question()
        if self._interaction is not None:
            self._interaction.refresh()


def _make_folder(project: Project) -> Path:
    """Make `.dx`, which version control leaves out, with the schema for editors."""
    folder = project.folder / ".dx"
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    write_schema(project.folder)
    return folder
