"""`dx time status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_cli.network import network_command

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
async def command(client: Client, output: Output) -> None:
    """Show the clock of a local server, and what is due next."""
    from durable_cli.local_clock import describe_clock

    clock = await describe_clock(client)
    if output.is_json:
        output.print_json(clock)
    elif output.is_text:
        from durable_cli.output.clock_text import print_clock

        print_clock(output.screen, clock)
