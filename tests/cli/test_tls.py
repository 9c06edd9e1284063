"""TLS, with certificates made for the test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from temporalio.api.workflowservice.v1.service_pb2_grpc import add_WorkflowServiceServicer_to_server

from tests.cli.conftest import Cli
from tests.cli.test_connection import Recorder
from tests.support.certificates import make_authority, make_certificate

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, and a server's and a client's certificate that it signed."""
    folder = tmp_path_factory.mktemp("tls")
    make_authority(folder)
    for name in ("server", "client"):
        make_certificate(folder, name)
    return folder


@pytest.fixture(params=[False, True], ids=["tls", "mutual"])
def secure(certificates: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Recorder, bool]]:
    servicer = Recorder()
    server = grpc.server(ThreadPoolExecutor(2))
    add_WorkflowServiceServicer_to_server(servicer, server)
    pair = ((certificates / "server.key").read_bytes(), (certificates / "server.pem").read_bytes())
    trusted = (certificates / "ca.pem").read_bytes() if request.param else None
    credentials = grpc.ssl_server_credentials([pair], trusted, require_client_auth=request.param)
    servicer.address = f"127.0.0.1:{server.add_secure_port('127.0.0.1:0', credentials)}"
    server.start()
    yield servicer, request.param
    server.stop(None).wait()


def test_certificates(dx: Cli, certificates: Path, secure: tuple[Recorder, bool]) -> None:
    servicer, mutual = secure
    words = ("workflow", "count", "--address", servicer.address)
    server_flags = ("--tls-ca-path", str(certificates / "ca.pem"), "--tls-server-name", "server.example")
    client_flags = (
        ("--tls-cert-path", str(certificates / "client.pem"), "--tls-key-path", str(certificates / "client.key"))
        if mutual
        else ()
    )
    assert dx(*words, *server_flags, *client_flags).ok().stdout == "Total: 7\n"
    inline = ("--tls-ca-data", (certificates / "ca.pem").read_text(), "--tls-server-name", "server.example")
    assert dx(*words, *inline, *client_flags).ok().stdout == "Total: 7\n"
    # Not trusted, not the right name, or no TLS at all.
    for flags, said in (
        (("--tls",), "not trusted"),
        ((*server_flags[:2], *client_flags), "--tls-server-name"),
        ((), "--tls"),
    ):
        refused = dx(*words, *flags)
        assert refused.code == 1
        assert said in refused.stderr


def test_certificates_from_the_environment(dx: Cli, certificates: Path, secure: tuple[Recorder, bool]) -> None:
    servicer, mutual = secure
    env = {
        "TEMPORAL_ADDRESS": servicer.address,
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(certificates / "ca.pem"),
        "TEMPORAL_TLS_SERVER_NAME": "server.example",
    }
    if mutual:
        env["TEMPORAL_TLS_CLIENT_CERT_PATH"] = str(certificates / "client.pem")
        env["TEMPORAL_TLS_CLIENT_KEY_PATH"] = str(certificates / "client.key")
    assert dx("workflow", "count", env=env).ok().stdout == "Total: 7\n"
