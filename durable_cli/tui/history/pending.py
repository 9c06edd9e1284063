"""What a run waits for, in words: from its history, and from what the server knows beyond that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.kinds import Kind, State
from durable_cli.tui.history.moment import GroupThen
from durable_cli.tui.history.run_book import STARTED_STATES, RunBook
from durable_cli.tui.rows import PendingActivity, PendingNexusOperation, PendingTask, RunSummary
from durable_cli.tui.times import clock, rough_span, short_span

__all__ = ["PendingLine", "describe_then", "list_pending"]

PAUSED = 8
"""The status of a run, by its number."""
LONG_WAIT_NS = 3_000_000_000


class PendingLine(NamedTuple):
    """One thing that a run waits for: what it is, and what is so with it, the most important first."""

    what: str
    words: tuple[str, ...]
    is_trouble: bool = False
    group: Group | None = None

    @property
    def text(self) -> str:
        """All of its words in one line."""
        return ", ".join(self.words)


@dataclass(frozen=True, slots=True)
class _Sight:
    """What is known when the words are made."""

    now_ns: int
    book: RunBook

    @property
    def summary(self) -> RunSummary | None:
        return self.book.summary

    def ago(self, time_ns: int) -> str:
        return rough_span(self.now_ns - time_ns)

    def left(self, time_ns: int) -> str:
        return rough_span(time_ns - self.now_ns)


def list_pending(book: RunBook, now_ns: int) -> list[PendingLine]:
    """List what an open run waits for, what fails first; of a closed one, only who has not been told of its end.

    While most of a history is still to be read, nothing can be said of it.
    """
    summary = book.summary
    if book.missing_events:
        return []
    sight = _Sight(now_ns, book)
    lines: list[PendingLine] = []
    if book.is_open:
        lines += _of_run(book, sight)
        for group in book.history.open_groups:
            if group.kind is not Kind.WORKFLOW_TASK:
                lines.append(_of_group(group, sight))
        if not lines:
            words = ("nothing is scheduled: it goes on when a signal or an update comes",)
            lines.append(PendingLine("workflow", words))
    if summary is not None:
        for callback in summary.callbacks:
            failure = (f"last error {callback.last_failure}",) if callback.last_failure else ()
            words = (callback.state, f"attempt {callback.attempt}", *failure)
            lines.append(PendingLine(f"callback to {callback.target}", words, bool(failure)))
    return sorted(lines, key=lambda line: not line.is_trouble)


def _of_run(book: RunBook, sight: _Sight) -> Iterator[PendingLine]:
    summary, run = book.summary, book.history.run
    if summary is not None and (summary.pause or summary.row.status == PAUSED):
        yield PendingLine("workflow", (f"paused by {summary.pause}" if summary.pause else "paused",), is_trouble=True)
    if summary is not None and summary.is_cancel_requested:
        yield PendingLine("workflow", ("was asked to cancel, and has not ended yet",))
    if run is not None and run.due_time_ns > sight.now_ns:
        words = (f"until {clock(run.due_time_ns)}", f"{sight.left(run.due_time_ns)} left")
        yield PendingLine("first workflow task", ("is held back", *words))
    elif summary is not None and summary.workflow_task is not None:
        yield _of_task(summary.workflow_task, sight, summary.row.task_queue)


def _of_task(task: PendingTask, sight: _Sight, task_queue: str) -> PendingLine:
    again = (f"attempt {task.attempt}: it fails again and again",) if task.attempt > 2 else ()
    if task.started_time_ns:
        return PendingLine(
            "workflow task", (f"a worker runs it for {sight.ago(task.started_time_ns)}", *again), bool(again)
        )
    waited = sight.now_ns - task.scheduled_time_ns
    is_long = waited > LONG_WAIT_NS
    hint = (f"does a worker poll task queue {task_queue}?",) if is_long and not again else ()
    words = (f"waits for a worker for {sight.ago(task.scheduled_time_ns)}", *again, *hint)
    return PendingLine("workflow task", words, bool(again) or is_long)


def _of_group(group: Group, sight: _Sight) -> PendingLine:
    words, is_trouble = _WORDS.get(group.kind, _of_other)(group, sight)
    what = f"{group.title} ({group.label})" if group.label else group.title
    return PendingLine(what, words, is_trouble, group)


_Words = tuple[tuple[str, ...], bool]


def _of_activity(group: Group, sight: _Sight) -> _Words:
    activity = sight.book.find_pending(group)
    if activity is None:
        return (f"{group.state.value} {sight.ago(group.start_time_ns)} ago",), False
    return tuple(_activity_words(activity, sight)), bool(activity.last_failure) or activity.is_paused


def _activity_words(activity: PendingActivity, sight: _Sight) -> Iterator[str]:
    of = f" of {activity.maximum_attempts}" if activity.maximum_attempts else ""
    yield f"attempt {activity.attempt}{of}"
    if activity.is_paused:
        yield f"paused by {activity.pause}" if activity.pause else "paused"
    if activity.state in STARTED_STATES:
        yield f"runs for {sight.ago(activity.started_time_ns)}"
        if activity.state == 3:
            yield "was asked to cancel"
    elif not activity.is_paused:
        is_later = activity.next_time_ns > sight.now_ns
        waits = f"waits for a worker for {sight.ago(activity.next_time_ns)}"
        yield f"next in {sight.left(activity.next_time_ns)}" if is_later else waits
    if activity.last_failure:
        yield f"last error {activity.last_failure}"
    if activity.heartbeat_time_ns:
        said = f": {activity.heartbeat}" if activity.heartbeat else ""
        yield f"heartbeat {sight.ago(activity.heartbeat_time_ns)} ago{said}"
    if activity.worker_identity and activity.state in STARTED_STATES:
        yield f"on {activity.worker_identity}"


def _of_timer(group: Group, sight: _Sight) -> _Words:
    return (f"until {clock(group.due_time_ns)}", f"{sight.left(group.due_time_ns)} left"), False


def _of_child(group: Group, sight: _Sight) -> _Words:
    if group.state is State.SCHEDULED:
        return (group.workflow_id, "is being started"), False
    return (group.workflow_id, f"runs for {sight.ago(group.started_time_ns)}"), False


def _of_nexus(group: Group, sight: _Sight) -> _Words:
    operations = sight.summary.nexus_operations if sight.summary else ()
    operation = next((each for each in operations if each.scheduled_event_id == group.opened_event_id), None)
    if operation is None:
        return (f"{group.state.value} {sight.ago(group.start_time_ns)} ago",), False
    return tuple(_operation_words(operation, group, sight)), bool(operation.last_failure or operation.blocked_reason)


def _operation_words(operation: PendingNexusOperation, group: Group, sight: _Sight) -> Iterator[str]:
    yield f"at {operation.endpoint}"
    if group.state is State.STARTED:
        yield f"runs for {sight.ago(group.started_time_ns)}"
    else:
        yield f"attempt {max(1, operation.attempt)}"
    if operation.next_time_ns > sight.now_ns:
        yield f"next in {sight.left(operation.next_time_ns)}"
    if operation.blocked_reason:
        yield f"blocked: {operation.blocked_reason}"
    if operation.last_failure:
        yield f"last error {operation.last_failure}"


def _of_update(group: Group, sight: _Sight) -> _Words:
    word = "accepted" if group.state is State.STARTED else "waits to be accepted,"
    return (f"{word} {sight.ago(group.start_time_ns)} ago",), False


def _of_other(group: Group, sight: _Sight) -> _Words:
    return (f"on its way for {sight.ago(group.start_time_ns)}",), False


_WORDS: dict[Kind, Callable[[Group, _Sight], _Words]] = {
    Kind.ACTIVITY: _of_activity,
    Kind.TIMER: _of_timer,
    Kind.CHILD: _of_child,
    Kind.NEXUS: _of_nexus,
    Kind.UPDATE: _of_update,
}


def describe_then(then: GroupThen, time_ns: int) -> PendingLine:
    """Say what was so, at a time, with a group that was not over then."""
    group = then.group
    words: tuple[str, ...]
    if group.kind is Kind.TIMER:
        words = (f"until {clock(group.due_time_ns)}", f"{short_span(max(0, group.due_time_ns - time_ns))} left")
    else:
        since_ns = then.started_time_ns or group.start_time_ns
        word = "runs" if then.state is State.STARTED else then.state.value
        words = (f"{word} for {short_span(max(0, time_ns - since_ns))}",)
    if then.state is State.STARTED and group.attempt > 1:
        words = (f"attempt {group.attempt}", *words)
    if group.kind is Kind.CHILD:
        words = (group.workflow_id, *words)
    what = f"{group.title} ({group.label})" if group.label else group.title
    return PendingLine(what, words, group=group)
