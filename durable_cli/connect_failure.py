"""Why a connection could not be made: what the SDK's words mean to a user, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from durable_cli.errors import CliError, nothing_listens

__all__ = ["Attempt", "explain_connect_failure"]

_STATUS = re.compile(r'Status \{ code: (?P<code>\w+), message: "(?P<message>(?:[^"\\]|\\.)*)"(?P<rest>.*)', re.DOTALL)
_CERTIFICATE = re.compile(r"InvalidCertificate\((\w+)")
_PEM_HINT = "--tls-cert-path and --tls-key-path take PEM files"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried: where, with TLS or without, and with which certificates."""

    address: str
    uses_tls: bool = False
    has_authority: bool = False
    has_client_certificate: bool = False


def explain_connect_failure(attempt: Attempt, reason: str) -> CliError:
    """Say what is wrong, by what the SDK's connection said."""
    address = attempt.address
    if "ConnectionRefused" in reason:
        return nothing_listens(address)
    if "dns error" in reason or "lookup address" in reason:
        return CliError(f"the host of {address!r} can't be found", "check the spelling of --address")
    if "invalid target URL" in reason:
        return CliError(f"the address {address!r} can't be used", "write it as HOST:PORT")
    if "Invalid headers" in reason:
        hint = "--grpc-meta takes KEY=VALUE, and keys of small letters, digits, '-', '_' and '.'"
        return CliError(f"the gRPC metadata can't be sent: {reason.rpartition('Invalid headers: ')[2]}", hint)
    status = _STATUS.search(reason)
    # What a gRPC server says of itself came with headers; what the transport says did not.
    if status is not None and "application/grpc" in status["rest"]:
        return _explain_answer(address, status["code"], _unescape(status["message"]))
    if attempt.uses_tls:
        return _explain_tls(attempt, reason, is_after_handshake=status is not None)
    return CliError(
        f"what listens at {address} does not answer as a Temporal server",
        "is it the gRPC port? A server with TLS needs --tls",
    )


def _explain_answer(address: str, code: str, message: str) -> CliError:
    """Say what it means that the server answered with an error."""
    words = message.rstrip(".") or code
    if code in ("Unauthenticated", "PermissionDenied"):
        return CliError(
            f"{address} refused the credentials: {words}", "check --api-key, --namespace and the TLS options"
        )
    if code == "Unimplemented":
        return CliError(
            f"what listens at {address} speaks gRPC, but is no Temporal server", "is it the port of the frontend?"
        )
    return CliError(f"the server at {address} can't answer: {words}", "its log may say more; try again in a moment")


# Words of the TLS library, and what they mean to a user.
_TLS_PROBLEMS = {
    "InvalidContentType": (
        "does not speak TLS",
        "leave --tls out; --tls=false turns off what an API key or a profile has turned on",
    ),
    "UnknownIssuer": ("has a certificate that is not trusted", "give its authority with --tls-ca-path"),
    "NotValidForName": (
        "has a certificate for another name",
        "give the name on the certificate with --tls-server-name",
    ),
    "Expired": ("has a certificate that has expired", "the server needs a new one; is this machine's clock right?"),
    "NotValidYet": ("has a certificate that is not valid yet", "is this machine's clock right?"),
}


def _explain_tls(attempt: Attempt, reason: str, *, is_after_handshake: bool) -> CliError:
    address = attempt.address
    if "client cert and private key" in reason:
        return CliError("a client certificate needs its private key", "give --tls-cert-path and --tls-key-path")
    if "PrivateKeyParseError" in reason or "CertificateParseError" in reason:
        return CliError("the client certificate or its private key can't be read", _PEM_HINT)
    for word, (problem, hint) in _TLS_PROBLEMS.items():
        if word in reason:
            if word == "UnknownIssuer" and attempt.has_authority:
                hint = "is it of the authority in --tls-ca-path? That takes a PEM file"
            return CliError(f"{address} {problem}", hint)
    invalid = _CERTIFICATE.search(reason)
    if invalid is not None:
        return CliError(f"{address} has a certificate that can't be used: {invalid[1]}", "the server needs another one")
    # With TLS 1.3 a server looks at the client's certificate only after the handshake.
    if is_after_handshake or "fatal alert" in reason:
        if attempt.has_client_certificate:
            return CliError(
                f"{address} refused the client certificate", "is it of an authority that the server trusts?"
            )
        return CliError(
            f"{address} ended the TLS connection",
            "it may ask for a client certificate: give --tls-cert-path and --tls-key-path",
        )
    return CliError(f"{address} takes no TLS connection", "check the --tls-… options")


def _unescape(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")
