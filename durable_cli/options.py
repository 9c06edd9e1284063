"""The options that commands share, each declared once, and the decorators that attach them.

A set of options is a frozen dataclass whose fields carry their click declaration; a command that takes the set gets
one instance of it. Nothing here imports more than click, so that help stays fast.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

import click

from durable_cli.lazy import Command, Option, UsageError
from durable_cli.parameters import DURATION

__all__ = [
    "ConnectionOptions",
    "GlobalOptions",
    "PayloadInputOptions",
    "TargetOptions",
    "WorkflowReference",
    "attach",
    "choose_id",
    "command",
    "declare",
    "option",
    "spell_options",
    "split_leading_options",
]

T = TypeVar("T")

# ruff: noqa: RUF009 (`declare` returns a dataclass field, as `field` does)


def declare(*names: str, section: str = "Options", default: Any = None, **attrs: Any) -> Any:
    """Declare one option as a dataclass field."""
    return field(default=default, metadata={"names": names, "attrs": {**attrs, "section": section, "default": default}})


def option(*names: str, **attrs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Attach one option that only this command has."""
    return click.option(*names, cls=Option, **attrs)


def attach(
    keyword: str, options_class: type[T], hidden: frozenset[str] = frozenset()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Attach every option of `options_class`; the command gets one instance of it as `keyword`.

    The fields named in `hidden` are accepted and left out of the help.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        names = [entry.name for entry in fields(options_class)]  # type: ignore[arg-type]

        @wraps(function)
        def wrapper(*arguments: Any, **values: Any) -> Any:
            values[keyword] = options_class(**{name: values.pop(name) for name in names})
            return function(*arguments, **values)

        decorated: Callable[..., Any] = wrapper
        for entry in reversed(fields(options_class)):  # type: ignore[arg-type]
            attrs = {**entry.metadata["attrs"]}
            attrs["hidden"] = attrs.get("hidden", False) or entry.name in hidden
            if attrs.pop("is_argument", False):
                decorated = click.argument(entry.name, required=False, metavar=attrs["metavar"])(decorated)
            else:
                decorated = click.option(entry.name, *entry.metadata["names"], cls=Option, **attrs)(decorated)
        return decorated

    return decorate


def command(function: Callable[..., Any]) -> click.Command:
    """Make a command of a function with its options attached; the docstring is its help."""
    return click.command(cls=Command, help=inspect.getdoc(function))(function)


GLOBAL = "Output and configuration"
CONNECTION = "Connection"
INPUT = "Input"


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What every command takes: how to print, and which profile to use."""

    output: str = declare(
        "-o",
        "--output",
        section=GLOBAL,
        default="text",
        type=click.Choice(["text", "json", "jsonl", "none"]),
        show_default=True,
        help="Form of the data on stdout.",
    )
    color: str = declare(
        "--color",
        section=GLOBAL,
        default="auto",
        type=click.Choice(["always", "never", "auto"]),
        show_default=True,
        help="When to use colour.",
    )
    time_format: str = declare(
        "--time-format",
        section=GLOBAL,
        default="relative",
        type=click.Choice(["relative", "iso", "raw"]),
        show_default=True,
        help="How text output shows times.",
    )
    no_json_shorthand_payloads: bool = declare(
        "--no-json-shorthand-payloads",
        section=GLOBAL,
        default=False,
        is_flag=True,
        help="Show payloads raw in JSON output.",
    )
    log_level: str | None = declare(
        "--log-level",
        section=GLOBAL,
        type=click.Choice(["debug", "info", "warn", "error", "never"]),
        help="Log level, on stderr. [default: never; warn for a server]",
    )
    log_format: str = declare(
        "--log-format",
        section=GLOBAL,
        default="text",
        type=click.Choice(["text", "json", "pretty"]),
        show_default=True,
        metavar="[text|json]",
        help="Form of the log.",
    )
    command_timeout: timedelta | None = declare(
        "--command-timeout", section=GLOBAL, type=DURATION, help="Give up when the command takes longer."
    )
    client_connect_timeout: timedelta | None = declare(
        "--client-connect-timeout", section=GLOBAL, type=DURATION, help="Give up when connecting takes longer."
    )
    profile: str | None = declare(
        "--profile", section=GLOBAL, help="Profile of the configuration file. [env: TEMPORAL_PROFILE]"
    )
    config_file: str | None = declare(
        "--config-file", section=GLOBAL, help="Configuration file (TOML). [env: TEMPORAL_CONFIG_FILE]"
    )
    disable_config_file: bool = declare(
        "--disable-config-file", section=GLOBAL, default=False, is_flag=True, help="Don't read a configuration file."
    )
    disable_config_env: bool = declare(
        "--disable-config-env", section=GLOBAL, default=False, is_flag=True, help="Don't read TEMPORAL_… variables."
    )
    env: str | None = declare("--env", section=GLOBAL, hidden=True)
    env_file: str | None = declare("--env-file", section=GLOBAL, hidden=True)


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """Which server to talk to, and how. Unset values come from the environment, then from the profile."""

    address: str | None = declare(
        "--address", section=CONNECTION, help="Server's gRPC endpoint. [env: TEMPORAL_ADDRESS; default: localhost:7233]"
    )
    namespace: str | None = declare(
        "-n", "--namespace", section=CONNECTION, help="Namespace. [env: TEMPORAL_NAMESPACE; default: default]"
    )
    api_key: str | None = declare("--api-key", section=CONNECTION, help="API key. [env: TEMPORAL_API_KEY]")
    identity: str | None = declare("--identity", section=CONNECTION, help="Who the server shall note as the caller.")
    grpc_meta: tuple[str, ...] = declare(
        "--grpc-meta",
        section=CONNECTION,
        default=(),
        multiple=True,
        metavar="KEY=VALUE",
        help="gRPC metadata for every request. Repeatable.",
    )
    tls: bool | None = declare(
        "--tls/--no-tls", section=CONNECTION, help="Use TLS. On by itself with an API key. [env: TEMPORAL_TLS]"
    )
    tls_ca_path: str | None = declare("--tls-ca-path", section=CONNECTION, help="Server's CA certificate, a file.")
    tls_ca_data: str | None = declare("--tls-ca-data", section=CONNECTION, help="Server's CA certificate, inline.")
    tls_cert_path: str | None = declare("--tls-cert-path", section=CONNECTION, help="Client certificate, a file.")
    tls_cert_data: str | None = declare("--tls-cert-data", section=CONNECTION, help="Client certificate, inline.")
    tls_key_path: str | None = declare("--tls-key-path", section=CONNECTION, help="Client's private key, a file.")
    tls_key_data: str | None = declare("--tls-key-data", section=CONNECTION, help="Client's private key, inline.")
    tls_server_name: str | None = declare("--tls-server-name", section=CONNECTION, help="Server's name for TLS.")
    tls_disable_host_verification: bool = declare(
        "--tls-disable-host-verification", section=CONNECTION, default=False, is_flag=True, hidden=True
    )
    client_authority: str | None = declare("--client-authority", section=CONNECTION, hidden=True)
    codec_endpoint: str | None = declare(
        "--codec-endpoint", section=CONNECTION, help="Remote codec server. [env: TEMPORAL_CODEC_ENDPOINT]"
    )
    codec_auth: str | None = declare(
        "--codec-auth", section=CONNECTION, help="Authorization header for the codec. [env: TEMPORAL_CODEC_AUTH]"
    )
    codec_header: tuple[str, ...] = declare(
        "--codec-header",
        section=CONNECTION,
        default=(),
        multiple=True,
        metavar="KEY=VALUE",
        help="HTTP header for the codec server. Repeatable.",
    )


@dataclass(frozen=True, slots=True)
class WorkflowReference:
    """One run of one workflow; the id may also stand as a plain word."""

    id_argument: str | None = declare(is_argument=True, metavar="[WORKFLOW_ID]")
    workflow_id_option: str | None = declare("-w", "--workflow-id", metavar="TEXT", help="Workflow id.")
    run_id: str = declare("-r", "--run-id", default="", help="Run id. [default: the latest run]")

    @property
    def workflow_id(self) -> str:
        """The workflow id, wherever it stood; empty when it was not given."""
        return choose_id(self.id_argument, self.workflow_id_option)

    def require(self) -> WorkflowReference:
        """Return self, or raise UsageError when no workflow id was given."""
        if not self.workflow_id:
            raise UsageError(
                "which workflow? Give its id", f"for example: {click.get_current_context().command_path} my-workflow-id"
            )
        return self


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """One workflow by its id, or by a query a batch of them."""

    id_argument: str | None = declare(is_argument=True, metavar="[WORKFLOW_ID]")
    workflow_id_option: str | None = declare("-w", "--workflow-id", metavar="TEXT", help="Workflow id.")
    run_id: str = declare("-r", "--run-id", default="", help="Run id, with a workflow id. [default: the latest run]")
    query: str | None = declare(
        "-q", "--query", metavar="QUERY", help="List filter: act on every workflow that matches, as a batch."
    )
    reason: str | None = declare("--reason", help="Reason, kept with the batch (and in a termination's event).")
    yes: bool = declare("-y", "--yes", default=False, is_flag=True, help="Start a batch without asking.")
    rps: float | None = declare("--rps", type=float, help="A batch's limit of requests per second.")

    @property
    def workflow_id(self) -> str:
        """The workflow id, wherever it stood; empty when it was not given."""
        return choose_id(self.id_argument, self.workflow_id_option)


@dataclass(frozen=True, slots=True)
class PayloadInputOptions:
    """Arguments for a workflow, a signal or a query."""

    input: tuple[str, ...] = declare(
        "-i",
        "--input",
        section=INPUT,
        default=(),
        multiple=True,
        metavar="JSON",
        help="One argument, as JSON. Repeatable, in order.",
    )
    input_file: tuple[str, ...] = declare(
        "--input-file",
        section=INPUT,
        default=(),
        multiple=True,
        metavar="PATH",
        help="File that holds one argument. Repeatable; not together with --input.",
    )
    input_meta: tuple[str, ...] = declare(
        "--input-meta",
        section=INPUT,
        default=(),
        multiple=True,
        metavar="KEY=VALUE",
        help="Metadata of the argument, such as encoding=json/plain. Repeatable, in order.",
    )
    input_base64: bool = declare(
        "--input-base64", section=INPUT, default=False, is_flag=True, help="The arguments are base64."
    )


def choose_id(argument: str | None, given: str | None) -> str:
    """Return the workflow id, given as a plain word, as an option, or not at all; UsageError when both differ."""
    if argument and given and argument != given:
        raise UsageError(f"two workflow ids were given: {argument!r} and {given!r}", "give one of them")
    return argument or given or ""


def split_leading_options(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split off shared options that stand before a command's name.

    Returns:
        The shared options with their values, and the rest (which begins with the command's name, or with an option
        that is not shared).
    """
    takes_value = {
        name: not entry.metadata["attrs"].get("is_flag", False) and "/" not in declared
        for options_class in (GlobalOptions, ConnectionOptions)
        for entry in fields(options_class)
        for declared in entry.metadata["names"]
        for name in declared.split("/")
    }
    position = 0
    while position < len(arguments):
        name, equals, _ = arguments[position].partition("=")
        if name not in takes_value:
            break
        position += 2 if takes_value[name] and not equals else 1
    return arguments[:position], arguments[position:]


def spell_options(options: GlobalOptions | ConnectionOptions) -> list[str]:
    """Return the words that would say what `options` say, for another command of dx."""
    words: list[str] = []
    for entry in fields(options):
        value = getattr(options, entry.name)
        name = next(name for name in entry.metadata["names"] if name.startswith("--"))
        if value == entry.default or value is None:
            continue
        if isinstance(value, bool):
            yes, _, no = name.partition("/")
            words.append(yes if value else no)
        elif isinstance(value, timedelta):
            words += [name, f"{value.total_seconds():g}s"]
        elif isinstance(value, tuple):
            words += [word for each in value for word in (name, each)]
        else:
            words += [name, str(value)]
    return words
