"""The files in `.dx` that others follow stay small; what they answer with is taken for what is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from durable_cli.dev.answers import Answers, leave_answer
from durable_cli.dev.events import Event, Note, Ready, Starting
from durable_cli.dev.host_events import Checked, Mismatch, ReplayFailure
from durable_cli.dev.journal import Journal
from durable_cli.dev.output_log import OutputLog
from durable_cli.dev.question import Question


def read(journal: Journal) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.path.read_text().splitlines()]


def test_a_long_journal_keeps_the_newest_lines_and_how_things_stand(tmp_path: Path) -> None:
    journal = Journal(tmp_path, {"orders": "default"}, most_bytes=40_000)
    journal.write("orders", Starting())
    journal.write("orders", Ready("orders", 0.4, False, pid=7))
    first = read(journal)[0]
    assert (first["event"], first["workers"]) == ("begun", {"orders": "default"})
    for number in range(1, 2001):
        journal.write("orders", Note(f"{number}"))
        assert journal.path.stat().st_size < 41_000
    begun, *events = read(journal)
    assert begun["since"] == first["since"]
    assert begun["time"] != first["time"]
    assert [event["event"] for event in events[:3]] == ["starting", "ready", "note"]
    numbers = [int(event["text"]) for event in events[2:]]
    assert numbers == list(range(numbers[0], 2001))
    journal.close()


async def test_a_long_log_begins_anew_beside_what_was_before(tmp_path: Path) -> None:
    log = OutputLog(tmp_path / "dev.log", is_beside=False, most_bytes=100)
    for text in ("\x1b[31mred\x1b[0m", "second", "x" * 60, "y" * 60):
        log.write("orders", text)
        log.flush()
    older, newer = (tmp_path / "dev.log.1").read_text(), (tmp_path / "dev.log").read_text()
    assert [line.split("\t")[1:] for line in older.splitlines()] == [["orders", "x" * 60]]
    assert [line.split("\t")[1:] for line in newer.splitlines()] == [["orders", "y" * 60]]
    log.close()


async def test_lines_are_written_soon_and_together(tmp_path: Path) -> None:
    log = OutputLog(tmp_path / "dev.log", is_beside=True)
    log.write("orders", "one")
    log.write("orders", "two")
    assert log.path.read_text() == ""
    await until(lambda: log.path.read_text().count("\n") == 2)
    log.close()
    assert not log.path.exists()


class Told:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def tell(self, event: Event) -> None:
        self.events.append(event)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not come to hold")


def make_question(*mismatches: Mismatch) -> Question:
    failure = ReplayFailure("replay_command", "", "", "", True, "it fails")
    failures = [] if mismatches else [failure]
    return Question(Checked(1, 0, 1, 0.1, list(mismatches), failures), old_goes_on=True)


async def test_an_answer_counts_for_the_question_that_is_asked(tmp_path: Path) -> None:
    mismatch = Mismatch("nondeterminism", "order-1", "run", "Order", True, "differs")
    questions = [make_question(), make_question(mismatch)]
    told, path = Told(), tmp_path / "dev.answer"
    answers = Answers(path, lambda: [one for one in questions if not one.answer.done()], told)  # type: ignore[arg-type]
    running = asyncio.create_task(answers.run())
    await asyncio.sleep(0)
    answers.note_question()
    for question_id, verdict in (("another", "reload"), (questions[0].id, "terminate"), (questions[0].id, "nothing")):
        leave_answer(path, question_id, verdict)
        await until(lambda: not path.exists())
    assert not any(one.answer.done() for one in questions)
    leave_answer(path, questions[1].id, "terminate")
    assert await questions[1].answer == "terminate"
    leave_answer(path, questions[0].id, "keep")
    assert await questions[0].answer == "keep"
    assert told.events == [Note("the browser answers: terminate"), Note("the browser answers: keep")]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
