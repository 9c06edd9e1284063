"""A test that could only wait fails at once, with the worker's own error."""

from __future__ import annotations

import re

import pytest

from tests.testing.conftest import WORKFLOWS, Project, Session

TESTS = '''
import asyncio
import random
from datetime import timedelta

import pytest
from durable_cli.testing import StuckError, WorkflowTaskFailedError
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from workflows import Greeting, greet


@workflow.defn
class Broken:
    @workflow.run
    async def run(self) -> None:
        raise ZeroDivisionError("on purpose")

    @workflow.query
    def state(self) -> str:
        return "fine"

    @workflow.update
    async def change(self) -> None:
        pass


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_child_workflow(Broken.run, id="child")


@workflow.defn
class Deadlocked:
    @workflow.run
    async def run(self) -> None:
        while True:
            pass


@workflow.defn(sandboxed=False)
class Random:
    @workflow.run
    async def run(self) -> None:
        for _ in range(12):
            if random.random() < 0.5:
                await asyncio.sleep(0.001)
            else:
                await workflow.execute_activity(greet, "Ada", start_to_close_timeout=timedelta(seconds=5))


@workflow.defn
class FailsOnce:
    """Only the first attempt of its first task fails, as after a deployment that is put right."""

    @workflow.run
    async def run(self) -> str:
        with workflow.unsafe.imports_passed_through():
            import attempts
        attempts.count += 1
        if attempts.count == 1:
            raise ZeroDivisionError("on purpose")
        return "healed"


@workflow.defn
class Patient:
    """Fails, rightly, as a workflow and not as a task."""

    @workflow.run
    async def run(self, attempts: int) -> None:
        policy = RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=attempts)
        await workflow.execute_activity(refuse, start_to_close_timeout=timedelta(seconds=5), retry_policy=policy)


@activity.defn
async def refuse() -> None:
    raise RuntimeError("not today")


@activity.defn
async def never_called() -> None:
    pass


@pytest.fixture
async def broken(dx_worker):
    async with dx_worker(workflows=[Broken]) as worker:
        yield worker


def start(dx_client, workflow_type, worker, *words):
    return dx_client.start_workflow(workflow_type.run, *words, id="it", task_queue=worker.task_queue)


async def test_result(dx_client, dx_worker):
    async with dx_worker(workflows=[Broken]) as worker:
        await (await start(dx_client, Broken, worker)).result()


async def test_query(dx_client, dx_worker):
    async with dx_worker(workflows=[Broken]) as worker:
        await (await start(dx_client, Broken, worker)).query(Broken.state)


async def test_update(dx_client, dx_worker):
    async with dx_worker(workflows=[Broken]) as worker:
        await (await start(dx_client, Broken, worker)).execute_update(Broken.change)


async def test_child(dx_client, dx_worker):
    async with dx_worker(workflows=[Parent, Broken]) as worker:
        await (await start(dx_client, Parent, worker)).result()


async def test_waits_for_something_else(dx_client, dx_worker):
    async with dx_worker(workflows=[Broken]) as worker:
        await start(dx_client, Broken, worker)
        await asyncio.Event().wait()


async def test_waits_for_nothing(dx_client, dx_worker):
    async with dx_worker(workflows=[Broken]) as worker:
        await start(dx_client, Broken, worker)
        await asyncio.sleep(1)


async def test_worker_of_a_fixture(dx_client, broken):
    await (await start(dx_client, Broken, broken)).result()


async def test_deadlock(dx_client, dx_worker):
    async with dx_worker(workflows=[Deadlocked]) as worker:
        await (await start(dx_client, Deadlocked, worker)).result()


async def test_random_is_found_at_the_end(dx_client, dx_worker):
    async with dx_worker(workflows=[Random], activities=[greet]) as worker:
        await (await start(dx_client, Random, worker)).result()


async def test_random_is_found_without_a_cache(dx_client, dx_worker):
    async with dx_worker(workflows=[Random], activities=[greet], max_cached_workflows=0) as worker:
        await (await start(dx_client, Random, worker)).result()


async def test_random_without_the_check(dx_client, dx_worker):
    async with dx_worker(workflows=[Random], activities=[greet], replay=False) as worker:
        await (await start(dx_client, Random, worker)).result()


async def test_a_run_that_has_not_begun(dx_client, dx_worker):
    async with dx_worker(workflows=[Greeting], activities=[greet]) as worker:
        await dx_client.start_workflow(
            Greeting.run, "later", id="it", task_queue=worker.task_queue, start_delay=timedelta(hours=1)
        )


async def test_unknown_workflow(dx_client, dx_worker):
    async with dx_worker(workflows=[Broken]) as worker:
        await (await start(dx_client, Greeting, worker, "Ada")).result()


async def test_unknown_activity(dx_client, dx_worker):
    async with dx_worker(workflows=[Greeting], activities=[never_called]) as worker:
        await (await start(dx_client, Greeting, worker, "Ada")).result()


async def test_no_activities(dx_client, dx_worker):
    async with dx_worker(workflows=[Greeting]) as worker:
        await (await start(dx_client, Greeting, worker, "Ada")).result()


async def test_wrong_task_queue(dx_client, dx_worker):
    async with dx_worker(workflows=[Greeting], activities=[greet]) as worker:
        await dx_client.execute_workflow(Greeting.run, "Ada", id="it", task_queue="greetings")


async def test_expected(dx_client, dx_worker):
    async with dx_worker(workflows=[Broken]) as worker:
        with pytest.raises(WorkflowTaskFailedError, match="on purpose") as raised:
            await (await start(dx_client, Broken, worker)).result()
    assert (raised.value.workflow_id, raised.value.workflow_type) == ("it", "Broken")
    assert "ZeroDivisionError" in str(raised.value.__cause__)


async def test_let_alone(dx_client, dx_worker):
    async with dx_worker(workflows=[FailsOnce], fail_when_stuck=False) as worker:
        assert await (await start(dx_client, FailsOnce, worker)).result() == "healed"


async def test_failing_activities_are_none_of_its_business(dx_client, dx_worker):
    async with dx_worker(workflows=[Patient], activities=[refuse]) as worker:
        with pytest.raises(WorkflowFailureError):
            await (await start(dx_client, Patient, worker, 6)).result()


async def test_worker_after_the_workflow(dx_client, dx_worker):
    handle = await dx_client.start_workflow(Greeting.run, "Ada", id="it", task_queue="greetings")
    async with dx_worker(activities=[never_called]):
        await asyncio.sleep(3)
        async with dx_worker(task_queue="greetings", workflows=[Greeting], activities=[greet]):
            assert await handle.result() == "Hello, Ada"


async def test_says_what_is_open(dx_client, dx_worker):
    async with dx_worker(workflows=[Patient], activities=[refuse]) as worker:
        await start(dx_client, Patient, worker, 0)
        await asyncio.sleep(0.5)
        raise AssertionError("on purpose")
'''


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """One run of all of them."""
    project = Project(tmp_path_factory.mktemp("stuck"))
    (project.folder / "pytest.ini").write_text("[pytest]\njunit_logging = all\nasyncio_mode = auto\ntimeout = 20\n")
    conftest = 'pytest_plugins = ["durable_cli.testing"]\n'
    return project.write(conftest=conftest, workflows=WORKFLOWS, attempts="count = 0\n", test_stuck=TESTS).test()


