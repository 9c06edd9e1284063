"""`dx server start-dev`: the local server, with the official command's flags.

This is on the way to a ready server, so nothing but click and the standard library is imported before the engine.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from durable_cli.errors import CliError
from durable_cli.exit_codes import ExitCode
from durable_cli.options import GlobalOptions, attach, command, option
from durable_cli.output.startup import render_startup
from durable_cli.parameters import parse_json_pairs, parse_pairs
from durable_cli.tui.web.door import Door
from engine.serve import ServeError, ServeInfo, ServeOptions, serve

__all__ = ["command"]

MEANINGLESS_HERE = frozenset(GlobalOptions.__slots__) - {"output", "color", "log_level", "log_format"}
SEARCH_ATTRIBUTE_TYPES = ("Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList")


@option("-p", "--port", type=int, default=7233, show_default=True, help="Port for gRPC; 0 takes a free one.")
@option("--ip", default="localhost", show_default=True, help="Address to listen on.")
@option("-f", "--db-filename", help="Keep history in this SQLite file. [default: a temporary file, gone at exit]")
@option("-n", "--namespace", multiple=True, help="Create this namespace too, beside `default`. Repeatable.")
@option(
    "--search-attribute",
    multiple=True,
    metavar="NAME=TYPE",
    help=(f"Register a search attribute; the type is one of {', '.join(SEARCH_ATTRIBUTE_TYPES)}. Repeatable."),
)
@option(
    "--dynamic-config-value",
    multiple=True,
    metavar="KEY=JSON",
    help=("Set a dynamic configuration value; unknown keys are accepted. Repeatable."),
)
@option(
    "--sqlite-pragma",
    multiple=True,
    metavar="PRAGMA=VALUE",
    help=("Set a SQLite pragma, such as synchronous=full. Repeatable."),
)
@option("--log-config", is_flag=True, help="Print the server's configuration to stderr.")
@option("--headless", is_flag=True, help="Offer no web page.")
@option("--ui-port", type=int, help="Port of the web page. [default: --port + 1000]")
@option("--ui-ip", help="Address of the web page. [default: --ip]")
@option("--http-port", type=int, hidden=True)
@option("--metrics-port", type=int, hidden=True)
@option("--ui-asset-path", hidden=True)
@option("--ui-codec-endpoint", hidden=True)
@option("--ui-public-path", hidden=True)
@option("--ui-disable-news-fetch", is_flag=True, hidden=True)
@attach("global_options", GlobalOptions, hidden=MEANINGLESS_HERE)
def start_dev(
    *,
    global_options: GlobalOptions,
    port: int,
    ip: str,
    db_filename: str | None,
    namespace: tuple[str, ...],
    search_attribute: tuple[str, ...],
    dynamic_config_value: tuple[str, ...],
    sqlite_pragma: tuple[str, ...],
    log_config: bool,
    headless: bool,
    ui_port: int | None,
    ui_ip: str | None,
    **_accepted: object,
) -> None:
    """Start the local server and serve until Ctrl-C.

    It speaks the Temporal protocol, so any official SDK and the official CLI can use it. Without --db-filename the
    history lives in a temporary file and is gone at exit.

    \b
    dx server start-dev
    dx server start-dev --db-filename dev.db --port 7000
    """
    configured = parse_json_pairs(dynamic_config_value, "--dynamic-config-value")
    ip = _numeric(ip)
    options = ServeOptions(
        ip=ip,
        port=port,
        db_filename=Path(db_filename) if db_filename else None,
        namespaces=namespace,
        search_attributes=_parse_search_attributes(search_attribute),
        dynamic_config={key.lower(): value for key, value in configured.items()},
        sqlite_pragmas=parse_pairs(sqlite_pragma, "--sqlite-pragma"),
        log_level=global_options.log_level or "warn",
        log_format="json" if global_options.log_format == "json" else "text",
    )
    if log_config:
        sys.stderr.write(_config_lines(options))
    default_ui_port = port + 1000 if port else 0
    door = None if headless else _open_door(_numeric(ui_ip or ip), default_ui_port if ui_port is None else ui_port)
    try:
        serve(options, on_ready=lambda info: _announce(info, door, global_options))
    except ServeError as error:
        raise CliError(error.message, error.hint) from None


command = command(start_dev)


def _parse_search_attributes(pairs: tuple[str, ...]) -> dict[str, str]:
    known = {name.lower(): name for name in SEARCH_ATTRIBUTE_TYPES}
    attributes = parse_pairs(pairs, "--search-attribute")
    for name, type_name in attributes.items():
        if type_name.lower() not in known:
            raise CliError(
                f"search attribute {name!r} can't have the type {type_name!r}",
                f"the types are {', '.join(SEARCH_ATTRIBUTE_TYPES)}",
                ExitCode.FAILURE,
            )
        attributes[name] = known[type_name.lower()]
    return attributes


def _config_lines(options: ServeOptions) -> str:
    values = {name: getattr(options, name) for name in ServeOptions.__slots__}
    return json.dumps(values, indent=2, default=str) + "\n"


def _numeric(ip: str) -> str:
    return "127.0.0.1" if ip == "localhost" else ip


def _open_door(ip: str, port: int) -> Door:
    try:
        return Door(ip, port)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise CliError(
            f"can't listen on {ip}:{port} for the web page: {reason}", "give another --ui-port, or go --headless"
        ) from None


def _announce(info: ServeInfo, door: Door | None, options: GlobalOptions) -> None:
    """Say where the server listens and where history is kept; a closed stdout is no reason to stop."""
    if door is not None:
        door.watch(["--address", info.address, "--disable-config-file", "--disable-config-env"])
    text = render_startup(info.address, info.db_filename, door.port if door else None, options.output, options.color)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (kept for the life of the process)
