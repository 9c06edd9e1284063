"""`dx time auto`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_cli.network import network_command

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
async def command(client: Client, output: Output) -> None:
    """Let the clock of a local server jump whenever nothing is in flight.

    It jumps to what is due next, so workflows that wait go through their days at once. That ends with a pause, with
    `dx time resume`, and with the server.
    """
    from google.protobuf.empty_pb2 import Empty

    from durable_cli.local_clock import change_clock, show_change

    clock = await change_clock(client, "JumpWhenIdle", Empty())
    show_change(output, clock, "Jumping whenever nothing is in flight")
