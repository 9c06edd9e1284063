"""The journal of `dx dev` becomes a state: members, reloads, what is worth a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, get_args

import pytest

from durable_cli.dev import events
from durable_cli.dev.host_events import Checked, Definition, LoadFailed, Mismatch, ReplayFailure
from durable_cli.dev.journal import BEGUN, event_name
from durable_cli.tui.dev.book import HANDLERS, DevBook
from durable_cli.tui.dev.rows import DevEvent, Outcome, Phase
from durable_cli.tui.dev.words import say_check, say_run, say_where

SECOND = 1_000_000_000
DEFINITIONS = [Definition("Order", "workflows.py", 3)]
MISMATCH = Mismatch(
    "nondeterminism",
    "order-17",
    "run-17",
    "Order",
    True,
    "differs",
    event_id=12,
    event_type="ActivityTaskScheduled",
    command_type="StartTimer",
    file="workflows.py",
    line=4,
    callers=[("workflows.py", 9)],
)
FAILURE = ReplayFailure("workflow_task_failed", "order-2", "run-2", "Order", True, "no such thing", "KeyError")
GOOD = Checked(2, 1, 2, 0.041, [], [])
BAD = Checked(2, 1, 2, 0.041, [MISMATCH], [FAILURE])
READY = events.Ready("orders", 0.273, True, DEFINITIONS, DEFINITIONS * 2, 77)
HELD = events.Held(old_goes_on=True, is_asked=False)
ASKED = events.Held(True, True, "question-1", ("keep", "reload"))


def begun(time_s: float = 0, **fields: Any) -> DevEvent:
    return DevEvent(
        round(time_s * SECOND), "dx", BEGUN, {"pid": 7, "since": "s", "workers": {"orders": "default"}, **fields}
    )


def line(time_s: float, event: Any, source: str = "orders") -> DevEvent:
    return DevEvent(round(time_s * SECOND), source, event_name(event), asdict(event))


def tell(*what: Any) -> tuple[DevBook, list[str]]:
    """Return the book after a start and these events, a second apart, and what it found worth a word."""
    book = DevBook()
    book.take([begun(), line(1, events.Starting()), line(1.5, events.Ready("orders", 0.5, False, pid=70))])
    book.is_running = True
    words: list[str] = []
    for second, event in enumerate(what, 10):
        words += [f"{notice.source}: {notice.text}" for notice in book.take([line(second, event)])]
    return book, words


def test_every_event_is_handled() -> None:
    assert set(HANDLERS) == {BEGUN, *(event_name(event) for event in get_args(events.Event))}


def test_what_is_there_already_is_no_news() -> None:
    book = DevBook()
    assert not book.take([begun(), line(1, events.Starting()), line(2, BAD), line(3, HELD)])
    assert [member.name for member in book.workers] == ["orders"]
    assert book.namespaces == {"orders": "default"}


@pytest.mark.parametrize(
    ("what", "phase", "outcome", "words"),
    [
        ([events.Changed(["a.py"])], Phase.RELOADING, Outcome.RUNNING, []),
        ([events.Changed(["a.py"]), GOOD], Phase.CHECKED, Outcome.RUNNING, []),
        ([events.Changed(["a.py"]), GOOD, READY], Phase.SERVING, Outcome.SERVING, ["orders: reloaded in 273 ms"]),
        (
            [events.Changed(["a.py"]), Checked(2, 1, 2, 0.1, [], [], not_replayed=5), READY],
            Phase.SERVING,
            Outcome.SERVING,
            ["orders: reloaded in 273 ms; 5 not checked"],
        ),
        (
            [events.Changed(["a.py"]), BAD, HELD],
            Phase.HELD,
            Outcome.HELD,
            ["orders: order-17 does not repeat its history at event 12, and 1 more run"],
        ),
        ([events.Changed(["a.py"]), BAD, ASKED], Phase.ASKING, Outcome.ASKING, None),
        ([events.Changed(["a.py"]), BAD, ASKED, HELD], Phase.HELD, Outcome.HELD, None),
        ([events.Changed(["a.py"]), BAD, ASKED, READY], Phase.SERVING, Outcome.SERVING, None),
        (
            [events.Changed(["a.py"]), events.LoadFailed(LoadFailed("NameError", "no name x"), old_goes_on=True)],
            Phase.FAILED,
            Outcome.FAILED,
            ["orders: NameError: no name x"],
        ),
        (
            [events.Changed(["a.ts"]), events.Building("npm"), events.BuildFailed("npm", 2)],
            Phase.FAILED,
            Outcome.FAILED,
            ["orders: `npm` failed with exit code 2"],
        ),
        ([events.Changed(["a.py"]), events.CheckFailed("no time")], Phase.FAILED, Outcome.FAILED, None),
        ([events.Crashed(-9, 1.0)], Phase.CRASHED, Outcome.SERVING, ["orders: killed by signal 9"]),
        ([events.Crashed(1, 1.0), events.Starting(), READY], Phase.SERVING, Outcome.SERVING, None),
        ([events.Stopping(), events.Stopped()], Phase.STOPPED, Outcome.SERVING, []),
    ],
)
def test_a_reload_and_its_worker(what: Sequence[Any], phase: Phase, outcome: Outcome, words: list[str] | None) -> None:
    book, told = tell(*what)
    last = book.last_reload("orders")
    assert last is not None
    assert (book.members["orders"].phase, last.outcome) == (phase, outcome)
    if words is not None:
        assert told == words


def test_the_times_of_a_reload() -> None:
    book, _ = tell(events.Changed(["a.py", "b.py"]), GOOD, READY, events.Drained(0.2, True))
    last = book.last_reload("orders")
    assert last is not None
    assert last.load_seconds == pytest.approx(1 - 0.041)
    assert (last.seconds, last.drained_seconds, list(last.files)) == (0.273, 0.2, ["a.py", "b.py"])


def test_a_worker_that_serves() -> None:
    book, _ = tell(events.Changed(["a.py"]), GOOD, READY)
    member = book.members["orders"]
    assert (member.generation, member.pid, member.task_queue) == (2, 77, "orders")
    assert (member.workflows, member.activities, member.served_since_ns) == (1, 2, 12 * SECOND)


def test_a_save_takes_the_place_of_one_that_is_under_way() -> None:
    book, _ = tell(events.Changed(["a.py"]), events.Changed(["b.py"]), GOOD, READY)
    assert [reload.outcome for reload in book.reloads] == [Outcome.SERVING, Outcome.REPLACED, Outcome.SERVING]


def test_a_replay_alone_is_told_as_such() -> None:
    book, told = tell(BAD)
    last = book.last_reload("orders")
    assert last is not None
    assert (last.kind, last.outcome, book.members["orders"].phase) == ("check", Outcome.CHECKED, Phase.SERVING)
    assert len(told) == 1


def test_a_mismatch_is_there_until_it_is_mended() -> None:
    book, _ = tell(events.Changed(["a.py"]), BAD, HELD)
    assert book.broken == [("orders", MISMATCH), ("orders", FAILURE)]
    assert book.broken[0][1].callers == [("workflows.py", 9)]
    book.take([line(20, events.Changed(["a.py"]))])
    assert book.broken, "until the replay has seen the save"
    notices = book.take([line(21, GOOD)])
    assert not book.broken
    assert [notice.text for notice in notices] == ["the runs repeat their history again"]


def test_a_question_is_asked_until_it_is_answered() -> None:
    book, _ = tell(events.Changed(["a.py"]), BAD, ASKED)
    assert book.asking is not None
    assert (book.asking.question, list(book.asking.choices)) == ("question-1", ["keep", "reload"])
    book.take([line(20, READY)])
    assert book.asking is None


def test_nothing_is_asked_when_dx_has_ended() -> None:
    book, _ = tell(events.Changed(["a.py"]), BAD, ASKED)
    book.is_running = False
    assert book.asking is None
    assert not book.broken


def test_a_journal_that_begins_anew_is_told_once() -> None:
    book, _ = tell(events.Changed(["a.py"]), GOOD, READY)
    told = book.told
    shortened = [begun(13), line(11, GOOD), line(12, READY), line(14, events.Note("later"))]
    assert not book.take(shortened)
    assert [one.text for one in book.story_since(told)] == ["later"]
    assert book.members["orders"].phase == Phase.SERVING


def test_lines_of_another_version_do_no_harm() -> None:
    book, _ = tell()
    unknown = DevEvent(20 * SECOND, "orders", "teleported", {})
    without_fields = DevEvent(21 * SECOND, "orders", "ready", {})
    assert not book.take([unknown, without_fields, line(22, events.Note("still here"))])
    assert book.story[-1].text == "still here"


@pytest.mark.parametrize(
    ("checked", "said"),
    [
        (GOOD, "3 runs repeat, 41 ms"),
        (BAD, "2 of 3 runs differ"),
        (Checked(1, 0, 1, 0.1, [MISMATCH], []), "1 of 1 run differs"),
        (Checked(0, 0, 0, 0.1, [], []), "no runs to replay"),
        (Checked(0, 0, 0, 0.1, [], [], forgiven=1), "1 run let go"),
        (Checked(1, 0, 1, 2.0, [], []), "1 run repeats, 2.00 s"),
        (Checked(2, 0, 5, 2.0, [], [], not_replayed=1), "2 runs repeat, 2.00 s; 4 not checked"),
    ],
)
def test_the_words_of_a_check(checked: Checked, said: str) -> None:
    assert say_check(checked) == said


def test_the_words_of_a_run() -> None:
    after_the_end = Mismatch("nondeterminism", "order-3", "run-3", "Order", True, "differs")
    assert say_run(after_the_end) == "order-3 does not repeat its history after its last event"
    assert say_run(FAILURE) == "order-2 fails with KeyError"
    assert say_where(MISMATCH) == "order-17 at event 12"
    assert say_run(ReplayFailure("replay_command", "", "", "", True, "`npm` ended")) == "`npm` ended"
