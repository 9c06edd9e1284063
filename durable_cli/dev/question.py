"""What to do about runs that do not repeat their history with the new code."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from durable_cli.dev.host_events import Checked, Mismatch, ReplayFailure

__all__ = ["BrokenRun", "Question", "Verdict", "find_broken_runs"]

BrokenRun = Mismatch | ReplayFailure

Verdict = Literal["keep", "reload", "reset", "terminate"]


@dataclass(frozen=True, slots=True)
class Question:
    """A failed check that waits for a word: keep, reload, reset or terminate."""

    checked: Checked
    old_goes_on: bool
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    answer: asyncio.Future[Verdict] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def choices(self) -> Sequence[Verdict]:
        """The words that are an answer; closed runs can't be reset or terminated."""
        return ("keep", "reload", "reset", "terminate") if find_broken_runs(self.checked) else ("keep", "reload")

    @property
    def is_about_open_runs(self) -> bool:
        """Whether runs would break that go on; a replay command does not say which."""
        runs: list[BrokenRun] = [*self.checked.mismatches, *self.checked.failures]
        return any(run.open for run in runs)

    def put(self, answer: Verdict) -> None:
        """Answer it, once."""
        if not self.answer.done():
            self.answer.set_result(answer)


def find_broken_runs(checked: Checked) -> list[BrokenRun]:
    """Return the open runs that the new code does not repeat, as far as they are known by name."""
    runs: list[BrokenRun] = [*checked.mismatches, *checked.failures]
    return [run for run in runs if run.open and run.workflow_id]
