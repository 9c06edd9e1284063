"""`.dx/dev.answer`: another program's answer to a question of `dx dev`, such as the browser's.

It is a line of JSON, `{"question": …, "answer": …}`, with the id that the journal's `held` gives the question. One that
is for another question, or is none of its choices, counts for nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from durable_cli.dev.events import Note
from durable_cli.dev.question import Question
from durable_cli.dev.report import Reporter

__all__ = ["Answers", "leave_answer"]

LOOK_SECONDS = 0.2


class Answers:
    """Takes what is answered in the file, while there is a question."""

    def __init__(self, path: Path, find_questions: Callable[[], Sequence[Question]], dx: Reporter) -> None:
        self._path = path
        self._find_questions = find_questions
        self._dx = dx
        self._asked = asyncio.Event()

    def note_question(self) -> None:
        """Look for an answer from now on, if there is a question."""
        if self._find_questions():
            self._asked.set()

    async def run(self) -> None:
        """Take answers until the task is cancelled."""
        self._path.unlink(missing_ok=True)
        while True:
            await self._asked.wait()
            self._asked.clear()
            while questions := self._find_questions():
                self._take(questions)
                await asyncio.sleep(LOOK_SECONDS)

    def _take(self, questions: Sequence[Question]) -> None:
        try:
            answer: Any = json.loads(self._path.read_bytes())
            self._path.unlink()
            question = next(one for one in questions if one.id == answer["question"])
            verdict = next(one for one in question.choices if one == answer["answer"])
        except (OSError, ValueError, TypeError, KeyError, StopIteration):
            return
        if not question.answer.done():
            self._dx.tell(Note(f"the browser answers: {verdict}"))
            question.put(verdict)


def leave_answer(path: Path, question_id: str, verdict: str) -> None:
    """Write an answer, whole or not at all."""
    fresh = path.with_name(f"{path.name}~")
    fresh.write_text(json.dumps({"question": question_id, "answer": verdict}), encoding="utf-8")
    fresh.replace(path)
