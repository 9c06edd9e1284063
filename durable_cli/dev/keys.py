"""What the keys of `dx dev` do to the workers and ask of the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from google.protobuf.empty_pb2 import Empty
from rich.table import Table
from rich.text import Text

from durable_cli.clock_offset import find_clock_offset
from durable_cli.dev.browser import Browser
from durable_cli.dev.clients import Clients
from durable_cli.dev.events import Note
from durable_cli.dev.question import Question
from durable_cli.dev.report import Reporter
from durable_cli.dev.view.view import View
from durable_cli.dev.worker_loop import WorkerLoop
from durable_cli.errors import CliError
from durable_cli.local_clock import change_clock, describe_clock
from durable_cli.output.times import format_relative

__all__ = ["Keys"]

LISTED_RUNS = 9


class Keys:
    """The actions."""

    def __init__(
        self,
        namespace: str,
        loops: Sequence[WorkerLoop],
        clients: Clients,
        view: View,
        dx: Reporter,
        browser: Browser,
        stop: Callable[[], None],
        *,
        time_stands: bool,
    ) -> None:
        self._namespace = namespace
        self._loops = loops
        self._clients = clients
        self._view = view
        self._dx = dx
        self._browser = browser
        self._stop = stop
        self.time_stands = time_stands
        self._is_automatic = False

    def restart(self) -> None:
        for worker_loop in self._loops:
            worker_loop.restart()

    def check_again(self) -> None:
        for worker_loop in self._loops:
            worker_loop.check_again()

    def quit(self) -> None:
        self._stop()

    def find_question(self) -> tuple[str, Question] | None:
        asking = ((one.name, one.question) for one in self._loops)
        return next(((name, question) for name, question in asking if question is not None), None)

    async def toggle_time(self) -> None:
        client = self._clients.of(self._namespace)
        try:
            mode = (await describe_clock(client))["mode"]
            if mode == "paused":
                await change_clock(client, "JumpWhenIdle" if self._is_automatic else "ResumeTime", Empty())
            else:
                await change_clock(client, "PauseTime", Empty())
                self._is_automatic = mode == "auto"
        except CliError as error:
            self._dx.tell(Note(str(error), "warn"))
            return
        self.time_stands = mode != "paused"
        if self.time_stands:
            self._dx.tell(Note("time stands still: nothing falls due until t is pressed again"))
        else:
            self._dx.tell(Note("time jumps again to what is due next" if self._is_automatic else "time goes on"))

    async def list_open_runs(self) -> Sequence[tuple[str, str]]:
        try:
            runs = await self._clients.list_runs(self._namespace, 'ExecutionStatus = "Running"', LISTED_RUNS)
        except CliError as error:
            self._dx.tell(Note(str(error), "error"))
            return ()
        grid = Table.grid(padding=(0, 2, 0, 0))
        offset = await find_clock_offset(self._clients.of(self._namespace), (run.start_time for run in runs))
        now = datetime.now(UTC) + offset
        for number, run in enumerate(runs, 1):
            started = format_relative(run.start_time.ToDatetime(tzinfo=UTC), now)
            grid.add_row(Text(str(number), "bold"), run.execution.workflow_id, run.type.name, Text(started, "dim"))
        self._view.show_block(grid if runs else Text("no open workflows", "dim"))
        return [(self._namespace, run.execution.workflow_id) for run in runs]

    async def open_workflow(self, namespace: str, workflow_id: str) -> None:
        words = ["--workflow-id", workflow_id] if workflow_id else []
        await self._browser.open(*words, "--namespace", namespace or self._namespace)
