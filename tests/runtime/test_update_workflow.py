"""Who waits for an update: until when, what they hear, and what happens to updates that are lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import (
    DeadlineExceeded,
    Internal,
    NotFound,
    ResourceExhausted,
    Unavailable,
    UpdateAbortedByClosingWorkflow,
)
from engine.runtime.update_waiters import UpdateWaiters
from tests.core.support.update_messages import REJECTION, accept, reject, respond
from tests.runtime.update_script import (
    ACCEPTED,
    ADMITTED,
    COMPLETED,
    UNSPECIFIED,
    answer,
    idle,
    poll,
    result_of,
    settle,
    terminate,
    update,
)
from tests.sim.script import Script


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_everybody_waits_for_the_stage_that_they_ask_for(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        accepted, completed = update(script, stage=ACCEPTED), update(script, stage=COMPLETED)
        task = await script.poll_workflow()
        polls = [poll(script, stage=ACCEPTED), poll(script, stage=COMPLETED), poll(script, stage=UNSPECIFIED)]
        await settle()
        assert [each.done() for each in (accepted, completed, *polls)] == [False, False, False, False, True]
        assert result_of(polls[2]) == (ADMITTED, None)
        await answer(script, task, accept(task.messages[0]))
        await settle()
        assert result_of(accepted) == result_of(polls[0]) == (ACCEPTED, None)
        assert not completed.done()
        assert not polls[1].done()
        await script.signal("go")
        await answer(script, await script.poll_workflow(), respond("u", "result"))
        await settle()
        late = [poll(script), update(script)]
        await settle()
        for each in (completed, polls[1], *late):
            assert result_of(each) == (COMPLETED, b'"result"')

    script.run(case())


def test_a_rejection_is_told_to_whoever_waits_and_then_forgotten(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = [update(script), update(script, stage=ACCEPTED)]
        task = await script.poll_workflow()
        waiting.append(poll(script))
        await settle()
        await answer(script, task, reject(task.messages[0]))
        for each in waiting:
            _, status = await each
            assert status.outcome is not None
            assert (status.stage, status.outcome.failure) == (COMPLETED, REJECTION)
        with pytest.raises(NotFound, match='update "u" not found'):
            await poll(script)

    script.run(case())


@pytest.mark.parametrize("ask", [update, poll])
def test_the_server_answers_at_its_own_limit_and_not_at_the_callers(script: Script, ask: Any) -> None:
    async def case() -> None:
        await idle(script)
        update(script)
        await settle()
        started = script.loop.time()
        with pytest.raises(DeadlineExceeded):
            await ask(script, remaining_seconds=5)
        assert script.loop.time() - started == pytest.approx(5, abs=0.01)
        _, status = await ask(script, remaining_seconds=60)
        assert script.loop.time() - started == pytest.approx(25, abs=0.01)
        assert status.stage == ADMITTED

    script.run(case())


def test_nobody_hears_before_the_commit(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = update(script)
        task = await script.poll_workflow()
        script.trouble.failing_commit = 1
        with pytest.raises(Unavailable):
            await answer(script, task, accept(task.messages[0]), respond("u", 1))
        script.trouble.failing_commit = 0
        await settle()
        assert not waiting.done()
        # The run was loaded again, so its update was lost, and came again.
        task = await script.poll_workflow()
        await answer(script, task, accept(task.messages[0]), respond("u", 2))
        await settle()
        assert result_of(waiting) == (COMPLETED, b"2")

    script.run(case())


def test_a_lost_update_is_sent_again_until_it_is_too_often(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = update(script)
        for _ in range(7):
            await settle()
            script.engine.forget_run(1)
        task = await script.poll_workflow()
        assert [message.id for message in task.messages] == ["u/request"]
        script.engine.forget_run(1)
        with pytest.raises(Unavailable, match="workflow update was aborted"):
            await waiting

    script.run(case())


def test_a_restarted_server_has_what_was_accepted_only(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        update(script, "accepted")
        task = await script.poll_workflow()
        await answer(script, task, accept(task.messages[0]))
        update(script, "admitted")
        await script.poll_workflow()
        await script.restart()
        with pytest.raises(NotFound):
            await poll(script, "admitted")
        waiting = poll(script, "accepted")
        again = update(script, "admitted")
        task = await script.poll_workflow()
        assert [message.id for message in task.messages] == ["admitted/request"]
        await answer(script, task, accept(task.messages[0]), respond("accepted", 1), respond("admitted", 2))
        await settle()
        assert (result_of(waiting), result_of(again)) == ((COMPLETED, b"1"), (COMPLETED, b"2"))

    script.run(case())


def test_completed_updates_of_a_closed_run_are_found_after_a_restart(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        update(script)
        update(script, "accepted")
        await settle()
        task = await script.poll_workflow()
        first, second = task.messages
        await answer(script, task, accept(first), respond("u", 1), accept(second))
        await script.signal("go")
        await answer(script, await script.poll_workflow(), closes=True)
        await script.restart()
        again = [poll(script), update(script)]
        await settle()
        assert [result_of(each) for each in again] == [(COMPLETED, b"1")] * 2
        _, status = await poll(script, "accepted")
        assert status.outcome is not None
        assert status.outcome.failure.application_failure_info.type == "AcceptedUpdateCompletedWorkflow"
        with pytest.raises(NotFound, match='update "other" not found'):
            await poll(script, "other")

    script.run(case())


def test_the_close_of_the_run_ends_every_wait(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = [update(script), update(script, stage=ACCEPTED)]
        await script.poll_workflow()
        waiting.append(poll(script))
        await settle()
        await terminate(script)
        for each in waiting:
            with pytest.raises(UpdateAbortedByClosingWorkflow):
                await each

    script.run(case())


def test_a_run_that_goes_on_as_another_asks_to_try_again(script: Script) -> None:
    async def case() -> None:
        await script.start(cron_schedule="* * * * *")
        task = await script.poll_workflow()
        waiting = update(script)
        await settle()
        await answer(script, task, closes=True)
        with pytest.raises(ResourceExhausted, match="workflow is closing"):
            await waiting

    script.run(case())


def test_waiting_leaves_nothing_behind(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        gone = update(script)
        await settle()
        gone.cancel()
        with pytest.raises(DeadlineExceeded):
            await update(script, remaining_seconds=1)
        task = await script.poll_workflow()
        await answer(script, task, accept(task.messages[0]), respond("u", 1))
        assert script.engine.update_waiters._waiters == UpdateWaiters()._waiters

    script.run(case())


def test_a_handler_that_fails_loses_nothing_but_its_own_request(script: Script) -> None:
    async def case() -> None:
        await idle(script)
        waiting = update(script)
        await settle()
        script.trouble.handler_error_after = 1
        with pytest.raises(Internal):
            await update(script, "other")
        script.trouble.handler_error_after = 0
        task = await script.poll_workflow()
        assert [message.id for message in task.messages] == ["u/request"]
        await answer(script, task, accept(task.messages[0]), respond("u", 1))
        await settle()
        assert result_of(waiting) == (COMPLETED, b"1")

    script.run(case())


def test_a_run_with_an_admitted_update_stays_in_memory(tmp_path: Path) -> None:
    script = Script(tmp_path, cache_bytes=1)

    async def case() -> None:
        await idle(script)
        waiting = update(script)
        task = await script.poll_workflow()
        for number in range(3):
            await script.start(f"other-{number}")
        assert script.engine.runs.get(1) is not None
        await answer(script, task, accept(task.messages[0]), respond("u", 1))
        await settle()
        assert result_of(waiting) == (COMPLETED, b"1")
        await script.start("last")
        assert script.engine.runs.get(1) is None

    script.run(case())
