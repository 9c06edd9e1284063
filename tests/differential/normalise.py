"""Turn protobuf messages into plain data that is equal for equal behaviour.

Rules: what is random (ids, tokens) becomes a placeholder, the same one for the same value, so that the
relation between ids is compared; what the clock decides becomes its presence or its distance to the event; the rest
stays as it is.
"""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any

from google.protobuf import message_factory, symbol_database
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

LONGEST_TEXT = 500
# Moments in an event that belongs to a chain are up to a few seconds nearer than the timeout that they come from.
MOMENT_GRAIN_SECONDS = 5
_UUID = re.compile(r"\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})\b")
_PRINTED_MESSAGE = re.compile(r'TaskQueue=name:".*')
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")

# Bookkeeping of one server's inside: it says nothing about the behaviour that a client relies on.
_DROPPED = {
    "event_time",
    "task_id",
    "version",
    "backlog_count_hint",
    "poller_scaling_decision",
    "poller_group_id",
    "poller_group_infos",
    "poller_groups_info",
    "worker_instance_key",
    "worker_control_task_queue",
    "current_session_skip_count",  # the reference has it, but does not tell
}
# Present or absent is compared, the value is not.
_PRESENCE_ONLY = {
    "history_size_bytes",
    "state_transition_count",
    "execution_duration",
    "stack_trace",
    "sdk_version",
    "binary_checksum",
    "build_id",
    "task_token",
    "next_page_token",
    "wall_clock_time",
}
_UNORDERED = {"core_used_flags", "lang_used_flags", "pending_activities", "pending_children", "pollers"}
_KIND_BY_FIELD_ENDING = (("run_id", "run"), ("request_id", "request"), ("namespace_id", "namespace"))


class Normaliser:
    """Normalise the steps of one scenario, which share their placeholders."""

    def __init__(self) -> None:
        self._placeholders: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def history(self, events: list[HistoryEvent]) -> list[dict[str, Any]]:
        """Return one dict per event: `event` says "id type", the rest are its fields and attributes."""
        return [self._event(event) for event in events]

    def message(self, message: Message) -> Any:
        """Return `message` as plain data."""
        return self._message(message, None)

    def text(self, text: str, kind: str = "id") -> str:
        """Replace what is random in `text`."""
        text = _PRINTED_MESSAGE.sub("TaskQueue=<printed>", text)
        if len(text) > LONGEST_TEXT:
            text = f"{text[:20]}… {len(text)} characters"
        text = _UUID.sub(lambda match: self._placeholder(match.group(), kind), text)
        return _ADDRESS.sub("<address>", text)

    def _event(self, event: HistoryEvent) -> dict[str, Any]:
        words = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").split("_")
        normalised: dict[str, Any] = {"event": f"{event.event_id} {''.join(word.capitalize() for word in words)}"}
        for name, value in self._message(event, event.event_time).items():
            if name in ("event_id", "event_type"):
                continue
            if name.endswith("_event_attributes"):
                normalised.update(value)
            else:
                normalised[name] = value
        return normalised

    def _message(self, message: Message, base: Timestamp | None) -> Any:
        if isinstance(message, Timestamp):
            return _moment(message, base)
        if isinstance(message, Duration):
            return _duration(message)
        if isinstance(message, Payload):
            return self._payload(message)
        if isinstance(message, AnyMessage):
            return self._any(message, base)
        if isinstance(message, HistoryEvent) and base is None:
            return self._event(message)
        return {
            field.name: "<present>" if field.name in _PRESENCE_ONLY else self._field(field, value, base)
            for field, value in message.ListFields()
            if field.name not in _DROPPED
        }

    def _field(self, field: FieldDescriptor, value: Any, base: Timestamp | None) -> Any:
        if _is_map(field):
            value_field = field.message_type.fields_by_name["value"]
            entries = {str(key): self._value(value_field, value[key], base) for key in sorted(value)}
            kind = "request" if field.name == "request_id_infos" else "id"
            return {self.text(key, kind): entry for key, entry in entries.items()}
        if field.is_repeated:
            if field.name not in _UNORDERED:
                return [self._value(field, item, base) for item in value]
            # Sorted before, too, so that placeholders are given in the same order.
            return sorted((self._value(field, item, base) for item in sorted(value, key=str)), key=str)
        return self._value(field, value, base)

    def _value(self, field: FieldDescriptor, value: Any, base: Timestamp | None) -> Any:
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            return self._message(value, base)
        if field.type == FieldDescriptor.TYPE_ENUM:
            known = field.enum_type.values_by_number.get(value)
            return known.name if known else value
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self._bytes(value)
        if field.type == FieldDescriptor.TYPE_STRING:
            kind = next((kind for ending, kind in _KIND_BY_FIELD_ENDING if field.name.endswith(ending)), "id")
            return self.text(value, kind)
        return value

    def _any(self, message: AnyMessage, base: Timestamp | None) -> Any:
        type_name = message.type_url.rsplit("/", 1)[-1]
        try:
            descriptor = symbol_database.Default().pool.FindMessageTypeByName(type_name)
        except KeyError:
            return {"type": type_name, "value": self._bytes(message.value)}
        content = message_factory.GetMessageClass(descriptor).FromString(message.value)
        return {"type": type_name, **self._message(content, base)}

    def _payload(self, payload: Payload) -> Any:
        metadata = {key: value.decode("utf-8", "replace") for key, value in sorted(payload.metadata.items())}
        encoding = metadata.pop("encoding", "")
        data: Any = self._bytes(payload.data)
        if encoding == "json/plain":
            try:
                data = json.loads(data, object_hook=_hide_moments)
            except ValueError:
                encoding = "json/plain, not valid"
        return {"payload": encoding, "data": data, **metadata}

    def _bytes(self, data: bytes) -> str:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return f"base64:{base64.b64encode(data).decode()}"
        return self.text(text)

    def _placeholder(self, value: str, kind: str) -> str:
        if value not in self._placeholders:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._placeholders[value] = f"<{kind}-{self._counts[kind]}>"
        return self._placeholders[value]


def _moment(moment: Timestamp, base: Timestamp | None) -> str:
    if not moment.ToNanoseconds():
        return "<time zero>"
    if base is None:
        return "<time>"
    seconds = (moment.ToNanoseconds() - base.ToNanoseconds()) / 1e9
    about = MOMENT_GRAIN_SECONDS * math.ceil((seconds - 0.5) / MOMENT_GRAIN_SECONDS)
    return f"<about event_time {about:+d}s>" if about else "<about event_time>"


def _hide_moments(value: dict[str, Any]) -> Any:
    """Replace a moment that an SDK wrote into a payload of its own."""
    return "<time>" if value.keys() == {"seconds", "nanos"} else value


def _duration(duration: Duration) -> str:
    nanoseconds = duration.ToNanoseconds()
    if nanoseconds % 1_000_000:
        # Finer than a millisecond: nobody asked for that, it comes from the clock or from jitter.
        return f"{math.ceil(nanoseconds / 1e9 - 0.01)}s"
    return f"{nanoseconds / 1e9:g}s"


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)
