"""What the verbs of `dx time` share: the call to the local server, and what is said of a change."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from durable_cli.admin_client import AdminError, call_admin
from durable_cli.client import Client
from durable_cli.errors import CliError, nothing_listens
from durable_cli.output.output import Output

__all__ = ["change_clock", "describe_clock", "show_change"]

UNIMPLEMENTED, UNAVAILABLE = 12, 14
ANSWER_SECONDS = 10.0
ORDER = ("time", "systemTime", "offset", "mode", "locks", "next", "waitsFor", "skippedDeadlines")


async def describe_clock(client: Client) -> dict[str, Any]:
    """Return what is true of the clock.

    Raises:
        CliError: there is no local dx server.
    """
    if client.uses_tls:
        raise CliError(
            f"{client.address} is reached over TLS: only a local dx server's time can be moved",
            "name the local server with --address; --disable-config-file leaves the profile out",
        )
    if not client.address.rpartition(":")[2].isdecimal():
        raise nothing_listens(client.address)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await _call(client.address, "DescribeTime", Empty())
    except TimeoutError:
        raise _is_no_dx_server(client.address) from None


async def change_clock(client: Client, method: str, request: Message) -> dict[str, Any]:
    """Move the clock by a method of the admin service; return what is true of it then.

    Raises:
        CliError: there is no local dx server, or it refuses.
    """
    await describe_clock(client)
    return await _call(client.address, method, request)


def show_change(output: Output, clock: dict[str, Any], what: str) -> None:
    """Say what was done and what time it is now."""
    from durable_cli.output.clock_text import format_moment

    if output.is_json:
        output.print_json(clock)
    else:
        output.say(f"{what}. The server's time is {format_moment(clock['time'])}.")


async def _call(address: str, method: str, request: Message) -> dict[str, Any]:
    try:
        reply = await call_admin(address, method, request)
    except AdminError as error:
        if error.code == UNIMPLEMENTED:
            raise _is_no_dx_server(address) from None
        if error.code == UNAVAILABLE:
            raise await _explain_silence(address, error) from None
        raise CliError(
            f"the server at {address} refuses: {error.message}", "`dx time status` shows its clock"
        ) from None
    return {name: _whole(reply[name]) for name in ORDER if name in reply}


async def _explain_silence(address: str, error: AdminError) -> CliError:
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except ConnectionRefusedError:
        return nothing_listens(address)
    except OSError:
        return CliError(error.message, "check the address, or name another one with --address")
    writer.close()
    return _is_no_dx_server(address)


def _is_no_dx_server(address: str) -> CliError:
    return CliError(
        f"what listens at {address} is no local dx server: its time can't be moved",
        "`dx server start-dev` and `dx dev` start one; name it with --address",
    )


def _whole(value: Any) -> Any:
    """Undo what a Struct does to whole numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
