"""Payloads and failures as lines: JSON decoded, anything else by its encoding and size."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure

from durable_cli.output.payload_text import failure_words
from durable_cli.tui.feed.codec import NOT_DECODED
from durable_cli.tui.lines import Line, Look, first_json_lines, json_lines, show_controls, trace_lines

__all__ = [
    "LARGE_BYTES",
    "copy_text",
    "describe_payload",
    "failure_lines",
    "is_large",
    "payload_lines",
    "payloads_lines",
]

HEX_BYTES_PER_LINE = 16
HEX_LINES = 4
LARGE_BYTES = 100_000
MOST_UNPACKED_BYTES = 16_000_000
CODEC_HINT = "a codec server can decode it: --codec-endpoint"


def payloads_lines(payloads: Sequence[Payload], *, is_whole: bool = False) -> list[Line]:
    """Write arguments or results, each after a line with its number where there are several."""
    lines: list[Line] = []
    for number, payload in enumerate(payloads, 1):
        if len(payloads) > 1:
            lines.append(Line(f"{number} of {len(payloads)}", Look.QUIET))
        lines += payload_lines(payload, is_whole=is_whole)
    return lines


def payload_lines(payload: Payload, *, is_whole: bool = False) -> list[Line]:
    """Write one payload; a long one is cut unless it is wanted whole."""
    inner = unpack(payload)
    if is_large(inner) and not is_whole and inner.metadata.get("encoding", b"").startswith(b"json/"):
        return [*first_json_lines(inner.data), Line(f"{len(inner.data):,} bytes in all", Look.QUIET)]
    is_json, value = _decode(inner)
    lines = [] if inner is payload else [Line(_encoding_and_size(payload), Look.QUIET)]
    if not is_json:
        note = Line(describe_payload(inner), Look.QUIET)
        return [*lines, note] if _is_encrypted(inner) else [*lines, note, *_hex_lines(inner.data, is_whole)]
    if inner.metadata.get("messageType"):
        lines.append(Line(_text(inner, "messageType"), Look.QUIET))
    lines += json_lines(value, is_whole=is_whole)
    if lines[-1].text.startswith("… and"):
        lines.append(Line(f"{len(inner.data):,} bytes in all", Look.QUIET))
    return lines


def is_large(payload: Payload) -> bool:
    """Return whether reading all of a payload takes so long that a person would notice."""
    return len(payload.data) > LARGE_BYTES


def describe_payload(payload: Payload) -> str:
    """Say what a payload is that is not JSON: its encoding, its size, and what would decode it."""
    words = _encoding_and_size(payload)
    if payload.metadata.get(NOT_DECODED):
        return f"{words} · {_text(payload, NOT_DECODED)}"
    if _text(payload, "encoding").startswith(("binary/plain", "binary/protobuf", "json/")):
        return words
    return f"{words}; {CODEC_HINT}"


def _encoding_and_size(payload: Payload) -> str:
    encoding = _text(payload, "encoding") or "no encoding"
    size = f"{len(payload.data):,} bytes"
    if _is_encrypted(payload):
        key = _text(payload, "encryption-key-id")
        return f"encrypted ({encoding}{f', key {key}' if key else ''}, {size})"
    message_type = _text(payload, "messageType")
    return f"{encoding}, {message_type}, {size}" if message_type else f"{encoding}, {size}"


def unpack(payload: Payload) -> Payload:
    """Return what is in a payload that is only compressed, in the way of the SDKs' samples; else the payload itself."""
    if payload.metadata.get("encoding") != b"binary/zlib":
        return payload
    unpacker = zlib.decompressobj()
    try:
        inner = Payload.FromString(unpacker.decompress(payload.data, MOST_UNPACKED_BYTES))
    except (zlib.error, DecodeError):
        return payload
    return inner if unpacker.eof and "encoding" in inner.metadata else payload


def copy_text(payloads: Iterable[Payload]) -> str:
    """Return values as they are copied: indented JSON, one after the other."""
    texts = []
    for payload in payloads:
        is_json, value = _decode(unpack(payload))
        texts.append(json.dumps(value, indent=2, ensure_ascii=False) if is_json else describe_payload(payload))
    return "\n".join(texts)


def _decode(payload: Payload) -> tuple[bool, Any]:
    """Return whether the payload is JSON, and its value."""
    encoding = payload.metadata.get("encoding", b"")
    if encoding == b"binary/null":
        return True, None
    if encoding == b"binary/protobuf":
        return _decode_message(payload)
    if not encoding.startswith(b"json/") or _is_encrypted(payload):
        return False, None
    try:
        return True, json.loads(payload.data)
    except ValueError:
        return False, None


