"""The history DSL: one event a line, `5 TimerStarted timer_id=t start_to_fire_timeout=1s`.

Rules:
- A line is the event's id, its type, and as many attributes as the test cares about; a value with spaces is quoted.
- A dotted path leads into messages (`failure.message`) and maps (`memo.fields.note`).
- A history may begin at any event; from there on every event must be there, and no other.
- Values: durations are seconds (`1.5s`), times are relative to the start of the test (`+2s`), enums are what is
  special in their name (`MAXIMUM_ATTEMPTS_REACHED`), payloads are their data, `-` is a message that is not set.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from engine.core.policy.durations import duration_to_ns, timestamp_to_ns
from tests.core.support.env import START_NS


def event_name(event: HistoryEvent) -> str:
    """Return the event's type as the DSL writes it: `WorkflowTaskScheduled`."""
    words = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").split("_")
    return "".join(word.capitalize() for word in words)


def attributes_of(event: HistoryEvent) -> Any:
    """Return the attributes message of the event."""
    return getattr(event, event.WhichOneof("attributes") or "")


def outline(events: Iterable[HistoryEvent]) -> str:
    """Return the history without attributes."""
    return "\n".join(f"{event.event_id} {event_name(event)}" for event in events)


def assert_history(events: Sequence[HistoryEvent], expected: str) -> None:
    """Compare the events, from the first id that `expected` names, with a history in the DSL."""
    wanted = [_parse(line) for line in expected.strip().splitlines()]
    first_event_id = wanted[0][0]
    got = [event for event in events if event.event_id >= first_event_id]
    keys = [list(attributes) for _, _, attributes in wanted]
    keys += [[] for _ in range(len(got) - len(wanted))]
    actual = [_line(event, names) for event, names in zip(got, keys, strict=False)]
    assert "\n".join(actual) == "\n".join(
        " ".join([str(event_id), name, *(f"{key}={value}" for key, value in attributes.items())])
        for event_id, name, attributes in wanted
    )


def _parse(line: str) -> tuple[int, str, dict[str, str]]:
    event_id, name, *pairs = shlex.split(line)
    return int(event_id), name, dict(pair.split("=", 1) for pair in pairs)


def _line(event: HistoryEvent, names: Sequence[str]) -> str:
    pairs = (f"{name}={_text_at(event, name)}" for name in names)
    return " ".join([str(event.event_id), event_name(event), *pairs])


def _text_at(event: HistoryEvent, path: str) -> str:
    """Read an attribute, or with a leading dot a field of the event itself."""
    value: Any = event if path.startswith(".") else attributes_of(event)
    text = ""
    for name in path.removeprefix(".").split("."):
        if isinstance(value, Mapping):
            if name not in value:
                return "-"
            value = value[name]
            text = render(value)
            continue
        field = value.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            return "(no such field)"
        if field.message_type is not None and not field.is_repeated and not value.HasField(name):
            return "-"
        value = getattr(value, name)
        text = _enum_text(field, value) if field.enum_type is not None and not field.is_repeated else render(value)
    return text


def _enum_text(field: Any, number: int) -> str:
    """Return an enum value's name without what all the names of its enum begin with."""
    names = [each.name for each in field.enum_type.values]
    name: str = field.enum_type.values_by_number[number].name
    shared = names[0].rsplit("_", 1)[0] + "_"
    return name.removeprefix(shared)


def render(value: Any) -> str:
    """Write a value as the DSL does."""
    if isinstance(value, Duration):
        return f"{duration_to_ns(value) / 1e9:g}s"
    if isinstance(value, Timestamp):
        return f"+{(timestamp_to_ns(value) - START_NS) / 1e9:g}s"
    if isinstance(value, Payload):
        return value.data.decode()
    if isinstance(value, Payloads):
        return ",".join(payload.data.decode() for payload in value.payloads)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Message):
        return " ".join(str(value).split()) or "{}"
    if isinstance(value, str | int | float):
        return str(value)
    return ",".join(sorted(value) if isinstance(value, Mapping) else map(render, value))
