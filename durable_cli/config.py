"""Decide which server to talk to: by flags, then TEMPORAL_… variables, then the configuration file's profile."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from temporalio.envconfig import ClientConfigProfile, ClientConfigTLS
from temporalio.service import ConnectConfig, TLSConfig

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions
from durable_cli.parameters import parse_pairs
from durable_cli.profiles import find_config_file, load_profile_codec

__all__ = ["CodecSettings", "Settings", "current_user", "resolve_settings"]


@dataclass(frozen=True, slots=True)
class CodecSettings:
    """Where the remote codec is, with {namespace} for the namespace, and the headers that it wants."""

    endpoint: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to connect, resolved from flags, environment and profile."""

    connect: ConnectConfig
    namespace: str
    connect_timeout: timedelta | None
    codec: CodecSettings | None


def resolve_settings(options: GlobalOptions, connection: ConnectionOptions) -> Settings:
    """Resolve the connection.

    Raises:
        CliError: the configuration can't be read, or asks for what can't be done.
    """
    _refuse_unsupported(options, connection)
    profile = _load_profile(options)
    namespace = connection.namespace or profile.namespace or "default"
    address = (connection.address or profile.address or "localhost:7233").replace("${namespace}", namespace)
    if "://" in address:
        raise CliError(f"the address {address!r} has a scheme", "write it as HOST:PORT, and add --tls for TLS")
    connect = ConnectConfig(
        target_host=address,
        api_key=connection.api_key or profile.api_key or None,
        tls=_resolve_tls(connection, profile),
        rpc_metadata={**profile.grpc_meta, **parse_pairs(connection.grpc_meta, "--grpc-meta")},
        identity=connection.identity or default_identity(),
        connect_timeout=options.client_connect_timeout,
    )
    codec = _resolve_codec(connection, load_profile_codec(options), _environment(options))
    return Settings(connect, namespace, options.client_connect_timeout, codec)


def default_identity() -> str:
    """Return who runs the command: `dx:user@host`."""
    return f"dx:{current_user()}@{socket.gethostname()}"


def current_user() -> str:
    """Return the login name, or a stand-in where the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown-user"


def _refuse_unsupported(options: GlobalOptions, connection: ConnectionOptions) -> None:
    environment = _environment(options)
    if options.env_file or (options.env or environment.get("TEMPORAL_ENV") or "default") != "default":
        raise CliError(
            "the old environment files (--env, --env-file, TEMPORAL_ENV) aren't read",
            "put the settings into a profile of temporal.toml and use --profile",
        )
    if connection.tls_disable_host_verification or environment.get("TEMPORAL_TLS_DISABLE_HOST_VERIFICATION"):
        raise CliError(
            "TLS without checking the host's name is not supported",
            "give the name on the certificate with --tls-server-name",
        )
    if connection.client_authority:
        raise CliError("--client-authority is not supported", "for TLS, --tls-server-name sets the server's name")


def _environment(options: GlobalOptions) -> Mapping[str, str]:
    return {} if options.disable_config_env else os.environ


def _resolve_codec(
    connection: ConnectionOptions, profile: Mapping[str, str], environment: Mapping[str, str]
) -> CodecSettings | None:
    endpoint = connection.codec_endpoint or environment.get("TEMPORAL_CODEC_ENDPOINT") or profile.get("endpoint")
    if not endpoint:
        return None
    auth = connection.codec_auth or environment.get("TEMPORAL_CODEC_AUTH") or profile.get("auth")
    headers = parse_pairs(connection.codec_header, "--codec-header")
    if not endpoint.startswith(("http://", "https://")):
        raise CliError(f"the codec's endpoint {endpoint!r} is no URL", "write it as http://HOST:PORT")
    return CodecSettings(endpoint, {**headers, "Authorization": auth} if auth else headers)


def _load_profile(options: GlobalOptions) -> ClientConfigProfile:
    if options.disable_config_file and options.disable_config_env:
        return ClientConfigProfile()  # the SDK refuses to load from nowhere
    path = "" if options.disable_config_file else options.config_file
    try:
        return ClientConfigProfile.load(
            options.profile,
            config_source=Path(path) if path else None,
            disable_file=options.disable_config_file,
            disable_env=options.disable_config_env,
        )
    except Exception as error:  # the bridge's ConfigError derives from RuntimeError or Exception, by version
        raise CliError(
            f"the client configuration can't be used: {error}",
            f"look at {find_config_file(options)}, or pass --disable-config-file",
        ) from None


def _resolve_tls(connection: ConnectionOptions, profile: ClientConfigProfile) -> bool | TLSConfig | None:
    """Return the TLS settings; None lets an API key decide."""
    if connection.tls is False:
        return False
    given = {
        "server_root_ca_cert": _source(connection.tls_ca_path, connection.tls_ca_data),
        "client_cert": _source(connection.tls_cert_path, connection.tls_cert_data),
        "client_private_key": _source(connection.tls_key_path, connection.tls_key_data),
        "server_name": connection.tls_server_name,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    tls = profile.tls
    if connection.tls or changes:
        tls = replace(tls or ClientConfigTLS(), disabled=False, **changes)  # type: ignore[arg-type]
    if tls is None:
        return None
    try:
        return tls.to_connect_tls_config()
    except OSError as error:
        raise CliError(f"a TLS file can't be read: {error}", "check the --tls-…-path options") from None


def _source(path: str | None, data: str | None) -> Path | str | None:
    return data if data is not None else Path(path) if path is not None else None
