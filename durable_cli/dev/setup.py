"""The setup of a worker: run once, when what it makes is missing, before anything else of that worker."""

from __future__ import annotations

from collections.abc import Mapping

from durable_cli.dev.candidate import AttemptFailedError, describe_command
from durable_cli.dev.events import BuildFailed, SettingUp
from durable_cli.dev.processes import Child, Guard
from durable_cli.dev.project.model import Worker
from durable_cli.dev.report import Reporter

__all__ = ["run_setup", "run_to_end"]


async def run_setup(worker: Worker, guard: Guard, reporter: Reporter, environment: Mapping[str, str]) -> None:
    """Run the worker's setup, if there is one and it is due; raises AttemptFailedError when it fails."""
    setup = worker.setup
    # Without its folder there is nothing to be done; that is said when the worker is to start.
    if setup is None or not worker.cwd.is_dir() or (worker.cwd / setup.creates).exists():
        return
    reporter.tell(SettingUp(describe_command(setup.command)))
    child = await guard.spawn(setup.command, cwd=worker.cwd, env=environment, on_output=reporter.open_sink())
    code = await run_to_end(child)
    if code:
        raise AttemptFailedError(BuildFailed(describe_command(setup.command), code))


async def run_to_end(child: Child) -> int:
    """Return a command's exit code, with nothing left of it; it is killed when the caller is cancelled."""
    try:
        return await child.wait()
    finally:
        if child.exit_code is None:
            child.kill()
        await child.end()
