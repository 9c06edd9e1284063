"""Commands that talk to a server: parsing, connecting, timeouts and output, around one coroutine."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from durable_cli.errors import CliError
from durable_cli.lazy import Command
from durable_cli.options import ConnectionOptions, GlobalOptions, attach

if TYPE_CHECKING:
    from durable_cli.config import Settings

__all__ = ["network_command"]


def network_command(function: Callable[..., Awaitable[None]]) -> click.Command:
    """Make a command of a coroutine that takes a `Client` and an `Output` before its own options."""

    @wraps(function)
    def run(*, global_options: GlobalOptions, connection: ConnectionOptions, **values: Any) -> None:
        import asyncio

        from durable_cli.config import resolve_settings
        from durable_cli.output.log import set_up_log
        from durable_cli.output.output import Output

        set_up_log(global_options.log_level or "never", global_options.log_format)
        settings = resolve_settings(global_options, connection)
        output = Output(
            global_options.output,
            color=global_options.color,
            time_format=global_options.time_format,
            shorthand_payloads=not global_options.no_json_shorthand_payloads,
        )
        timeout = global_options.command_timeout
        asyncio.run(_run(function, settings, output, timeout.total_seconds() if timeout else None, values))

    attached = attach("connection", ConnectionOptions)(run)
    attached = attach("global_options", GlobalOptions)(attached)
    return click.command(cls=Command, help=inspect.getdoc(function))(attached)


async def _run(
    function: Callable[..., Awaitable[None]],
    settings: Settings,
    output: object,
    timeout_seconds: float | None,
    values: dict[str, Any],
) -> None:
    import asyncio

    from durable_cli.client import Client

    started_s = time.monotonic()
    try:
        async with asyncio.timeout(timeout_seconds):
            await function(Client(settings), output, **values)
    except TimeoutError:
        if timeout_seconds is None or time.monotonic() - started_s < timeout_seconds:
            raise
        raise CliError(
            f"the command took longer than {timeout_seconds:g} s", "allow it more with --command-timeout"
        ) from None