def _decode_message(payload: Payload) -> tuple[bool, Any]:
    """Read a message whose type is known here: one of Temporal's own, or of the common ones."""
    name = payload.metadata.get("messageType", b"").decode(errors="replace")
    try:
        message = GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name)).FromString(payload.data)
        return True, MessageToDict(message)
    except (KeyError, DecodeError, ValueError, TypeError):
        return False, None


def _is_encrypted(payload: Payload) -> bool:
    return b"encrypt" in payload.metadata.get("encoding", b"") or "encryption-key-id" in payload.metadata


def _text(payload: Payload, key: str) -> str:
    return show_controls(payload.metadata.get(key, b"").decode(errors="replace"))


def _hex_lines(data: bytes, is_whole: bool) -> list[Line]:
    """Write bytes as hexadecimal numbers and as letters."""
    shown = data if is_whole else data[: HEX_LINES * HEX_BYTES_PER_LINE]
    lines = []
    for start in range(0, len(shown), HEX_BYTES_PER_LINE):
        part = shown[start : start + HEX_BYTES_PER_LINE]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
        lines.append(Line(f"{start:06x}  {part.hex(' '):<{HEX_BYTES_PER_LINE * 3}} {letters}"))
    if len(shown) < len(data):
        lines.append(Line(f"… and {len(data) - len(shown):,} bytes more: v opens all of it", Look.QUIET))
    return lines


def failure_lines(failure: Failure, *, is_whole: bool = False) -> list[Line]:
    """Write a failure and its causes: first what each says, then what there is to it, where it came from."""
    chain = [failure]
    while chain[-1].HasField("cause"):
        chain.append(chain[-1].cause)
    lines = [line for depth, each in enumerate(chain) for line in _message_lines(each, depth)]
    for number, each in enumerate(chain, 1):
        more = _more_lines(each, is_whole)
        if more:
            which = f"{number} of {len(chain)}: {_title(each)}" if len(chain) > 1 else "where it came from"
            lines += [Line(""), Line(which, Look.QUIET), *more]
    return lines


def _title(failure: Failure) -> str:
    """Return the first line of what a failure says, after its type."""
    kind = (failure.WhichOneof("failure_info") or "failure").removesuffix("_info").replace("_", " ")
    message = show_controls(failure_words(failure)[0]) or kind
    type_name = show_controls(failure.application_failure_info.type)
    return (f"{type_name}: {message}" if type_name else message).splitlines()[0]


def _message_lines(failure: Failure, depth: int) -> list[Line]:
    indent = "  " * depth
    first = f"{'  ' * (depth - 1)}← {_title(failure)}" if depth else _title(failure)
    lines = [Line(first, Look.ERROR)]
    message, _ = failure_words(failure)
    lines += [Line(f"{indent}{text}", Look.ERROR) for text in show_controls(message).splitlines()[1:]]
    notes = ", ".join(_notes(failure, failure.WhichOneof("failure_info") or ""))
    if notes:
        lines.append(Line(f"{indent}{notes}", Look.QUIET))
    return lines


def _more_lines(failure: Failure, is_whole: bool) -> list[Line]:
    """Write details and stack trace."""
    lines: list[Line] = []
    message, trace = failure_words(failure)
    if failure.HasField("encoded_attributes") and message == failure.message:
        lines.append(Line(f"its message is {describe_payload(failure.encoded_attributes)}", Look.QUIET))
    lines += payloads_lines(failure.application_failure_info.details.payloads, is_whole=is_whole)
    return lines + trace_lines(trace, is_whole=is_whole)


def _notes(failure: Failure, kind: str) -> Iterable[str]:
    """Yield what a failure says of itself beside its message."""
    if failure.application_failure_info.non_retryable:
        yield "not retryable"
    info = getattr(failure, kind) if kind else None
    for field in ("activity_type", "workflow_type"):
        if hasattr(info, field) and getattr(info, field).name:
            yield f"{field.replace('_type', '')} {getattr(info, field).name}"
    for field in ("retry_state", "timeout_type"):
        if hasattr(info, field) and getattr(info, field):
            enum = info.DESCRIPTOR.fields_by_name[field].enum_type  # type: ignore[union-attr]
            value = enum.values_by_number.get(getattr(info, field))
            if value is not None:
                yield value.name.removeprefix("RETRY_STATE_").removeprefix("TIMEOUT_TYPE_").lower().replace("_", " ")
    if failure.source:
        yield failure.source
