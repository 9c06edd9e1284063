"""What once went wrong, each case by itself; the simulation found them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.api.common.v1 import SearchAttributes

from engine.core.errors import Internal, Unavailable
from engine.core.inputs import WorkflowTaskDispatched
from tests.sim.commands import seconds
from tests.sim.script import Script, activity_command, complete_command, timer_command
from tests.sim.trouble import InjectedError


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_signal_before_a_transient_workflow_task_is_started(script: Script) -> None:
    """The task keeps the event id that its offer carries, also when it is read back from the file."""

    async def case() -> None:
        await script.start()
        await script.fail(await script.poll_workflow())
        await script.signal("s")
        await script.restart()
        task = await script.poll_workflow()
        assert (task.token.scheduled_event_id, task.token.attempt) == (6, 1)
        await script.complete(task, complete_command())
        assert script.event_types()[3:] == [
            "WorkflowTaskFailed", "WorkflowExecutionSignaled", "WorkflowTaskScheduled", "WorkflowTaskStarted",
            "WorkflowTaskCompleted", "WorkflowExecutionCompleted",
        ]  # fmt: skip

    script.run(case())


def test_started_transient_workflow_task_survives_a_restart_as_its_worker_saw_it(script: Script) -> None:
    async def case() -> None:
        await script.start()
        await script.fail(await script.poll_workflow())
        task = await script.poll_workflow()
        await script.restart()
        await script.complete(task, complete_command())
        assert script.histories()[0][4:6] == list(task.unwritten_events)

    script.run(case())


def test_request_id_of_a_start_stands_for_its_first_event(script: Script) -> None:
    async def case() -> None:
        first = await script.start(request_id="r")
        state = script.engine.find_current_run(script.server.namespace.namespace_id, "w")
        assert state is not None
        assert state.request_ids == {"r": 1}
        await script.restart()
        assert (await script.start(request_id="r")).run_id == first.run_id

    script.run(case())


def test_builds_of_a_continued_run_are_in_its_list_entry(script: Script) -> None:
    """The next run inherits the reset points, so that its own first completion adds only its BuildIds."""

    async def case() -> None:
        await script.start(cron_schedule="@every 1s")
        await script.complete(await script.poll_workflow(), complete_command())
        await script.complete(await script.poll_workflow(), complete_command())
        rows = script.engine.database.writer.execute("SELECT search_attributes FROM runs WHERE status = 2").fetchall()
        assert len(rows) == 2
        for (data,) in rows:
            assert "BuildIds" in SearchAttributes.FromString(data).indexed_fields

    script.run(case())


@pytest.mark.parametrize("trouble", ["failing_commit", "handler_error_after"])
def test_deadline_that_failed_is_tried_again(script: Script, trouble: str) -> None:
    async def case() -> None:
        await script.start()
        await script.complete(await script.poll_workflow(), timer_command("t", 5))
        await asyncio.sleep(4)
        setattr(script.trouble, trouble, 1.0)
        await asyncio.sleep(3)
        setattr(script.trouble, trouble, 0.0)
        await asyncio.sleep(3)
        assert script.event_types()[-2:] == ["TimerFired", "WorkflowTaskScheduled"]

    script.run(case())


def test_heartbeat_timeout_comes_after_a_look_that_was_too_early(script: Script) -> None:
    """The first look finds that a heartbeat moved the deadline, and writes nothing; the moved one must still come."""

    async def case() -> None:
        await script.start()
        command = activity_command("a", start_to_close_timeout=60, heartbeat_timeout=5)
        await script.complete(await script.poll_workflow(), command)
        activity = await script.poll_activity()
        await asyncio.sleep(3)
        await script.heartbeat(activity)
        await asyncio.sleep(6)
        assert script.event_types()[-2:] == ["ActivityTaskTimedOut", "WorkflowTaskScheduled"]

    script.run(case())


def test_heartbeat_after_the_clock_was_set_back(script: Script) -> None:
    async def case() -> None:
        await script.start()
        command = activity_command("a", start_to_close_timeout=60, heartbeat_timeout=5)
        await script.complete(await script.poll_workflow(), command)
        activity = await script.poll_activity()
        await asyncio.sleep(3)
        await script.heartbeat(activity)
        script.env.skew_ns = -2_000_000_000
        await script.heartbeat(activity)
        await asyncio.sleep(8)
        assert "ActivityTaskTimedOut" in script.event_types()

    script.run(case())


def test_schedule_to_start_timeout_of_an_attempt_that_came_back(script: Script) -> None:
    """The poller goes away with the task in its hands; the attempt waits again, and so does its deadline."""

    async def case() -> None:
        await script.start()
        command = activity_command("a", start_to_close_timeout=60, schedule_to_start_timeout=5)
        poll = script.poll_activity()
        task = await script.poll_workflow()
        completing = asyncio.ensure_future(script.complete(task, command))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the step has run, the poll's handler has not
        poll.cancel()  # type: ignore[attr-defined]
        await completing
        await asyncio.sleep(0.1)
        (state,) = script.engine.database.writer.execute("SELECT state FROM activities").fetchone()
        assert state == 1
        await asyncio.sleep(6)
        assert "ActivityTaskTimedOut" in script.event_types()

    script.run(case())


def test_workflow_task_whose_poller_left_with_it_goes_to_the_next_one_at_once(script: Script) -> None:
    async def case() -> None:
        poll = script.poll_workflow()
        await asyncio.sleep(0.1)
        starting = asyncio.ensure_future(script.start())
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the step has run, the poll's handler has not
        poll.cancel()  # type: ignore[attr-defined]
        await starting
        task = await asyncio.wait_for(script.poll_workflow(), 1)
        assert task.token.attempt == 2
        assert script.event_types()[-2:] == ["WorkflowTaskStarted", "WorkflowTaskTimedOut"]

    script.run(case())


def test_poller_that_left_just_before_a_task_came_does_not_get_it(script: Script) -> None:
    async def case() -> None:
        left = script.poll_workflow()
        await asyncio.sleep(0.1)
        starting = asyncio.ensure_future(script.start())
        await asyncio.sleep(0)
        left.cancel()  # type: ignore[attr-defined]
        await starting
        task = await asyncio.wait_for(script.poll_workflow(), 1)
        assert task.token.attempt == 1
        assert script.event_types() == ["WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted"]

    script.run(case())


def test_task_and_poller_survive_a_handler_that_fails(script: Script) -> None:
    async def case() -> None:
        await script.start()
        script.trouble.handler_error_before = 1.0
        with pytest.raises(Unavailable):
            await asyncio.wait_for(script.poll_workflow(), 1)
        script.trouble.handler_error_before = 0.0
        await asyncio.wait_for(script.poll_workflow(), 1)

    script.run(case())


def test_waiting_poller_hears_of_a_start_that_failed_with_its_task(script: Script) -> None:
    async def case() -> None:
        poll = script.poll_workflow()
        await asyncio.sleep(0.1)
        script.trouble.handler_error_after = 1.0
        with pytest.raises(Internal):
            await script.start()
        script.trouble.handler_error_after = 0.0
        await script.start()
        await asyncio.wait_for(poll, 1)

    script.run(case())


def test_every_waiting_poller_is_woken_after_a_failed_commit(script: Script) -> None:
    async def case() -> None:
        for number in range(3):
            await script.start(f"w{number}")
        script.trouble.failing_commit = 1.0
        for _ in range(3):
            with pytest.raises(Unavailable):
                await script.poll_workflow()
        script.trouble.failing_commit = 0.0
        polls = [script.poll_workflow() for _ in range(3)]
        tasks = await asyncio.wait_for(asyncio.gather(*polls), 1)
        assert len({task.run_key for task in tasks}) == 3

    script.run(case())


def test_tasks_that_could_not_be_read_after_a_failed_commit_are_read_again(script: Script) -> None:
    async def case() -> None:
        await script.start()
        script.trouble.failing_commit = script.trouble.failing_read = 1.0
        with pytest.raises(Unavailable):
            await script.poll_workflow()
        script.trouble.failing_commit = script.trouble.failing_read = 0.0
        await asyncio.wait_for(script.poll_workflow(), 2)

    script.run(case())


def test_attempt_whose_offer_was_thrown_away_waits_for_its_time(script: Script) -> None:
    """It is still in its queue when the rest of what was done with it fails."""

    async def case() -> None:
        await script.start()
        command = activity_command("a", start_to_close_timeout=60, heartbeat_timeout=1)
        retry_policy = command.schedule_activity_task_command_attributes.retry_policy
        retry_policy.maximum_attempts = 2
        retry_policy.initial_interval.CopyFrom(seconds(5))
        other = activity_command("b", start_to_close_timeout=6)  # it times out when the second attempt is due
        await script.complete(await script.poll_workflow(), command, other)
        await script.poll_activity()
        await script.poll_activity()
        await asyncio.sleep(5)
        poll = script.poll_workflow()
        script.trouble.failing_input = WorkflowTaskDispatched
        with pytest.raises(Unavailable):
            await poll
        script.trouble.failing_input = None
        assert (await script.poll_activity()).attempt == 2

    script.run(case())


def test_commit_that_fails_for_a_reason_of_our_own_is_answered_too(script: Script) -> None:
    async def case() -> None:
        def fail() -> None:
            raise InjectedError("no error of SQLite")

        working, script.trouble.before_commit = script.trouble.before_commit, fail  # type: ignore[method-assign]
        with pytest.raises(Unavailable):
            await asyncio.wait_for(script.start(), 1)
        script.trouble.before_commit = working  # type: ignore[method-assign]
        await script.start()
        await asyncio.wait_for(script.poll_workflow(), 1)

    script.run(case())


def test_timer_of_a_run_that_could_not_be_loaded_in_time(tmp_path: Path) -> None:
    script = Script(tmp_path, cache_bytes=1)

    async def case() -> None:
        await script.start("w")
        await script.complete(await script.poll_workflow(), timer_command("t", 5))
        await script.start("another")
        await asyncio.sleep(4)
        script.trouble.failing_read = 1.0
        await asyncio.sleep(3)
        script.trouble.failing_read = 0.0
        await asyncio.sleep(3)
        assert script.event_types()[-2:] == ["TimerFired", "WorkflowTaskScheduled"]

    script.run(case())


def test_deadlines_beyond_the_window_are_read_although_a_read_failed(script: Script) -> None:
    async def case() -> None:
        await script.start()
        await script.complete(await script.poll_workflow(), timer_command("t", 700))
        await asyncio.sleep(290)
        script.trouble.failing_read = 1.0
        await asyncio.sleep(20)
        script.trouble.failing_read = 0.0
        await asyncio.sleep(400)
        assert script.event_types()[-2:] == ["TimerFired", "WorkflowTaskScheduled"]

    script.run(case())


def test_run_is_not_dropped_from_memory_before_it_is_in_the_file(tmp_path: Path) -> None:
    """A cache that holds nothing: what one step has applied must stay until it is committed."""
    script = Script(tmp_path, cache_bytes=1)

    async def case() -> None:
        await script.start("w0")
        await script.start("w1")
        signals = [script.signal(f"s{number}", f"w{number % 2}") for number in range(8)]
        await asyncio.gather(*signals)
        assert [script.event_types(run).count("WorkflowExecutionSignaled") for run in (0, 1)] == [4, 4]

    script.run(case())


def test_time_does_not_go_backwards_over_buffered_events(script: Script) -> None:
    async def case() -> None:
        await script.start()
        task = await script.poll_workflow()
        await asyncio.sleep(2)
        await script.signal("buffered")
        script.env.skew_ns = -2_000_000_000
        await script.complete(task, timer_command("t", 1))
        times = [event.event_time.ToNanoseconds() for event in script.histories()[0]]
        assert times == sorted(times)

    script.run(case())


def test_time_does_not_go_backwards_under_a_transient_workflow_task(script: Script) -> None:
    async def case() -> None:
        await script.start()
        await script.fail(await script.poll_workflow())
        await asyncio.sleep(2)
        task = await script.poll_workflow()
        script.env.skew_ns = -2_000_000_000
        await script.restart()
        await script.complete(task, complete_command())
        times = [event.event_time.ToNanoseconds() for event in script.histories()[0]]
        assert times == sorted(times)

    script.run(case())


def test_activity_that_closes_after_the_clock_was_set_back(script: Script) -> None:
    async def case() -> None:
        await script.start()
        await script.complete(await script.poll_workflow(), activity_command("a"))
        await asyncio.sleep(3)
        activity = await script.poll_activity()
        script.env.skew_ns = -2_000_000_000
        await script.complete_activity(activity)
        times = [event.event_time.ToNanoseconds() for event in script.histories()[0]]
        assert times == sorted(times)

    script.run(case())
