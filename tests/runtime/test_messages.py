"""What one run sends another: in one commit with its cause, never lost, never there without it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.taskqueue.v1 import TaskQueue

from engine.core.errors import Internal, Unavailable
from engine.core.namespace import Namespace
from engine.core.policy.limits import Limits
from engine.core.run.workflow_task import StartedWorkflowTask
from tests.sim.commands import seconds
from tests.sim.script import Script, cancel_command, child_command, complete_command, signal_command

CHILD_QUEUE = TaskQueue(name="children")
ASKS = ["WorkflowTaskCompleted"]
WAKES = ["WorkflowTaskScheduled"]


@dataclass
class Case:
    """A message: `prepare` gives the sender's task, `command` sends it, `events` are what it adds to each run."""

    prepare: Callable[[Script], Awaitable[StartedWorkflowTask]]
    command: Command
    events: list[list[str]]


async def _alone(script: Script) -> StartedWorkflowTask:
    await script.start("parent")
    return await script.poll_workflow()


async def _with_target(script: Script) -> StartedWorkflowTask:
    await script.start("target")
    await script.complete(await script.poll_workflow())
    await script.start("source")
    return await script.poll_workflow()


async def _child_of_an_idle_parent(script: Script) -> StartedWorkflowTask:
    await script.start("parent")
    await script.complete(await script.poll_workflow(), child_command("child", task_queue=CHILD_QUEUE))
    await script.complete(await script.poll_workflow())
    return await script.poll_workflow("children")


async def _parent_with_a_child(script: Script) -> StartedWorkflowTask:
    await script.start("parent")
    await script.complete(await script.poll_workflow(), child_command("child", task_queue=CHILD_QUEUE))
    return await script.poll_workflow()


CASES = {
    "child start": Case(
        _alone,
        child_command("child"),
        [
            [*ASKS, "StartChildWorkflowExecutionInitiated", "ChildWorkflowExecutionStarted", *WAKES],
            ["WorkflowExecutionStarted", *WAKES],
        ],
    ),
    "signal": Case(
        _with_target,
        signal_command("target"),
        [
            ["WorkflowExecutionSignaled", *WAKES],
            [*ASKS, "SignalExternalWorkflowExecutionInitiated", "ExternalWorkflowExecutionSignaled", *WAKES],
        ],
    ),
    "cancel": Case(
        _with_target,
        cancel_command("target"),
        [
            ["WorkflowExecutionCancelRequested", *WAKES],
            [
                *ASKS,
                "RequestCancelExternalWorkflowExecutionInitiated",
                "ExternalWorkflowExecutionCancelRequested",
                *WAKES,
            ],
        ],
    ),
    "child close": Case(
        _child_of_an_idle_parent,
        complete_command(),
        [["ChildWorkflowExecutionCompleted", *WAKES], [*ASKS, "WorkflowExecutionCompleted"]],
    ),
    "parent close": Case(
        _parent_with_a_child,
        complete_command(),
        [[*ASKS, "WorkflowExecutionCompleted"], ["WorkflowExecutionTerminated"]],
    ),
}
EACH = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def _types(script: Script) -> list[list[str]]:
    return [script.event_types(run) for run in range(len(script.histories()))]


def _added(script: Script, before: list[list[str]]) -> list[list[str]]:
    """Return what every run has got since `before`."""
    now = _types(script)
    before = before + [[]] * (len(now) - len(before))
    return [types[len(old) :] for types, old in zip(now, before, strict=True)]


@EACH
def test_a_message_is_in_one_commit_with_its_cause_and_its_answer(tmp_path: Path, case: Case) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        task = await case.prepare(script)
        before, commits = _types(script), script.trouble.commits
        await script.complete(task, case.command)
        assert _added(script, before) == case.events
        assert script.trouble.commits == commits + 1

    script.run(program())


@EACH
@pytest.mark.parametrize("crash", ["after commit", "before commit"])
def test_a_crash_leaves_both_or_neither(tmp_path: Path, case: Case, crash: str) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        task = await case.prepare(script)
        before = _types(script)
        script.trouble.crash_at_commit = script.trouble.commits + 1
        script.trouble.crash_once_after = crash == "after commit"
        completing = asyncio.ensure_future(script.complete(task, case.command))
        await asyncio.sleep(0.001)
        assert not completing.done()
        completing.cancel()
        await script.server.up.wait()
        if crash == "before commit":
            assert _added(script, before) == [[]] * len(before)
            await script.complete(task, case.command)
        assert _added(script, before) == case.events

    script.run(program())


