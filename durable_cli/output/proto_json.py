"""The official CLI's JSON form of protobuf messages.

It is the proto3 JSON mapping with one difference: a payload that holds plain JSON is shown as its value
("shorthand"), a list of such payloads as an array of values.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Any, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

__all__ = ["JsonValue", "payloads_to_json", "to_json"]

JsonValue: TypeAlias = Any

_LONG_TYPES = {
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT64,
}
_FLOAT_TYPES = {FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE}


def to_json(message: Message, *, shorthand_payloads: bool) -> JsonValue:
    """Convert a message to what `json.dumps` takes; unset fields are left out."""
    full_name = message.DESCRIPTOR.full_name
    if full_name.startswith("google.protobuf."):
        return MessageToDict(message)
    if shorthand_payloads:
        handled, value = _shorten(message)
        if handled:
            return value
    return {field.json_name: _field_to_json(field, value, shorthand_payloads) for field, value in message.ListFields()}


def payloads_to_json(payloads: Any, *, shorthand_payloads: bool) -> JsonValue:
    """Convert a result: nothing as null, a single payload as itself, several as their message."""
    if len(payloads.payloads) == 1:
        return to_json(payloads.payloads[0], shorthand_payloads=shorthand_payloads)
    return to_json(payloads, shorthand_payloads=shorthand_payloads)


def _field_to_json(field: FieldDescriptor, value: Any, shorthand_payloads: bool) -> JsonValue:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        value_field = field.message_type.fields_by_name["value"]
        return {_map_key(key): _value_to_json(value_field, item, shorthand_payloads) for key, item in value.items()}
    if field.is_repeated:
        return [_value_to_json(field, item, shorthand_payloads) for item in value]
    return _value_to_json(field, value, shorthand_payloads)


def _map_key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _value_to_json(field: FieldDescriptor, value: Any, shorthand_payloads: bool) -> JsonValue:
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        return to_json(value, shorthand_payloads=shorthand_payloads)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if field.cpp_type in _LONG_TYPES:
        return str(value)
    if field.cpp_type in _FLOAT_TYPES:
        return _float_to_json(value, single=field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode()
    return value


def _float_to_json(value: float, *, single: bool) -> JsonValue:
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value.is_integer():
        return int(value)
    return float(f"{value:.7g}") if single else value


def _shorten(message: Message) -> tuple[bool, JsonValue]:
    """Return whether the message is a payload (or payloads) that has a short form, and that form."""
    name = message.DESCRIPTOR.full_name
    if name == "temporal.api.common.v1.Payload":
        return _shorten_payload(message)
    if name == "temporal.api.common.v1.Payloads":
        short = [_shorten_payload(payload) for payload in message.payloads]  # type: ignore[attr-defined]
        if all(handled for handled, _ in short):
            return True, [value for _, value in short]
    return False, None


def _shorten_payload(payload: Any) -> tuple[bool, JsonValue]:
    metadata = payload.metadata
    match bytes(metadata.get("encoding", b"")):
        case b"binary/null":
            return True, None
        case b"json/plain" if len(metadata) == 1:
            return _parse(payload.data)
        case b"json/protobuf" if len(metadata) == 2 and metadata.get("messageType"):
            handled, value = _parse(payload.data)
            if handled and isinstance(value, dict):
                return True, {**value, "_protoMessageType": metadata["messageType"].decode()}
    return False, None


def _parse(data: bytes) -> tuple[bool, JsonValue]:
    try:
        return True, json.loads(data)
    except ValueError:
        return False, None
