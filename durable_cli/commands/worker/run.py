"""`dx worker run`: one worker of a project, for a server that is there already."""

from __future__ import annotations

import click

from durable_cli.options import ConnectionOptions, GlobalOptions, attach, command, option

__all__ = ["command"]

MEANINGLESS_HERE = frozenset({"output", "time_format", "no_json_shorthand_payloads", "log_format", "command_timeout"})


@click.argument("name", required=False, metavar="[WORKER]")
@option("--file", "file", metavar="PATH", help="dx.toml, or the folder it is in. [default: the nearest one above]")
@option("--reload/--no-reload", default=False, help="Replace the worker when its files are saved. [default: off]")
@option(
    "--on-nondeterminism",
    type=click.Choice(["ask", "keep", "reload"]),
    help="What to do when running workflows don't survive a change. [default: what dx.toml says, else ask]",
)
@attach("connection", ConnectionOptions)
@attach("global_options", GlobalOptions, hidden=MEANINGLESS_HERE)
def run(
    *,
    name: str | None,
    file: str | None,
    reload: bool,
    on_nondeterminism: str | None,
    connection: ConnectionOptions,
    global_options: GlobalOptions,
) -> int:
    """Run one worker of dx.toml for a server that is there already.

    The name may be left out when dx.toml has one worker.

    \b
    dx worker run orders --reload
    """
    from durable_cli.dev.start import run_dev

    return run_dev(
        file,
        (name,) if name else (),
        connection,
        global_options,
        reload=reload,
        policy=on_nondeterminism,
        starts_server=False,
    )


command = command(run)