@EACH
@pytest.mark.parametrize("failing_commit", [0.0, 1.0])
@pytest.mark.parametrize("restart", [False, True])
def test_a_target_that_can_not_be_read_takes_the_cause_with_it(
    tmp_path: Path, case: Case, failing_commit: float, restart: bool
) -> None:
    """The worker hears of it and completes its task again; meanwhile, and after a restart, nothing of it is there."""
    script = Script(tmp_path, cache_bytes=1)

    async def program() -> None:
        task = await case.prepare(script)
        before = _types(script)
        script.trouble.failing_read, script.trouble.failing_commit = 1.0, failing_commit
        with pytest.raises(Internal, match="RespondWorkflowTaskCompleted"):
            await script.complete(task, case.command)
        script.trouble.failing_read = script.trouble.failing_commit = 0.0
        if restart:
            await script.restart()
        await asyncio.sleep(3)
        assert _added(script, before) == [[]] * len(before)
        await script.complete(task, case.command)
        await asyncio.sleep(3)
        assert _added(script, before) == case.events

    script.run(program())


@EACH
def test_a_commit_that_fails_leaves_neither(tmp_path: Path, case: Case) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        task = await case.prepare(script)
        before = _types(script)
        script.trouble.failing_commit = 1.0
        with pytest.raises(Unavailable):
            await script.complete(task, case.command)
        script.trouble.failing_commit = 0.0
        await asyncio.sleep(3)
        assert _added(script, before) == [[]] * len(before)
        await script.complete(task, case.command)
        assert _added(script, before) == case.events

    script.run(program())


def test_a_child_whose_time_is_up_waits_until_its_parent_can_be_read(tmp_path: Path) -> None:
    script = Script(tmp_path, cache_bytes=1)

    async def program() -> None:
        await script.start("parent")
        child = child_command("child", task_queue=CHILD_QUEUE, workflow_run_timeout=seconds(5))
        await script.complete(await script.poll_workflow(), child)
        await script.complete(await script.poll_workflow())
        await script.signal("the one in memory", "child")
        before = _types(script)
        await asyncio.sleep(4)
        script.trouble.failing_read = 1.0
        await asyncio.sleep(3)
        script.trouble.failing_read = 0.0
        assert _added(script, before) == [[], []]
        await asyncio.sleep(3)
        assert _added(script, before) == [["ChildWorkflowExecutionTimedOut", *WAKES], ["WorkflowExecutionTimedOut"]]

    script.run(program())


def test_a_task_carries_every_answer_and_the_childs_goes_to_the_poller_that_waits(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        await script.start("target")
        await script.complete(await script.poll_workflow())
        await script.start("parent")
        task = await script.poll_workflow()
        parent, child = script.poll_workflow(), script.poll_workflow("children")
        await asyncio.sleep(0.1)
        commits = script.trouble.commits
        await script.complete(
            task, child_command("child", task_queue=CHILD_QUEUE), signal_command("target"), signal_command("nobody")
        )
        assert script.trouble.commits == commits + 1
        assert script.event_types(1)[3:] == [
            "WorkflowTaskCompleted",
            "StartChildWorkflowExecutionInitiated",
            "SignalExternalWorkflowExecutionInitiated",
            "SignalExternalWorkflowExecutionInitiated",
            "ChildWorkflowExecutionStarted",
            "WorkflowTaskScheduled",
            "ExternalWorkflowExecutionSignaled",
            "SignalExternalWorkflowExecutionFailed",
            "WorkflowTaskStarted",
        ]
        assert (await parent).run_key == task.run_key
        assert (await child).workflow_id == "child"

    script.run(program())


def test_a_family_closes_in_one_commit(tmp_path: Path) -> None:
    script = Script(tmp_path)

    async def program() -> None:
        await script.start("parent")
        children = [child_command(f"child-{number}", task_queue=CHILD_QUEUE) for number in range(20)]
        await script.complete(await script.poll_workflow(), *children)
        for _ in children:
            task = await script.poll_workflow("children")
            await script.complete(task, child_command(f"{task.workflow_id}-child", "REQUEST_CANCEL"))
        task = await script.poll_workflow()
        commits = script.trouble.commits
        await script.complete(task, complete_command())
        assert script.trouble.commits == commits + 1
        ends = [script.event_types(run)[-1] for run in range(1, 41)]
        assert ends == ["WorkflowExecutionTerminated"] * 20 + ["WorkflowExecutionCancelRequested"] * 20

    script.run(program())


def test_a_parent_closes_although_the_namespace_of_its_child_is_gone(tmp_path: Path) -> None:
    script = Script(tmp_path, whole_families=False)
    script.server.limits = Limits(cross_namespace_commands=True)

    async def program() -> None:
        other = Namespace(0, "22222222-2222-4222-8222-222222222222", "other")
        script.engine.namespaces.save(other)
        await script.start("parent")
        await script.complete(await script.poll_workflow(), child_command("child", namespace="other"))
        task = await script.poll_workflow()
        script.engine.namespaces.delete(other)
        script.engine.forget_namespace(other)
        await script.complete(task, complete_command())
        assert script.event_types()[-1] == "WorkflowExecutionCompleted"

    script.run(program())
