"""Payloads and failures, as one line of text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure

from durable_cli.output.proto_json import payloads_to_json, to_json

if TYPE_CHECKING:
    from durable_cli.output.text import TextScreen

__all__ = [
    "format_fields",
    "format_payload",
    "format_payloads",
    "format_result",
    "message_to_text",
    "preview_payloads",
    "print_value",
    "show_controls",
    "summarize_failure",
]


def format_payload(payload: Payload) -> str:
    """Format one payload: plain JSON as its value, anything else as its encoding and size."""
    encoding = payload.metadata.get("encoding", b"").decode(errors="replace")
    if encoding.startswith("json/"):
        try:
            return _dump(json.loads(payload.data))
        except ValueError:
            pass
    if encoding == "binary/null":
        return "null"
    return f"<{encoding or 'no encoding'}, {len(payload.data)} bytes>"


def format_payloads(payloads: Iterable[Payload]) -> str:
    """Format a list of arguments, separated by commas."""
    return ", ".join(format_payload(payload) for payload in payloads)


def preview_payloads(payloads: Iterable[Payload], limit: int = 120) -> str:
    """Format what fits of a list of arguments; a large payload is not read whole for that."""
    text = ""
    for payload in payloads:
        if text:
            text += ", "
        text += _preview_payload(payload, limit)
        if len(text) > limit:
            return text[: limit - 1] + "…"
    return text


def _preview_payload(payload: Payload, limit: int) -> str:
    is_json = payload.metadata.get("encoding", b"").startswith(b"json/")
    # A character takes at most twelve bytes: two escaped halves.
    if is_json and len(payload.data) > 12 * (limit + 1):
        return " ".join(payload.data[: 12 * (limit + 1)].decode(errors="ignore").split())
    return (is_json and _compact_json(payload.data)) or format_payload(payload)


@lru_cache(maxsize=256)
def _compact_json(data: bytes) -> str:
    """Write JSON without spaces; the same payload is asked for by whatever sums an event up. Empty where it is none."""
    try:
        return _dump(json.loads(data))
    except ValueError:
        return ""


def format_result(payloads: Any) -> str:
    """Format a result as JSON; nothing is null."""
    if not payloads.payloads:
        return "null"
    return _dump(payloads_to_json(payloads, shorthand_payloads=True))


def format_fields(fields: Any) -> str:
    """Format a memo or search attributes: `name=value`, by name."""
    return ", ".join(f"{name}={format_payload(fields[name])}" for name in sorted(fields))


def summarize_failure(failure: Failure) -> str:
    """Return the innermost failure in one line: that is where it began."""
    while failure.HasField("cause"):
        failure = failure.cause
    type_name = failure.application_failure_info.type
    return show_controls(f"{type_name}: {failure.message}" if type_name else failure.message)


def show_controls(text: str) -> str:
    """Make escape characters visible, so that a worker's words can't steer the terminal."""
    return text.replace("\x1b", "\\x1b")


def message_to_text(message: Any) -> str:
    """Format any message as one line of JSON."""
    return _dump(to_json(message, shorthand_payloads=True))


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def print_value(screen: TextScreen, payloads: Any) -> None:
    """Print a value alone: compact in a pipe, indented on a terminal."""
    if len(payloads.payloads) > 1 or not screen.is_terminal:
        screen.line(format_result(payloads))
    else:
        value = payloads_to_json(payloads, shorthand_payloads=True)
        screen.line(json.dumps(value, indent=2, ensure_ascii=False))
