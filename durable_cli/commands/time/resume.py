"""`dx time resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_cli.network import network_command

if TYPE_CHECKING:
    from durable_cli.client import Client
    from durable_cli.output.output import Output


@network_command
async def command(client: Client, output: Output) -> None:
    """Let the clock of a local server go on from where it is.

    It goes at the pace of the system's clock; a pause or auto ends.
    """
    from google.protobuf.empty_pb2 import Empty

    from durable_cli.local_clock import change_clock, show_change

    clock = await change_clock(client, "ResumeTime", Empty())
    show_change(output, clock, "Resumed")
