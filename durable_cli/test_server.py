"""`dx-test-server PORT`: a server whose time skips, with the official test server's command line.

Official SDKs start it by its path and then wait for it, so nothing but the standard library is imported on the way.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from durable_cli.engine_pin import pin_engine
from durable_cli.errors import print_error
from durable_cli.exit_codes import ExitCode

__all__ = ["main", "run"]

_USAGE = """\
usage: dx-test-server PORT [--enable-time-skipping]

A Temporal server for tests on 127.0.0.1, in memory, with the TestService: its time skips to what is due next whenever
nothing is in flight. The SDKs' time-skipping test environments start it by its path.

  PORT                      port for gRPC; 0 takes a free one, and prints it
  --enable-time-skipping    skip time from the start; else a client has to unlock it first
"""


def main() -> None:
    """Run the test server with the process's arguments and exit with its code."""
    pin_engine()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code."""
    if "--help" in arguments or "-h" in arguments:
        sys.stdout.write(_USAGE)
        return ExitCode.OK
    port, *flags = arguments or [""]
    unknown = [flag for flag in flags if flag.lower() != "--enable-time-skipping"]
    if not (port.isascii() and port.isdecimal()) or unknown:
        problem = f"unknown argument {unknown[0]!r}" if port.isdecimal() else f"{port!r} is not a port"
        print_error(problem, "usage: dx-test-server PORT [--enable-time-skipping]")
        return ExitCode.USAGE
    from engine.serve import ServeError, ServeInfo, ServeOptions, serve

    def on_ready(info: ServeInfo) -> None:
        if not int(port):
            sys.stdout.write(info.address + "\n")
            sys.stdout.flush()

    try:
        serve(ServeOptions(port=int(port), time_skipping_locks=0 if flags else 1), on_ready=on_ready)
    except ServeError as error:
        print_error(error.message, error.hint)
        return ExitCode.FAILURE
    return ExitCode.OK
