"""One simulation: a seed makes a world, the world runs to its end, and everything is checked on the way."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest, TerminateWorkflowExecutionRequest

from engine.core.errors import NotFound, ServiceError, Unavailable
from engine.core.inputs import RunRef, SignalWorkflowExecution, TerminateWorkflowExecution
from engine.core.policy.limits import Limits
from engine.runtime.engine import Engine
from engine.runtime.time_control import TimeControl
from engine.store.runs import load_run
from tests.sim.clients import Client
from tests.sim.commands import World
from tests.sim.families import check_families
from tests.sim.invariants import BrokenInvariantError, check_engine, check_file, check_run, load_histories, require
from tests.sim.ledger import Ledger
from tests.sim.messages import check_messages
from tests.sim.relatives import Relatives
from tests.sim.runs import Runs, check_resets
from tests.sim.server import NAMESPACE_ID, Server, ServerGoneError, Step
from tests.sim.trouble import Crash, Trouble, troubled_handlers
from tests.sim.virtual_time import VirtualEnv, VirtualLoop
from tests.sim.workers import ActivityWorker, WorkflowWorker

__all__ = ["Outcome", "Simulation", "simulate"]

Result = TypeVar("Result")

_DRAIN_SECONDS = 130
"""Longer than any timeout of the simulated programs, run and execution timeouts aside."""


@dataclass
class Outcome:
    """What a seed came to; `digest` stands for every history."""

    seed: int
    digest: str
    runs: int
    events: int
    steps: int
    crashes: int
    virtual_seconds: float


class Simulation:
    """A server, its workers and its clients in one virtual world."""

    def __init__(self, random: Random, path: Path, trouble: Trouble, *, cache_bytes: int = 0, tick_ns: int = 0) -> None:
        self.random = random
        self.trouble = trouble
        self.loop = VirtualLoop()
        self.env = VirtualEnv(self.loop, Random(random.random()), tick_ns)
        self.server = Server(path, self.env, self.loop, trouble, cache_bytes)
        self.server.check = self._check_step
        self.relatives = Relatives()
        self.ledger = Ledger()
        self.world = World(["q1", "q2"][: random.choice((1, 1, 2))], random.choice((1, 3, 6)))
        self.workflow_workers: list[WorkflowWorker] = []
        self.activity_workers: list[ActivityWorker] = []
        self.chaos = True
        self.large_signals = random.random() < 0.1
        if random.random() < 0.3:
            self.server.limits = Limits(workflow_task_heartbeat_timeout_ns=2_000_000_000)

    def watch(self, task: asyncio.Task[Result]) -> asyncio.Task[Result]:
        """Make an exception of a task fail the simulation."""

        def on_done(done: asyncio.Task[Result]) -> None:
            if not done.cancelled() and (error := done.exception()) is not None:
                self.server.fail(error)

        task.add_done_callback(on_done)
        return task

    def run(self, program: Coroutine[Any, Any, Result]) -> Result:
        """Run `program` in virtual time; raise the first thing that was wrong.

        Raises:
            BrokenInvariantError: an invariant does not hold.
        """
        asyncio.set_event_loop(self.loop)
        task = self.loop.create_task(program)
        try:
            with troubled_handlers(self.trouble):
                while not task.done() and self.server.failure is None:
                    self.loop.call_later(1, self.loop.stop)
                    self.loop.run_forever()
            if self.server.failure is not None:
                raise self.server.failure
            return task.result()
        finally:
            self.server.close()
            self.loop.end()
            asyncio.set_event_loop(None)

    def _check_step(self, engine: Engine, step: Step) -> None:
        for run_key in step.run_keys:
            self.relatives.check(engine.database.writer, check_run(engine, run_key), step)
        if self.server.all_tasks_read():
            check_engine(engine)

    async def play(self, clients: int, actions: int) -> None:
        """Let clients and workers loose, then let the world come to rest."""
        await self.server.boot()
        for number, queue in enumerate(self.world.task_queues * 2):
            self._hire(queue, f"worker-{number}", sticky=self.random.random() < 0.7)
        self.activity_workers = [
            ActivityWorker(self, f"hands-{q}-{n}", q) for q in self.world.task_queues for n in (1, 2)
        ]
        busy = [Client(self, f"client-{number}", actions) for number in range(clients)]
        self.watch(self.loop.create_task(self._misfortunes()))
        for client in busy:
            await client.done
        await asyncio.sleep(self.random.choice((0, 1, 10)))
        await self.come_to_rest()

    def _hire(self, queue: str, name: str, *, sticky: bool) -> None:
        self.workflow_workers.append(WorkflowWorker(self, name, queue, sticky=sticky))

    async def _misfortunes(self) -> None:
        """Let workers die and be replaced, sticky queues be shut down, clocks be moved, and the server be killed."""
        number = 0
        while self.trouble.active:
            await asyncio.sleep(self.random.choice((0.5, 2, 5, 20)))
            if not self.trouble.active:
                return
            kind = self.random.randrange(6)
            if kind <= 1:
                number += 1
                worker = self.workflow_workers.pop(self.random.randrange(len(self.workflow_workers)))
                worker.die()
                if kind and worker.sticky_queue and self.server.engine is not None:
                    self.server.engine.shut_down_sticky_queue(self.server.namespace, worker.sticky_queue)
                self._hire(worker.task_queue, f"replacement-{number}", sticky=self.random.random() < 0.7)
            elif kind == 2:
                self.env.skew_ns += self.random.choice((-2_000_000_000, -1, 1_000_000, 3_000_000_000))
            elif kind == 3 and self.trouble.crash_before_commit:
                self.server.crash()
            elif kind == 4:
                await self._move_server_clock()

    async def _move_server_clock(self) -> None:
        """Skip time, let it jump or stand; or let it go as usual."""
        moves: list[Callable[[TimeControl], object]] = [
            lambda control: control.pause(),
            lambda control: control.resume(),
            lambda control: control.resume(automatic=True),
            lambda control: control.skip(1_000_000_000 * self.random.choice((1, 7, 60, 3600))),
        ]
        move = self.random.choice(moves)

        async def call(engine: Engine) -> None:
            try:
                moving = move(engine.time_control)
                if isinstance(moving, Awaitable):
                    await moving
            except Crash:
                self.server.crash()

        with contextlib.suppress(ServerGoneError, Unavailable):
            await self.server.call(call)

    async def come_to_rest(self) -> None:
        """Stop all trouble; then every run must end, if its workflow is told to."""
        self.trouble.active = False
        self.chaos = False
        await self.server.up.wait()
        self._engine().time_control.resume()
        await self._end_chains()
        await asyncio.sleep(_DRAIN_SECONDS)
        await self._end_chains()  # those that were started by the last answers to the time of trouble
        await asyncio.sleep(10)
        open_run_keys = self._open_run_keys()
        for run_key in open_run_keys:
            self._require_idle(run_key)
        for run_key in open_run_keys:
            await self._signal(run_key)
        await asyncio.sleep(10)
        left = self._open_run_keys()
        require(not left, f"runs {left} are still open although workers live and nothing goes wrong")
        engine = self._engine()
        check_engine(engine)
        check_file(engine.database.writer)
        runs = Runs(engine.database.writer)
        check_resets(runs)
        check_families(runs)
        check_messages(runs)
        self.ledger.check(engine.database.writer)
        for (run_key,) in engine.database.writer.execute("SELECT run_key FROM runs ORDER BY run_key").fetchall():
            check_run(engine, run_key)

    def _engine(self) -> Engine:
        engine = self.server.engine
        if engine is None:
            raise BrokenInvariantError("the server is down")
        return engine

    def _open_run_keys(self) -> list[int]:
        rows = self._engine().database.writer.execute("SELECT run_key FROM runs WHERE status = 1 ORDER BY run_key")
        return [row[0] for row in rows.fetchall()]

    async def _end_chains(self) -> None:
        """End chains that would go on for ever; while one is ended, another one may go on."""
        for _ in range(3):
            for run_key in self._open_run_keys():
                await self._end_cron(run_key)

    async def _end_cron(self, run_key: int) -> None:
        engine = self._engine()
        state = engine.find_run(run_key)
        if state is None or not state.running or not state.started.cron_schedule:
            return
        execution = WorkflowExecution(workflow_id=state.workflow_id)
        request = TerminateWorkflowExecutionRequest(namespace="default", workflow_execution=execution)
        try:
            await engine.submit(TerminateWorkflowExecution(RunRef(NAMESPACE_ID, state.workflow_id), request))
        except ServiceError:
            return

    def _require_idle(self, run_key: int) -> None:
        """An open run that workers finish at sight is open only because its workflow has nothing to wake up for."""
        state = load_run(self._engine().database.writer, run_key)
        assert state is not None
        pending = state.workflow_task or state.activities or state.timers or state.pending_first_workflow_task_backoff
        require(not pending, f"run {run_key} hangs: {pending}")

    async def _signal(self, run_key: int) -> None:
        engine = self._engine()
        state = engine.find_run(run_key)
        assert state is not None
        if not state.running:
            return  # its parent was signalled before and closed it
        execution = WorkflowExecution(workflow_id=state.workflow_id, run_id=state.run_id)
        request = SignalWorkflowExecutionRequest(
            namespace="default", workflow_execution=execution, signal_name="end", request_id=f"end-{run_key}"
        )
        try:
            await engine.submit(SignalWorkflowExecution(RunRef(NAMESPACE_ID, run_key=run_key), request))
        except NotFound:
            require(not state.running, f"run {run_key} is open and takes no signal")

    def digest(self) -> tuple[str, int, int]:
        """Return a digest of every history, the number of runs and of events."""
        hasher = hashlib.sha256()
        histories = load_histories(self._engine().database.writer)
        for run_key, events in histories.items():
            hasher.update(b"run %d\n" % run_key)
            for event in events:
                hasher.update(event.SerializeToString(deterministic=True))
        return hasher.hexdigest(), len(histories), sum(map(len, histories.values()))


def simulate(seed: int) -> Outcome:
    """Run one seed.

    Raises:
        BrokenInvariantError: an invariant does not hold.
    """
    random = Random(seed)
    trouble = Trouble(random=Random(random.random()))
    calm = seed % 8 == 0
    if not calm:
        trouble.crash_before_commit = random.choice((0, 0.01, 0.03))
        trouble.crash_after_commit = random.choice((0, 0.01, 0.03))
        trouble.failing_commit = random.choice((0, 0.02, 0.1))
        trouble.failing_read = random.choice((0, 0, 0.01))
        trouble.lost_reply = random.choice((0, 0.03, 0.1))
        trouble.handler_error_before = random.choice((0, 0, 0.02))
        trouble.handler_error_after = random.choice((0, 0, 0.02))
        trouble.cancelled_poll = random.choice((0, 0.1, 0.4))
        trouble.poll_cancelled_with_its_task = random.choice((0, 0.02, 0.1))
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="dx-sim-", dir=folder) as name:
        simulation = Simulation(
            random,
            Path(name) / "history.db",
            trouble,
            cache_bytes=random.choice((0, 0, 1, 10_000)),
            tick_ns=random.choice((0, 1_000)),
        )
        clients, actions = random.choice(((1, 20), (3, 20), (6, 20)))

        async def program() -> Outcome:
            await simulation.play(clients, actions)
            digest, runs, events = simulation.digest()
            server = simulation.server
            return Outcome(seed, digest, runs, events, server.steps, server.crashes, simulation.loop.time())

        return simulation.run(program())
