"""`dx time pause`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_cli.network import network_command

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
async def command(client: Client, output: Output) -> None:
    """Stop the clock of a local server.

    Nothing falls due until it is resumed: no timer, retry or timeout. Workflows go on as far as they wait for no time.
    """
    from google.protobuf.empty_pb2 import Empty

    from durable_cli.local_clock import change_clock, show_change

    clock = await change_clock(client, "PauseTime", Empty())
    show_change(output, clock, "Paused")
