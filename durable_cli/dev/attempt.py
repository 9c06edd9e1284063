"""One attempt to bring new code into service: load, check, ask if need be, serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from durable_cli.dev.candidate import AttemptFailedError, Candidate, CrashError, Supply
from durable_cli.dev.events import BuildFailed, Event, LoadFailed
from durable_cli.dev.host_events import Checked
from durable_cli.dev.question import BrokenRun, Verdict, find_broken_runs
from durable_cli.dev.report import Reporter

__all__ = ["Attempt", "Failed", "Outcome", "Served"]


@dataclass(frozen=True, slots=True)
class Served:
    """The candidate polls; the runs in `broken` are to be treated as the verdict says."""

    candidate: Candidate
    verdict: Verdict
    broken: Sequence[BrokenRun]


@dataclass(frozen=True, slots=True)
class Failed:
    """The candidate is gone. It is worth a retry when it crashed, or when the server was to blame."""

    crash: CrashError | None = None
    is_worth_a_retry: bool = False


Outcome = Served | Failed


class Attempt:
    """Runs once; a candidate that does not come to serve is ended, also when the attempt is cancelled."""

    def __init__(
        self,
        supply: Supply,
        reporter: Reporter,
        forgive: Callable[[Checked], Checked],
        decide: Callable[[Checked], Awaitable[Verdict]],
        is_old_serving: Callable[[], bool],
        *,
        only_checks: bool,
    ) -> None:
        self._supply = supply
        self._reporter = reporter
        self._forgive = forgive
        self._decide = decide
        self._is_old_serving = is_old_serving
        self._is_building = False
        self.only_checks = only_checks
        self.is_serving = False
        """Whether it has begun to serve: then it may have taken tasks, and must come to its end."""

    @property
    def may_be_interrupted(self) -> bool:
        """Whether a save may end it; while it begins to serve, and while a setup or a build runs, it may not."""
        return not self.is_serving and not self._is_building

    async def run(self, *, with_check: bool, fresh: bool) -> Outcome:
        """Bring a candidate into service."""
        candidate: Candidate | None = None
        served = False
        try:
            candidate = await self._load(fresh)
            checked = await self._check(candidate) if with_check else None
            verdict: Verdict = "reload"
            if checked is not None and not checked.is_good:
                verdict = await self._decide(checked)
            if verdict == "keep":
                return Failed()
            self.is_serving = True
            await candidate.serve()
            served = True
            return Served(candidate, verdict, find_broken_runs(checked) if checked is not None else ())
        except AttemptFailedError as error:
            self._tell_failure(error.event)
            return Failed(is_worth_a_retry=error.is_worth_a_retry)
        except CrashError as error:
            return Failed(error, is_worth_a_retry=True)
        finally:
            if candidate is not None and not served:
                await candidate.kill()

    async def check_only(self) -> Outcome:
        """Load and check, and end the candidate."""
        candidate: Candidate | None = None
        try:
            candidate = await self._load(False)
            await self._check(candidate)
        except AttemptFailedError as error:
            self._tell_failure(error.event)
        finally:
            if candidate is not None:
                await candidate.kill()
        return Failed()

    def _tell_failure(self, event: Event) -> None:
        """Say why it failed, and whether the old worker goes on: it may have crashed meanwhile."""
        if isinstance(event, BuildFailed | LoadFailed):
            event = replace(event, old_goes_on=self._is_old_serving())
        self._reporter.tell(event)

    async def _load(self, fresh: bool) -> Candidate:
        self._is_building = True
        await self._supply.set_up()
        candidate = await self._supply.take(fresh=fresh)
        self._is_building = not self._supply.may_be_interrupted
        try:
            await candidate.load()
        except BaseException:
            await candidate.kill()
            raise
        self._is_building = False
        return candidate

    async def _check(self, candidate: Candidate) -> Checked | None:
        checked = await candidate.check()
        if checked is not None:
            checked = self._forgive(checked)
            self._reporter.tell(checked)
        return checked
