"""From a command line to a running session: the project, the workers that are meant, and the server."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from durable_cli.config import Settings, resolve_settings
from durable_cli.dev.project.load import load_project
from durable_cli.dev.project.model import Project
from durable_cli.dev.session import DevOptions, DevSession
from durable_cli.dev.terminal import has_terminal
from durable_cli.errors import CliError
from durable_cli.exit_codes import ExitCode
from durable_cli.lazy import UsageError
from durable_cli.options import ConnectionOptions, GlobalOptions, spell_options
from durable_cli.output.log import set_up_log

__all__ = ["run_dev"]

SERVER_VARIABLES = ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE")


def run_dev(
    file: str | None,
    names: Sequence[str],
    connection: ConnectionOptions,
    global_options: GlobalOptions,
    *,
    reload: bool,
    policy: str | None,
    starts_server: bool,
    with_browser: bool = False,
) -> int:
    """Run workers of a project until they are told to stop, and return the exit code.

    Args:
        names: of the workers; all when there are none, and without a server of its own the only one.
        starts_server: whether the local server runs too, when no other one is named.
    """
    if with_browser and not has_terminal():
        raise UsageError("the browser needs a terminal", "leave --tui out; `dx ui` shows the same in a web page")
    set_up_log(global_options.log_level or "never", global_options.log_format)
    project = load_project(file)
    chosen = _choose_workers(project, names, only_one=not starts_server)
    settings = None
    if not starts_server or _names_server(connection, global_options):
        settings = resolve_settings(global_options, connection)
        if not _names_namespace(connection, settings):
            settings = replace(settings, namespace=project.namespace)
    elif connection.namespace:
        _use_namespace(project, connection.namespace)
    if settings is not None:
        _use_namespace(project, settings.namespace)
    options = DevOptions(
        workers=chosen,
        settings=settings,
        reload=reload,
        policy=policy,
        colour=_has_colour(global_options.color),
        provisions=starts_server,
        browser_words=[*spell_options(connection), *spell_options(global_options)],
        with_browser=with_browser,
    )
    session = DevSession(project, options)
    return asyncio.run(session.run())


def _choose_workers(project: Project, names: Sequence[str], *, only_one: bool) -> list[str]:
    known = list(project.worker)
    for name in names:
        if name not in project.worker:
            close = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known) or 'none'}"
            raise CliError(f"{project.path.name} has no worker {name!r}", hint, ExitCode.USAGE)
    if names:
        return [name for name in known if name in names]
    if only_one and len(known) != 1:
        if not known:
            raise CliError(f"{project.path.name} has no worker", "declare one: [worker.NAME]")
        raise UsageError("which worker? Give its name", f"{project.path.name} has {', '.join(known)}")
    return known


def _names_server(connection: ConnectionOptions, global_options: GlobalOptions) -> bool:
    """Whether the user says which server is meant; a profile that is used only by default says nothing."""
    given = (connection.address, connection.api_key, global_options.profile)
    variables = () if global_options.disable_config_env else SERVER_VARIABLES
    return any(value is not None for value in given) or any(os.environ.get(name) for name in variables)


def _names_namespace(connection: ConnectionOptions, settings: Settings) -> bool:
    return connection.namespace is not None or settings.namespace != "default"


def _use_namespace(project: Project, namespace: str) -> None:
    """Let everything that is in the project's namespace be in this one."""
    before = project.namespace
    tables = (project.worker, project.schedules, project.nexus_endpoints, project.start)
    for table in tables:
        for entry in table.values():
            if entry.namespace == before:
                entry.namespace = namespace
    project.namespace = namespace


def _has_colour(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
