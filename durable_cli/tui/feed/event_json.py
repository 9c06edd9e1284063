"""An event as JSON text, with its payloads decoded."""

from __future__ import annotations

import json

from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.proto_json import to_json

__all__ = ["event_json"]


def event_json(serialized: bytes) -> str:
    """Return the JSON of an event that was kept as bytes."""
    return json.dumps(to_json(HistoryEvent.FromString(serialized), shorthand_payloads=True), ensure_ascii=False)
