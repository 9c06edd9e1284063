"""A failure with its causes and stack traces, as text."""

from __future__ import annotations

from rich.text import Text
from temporalio.api.failure.v1 import Failure

from durable_cli.output.payload_text import failure_words, show_controls

__all__ = ["format_failure"]


def format_failure(failure: Failure) -> Text:
    """Format a failure and its causes, outermost first, each with its stack trace."""
    text = Text()
    depth = 0
    while True:
        indent = "  " * depth
        if depth:
            text.append(f"\n{indent}caused by ", style="dim")
        type_name = failure.application_failure_info.type
        message, trace = failure_words(failure)
        text.append(f"{type_name}: " if type_name else "", style="red")
        text.append(show_controls(message) or failure.WhichOneof("failure_info") or "failure", style="red")
        if failure.application_failure_info.non_retryable:
            text.append("  (not retryable)", style="dim")
        for line in show_controls(trace).rstrip().splitlines():
            text.append(f"\n{indent}    {line}", style="dim")
        if not failure.HasField("cause"):
            return text
        failure = failure.cause
        depth += 1
