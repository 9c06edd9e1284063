"""The server's clock moves: by skips, by jumps when nothing is in flight; it stands in a pause.

The loop's time is the real world's here; `script.loop.time()` says how much of that has passed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import CancelTimerCommandAttributes, Command
from temporalio.api.enums.v1.command_type_pb2 import COMMAND_TYPE_CANCEL_TIMER
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue

from engine.core.errors import FailedPrecondition, InvalidArgument, ServiceError
from engine.core.policy.durations import timestamp_to_ns
from engine.runtime.in_flight import WorkKind
from engine.runtime.query_workflow import query_workflow
from engine.runtime.time_control import TimeControl
from tests.sim.script import Script, activity_command, complete_command, timer_command

SECOND_NS = 1_000_000_000
HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def control(script: Script) -> TimeControl:
    return script.engine.time_control


async def skip(script: Script, seconds: float) -> int:
    return await control(script).skip(int(seconds * SECOND_NS))


def event_seconds(script: Script, name: str, run: int = 0) -> list[float]:
    """Return when events of a type happened, in seconds since the first event."""
    history = script.histories()[run]
    times_ns = [timestamp_to_ns(event.event_time) for event in history]
    types = script.event_types(run)
    return [(at - times_ns[0]) / 1e9 for at, each in zip(times_ns, types, strict=True) if each == name]


async def run_worker(script: Script, *answers: list[Command]) -> None:
    """Answer one workflow task after the other."""
    for commands in answers:
        await script.complete(await script.poll_workflow(), *commands)


async def wait_for_event(script: Script, name: str, run: int = 0) -> None:
    while name not in script.event_types(run):  # noqa: ASYNC110 - histories tell nobody that they have grown
        await asyncio.sleep(0.01)


async def run_activities(script: Script, seconds: float) -> None:
    """Take activities, each for as long as `seconds` of the real world."""
    while True:
        task = await script.poll_activity()
        if task is not None:
            await asyncio.sleep(seconds)
            await script.complete_activity(task)


class TestSkip:
    def test_timers_fire_one_after_the_other_each_at_its_own_time(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            answers = [[timer_command(str(day), DAY)] for day in range(30)]
            worker = script.loop.create_task(run_worker(script, *answers, [complete_command()]))
            await asyncio.sleep(0.01)
            assert await skip(script, 40 * DAY) == 30
            await worker
            assert event_seconds(script, "TimerFired") == [day * DAY for day in range(1, 31)]
            assert event_seconds(script, "WorkflowExecutionCompleted") == [30 * DAY]
            assert script.engine.clock.offset_ns == 40 * DAY * SECOND_NS
            assert script.loop.time() < 0.1

        script.run(case())

    def test_timers_of_several_runs_fire_in_the_order_of_their_times(self, script: Script) -> None:
        async def case() -> None:
            for number in range(10):
                await script.start(f"w{number}")
                await script.complete(await script.poll_workflow(), timer_command("t", (10 - number) * HOUR))
            await skip(script, DAY)
            fired = [event_seconds(script, "TimerFired", run) for run in range(10)]
            assert fired == [[(10 - number) * HOUR] for number in range(10)]

        script.run(case())

    def test_a_deadline_that_moved_hides_no_other(self, script: Script) -> None:
        """The file still knows the timer that was cancelled, and it is the first of its run."""

        async def case() -> None:
            cancel = Command(
                command_type=COMMAND_TYPE_CANCEL_TIMER,
                cancel_timer_command_attributes=CancelTimerCommandAttributes(timer_id="t"),
            )
            await script.start("a")
            await script.complete(await script.poll_workflow(), timer_command("t", HOUR), timer_command("u", 3 * DAY))
            await script.signal("go", "a")
            await script.complete(await script.poll_workflow(), cancel)
            await script.start("b")
            await script.complete(await script.poll_workflow(), timer_command("t", 2 * DAY))
            assert await skip(script, 4 * DAY) == 2
            assert event_seconds(script, "TimerFired", 0) == [3 * DAY]
            assert event_seconds(script, "TimerFired", 1) == [2 * DAY]

        script.run(case())

    def test_a_part_of_the_time_leaves_later_timers_alone(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            await script.complete(await script.poll_workflow(), timer_command("a", HOUR), timer_command("b", 3 * HOUR))
            assert await skip(script, 2 * HOUR) == 1
            assert event_seconds(script, "TimerFired") == [HOUR]
            await asyncio.sleep(HOUR)
            assert event_seconds(script, "TimerFired") == [HOUR, 3 * HOUR]

        script.run(case())

    def test_an_activity_has_the_time_that_it_takes(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            activities = script.loop.create_task(run_activities(script, 5))
            answers = [
                [timer_command("a", HOUR)],
                [activity_command("x", start_to_close_timeout=60)],
                [timer_command("b", HOUR)],
                [complete_command()],
            ]
            worker = script.loop.create_task(run_worker(script, *answers))
            await asyncio.sleep(0.01)
            await skip(script, DAY)
            await worker
            activities.cancel()
            assert event_seconds(script, "ActivityTaskCompleted") == [HOUR + 5]
            assert event_seconds(script, "WorkflowExecutionCompleted") == [2 * HOUR + 5]

        script.run(case())

    def test_an_activity_that_does_not_end_runs_into_its_time_limit(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            await script.complete(await script.poll_workflow(), activity_command("x", start_to_close_timeout=HOUR))
            await script.poll_activity()
            await skip(script, DAY)
            assert event_seconds(script, "ActivityTaskTimedOut") == [HOUR]
            assert 10 <= script.loop.time() < 11

        script.run(case())

    def test_several_that_do_not_end_are_waited_for_at_once(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            limits = [activity_command(str(n), start_to_close_timeout=(n + 1) * HOUR) for n in range(5)]
            await script.complete(await script.poll_workflow(), *limits)
            for _ in limits:
                await script.poll_activity()
            await skip(script, DAY)
            assert event_seconds(script, "ActivityTaskTimedOut") == [(n + 1) * HOUR for n in range(5)]
            assert 10 <= script.loop.time() < 11

        script.run(case())

    def test_retries_come_after_their_backoff(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            command = activity_command("x", start_to_close_timeout=60)
            policy = command.schedule_activity_task_command_attributes.retry_policy
            policy.initial_interval.FromSeconds(HOUR)
            policy.backoff_coefficient = 2
            policy.maximum_attempts = 4
            await script.complete(await script.poll_workflow(), command)
            started: list[float] = []

            async def work() -> None:
                begin_ns = script.env.now_ns()
                while len(started) < 4:
                    task = await script.poll_activity()
                    started.append((task.started_time_ns - begin_ns) / 1e9)
                    if len(started) < 4:
                        await asyncio.sleep(60)  # its time-out
                    else:
                        await script.complete_activity(task)

            worker = script.loop.create_task(work())
            await asyncio.sleep(0.01)
            control(script).resume(automatic=True)
            await worker
            assert started == pytest.approx([0, HOUR + 60, 3 * HOUR + 120, 7 * HOUR + 180], abs=1e-6)

        script.run(case())

    def test_a_cron_runs_at_each_of_its_times(self, script: Script) -> None:
        async def case() -> None:
            await script.start(cron_schedule="0 * * * *")

            async def work() -> None:
                while True:
                    task = await script.poll_workflow()
                    if task is not None:
                        await script.complete(task, complete_command())

            worker = script.loop.create_task(work())
            await skip(script, 10 * HOUR)
            worker.cancel()
            first_ns = timestamp_to_ns(script.histories()[0][0].event_time)
            hours = [timestamp_to_ns(history[1].event_time) / 1e9 / HOUR for history in script.histories()[:10]]
            next_hour = first_ns // SECOND_NS // HOUR + 1
            assert hours == [next_hour + number for number in range(10)]

        script.run(case())

    def test_a_run_that_nobody_works_on_times_out(self, script: Script) -> None:
        async def case() -> None:
            await script.start(workflow_execution_timeout=Duration(seconds=30 * DAY))
            await skip(script, 31 * DAY)
            assert event_seconds(script, "WorkflowExecutionTimedOut") == [30 * DAY]

        script.run(case())

    def test_one_skip_comes_after_the_other(self, script: Script) -> None:
        async def case() -> None:
            await asyncio.gather(skip(script, DAY), skip(script, DAY))
            assert script.engine.clock.offset_ns == 2 * DAY * SECOND_NS

        script.run(case())

    def test_it_ends_where_it_is_when_its_caller_goes_away(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            await script.complete(await script.poll_workflow(), timer_command("t", HOUR))
            begin_ns = script.env.now_ns()
            skipping = script.loop.create_task(skip(script, DAY))
            waiting = script.poll_activity()
            await wait_for_event(script, "TimerFired")
            await script.poll_workflow()
            skipping.cancel()
            await asyncio.sleep(60)
            assert script.env.now_ns() - begin_ns < 2 * HOUR * SECOND_NS
            waiting.cancel()  # type: ignore[attr-defined]

        script.run(case())

    @pytest.mark.parametrize("seconds", [0, -1, 300 * 365 * DAY])
    def test_a_bad_duration_is_refused(self, script: Script, seconds: int) -> None:
        async def case() -> None:
            begin_ns = script.env.now_ns()
            with pytest.raises(InvalidArgument):
                await skip(script, seconds)
            assert script.env.now_ns() == begin_ns

        script.run(case())

    def test_a_deadline_that_is_no_more_is_not_jumped_to(self, script: Script) -> None:
        async def case() -> None:
            cancel = Command(
                command_type=COMMAND_TYPE_CANCEL_TIMER,
                cancel_timer_command_attributes=CancelTimerCommandAttributes(timer_id="t"),
            )
            await script.start()
            await script.complete(await script.poll_workflow(), timer_command("t", HOUR))
            await script.signal("go")
            await script.complete(await script.poll_workflow(), cancel)
            begin_ns = script.env.now_ns()
            control(script).resume(automatic=True)
            await asyncio.sleep(1)
            assert script.env.now_ns() - begin_ns == SECOND_NS

        script.run(case())


class TestJumpsWhenIdle:
    def test_a_long_workflow_ends_at_once(self, script: Script) -> None:
        async def case() -> None:
            control(script).resume(automatic=True)
            await script.start()
            answers = [[timer_command(str(day), DAY)] for day in range(30)]
            await run_worker(script, *answers, [complete_command()])
            assert event_seconds(script, "WorkflowExecutionCompleted") == [30 * DAY]
            assert script.loop.time() < 0.1

        script.run(case())

    def test_a_task_waits_for_the_worker_that_is_started_after_it(self, script: Script) -> None:
        async def case() -> None:
            control(script).resume(automatic=True)
            await script.start(workflow_execution_timeout=Duration(seconds=HOUR))
            await asyncio.sleep(5)
            await script.complete(await script.poll_workflow(), complete_command())
            assert event_seconds(script, "WorkflowExecutionCompleted") == [5]

        script.run(case())

    def test_a_task_that_nobody_fetches_does_not_hold_the_time_for_ever(self, script: Script) -> None:
        async def case() -> None:
            control(script).resume(automatic=True)
            await script.start(workflow_execution_timeout=Duration(seconds=HOUR))
            await wait_for_event(script, "WorkflowExecutionTimedOut")
            assert event_seconds(script, "WorkflowExecutionTimedOut") == [HOUR]
            assert 10 <= script.loop.time() < 11

        script.run(case())

    @pytest.mark.parametrize("locks", [1, 2])
    def test_locks_are_counted(self, script: Script, locks: int) -> None:
        async def case() -> None:
            control(script).resume(automatic=True)
            for _ in range(locks):
                control(script).lock()
            await script.start()
            await script.complete(await script.poll_workflow(), timer_command("t", HOUR))
            for _ in range(locks):
                await asyncio.sleep(60)
                assert "TimerFired" not in script.event_types()
                control(script).unlock()
            await asyncio.sleep(0.1)
            assert event_seconds(script, "TimerFired") == [HOUR]
            await script.complete(await script.poll_workflow(), complete_command())
            with pytest.raises(FailedPrecondition, match="not locked"):
                control(script).unlock()

        script.run(case())

    def test_whoever_sleeps_unlocked_wakes_at_that_very_time(self, script: Script) -> None:
        async def case() -> None:
            control(script).lock()
            control(script).resume(automatic=True)
            await script.start()
            await script.complete(await script.poll_workflow(), timer_command("a", HOUR), timer_command("b", 2 * HOUR))
            begin_ns = script.env.now_ns()
            worker = script.loop.create_task(run_worker(script, []))
            await control(script).sleep_unlocked_until(begin_ns + 90 * 60 * SECOND_NS)
            await worker
            assert script.env.now_ns() == begin_ns + 90 * 60 * SECOND_NS
            assert event_seconds(script, "TimerFired") == [HOUR]
            assert control(script).locks == 1
            control(script).unlock()
            with pytest.raises(FailedPrecondition):
                await control(script).sleep_unlocked_until(begin_ns + DAY * SECOND_NS)

        script.run(case())

    def test_an_activity_that_sleeps_unlocked_runs_into_its_time_limits(self, script: Script) -> None:
        async def case() -> None:
            control(script).resume(automatic=True)
            await script.start()
            command = activity_command("x", start_to_close_timeout=DAY, heartbeat_timeout=20)
            await script.complete(await script.poll_workflow(), command)
            await script.poll_activity()
            begin_ns = script.env.now_ns()
            worker = script.loop.create_task(run_worker(script, [complete_command()]))
            await control(script).sleep_unlocked_until(begin_ns + 40 * SECOND_NS)
            await worker
            assert event_seconds(script, "ActivityTaskTimedOut") == [20]
            assert script.env.now_ns() == begin_ns + 40 * SECOND_NS
            assert control(script).locks == 0
            assert event_seconds(script, "WorkflowExecutionCompleted") == [20]
            with pytest.raises(FailedPrecondition, match="not locked"):
                control(script).unlock()

        script.run(case())

    def test_a_forgotten_task_stands_for_a_lock(self, script: Script) -> None:
        """A test that was given up leaves its wait unlocked; the next ones go on nevertheless."""

        async def case() -> None:
            control(script).resume(automatic=True)
            await script.start("forgotten", task_queue=TaskQueue(name="nobody"))
            await asyncio.sleep(20)
            await script.start()
            worker = script.loop.create_task(run_worker(script, [timer_command("t", HOUR)], [complete_command()]))
            control(script).unlock()
            await worker
            control(script).lock()
            assert event_seconds(script, "WorkflowExecutionCompleted", 1) == [HOUR]
            assert control(script).locks == 0

        script.run(case())

    def test_a_sleeper_who_goes_away_leaves_the_lock(self, script: Script) -> None:
        async def case() -> None:
            control(script).lock()
            control(script).lock()
            control(script).resume(automatic=True)
            until_ns = script.env.now_ns() + DAY * SECOND_NS
            sleeper = script.loop.create_task(control(script).sleep_unlocked_until(until_ns))
            await asyncio.sleep(1)
            assert control(script).locks == 1
            sleeper.cancel()
            await asyncio.sleep(1)
            assert control(script).locks == 2

        script.run(case())

    def test_a_locked_clock_lets_sleepers_wait_as_long_as_they_say(self, script: Script) -> None:
        async def case() -> None:
            control(script).lock()
            control(script).resume(automatic=True)
            await control(script).sleep_until(script.env.now_ns() + 100 * SECOND_NS)
            assert 100 <= script.loop.time() < 101

        script.run(case())

    def test_a_query_is_answered_at_the_time_of_its_asking(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            await script.complete(await script.poll_workflow(), timer_command("t", HOUR))
            poll: Any = script.poll_workflow()
            await asyncio.sleep(0)
            state = script.engine.find_run(1)
            assert state is not None
            asking = script.loop.create_task(query_workflow(script.engine, state, WorkflowQuery(query_type="q"), 20))
            await poll
            control(script).resume(automatic=True)
            await asyncio.sleep(5)
            assert script.event_types().count("TimerFired") == 0
            holder = control(script).find_holder()
            assert holder is not None
            assert (holder.kind, holder.name) == (WorkKind.QUERY, "q")
            asking.cancel()
            await asyncio.sleep(1)
            assert script.event_types().count("TimerFired") == 1

        script.run(case())

    def test_what_is_in_flight_when_it_begins_is_known(self, script: Script) -> None:
        async def case() -> None:
            await script.start("a")
            await script.complete(await script.poll_workflow(), activity_command("x", start_to_close_timeout=HOUR))
            await script.start("b")
            task = await script.poll_activity()
            script.engine.runs.evict(1)
            script.engine.runs.evict(2)
            control(script).resume(automatic=True)
            await asyncio.sleep(20)
            holder = control(script).find_holder()
            assert holder is not None
            assert (holder.kind, holder.workflow_id, holder.with_worker) == (WorkKind.ACTIVITY_TASK, "a", True)
            assert holder.name == "work"
            await script.complete_activity(task)

        script.run(case())


class TestPause:
    def test_nothing_falls_due_while_it_stands(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            await script.complete(await script.poll_workflow(), timer_command("t", HOUR))
            control(script).pause()
            await asyncio.sleep(2 * HOUR)
            assert "TimerFired" not in script.event_types()
            await script.signal("go")
            assert event_seconds(script, "WorkflowExecutionSignaled") == [0]
            control(script).resume()
            await asyncio.sleep(HOUR + 1)
            assert event_seconds(script, "TimerFired") == [HOUR]

        script.run(case())

    def test_a_skip_moves_it_and_leaves_it_standing(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            await script.complete(await script.poll_workflow(), timer_command("t", HOUR))
            begin_ns = script.env.now_ns()
            control(script).pause()
            await asyncio.sleep(60)
            await skip(script, 2 * HOUR)
            assert event_seconds(script, "TimerFired") == [HOUR]
            await asyncio.sleep(60)
            assert script.env.now_ns() == begin_ns + 2 * HOUR * SECOND_NS

        script.run(case())

    def test_it_ends_the_jumps(self, script: Script) -> None:
        async def case() -> None:
            control(script).resume(automatic=True)
            control(script).pause()
            await script.start()
            await script.complete(await script.poll_workflow(), timer_command("t", HOUR))
            await asyncio.sleep(60)
            assert "TimerFired" not in script.event_types()
            control(script).resume(automatic=True)
            await asyncio.sleep(1)
            assert event_seconds(script, "TimerFired") == [HOUR]

        script.run(case())


class TestTheFile:
    def test_the_clock_is_kept_over_a_crash(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            await script.complete(
                await script.poll_workflow(), timer_command("t", HOUR), timer_command("u", DAY + HOUR)
            )
            await skip(script, DAY)
            before_ns = script.env.now_ns()
            await script.restart()
            assert 0 <= script.env.now_ns() - before_ns < 4 * SECOND_NS
            await asyncio.sleep(HOUR)
            assert event_seconds(script, "TimerFired") == pytest.approx([HOUR, DAY + HOUR], abs=1e-6)

        script.run(case())

    def test_a_pause_is_kept_over_a_crash_and_jumps_are_not(self, script: Script) -> None:
        async def case() -> None:
            control(script).resume(automatic=True)
            await script.restart()
            assert not control(script).automatic
            control(script).pause()
            begin_ns = script.env.now_ns()
            await script.restart()
            await asyncio.sleep(HOUR)
            assert script.env.now_ns() == begin_ns
            control(script).resume()
            await asyncio.sleep(1)
            assert script.env.now_ns() == pytest.approx(begin_ns + SECOND_NS, abs=1)

        script.run(case())

    def test_a_clock_that_can_not_be_written_does_not_move(self, script: Script) -> None:
        async def case() -> None:
            writer = script.engine.database.writer
            writer.execute("PRAGMA query_only = on")
            for move in (skip(script, DAY), _pause(script)):
                begin_ns = script.env.now_ns()
                with pytest.raises(ServiceError, match="could not be written"):
                    await move
                assert (script.env.now_ns(), script.engine.clock.stands) == (begin_ns, False)
            writer.execute("PRAGMA query_only = off")
            assert await skip(script, DAY) == 0

        script.run(case())

    def test_a_clock_does_not_jump_over_what_can_not_be_read(self, script: Script) -> None:
        async def case() -> None:
            await script.start()
            await script.complete(await script.poll_workflow(), timer_command("t", HOUR))
            script.trouble.failing_read = 1
            with pytest.raises(sqlite3.OperationalError):
                control(script).resume(automatic=True)
            with pytest.raises(sqlite3.OperationalError):
                await skip(script, DAY)
            script.trouble.failing_read = 0
            await asyncio.sleep(60)
            assert "TimerFired" not in script.event_types()
            await skip(script, DAY)
            assert event_seconds(script, "TimerFired") == [HOUR]

        script.run(case())


async def _pause(script: Script) -> None:
    control(script).pause()
