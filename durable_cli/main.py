"""The entry of `dx`: one root group, one place where errors become lines on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from durable_cli.commands import ROOT
from durable_cli.engine_pin import pin_engine
from durable_cli.errors import CliError, explain_bug, print_error
from durable_cli.exit_codes import ExitCode
from durable_cli.lazy import LazyGroup

__all__ = ["main", "run"]


def main() -> None:
    """Run `dx` with the process's arguments and exit with its code."""
    pin_engine()
    code = run(sys.argv[1:])
    if "temporalio" in sys.modules:
        # The SDK core's threads may still be returning a call into an interpreter that is being taken down, which
        # aborts the process; everything is flushed and nothing is left to do, so leave at once.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every error ends here as text on stderr."""
    try:
        result = _root().main(args=list(arguments), prog_name="dx", standalone_mode=False)
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else ExitCode.OK
    except CliError as error:
        print_error(error.message, error.hint, error.details)
        return error.exit_code
    except click.UsageError as error:
        print_error(_usage_message(error), _usage_hint(error))
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) went away: that is not an error, and nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:
        if os.environ.get("DX_DEBUG"):
            raise
        print_error(*explain_bug(error))
        return ExitCode.FAILURE


def _root() -> LazyGroup:
    return LazyGroup(
        "dx",
        ROOT,
        "durable_cli.commands",
        params=[
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_version,
                help="Show the version and exit.",
            )
        ],
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from durable_cli.version import find_version

    sys.stdout.write(f"dx {find_version()}\n")
    ctx.exit()


def _usage_message(error: click.UsageError) -> str:
    message = error.format_message().rstrip(".")
    return message[:1].lower() + message[1:] if not message.startswith("dx") else message


def _usage_hint(error: click.UsageError) -> str:
    hint = getattr(error, "hint", "")
    if hint:
        return str(hint)
    path = error.ctx.command_path if error.ctx else "dx"
    return f"`{path} --help` shows what it takes"
