"""The fixtures work under every async plugin, in all its loop scopes, and without one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.testing.conftest import ANYIO, PYTEST_ASYNCIO, Project

TESTS = """
from workflows import Greeting, greet, greet_in_a_thread


async def greeting(dx_client, worker, name):
    return await dx_client.execute_workflow(Greeting.run, name, id="greeting", task_queue=worker.task_queue)


async def test_greets(dx_client, dx_worker):
    async with dx_worker(workflows=[Greeting], activities=[greet]) as worker:
        assert await greeting(dx_client, worker, "Ada") == "Hello, Ada"


async def test_greets_again_under_the_same_id(dx_client, dx_worker):
    async with dx_worker(workflows=[Greeting], activities=[greet]) as worker:
        assert await greeting(dx_client, worker, "Bob") == "Hello, Bob"


async def test_two_workers(dx_client, dx_worker):
    async with dx_worker(workflows=[Greeting], activities=[greet]) as one, dx_worker(activities=[greet]) as other:
        assert one.task_queue != other.task_queue
        assert await greeting(dx_client, one, "Eve") == "Hello, Eve"
"""

SYNC_TESTS = """
import asyncio

from workflows import Greeting, greet


def test_greets(dx_client, dx_worker):
    async def main():
        async with dx_worker(workflows=[Greeting], activities=[greet]) as worker:
            return await dx_client.execute_workflow(
                Greeting.run, "Ada", id="greeting", task_queue=worker.task_queue
            )

    assert asyncio.run(main()) == "Hello, Ada"


def test_server(dx_server, dx_namespace):
    assert dx_server.address.startswith("127.0.0.1:")
    assert dx_namespace.startswith("test_server-")
"""

FIXTURE_TESTS = """
{imports}
from workflows import Greeting, greet


@{decorator}
async def worker(dx_worker):
    async with dx_worker(workflows=[Greeting], activities=[greet]) as worker:
        yield worker


async def test_worker_of_a_fixture(dx_client, worker):
    result = await dx_client.execute_workflow(Greeting.run, "Ada", id="greeting", task_queue=worker.task_queue)
    assert result == "Hello, Ada"
"""

ASYNCIO_BACKEND = """
import pytest


@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


def assert_all_pass(project: Project, *words: str, count: int) -> None:
    session = project.test(*words).passed()
    assert [test.result for test in session.tests.values()] == ["passed"] * count, session.output


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_pytest_asyncio_in_auto_mode(make_project: Callable[..., Project], scope: str) -> None:
    scopes = f"asyncio_default_test_loop_scope = {scope}\nasyncio_default_fixture_loop_scope = {scope}\n"
    fixtures = FIXTURE_TESTS.format(imports="import pytest", decorator="pytest.fixture")
    assert_all_pass(make_project(ini="asyncio_mode = auto\n" + scopes, test_all=TESTS, test_fixtures=fixtures), count=4)


def test_pytest_asyncio_in_strict_mode(make_project: Callable[..., Project]) -> None:
    files = {
        f"test_{scope}": PYTEST_ASYNCIO.format(scope=scope) + TESTS
        for scope in ("function", "class", "module", "package", "session")
    }
    fixtures = PYTEST_ASYNCIO.format(scope="function") + FIXTURE_TESTS.format(
        imports="import pytest_asyncio", decorator="pytest_asyncio.fixture"
    )
    project = make_project(ini="asyncio_mode = strict\n", test_fixtures=fixtures, **files)
    session = project.test().passed()
    assert "16 passed" in session.output


def test_anyio(make_project: Callable[..., Project]) -> None:
    fixtures = ANYIO + FIXTURE_TESTS.format(imports="", decorator="pytest.fixture")
    project = make_project(conftest=ASYNCIO_BACKEND, test_all=ANYIO + TESTS, test_fixtures=fixtures)
    assert_all_pass(project, "-p", "no:asyncio", count=4)


def test_anyio_on_another_loop_is_told_what_to_do(make_project: Callable[..., Project]) -> None:
    conftest = ASYNCIO_BACKEND.replace('"asyncio"', '"trio"')
    session = make_project(conftest=conftest, test_all=ANYIO + TESTS).test("-p", "no:asyncio", "-k", "again")
    assert "anyio runs this test on trio" in session.output
    assert "define the fixture anyio_backend" in session.output


def test_without_an_async_plugin(make_project: Callable[..., Project]) -> None:
    assert_all_pass(make_project(test_sync=SYNC_TESTS), "-p", "no:asyncio", "-p", "no:anyio", count=2)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("-p", "no:asyncio", "-p", "no:anyio"), "hint: pip install pytest-asyncio"),
        ((), "hint: mark it with @pytest.mark.asyncio"),
    ],
    ids=["no plugin", "not marked"],
)
def test_async_tests_that_nothing_runs(make_project: Callable[..., Project], words: tuple[str, ...], hint: str) -> None:
    session = make_project(test_all=TESTS).test(*words, "-k", "test_two_workers")
    assert session.code == 1
    assert "test_two_workers is async, and nothing runs async tests here" in session.tests["test_two_workers"].said
    assert hint in session.tests["test_two_workers"].said
