"""What once went wrong between runs, each case by itself; the simulation found them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.core.errors import Internal
from engine.core.inputs import MessageAnswered, RequestCancelWorkflowExecution, TerminateWorkflowExecution
from tests.sim.script import Script, child_command, complete_command, signal_command


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_signal_whose_answer_can_not_be_recorded_arrives_once(script: Script) -> None:
    async def case() -> None:
        await script.start("target")
        await script.complete(await script.poll_workflow())
        await script.start("source")
        task = await script.poll_workflow()
        script.trouble.failing_input = MessageAnswered
        with pytest.raises(Internal):
            await script.complete(task, signal_command("target"))
        script.trouble.failing_input = None
        await script.complete(task, signal_command("target"))
        await asyncio.sleep(5)
        assert script.event_types(0)[4:] == ["WorkflowExecutionSignaled", "WorkflowTaskScheduled"]

    script.run(case())


def test_child_whose_start_can_not_be_recorded_starts_once(script: Script) -> None:
    async def case() -> None:
        await script.start("parent")
        task = await script.poll_workflow()
        script.trouble.failing_input = MessageAnswered
        with pytest.raises(Internal):
            await script.complete(task, child_command("child"))
        assert len(script.histories()) == 1
        script.trouble.failing_input = None
        await script.complete(task, child_command("child"))
        await asyncio.sleep(5)
        assert script.event_types()[5:] == ["ChildWorkflowExecutionStarted", "WorkflowTaskScheduled"]

    script.run(case())


@pytest.mark.parametrize("policy", ["TERMINATE", "REQUEST_CANCEL"])
def test_parent_whose_child_can_not_be_closed_stays_open(script: Script, policy: str) -> None:
    async def case() -> None:
        await script.start("parent")
        await script.complete(await script.poll_workflow(), child_command("child", policy))
        await script.poll_workflow()
        task = await script.poll_workflow()
        script.trouble.failing_input = {
            "TERMINATE": TerminateWorkflowExecution, "REQUEST_CANCEL": RequestCancelWorkflowExecution
        }[policy]  # fmt: skip
        with pytest.raises(Internal):
            await script.complete(task, complete_command())
        await script.restart()
        assert script.event_types()[-1] == "WorkflowTaskStarted"
        script.trouble.failing_input = None
        await script.complete(task, complete_command())
        state = script.engine.find_current_run(script.server.namespace.namespace_id, "child")
        assert state is not None
        assert state.cancel_requested or not state.running

    script.run(case())


def test_child_does_not_take_its_parents_place(script: Script) -> None:
    async def case() -> None:
        await script.start("w")
        terminating = child_command("w", workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING")
        await script.complete(await script.poll_workflow(), terminating)
        assert script.event_types()[5:] == ["StartChildWorkflowExecutionFailed", "WorkflowTaskScheduled"]

    script.run(case())


def test_reset_point_is_judged_with_the_answers_that_wait_in_the_buffer(script: Script) -> None:
    async def case() -> None:
        await script.start("target")
        await script.complete(await script.poll_workflow())
        await script.start("parent")
        await script.complete(await script.poll_workflow(), child_command("child"))
        child = await script.poll_workflow()
        task = await script.poll_workflow()
        await script.complete(child, complete_command())
        await script.complete(task, build_id="new")
        await script.restart()
        state = script.engine.find_current_run(script.server.namespace.namespace_id, "parent")
        assert state is not None
        assert [point.resettable for point in state.auto_reset_points] == [True, True]

    script.run(case())
