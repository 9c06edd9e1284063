"""What pytest asks the plugin: whether it can run a test, and what there is to say about a failed one."""

from __future__ import annotations

import re
from collections.abc import Generator

import pytest

from durable_cli.testing.errors import DxError
from durable_cli.testing.fixtures import STAGE, Stage

__all__ = ["pytest_pyfunc_call", "pytest_runtest_makereport"]

_DESCRIBE_SECONDS = 5.0
_LEFT_OUT = re.compile(r"[/\\](temporalio[/\\](client|worker)|durable_cli[/\\]testing)[/\\]|[/\\]contextlib\.py$")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Say what to do about an async test that no plugin has run; pytest itself fails or skips it."""
    try:
        return (yield)
    except (pytest.fail.Exception, pytest.skip.Exception) as refusal:
        if not (str(refusal).startswith("async def function") and STAGE in pyfuncitem.stash):
            raise
    pytest.fail(_how_to_run(pyfuncitem), pytrace=False)


def _how_to_run(pyfuncitem: pytest.Function) -> str:
    plugins = pyfuncitem.config.pluginmanager
    if plugins.hasplugin("asyncio") or plugins.hasplugin("anyio"):
        hint = (
            'mark it with @pytest.mark.asyncio, or set asyncio_mode = "auto" for pytest-asyncio; '
            "with anyio, mark it with @pytest.mark.anyio"
        )
    else:
        hint = "pip install pytest-asyncio, and set asyncio_mode = auto in pytest's configuration"
    return f"{pyfuncitem.name} is async, and nothing runs async tests here\n\nhint: {hint}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test which of its workflows are open and why, and what the server has logged."""
    if call.excinfo is not None and isinstance(call.excinfo.value, DxError):
        _leave_out_frames(call.excinfo.value)
    report = yield
    stage = item.stash.get(STAGE, None)
    if stage is not None and report.failed and report.when == "call":
        try:
            lines = stage.connection.portal.run(_describe(stage), _DESCRIBE_SECONDS)
        except Exception as error:
            lines = [f"can't be described: {error}"]
        if lines:
            report.sections.append(("dx: workflows", "\n".join(lines)))
        if log := stage.server.read_log(stage.log_offset).strip():
            report.sections.append(("dx: server log", log))
    return report


async def _describe(stage: Stage) -> list[str]:
    from durable_cli.testing.reasons import describe_open_run

    return [line async for described in stage.watch.describe_open() for line in describe_open_run(described)]


def _leave_out_frames(error: DxError) -> None:
    """Take the frames of the SDK and of this plugin out of a traceback, so that the test's own line is the last."""
    frame = error.__traceback__
    while frame is not None:
        following = frame.tb_next
        while following is not None and _LEFT_OUT.search(following.tb_frame.f_code.co_filename):
            following = following.tb_next
        frame.tb_next = following
        frame = following
