"""Payloads and failures, as text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.text import Text
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure

from durable_cli.output.proto_json import payloads_to_json, to_json
from durable_cli.output.text import TextScreen

__all__ = ["format_failure", "format_fields", "format_payload", "format_payloads", "summarize_failure"]


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
    return f"{type_name}: {failure.message}" if type_name else failure.message


def format_failure(failure: Failure) -> Text:
    """Format a failure and its causes, outermost first, each with its stack trace."""
    text = Text()
    depth = 0
    while True:
        indent = "  " * depth
        if depth:
            text.append(f"\n{indent}caused by ", style="dim")
        type_name = failure.application_failure_info.type
        text.append(f"{type_name}: " if type_name else "", style="red")
        text.append(failure.message or failure.WhichOneof("failure_info") or "failure", style="red")
        if failure.application_failure_info.non_retryable:
            text.append("  (not retryable)", style="dim")
        for line in failure.stack_trace.rstrip().splitlines():
            text.append(f"\n{indent}    {line}", style="dim")
        if not failure.HasField("cause"):
            return text
        failure = failure.cause
        depth += 1


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
