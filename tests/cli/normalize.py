"""Make outputs comparable: replace what differs from run to run."""

from __future__ import annotations

import re
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC)?")
_AGO = re.compile(r"(now|\d+ (second|minute)s? ago)( *)")
_SPAN = re.compile(r"\b\d+(\.\d+)?(ms|s)\b")
_BY = re.compile(r"\d+@[\w.-]+")

VOLATILE_KEYS = {
    "eventTime",
    "taskId",
    "identity",
    "requestId",
    "runId",
    "originalExecutionRunId",
    "firstExecutionRunId",
    "workflowId",
    "startTime",
    "executionTime",
    "closeTime",
    "historySizeBytes",
    "durationMillis",
    "requestIdInfos",
    "workflowExecutionExpirationTime",
    "workerVersion",
    "baseRunId",
    "newRunId",
}


def normalize_text(text: str, **names: str) -> str:
    """Replace ids, times and durations by words of the same meaning."""
    for name, value in names.items():
        text = text.replace(value, f"<{name}>")
    text = _UUID.sub("<uuid>", text)
    text = _TIME.sub("<time>", text)
    text = _BY.sub("<worker>", text)
    text = _AGO.sub("<ago> ", text)
    return "\n".join(line.rstrip() for line in _SPAN.sub("<span>", text).splitlines())


def without_volatile(value: Any) -> Any:
    """Drop what can't be equal between two runs of the same workflow."""
    if isinstance(value, dict):
        return {key: without_volatile(item) for key, item in value.items() if key not in VOLATILE_KEYS}
    if isinstance(value, list):
        return [without_volatile(item) for item in value]
    return value
