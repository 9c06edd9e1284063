"""Payloads from the words of a command line, as the official CLI makes them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path

from temporalio.api.common.v1 import Header, Memo, Payload, Payloads, SearchAttributes

from durable_cli.errors import CliError
from durable_cli.exit_codes import ExitCode
from durable_cli.options import PayloadInputOptions
from durable_cli.parameters import parse_json_pairs

__all__ = ["make_header", "make_memo", "make_payload", "make_payloads", "make_search_attributes"]


def make_payload(value: object) -> Payload:
    """Encode one JSON value as the SDKs' default converters do."""
    if value is None:
        return Payload(metadata={"encoding": b"binary/null"})
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


def make_payloads(options: PayloadInputOptions) -> Payloads:
    """Encode `--input` and `--input-file`, with the metadata of `--input-meta`.

    Raises:
        CliError: an argument is not JSON or base64, a file can't be read, or the options contradict each other.
    """
    if options.input and options.input_file:
        raise CliError("--input and --input-file don't go together", "use one of them", ExitCode.USAGE)
    data = [text.encode() for text in options.input] or [_read(path) for path in options.input_file]
    metadata = _parse_metadata(options.input_meta, len(data))
    payloads = Payloads()
    for index, body in enumerate(data):
        # A key that was given once holds for every argument.
        entry = {
            key: values[min(index, len(values) - 1)] if index < len(values) else values[0]
            for key, values in metadata.items()
        }
        if options.input_base64:
            body = _decode(body, index)
        if entry["encoding"].startswith(b"json/"):
            _check_json(body, index)
        payloads.payloads.append(Payload(metadata=entry, data=body))
    return payloads


def make_header(pairs: tuple[str, ...]) -> Header | None:
    """Encode `--headers KEY=JSON`; None when there is none."""
    return Header(fields=_make_fields(parse_json_pairs(pairs, "--headers"))) if pairs else None


def make_memo(pairs: tuple[str, ...]) -> Memo:
    """Encode `--memo KEY=JSON`."""
    return Memo(fields=_make_fields(parse_json_pairs(pairs, "--memo")))


def make_search_attributes(pairs: tuple[str, ...]) -> SearchAttributes:
    """Encode `--search-attribute KEY=JSON`."""
    return SearchAttributes(indexed_fields=_make_fields(parse_json_pairs(pairs, "--search-attribute")))


def _make_fields(values: Mapping[str, object]) -> dict[str, Payload]:
    return {key: make_payload(value) for key, value in values.items()}


def _parse_metadata(pairs: tuple[str, ...], argument_count: int) -> dict[str, list[bytes]]:
    metadata: dict[str, list[bytes]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise CliError(f"--input-meta {pair!r} has no '='", "write it as --input-meta KEY=VALUE", ExitCode.USAGE)
        values = metadata.setdefault(key, [])
        if values and len(values) >= argument_count:
            raise CliError(
                f"--input-meta {key!r} was given more often than there are inputs",
                "give it once for all, or once for each input",
                ExitCode.USAGE,
            )
        values.append(value.encode())
    metadata.setdefault("encoding", [b"json/plain"])
    return metadata


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CliError(f"the input file {path!r} can't be read: {error.strerror}", "check the path") from None


def _check_json(body: bytes, index: int) -> None:
    try:
        json.loads(body)
    except ValueError:
        text = body.decode(errors="replace")
        hint = "give JSON, or name another encoding with --input-meta encoding=…"
        if len(text) < 60 and "'" not in text and not text.lstrip().startswith(("{", "[")):
            hint = f"for text, quote it: --input '{json.dumps(text, ensure_ascii=False)}'"
        raise CliError(f"input {index + 1} is not JSON", hint, ExitCode.USAGE) from None


def _decode(body: bytes, index: int) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise CliError(f"input {index + 1} is not base64", "leave --input-base64 out", ExitCode.USAGE) from None
