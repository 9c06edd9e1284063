"""What the SDKs record as markers: local activities, patches, side effects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from temporalio.api.common.v1 import Payload

from durable_cli.tui.history.kinds import Kind

__all__ = ["Marker", "read_marker"]

# Names that the SDKs give their markers: those on the shared core, and Go and Java.
_KINDS = {
    "core_local_activity": Kind.LOCAL_ACTIVITY,
    "LocalActivity": Kind.LOCAL_ACTIVITY,
    "core_patch": Kind.PATCH,
    "Version": Kind.PATCH,
    "SideEffect": Kind.SIDE_EFFECT,
    "MutableSideEffect": Kind.SIDE_EFFECT,
}
# Where they write what it is about; the first that is there counts.
_NAME_KEYS = ("activity_type", "ActivityType", "type", "id", "change-id", "changeId", "patchId", "side-effect-id")


class Marker(NamedTuple):
    """What a marker says; `start_time_ns` is 0 where it does not say when it began."""

    kind: Kind
    name: str
    attempt: int = 0
    start_time_ns: int = 0
    result: Sequence[Payload] = ()


def read_marker(attributes: Any) -> Marker:
    """Read a MarkerRecorded event; one of the user's own is called by its name."""
    kind = _KINDS.get(attributes.marker_name, Kind.MARKER)
    if kind is Kind.MARKER:
        values = [payload for entry in attributes.details.values() for payload in entry.payloads]
        return Marker(kind, attributes.marker_name, result=values)
    said = _read_details(attributes)
    name = next((str(said[key]) for key in _NAME_KEYS if said.get(key)), "")
    attempt = said.get("attempt", said.get("Attempt", 0))
    return Marker(
        kind,
        name,
        attempt if isinstance(attempt, int) else 0,
        _time_ns(said.get("original_schedule_time")),
        attributes.details["result"].payloads if "result" in attributes.details else (),
    )


def _read_details(attributes: Any) -> dict[str, Any]:
    """Collect the marker's own fields, which are JSON under one key or under several."""
    said: dict[str, Any] = {}
    for key, entry in attributes.details.items():
        if key == "result" or not entry.payloads:
            continue
        try:
            value = json.loads(entry.payloads[0].data)
        except ValueError:
            continue
        said.update(value if isinstance(value, dict) else {key: value})
    return said


def _time_ns(time: Any) -> int:
    """Return a time as the shared core writes it: seconds and nanoseconds."""
    if not isinstance(time, dict) or not isinstance(time.get("seconds"), int):
        return 0
    return int(time["seconds"] * 1_000_000_000 + time.get("nanos", 0))
