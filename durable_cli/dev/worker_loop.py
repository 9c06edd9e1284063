"""One worker through its life: started, replaced on saves once its runs are known to survive, started again when it
crashes, drained at the end.

Everything that may happen comes as a message into one mailbox and is handled in turn. A reload is a task of its own, an
attempt: a save that comes before the new worker serves ends the attempt and begins another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from durable_cli.dev.attempt import Attempt, Outcome, Served
from durable_cli.dev.backoff import Backoff
from durable_cli.dev.candidate import Candidate, CrashError, Supply
from durable_cli.dev.events import Changed, Crashed, Drained, Held, Note, Ready, Starting, Stopped, Stopping
from durable_cli.dev.host_events import Checked
from durable_cli.dev.question import BrokenRun, Question, Verdict, find_broken_runs
from durable_cli.dev.report import Reporter
from durable_cli.dev.runs import Runs

__all__ = ["WorkerLoop"]

RESET_AFTER_DRAIN_SECONDS = 2.0
SWAP_SECONDS = 10.0
NO_WORKER_RUNS = "the old worker has crashed meanwhile: no worker runs until the next save"


class WorkerLoop:
    """The loop of one worker: `run` it, and tell it what happens with the other methods.

    Args:
        policy: `ask`, `keep` or `reload`; to ask, `on_question` must bring the answer.
    """

    def __init__(
        self,
        name: str,
        supply: Supply,
        reporter: Reporter,
        runs: Runs,
        *,
        policy: str,
        on_question: Callable[[], None],
    ) -> None:
        self.name = name
        self.question: Question | None = None
        self._supply = supply
        self._reporter = reporter
        self._runs = runs
        self._policy = policy
        self._on_question = on_question
        self._mailbox: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._backoff = Backoff()
        self._retry: asyncio.TimerHandle | None = None
        self._serving: Candidate | None = None
        self._attempt: Attempt | None = None
        self._attempt_task: asyncio.Task[Outcome] | None = None
        self._waiting_files: frozenset[str] = frozenset()
        self._is_restart_waiting = False
        self._is_retry_waiting = False
        self._has_crashed_meanwhile = False
        self._saves = 0
        self._accepted_save = -1
        self._started_s = 0.0
        self._served_since_s = 0.0
        self._told_definitions: object = None
        self._forgiven_run_ids: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()

    # What happens outside.

    def note_saved(self, files: Iterable[str], seen_at_s: float) -> None:
        """Reload, since these files were saved."""
        self._post(lambda: self._on_saved(frozenset(files), seen_at_s, fresh=False))

    def restart(self) -> None:
        """Start it anew, whether or not something was saved."""
        self._post(lambda: self._on_saved(frozenset(), _now_s(), fresh=True))

    def check_again(self) -> None:
        """Replay the runs with the code as it is on disk, and do nothing else."""
        self._post(self._on_check_again)

    async def run(self) -> None:
        """Start the worker, and keep it running until the task is cancelled; `stop` it then."""
        self._reporter.tell(Starting())
        self._begin(_now_s())
        while True:
            handle = await self._mailbox.get()
            await handle()

    async def stop(self) -> None:
        """Drain what serves, and end everything else."""
        self._cancel_retry()
        await self._end_attempt()
        serving, self._serving = self._serving, None
        if serving is not None:
            self._reporter.tell(Stopping())
            await serving.drain()
        await self._supply.close()
        if self._background:
            await asyncio.wait(self._background)
        self._reporter.tell(Stopped())

    # Messages, in turn.

    async def _on_saved(self, files: frozenset[str], seen_at_s: float, *, fresh: bool) -> None:
        if self._attempt is not None and not self._attempt.may_be_interrupted:
            self._waiting_files |= files
            self._is_restart_waiting |= fresh
            return
        await self._end_attempt()
        self._backoff.reset()
        self._saves += 1
        self._reporter.tell(Changed(sorted(files)) if files else Starting())
        self._begin(seen_at_s, fresh=fresh)

    async def _on_attempt_ended(self, task: asyncio.Task[Outcome]) -> None:
        if task is not self._attempt_task:
            return
        self._attempt = self._attempt_task = None
        outcome = task.result()
        self._supply.prepare()
        if isinstance(outcome, Served):
            self._promote(outcome)
        elif outcome.crash is not None:
            self._retry_after_crash(outcome.crash, 0)
        elif outcome.is_worth_a_retry:
            seconds = self._backoff.next_seconds(0)
            self._reporter.tell(Note(f"trying again in {seconds:g} s"))
            self._schedule_retry(seconds)
        elif self._has_crashed_meanwhile:
            self._reporter.tell(Note(NO_WORKER_RUNS, "warn"))
        await self._on_what_waited()

    async def _on_what_waited(self) -> None:
        """Handle what came during an attempt that was not to be interrupted."""
        files, self._waiting_files = self._waiting_files, frozenset()
        fresh, self._is_restart_waiting = self._is_restart_waiting, False
        if files:
            files = self._supply.drop_outputs(files)
        if files or fresh:
            await self._on_saved(files, _now_s(), fresh=fresh)
        elif self._is_retry_waiting:
            await self._on_retry_due()

    async def _on_crashed(self, candidate: Candidate, error: CrashError) -> None:
        if candidate is self._serving:
            self._serving = None
            await candidate.kill()
            self._retry_after_crash(error, _now_s() - self._served_since_s)
            if self.question is not None:
                self._ask(replace(self.question, old_goes_on=False))

    async def _on_retry_due(self) -> None:
        if self._attempt is None:
            self._reporter.tell(Starting())
            self._begin(_now_s())
        elif self._attempt.only_checks:
            self._is_retry_waiting = True

    async def _on_check_again(self) -> None:
        if self._attempt is None:
            self._attempt = self._make_attempt(only_checks=True)
            self._follow(self._attempt.check_only())

    # Attempts.

    def _begin(self, started_s: float, *, fresh: bool = False) -> None:
        self._cancel_retry()
        self._is_retry_waiting = self._has_crashed_meanwhile = False
        self._started_s = started_s
        self._attempt = self._make_attempt()
        self._follow(
            self._attempt.run(
                with_check=self._accepted_save != self._saves,
                fresh=fresh,
            )
        )

    def _make_attempt(self, *, only_checks: bool = False) -> Attempt:
        return Attempt(
            self._supply,
            self._reporter,
            self._forgive,
            self._decide,
            lambda: self._serving is not None,
            only_checks=only_checks,
        )

    def _follow(self, running: Coroutine[Any, Any, Outcome]) -> None:
        task = asyncio.create_task(running)
        self._attempt_task = task
        task.add_done_callback(lambda task: self._post(lambda: self._on_attempt_ended(task)))

    async def _end_attempt(self) -> None:
        """End an attempt; one that has begun to serve comes to its end, so that no task is lost that it has taken."""
        attempt, task = self._attempt, self._attempt_task
        if attempt is None or task is None:
            return
        if not attempt.is_serving:
            task.cancel()
        await asyncio.wait([task], timeout=SWAP_SECONDS)
        task.cancel()
        await asyncio.wait([task])
        self._attempt = self._attempt_task = None
        if not task.cancelled():
            outcome = task.result()
            if isinstance(outcome, Served):
                self._promote(outcome)

    def _promote(self, served: Served) -> None:
        """Let the candidate be the worker, and the old one finish what it has."""
        candidate = served.candidate
        old, self._serving = self._serving, candidate
        self._served_since_s = _now_s()
        self._accepted_save = self._saves
        self._start_background(self._watch(candidate))
        definitions = candidate.definitions
        workflows, activities = definitions if definitions != self._told_definitions else ((), ())
        self._told_definitions = definitions
        seconds = self._served_since_s - self._started_s
        self._reporter.tell(Ready(candidate.task_queue, seconds, old is not None, workflows, activities, candidate.pid))
        for note in candidate.notes:
            self._reporter.tell(Note(note, "warn"))
        self._start_background(self._finish_swap(old, served))

    async def _finish_swap(self, old: Candidate | None, served: Served) -> None:
        """Drain the old worker, then reset: the runs that go on anew must not come to the old code."""
        draining = asyncio.create_task(self._drain(old)) if old is not None else None
        if served.verdict == "terminate":
            await self._runs.terminate(served.broken)
        elif served.verdict == "reset":
            if draining is not None:
                await asyncio.wait([draining], timeout=RESET_AFTER_DRAIN_SECONDS)
            await self._runs.reset(served.broken)
        if draining is not None:
            await draining

    async def _drain(self, old: Candidate) -> None:
        started_s = _now_s()
        is_clean = await old.drain()
        self._reporter.tell(Drained(_now_s() - started_s, is_clean))

    async def _watch(self, candidate: Candidate) -> None:
        error = await candidate.wait_crashed()
        self._post(lambda: self._on_crashed(candidate, error))

    def _forgive(self, checked: Checked) -> Checked:
        """Leave out the runs that the user has already let break: they are no news at the next save."""
        broken: list[BrokenRun] = [*checked.mismatches, *checked.failures]
        forgiven = [run for run in broken if run.run_id in self._forgiven_run_ids]
        open_count = sum(run.open for run in forgiven)
        return replace(
            checked,
            mismatches=[run for run in checked.mismatches if run not in forgiven],
            failures=[run for run in checked.failures if run not in forgiven],
            open=checked.open - open_count,
            open_total=checked.open_total - open_count,
            closed=checked.closed - (len(forgiven) - open_count),
            forgiven=len(forgiven),
        )

    async def _decide(self, checked: Checked) -> Verdict:
        """Return what to do about runs that don't repeat their history, by policy or by asking."""
        if self._policy == "reload":
            return "reload"
        if self._policy == "ask":
            question = Question(checked, self._serving is not None)
            self._ask(question)
            try:
                verdict = await question.answer
            finally:
                self.question = None
                self._on_question()
            if verdict == "reload":
                self._forgiven_run_ids |= {run.run_id for run in find_broken_runs(checked)}
            if verdict != "keep":
                return verdict
        self._reporter.tell(Held(self._serving is not None, is_asked=False))
        return "keep"

    def _ask(self, question: Question) -> None:
        self.question = question
        self._reporter.tell(Held(question.old_goes_on, True, question.id, question.choices))
        self._on_question()

    # Starting again.

    def _retry_after_crash(self, error: CrashError, ran_seconds: float) -> None:
        retry_seconds = 0.0
        if self._attempt is None or self._attempt.only_checks:
            retry_seconds = self._backoff.next_seconds(ran_seconds)
            self._schedule_retry(retry_seconds)
        else:
            # The files have changed, so only what the attempt brings can take its place.
            self._has_crashed_meanwhile = True
        self._reporter.tell(Crashed(error.exit_code, retry_seconds, error.message))

    def _schedule_retry(self, seconds: float) -> None:
        self._cancel_retry()
        self._retry = asyncio.get_running_loop().call_later(seconds, lambda: self._post(self._on_retry_due))

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _post(self, handle: Callable[[], Awaitable[None]]) -> None:
        self._mailbox.put_nowait(handle)

    def _start_background(self, running: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(running)
        self._background.add(task)
        task.add_done_callback(self._end_background)

    def _end_background(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._post(lambda: task)  # which raises, in the loop


def _now_s() -> float:
    return asyncio.get_running_loop().time()
