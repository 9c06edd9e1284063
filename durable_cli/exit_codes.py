"""The exit codes of `dx`, all of them."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What the shell sees when `dx` ends."""

    OK = 0
    FAILURE = 1
    """The server, the file, or the workflow said no (the official CLI uses the same code)."""
    USAGE = 2
    """The command line itself is wrong; nothing was sent."""
    INTERRUPTED = 130
    """Ended by Ctrl-C."""
