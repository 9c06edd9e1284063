"""The one error that a command raises, and the one way in which errors are shown."""

from __future__ import annotations

import sys

from durable_cli.exit_codes import ExitCode

__all__ = ["CliError", "explain_bug", "nothing_listens", "print_error"]


class CliError(Exception):
    """A command can't do what was asked.

    Args:
        message: one line, says what failed and why; None when the command has already shown it on stdout.
        hint: says what the user can do about it.
        exit_code: the exit code of the process.
        details: lines that are shown below the message as they are.
    """

    def __init__(self, message: str, hint: str = "", exit_code: ExitCode = ExitCode.FAILURE, details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        self.details = details


def nothing_listens(address: str) -> CliError:
    """Return the error of an address at which nobody answers."""
    port = address.rpartition(":")[2]
    if not port.isdecimal():
        return CliError(f"nothing listens at {address}, which has no port", "write the address as HOST:PORT")
    return CliError(
        f"nothing listens at {address}",
        f"`dx server start-dev --port {port}` starts one on this machine; --address or --profile names another",
    )


def print_error(message: str, hint: str = "", details: str = "") -> None:
    """Write an error to stderr: one line; then, each after a blank line, details and a hint."""
    line = " ".join(message.split())
    red, dim, reset = ("\x1b[1;31m", "\x1b[2m", "\x1b[0m") if _stderr_has_colour() else ("", "", "")
    sys.stderr.write(f"{red}error:{reset} {line}\n")
    if details:
        sys.stderr.write(f"\n{details}\n")
    if hint:
        sys.stderr.write(f"\n{dim}hint:{reset} {hint}\n")


def explain_bug(error: BaseException) -> tuple[str, str]:
    """Say in a line that something failed that should not have, and what to do about that."""
    return (
        f"dx failed unexpectedly: {type(error).__name__}: {error}",
        "this is a bug in dx; run the command again with DX_DEBUG=1 to see where it happens, and report it",
    )


def _stderr_has_colour() -> bool:
    import os

    return sys.stderr.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
