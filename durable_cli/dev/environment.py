"""What a worker's process finds in its environment, and how a Python worker's host connects."""

from __future__ import annotations

import os
from collections.abc import Mapping

from temporalio.service import ConnectConfig, TLSConfig

from durable_cli.dev.host_process import HostConnection

__all__ = ["connect_host", "make_environment"]

CONNECTION_VARIABLES = (
    "TEMPORAL_PROFILE", "TEMPORAL_API_KEY", "TEMPORAL_CODEC_ENDPOINT", "TEMPORAL_CODEC_AUTH", "TEMPORAL_TLS",
)  # fmt: skip


def make_environment(
    own: Mapping[str, str], address: str, namespace: str, *, is_local: bool, base: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment of a worker: that of dx, where its server is, and its own variables.

    For the local server, whatever else the environment or a profile says about connecting is for another server.
    """
    environment = dict(base)
    if is_local:
        for name in base:
            if name in CONNECTION_VARIABLES or name.startswith("TEMPORAL_TLS_"):
                del environment[name]
        environment["TEMPORAL_CONFIG_FILE"] = os.devnull
    return {**environment, "TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": namespace, **own}


def connect_host(connect: ConnectConfig, namespace: str, identity: str) -> HostConnection:
    """Say how a host reaches the server that dx itself talks to."""
    tls = connect.tls
    return HostConnection(
        address=connect.target_host,
        namespace=namespace,
        identity=identity,
        api_key=connect.api_key,
        tls=_tls_values(tls) if isinstance(tls, TLSConfig) else tls,
        metadata={key: value for key, value in connect.rpc_metadata.items() if isinstance(value, str)},
    )


def _tls_values(tls: TLSConfig) -> bool | dict[str, str]:
    given = {
        "server_root_ca_cert": tls.server_root_ca_cert.decode() if tls.server_root_ca_cert else None,
        "domain": tls.domain,
        "client_cert": tls.client_cert.decode() if tls.client_cert else None,
        "client_private_key": tls.client_private_key.decode() if tls.client_private_key else None,
    }
    return {name: value for name, value in given.items() if value} or True
