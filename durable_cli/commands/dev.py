"""`dx dev`: the server and all workers of a project, replaced on every save."""

from __future__ import annotations

import click

from durable_cli.options import ConnectionOptions, GlobalOptions, attach, command, option

__all__ = ["command"]

MEANINGLESS_HERE = frozenset({"output", "time_format", "no_json_shorthand_payloads", "log_format", "command_timeout"})


@click.argument("names", nargs=-1, metavar="[WORKER]...")
@option("--file", "file", metavar="PATH", help="dx.toml, or the folder it is in. [default: the nearest one above]")
@option("--reload/--no-reload", default=True, help="Replace workers when their files are saved. [default: on]")
@option(
    "--on-nondeterminism",
    type=click.Choice(["ask", "keep", "reload"]),
    help="What to do when running workflows don't survive a change. [default: what dx.toml says, else ask]",
)
@option("--tui", is_flag=True, help="Open the browser: beside the log in tmux, else in its place.")
@attach("connection", ConnectionOptions)
@attach("global_options", GlobalOptions, hidden=MEANINGLESS_HERE)
def dev(
    *,
    names: tuple[str, ...],
    file: str | None,
    reload: bool,
    on_nondeterminism: str | None,
    tui: bool,
    connection: ConnectionOptions,
    global_options: GlobalOptions,
) -> int:
    """Run the server and all workers of a project, or the workers named, and replace them on every save.

    Before new code takes the place of the old, the running workflows and the last closed ones are replayed with it.
    dx.toml declares the project. With --address or --profile, the workers work for another server.

    \b
    dx dev
    dx dev orders --address localhost:7233
    """
    from durable_cli.dev.start import run_dev

    return run_dev(
        file,
        names,
        connection,
        global_options,
        reload=reload,
        policy=on_nondeterminism,
        starts_server=True,
        with_browser=tui,
    )


command = command(dev)
