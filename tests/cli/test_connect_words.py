"""What is said of a connection that could not be made."""

from __future__ import annotations

import pytest

from durable_cli.connect_failure import Attempt, explain_connect_failure
from durable_cli.tui.feed.link import is_lost

AT = "127.0.0.1:7233"
PLAIN = Attempt(AT)
TLS = Attempt(AT, uses_tls=True)
CERTIFIED = Attempt(AT, uses_tls=True, has_authority=True, has_client_certificate=True)
FAILED = "Failed client connect: "
SERVER = FAILED + "Server connection error: tonic::transport::Error(Transport, "
AFTER = FAILED + "`get_system_info` call error after connection: Status { code: "


def answered(code: str, message: str = "no.") -> str:
    return AFTER + f'{code}, message: "{message}", metadata: MetadataMap {{ "content-type": "application/grpc" }} }}'


def invalid(problem: str) -> str:
    return SERVER + f"ConnectError(Custom {{ kind: InvalidData, error: InvalidCertificate({problem}) }}))"


@pytest.mark.parametrize(
    ("attempt", "reason", "said", "hint"),
    [
        (PLAIN, SERVER + "kind: ConnectionRefused", f"nothing listens at {AT}", "--port 7233"),
        (PLAIN, SERVER + 'ConnectError("dns error")', f"the host of '{AT}' can't be found", "--address"),
        (PLAIN, "invalid target URL: invalid port number", f"the address '{AT}' can't be used", "HOST:PORT"),
        (PLAIN, FAILED + "Invalid headers: bad key", "the gRPC metadata can't be sent: bad key", "--grpc-meta"),
        (PLAIN, answered("Unauthenticated"), f"{AT} refused the credentials: no", "--api-key"),
        (TLS, answered("PermissionDenied", 'not \\"x\\"'), f'{AT} refused the credentials: not "x"', "--api-key"),
        (PLAIN, answered("Unimplemented"), f"what listens at {AT} speaks gRPC, but is no Temporal server", "frontend"),
        (PLAIN, answered("ResourceExhausted"), f"the server at {AT} can't answer: no", "try again"),
        (PLAIN, answered("Internal", ""), f"the server at {AT} can't answer: Internal", "log"),
        (PLAIN, AFTER + 'Unknown, message: "transport error" }', f"what listens at {AT} does not answer as", "--tls"),
        (PLAIN, AFTER + 'Internal, message: "h2 protocol error" }', f"what listens at {AT} does not answer as", "gRPC"),
        (TLS, SERVER + "InvalidMessage(InvalidContentType)", f"{AT} does not speak TLS", "--tls=false"),
        (TLS, invalid("UnknownIssuer"), f"{AT} has a certificate that is not trusted", "give its authority"),
        (CERTIFIED, invalid("UnknownIssuer"), f"{AT} has a certificate that is not trusted", "PEM file"),
        (TLS, invalid("NotValidForNameContext {}"), f"{AT} has a certificate for another name", "--tls-server-name"),
        (TLS, invalid("Expired"), f"{AT} has a certificate that has expired", "clock"),
        (TLS, invalid("NotValidYet"), f"{AT} has a certificate that is not valid yet", "clock"),
        (TLS, invalid("BadSignature"), f"{AT} has a certificate that can't be used: BadSignature", "another"),
        (TLS, "Must have both client cert and private key", "a client certificate needs its private key", "-key-path"),
        (CERTIFIED, SERVER + "PrivateKeyParseError", "the client certificate or its private key can't be read", "PEM"),
        (TLS, AFTER + 'Cancelled, message: "x" }', f"{AT} ended the TLS connection", "--tls-cert-path"),
        (
            TLS,
            SERVER + "received fatal alert: CertificateRequired",
            f"{AT} ended the TLS connection",
            "--tls-cert-path",
        ),
        (CERTIFIED, AFTER + 'Unknown, message: "x" }', f"{AT} refused the client certificate", "trusts"),
        (TLS, SERVER + "something new", f"{AT} takes no TLS connection", "--tls"),
    ],
)
def test_what_is_said(attempt: Attempt, reason: str, said: str, hint: str) -> None:
    error = explain_connect_failure(attempt, reason)
    assert error.message.startswith(said)
    assert hint in error.hint
    assert "::" not in error.message


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("tcp connect error", True),
        ("transport error", True),
        ("Timeout expired", True),
        ("h2 protocol error: http2 error", True),
        ("grpc-status header missing, mapped from HTTP status code 502", True),
        ("shard status unknown", False),
        ("workflow not found for ID: x", False),
        ("context deadline exceeded", False),
    ],
)
def test_which_errors_mean_that_there_is_no_server(message: str, expected: bool) -> None:
    assert is_lost(message) is expected