@pytest.mark.parametrize(
    "name",
    [
        "test_result",
        "test_query",
        "test_update",
        "test_child",
        "test_waits_for_something_else",
        "test_waits_for_nothing",
        "test_worker_of_a_fixture",
    ],
)
def test_an_error_in_workflow_code_is_raised_where_the_test_waits(session: Session, name: str) -> None:
    outcome = session.tests[name]
    assert outcome.result == "failed"
    assert "WorkflowTaskFailedError: Broken" in outcome.said
    assert "ZeroDivisionError: on purpose" in outcome.said
    assert 'raise ZeroDivisionError("on purpose")' in outcome.said


def test_the_traceback_ends_in_the_test(session: Session) -> None:
    said = session.tests["test_result"].said
    assert ">           await (await start(dx_client, Broken, worker)).result()" in said
    assert "/durable_cli/" not in said.split("Captured")[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("test_deadlock", "Potential deadlock detected"),
        ("test_random_is_found_at_the_end", "ReplayFailedError: Random it: the code does not match the history"),
        ("test_random_is_found_at_the_end", "[TMPRL1100] Nondeterminism error: "),
        ("test_random_is_found_without_a_cache", "WorkflowTaskFailedError: Random it: [TMPRL1100] Nondeterminism"),
        ("test_unknown_workflow", "Workflow class Greeting is not registered on this worker"),
        ("test_unknown_activity", "hint: add it to dx_worker(activities=[...])"),
        ("test_no_activities", "hint: give that worker its activities: dx_worker(activities=[greet], ...)"),
        ("test_wrong_task_queue", "Greeting it waits on the task queue 'greetings', which no worker polls"),
        ("test_wrong_task_queue", "hint: start it with task_queue=worker.task_queue"),
    ],
)
def test_says_what_is_wrong(session: Session, name: str, expected: str) -> None:
    assert session.tests[name].result == "failed"
    assert expected in session.tests[name].said


def test_says_what_is_open(session: Session) -> None:
    said = session.output.partition("__ test_says_what_is_open __")[2].partition("- dx: workflows -")[2]
    assert "Patient it is still open, on task queue 'test_says_what_is_open-1'" in said
    assert re.search(r"activity refuse: attempt \d+: RuntimeError: not today", said)


@pytest.mark.parametrize(
    "name",
    [
        "test_random_without_the_check",
        "test_a_run_that_has_not_begun",
        "test_expected",
        "test_let_alone",
        "test_failing_activities_are_none_of_its_business",
        "test_worker_after_the_workflow",
    ],
)
def test_is_let_alone(session: Session, name: str) -> None:
    assert session.tests[name].result == "passed", session.tests[name].said
