"""A history from a file, as the official command line and the browser's export write it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.tui.feed.link import AGAIN_SECONDS, Link, Post, reporting
from durable_cli.tui.feed.threads import in_thread
from durable_cli.tui.history.groups import History
from durable_cli.tui.messages import HistoryGrew, HistoryRead, RunDescribed
from durable_cli.tui.rows import RunRow, RunSummary
from durable_cli.tui.times import clock, set_server_clock

if TYPE_CHECKING:
    from durable_cli.client import Client

__all__ = ["FileLink", "FileWatch", "load_file"]

SLICE_EVENTS = 100


class FileLink(Link):
    """In the place of a server: everything that is asked is refused, since there is only a file."""

    absence = "there is no server: this is a history from a file"
    has_server = False

    def __init__(self, path: Path, post: Post) -> None:
        super().__init__(GlobalOptions(), ConnectionOptions(address=path.name), post)

    async def keep_connected(self) -> None:
        """Leave it at that."""

    @asynccontextmanager
    async def asking(self, action: str, *, waits: bool = False) -> AsyncIterator[Client]:
        raise CliError(f"can't {action}: {self.absence}", "`dx tui` without --history browses a server")
        yield


class FileWatch:
    """Tells of the events in a file once it can be read."""

    def __init__(self, path: Path, post: Post) -> None:
        self._path = path
        self._post = post
        self._is_told = False

    async def run(self) -> None:
        """Tell, or say why not and try again."""
        while not self._is_told:
            async with reporting(self._post, "history"):
                await self._tell(await in_thread(lambda: read_events(self._path)))
                self._is_told = True
            if not self._is_told:
                await asyncio.sleep(AGAIN_SECONDS)
        self._post(HistoryRead())

    async def _tell(self, events: Sequence[Any]) -> None:
        from durable_cli.tui.feed.events import EventReader
        from durable_cli.tui.feed.from_protos import timestamp_ns

        # What is open in a file is as it was at its last event, however long ago that is.
        set_server_clock(stands_at_ns=timestamp_ns(events[-1].event_time))
        row = make_row(self._path, events)
        self._post(RunDescribed(RunSummary(row, tuple(_fields(row, events)))))
        reader = EventReader()
        for start in range(0, len(events), SLICE_EVENTS):
            self._post(HistoryGrew(*reader.read(events[start : start + SLICE_EVENTS])))
            await asyncio.sleep(0)


async def load_file(path: Path) -> History:
    """Read the history in a file, to compare another one with it.

    Raises:
        CliError: there is none.
    """
    from durable_cli.tui.feed.events import EventReader

    history, reader = History(), EventReader()
    events = await in_thread(lambda: read_events(path))
    for start in range(0, len(events), SLICE_EVENTS):
        history.take(*reader.read(events[start : start + SLICE_EVENTS]))
        await asyncio.sleep(0)
    return history


def _fields(row: RunRow, events: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Yield what is said of the run above its views."""
    from durable_cli.tui.feed.from_protos import timestamp_ns

    yield "task queue", row.task_queue
    yield "started", clock(row.start_time_ns, with_date=True)
    label = "as of" if row.status == RUNNING else "closed"
    yield label, clock(timestamp_ns(events[-1].event_time), with_date=True)


_STATUSES = {"Completed": 2, "Failed": 3, "Canceled": 4, "Terminated": 5, "ContinuedAsNew": 6, "TimedOut": 7}
RUNNING = 1


def make_row(path: Path, events: Sequence[Any]) -> RunRow:
    """Return what the events say of their run."""
    from durable_cli.output.event_text import name_event
    from durable_cli.tui.feed.from_protos import timestamp_ns

    first, last = events[0], events[-1]
    started = first.workflow_execution_started_event_attributes
    status = _STATUSES.get(name_event(last).removeprefix("WorkflowExecution"), RUNNING)
    return RunRow(
        started.workflow_id or path.stem,
        started.original_execution_run_id,
        started.workflow_type.name,
        status,
        timestamp_ns(first.event_time),
        timestamp_ns(last.event_time) if status != RUNNING else 0,
        started.task_queue.name,
        len(events),
    )


def read_events(path: Path) -> Sequence[Any]:
    """Return the events of the history in a file.

    Raises:
        CliError: there is none.
    """
    from google.protobuf.json_format import ParseError
    from temporalio.client import WorkflowHistory

    hint = "it must be as `temporal workflow show -o json` or the key e here writes it"
    try:
        events = WorkflowHistory.from_json(path.stem, path.read_text()).events
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}", "check the path") from None
    except (ValueError, ParseError, AttributeError, KeyError, TypeError) as error:
        words = " ".join(str(error).split())
        raise CliError(f"{path} holds no history: {words[:200]}", hint) from None
    if not events:
        raise CliError(f"{path} holds no events", hint)
    return events
