"""Payloads and failures as lines: JSON decoded, anything else by its encoding and size."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure

from durable_cli.tui.lines import Line, Look, json_lines, show_controls, trace_lines

__all__ = ["copy_text", "describe_payload", "failure_lines", "payload_lines", "payloads_lines"]

HEX_BYTES_PER_LINE = 16
HEX_LINES = 4
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
    is_json, value = _decode(payload)
    if not is_json:
        note = Line(describe_payload(payload), Look.QUIET)
        return [note] if _is_encrypted(payload) else [note, *_hex_lines(payload.data, is_whole)]
    lines = json_lines(value, is_whole=is_whole)
    if payload.metadata.get("messageType"):
        lines.insert(0, Line(_text(payload, "messageType"), Look.QUIET))
    if lines[-1].text.startswith("… and"):
        lines.append(Line(f"{len(payload.data):,} bytes in all", Look.QUIET))
    return lines


def describe_payload(payload: Payload) -> str:
    """Say what a payload is that is not JSON: its encoding, its size, and what would decode it."""
    encoding = _text(payload, "encoding") or "no encoding"
    size = f"{len(payload.data):,} bytes"
    if _is_encrypted(payload):
        key = _text(payload, "encryption-key-id")
        return f"encrypted ({encoding}{f', key {key}' if key else ''}, {size}); {CODEC_HINT}"
    if encoding.startswith(("binary/plain", "json/")):
        return f"{encoding}, {size}"
    return f"{encoding}, {size}; {CODEC_HINT}"


def copy_text(payloads: Iterable[Payload]) -> str:
    """Return values as they are copied: indented JSON, one after the other."""
    texts = []
    for payload in payloads:
        is_json, value = _decode(payload)
        texts.append(json.dumps(value, indent=2, ensure_ascii=False) if is_json else describe_payload(payload))
    return "\n".join(texts)


def _decode(payload: Payload) -> tuple[bool, Any]:
    """Return whether the payload is JSON, and its value."""
    encoding = payload.metadata.get("encoding", b"")
    if encoding == b"binary/null":
        return True, None
    if not encoding.startswith(b"json/") or _is_encrypted(payload):
        return False, None
    try:
        return True, json.loads(payload.data)
    except ValueError:
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
    message = show_controls(failure.message) or kind
    type_name = show_controls(failure.application_failure_info.type)
    return (f"{type_name}: {message}" if type_name else message).splitlines()[0]


def _message_lines(failure: Failure, depth: int) -> list[Line]:
    indent = "  " * depth
    first = f"{'  ' * (depth - 1)}← {_title(failure)}" if depth else _title(failure)
    lines = [Line(first, Look.ERROR)]
    lines += [Line(f"{indent}{text}", Look.ERROR) for text in show_controls(failure.message).splitlines()[1:]]
    notes = ", ".join(_notes(failure, failure.WhichOneof("failure_info") or ""))
    if notes:
        lines.append(Line(f"{indent}{notes}", Look.QUIET))
    return lines


def _more_lines(failure: Failure, is_whole: bool) -> list[Line]:
    """Write details and stack trace."""
    lines: list[Line] = []
    if failure.HasField("encoded_attributes"):
        lines.append(Line(f"its message is {describe_payload(failure.encoded_attributes)}", Look.QUIET))
    lines += payloads_lines(failure.application_failure_info.details.payloads, is_whole=is_whole)
    return lines + trace_lines(failure.stack_trace, is_whole=is_whole)


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
