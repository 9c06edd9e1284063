"""What a list filter compares: the values of search attributes as one JSON object, each in the form of its type.

| type | form |
| --- | --- |
| Keyword, Int, Double, Bool | the value |
| Datetime | microseconds since 1970 |
| Text | its words, in lower case and without accents: ` two words ` |
| KeywordList | its keywords in lower case: `♡one♡two♡` |
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from temporalio.api.common.v1.message_pb2 import Payload
from temporalio.api.enums.v1.common_pb2 import IndexedValueType

from engine.core.visibility.search_attribute_values import UndecodableValueError, decode_value
from engine.core.visibility.search_attributes import SearchAttributeTypes, search_attribute_type

__all__ = [
    "NAMESPACE_DIVISION",
    "comparable_values",
    "json_path",
    "keyword_list_form",
    "namespace_division",
    "text_form",
    "time_form",
]

NAMESPACE_DIVISION = "TemporalNamespaceDivision"

_SEPARATOR = "♡"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNSAFE_IN_PATH = re.compile(r'["\\%\x00-\x1f]')


def comparable_values(fields: Mapping[str, Payload], registered: SearchAttributeTypes) -> str | None:
    """Return the JSON object of a run's search attributes, or None if it would be empty.

    Args:
        registered: the namespace's own attributes; what is of no known type is left out.
    """
    members = []
    for name, payload in fields.items():
        value_type = search_attribute_type(name, registered)
        if value_type is not None:
            member = _member(name, value_type, payload.metadata.get("encoding", b""), payload.data)
            if member is not None:
                members.append(member)
    return f"{{{','.join(members)}}}" if members else None


@lru_cache(maxsize=1024)  # most runs of a worker have its build ids, and nothing else
def _member(name: str, value_type: int, encoding: bytes, data: bytes) -> str | None:
    try:
        value = decode_value(Payload(metadata={"encoding": encoding}, data=data), value_type)
    except UndecodableValueError:
        return None
    if value is None or value == []:
        return None
    form = _FORMS.get(value_type)
    shown = json.dumps(value if form is None else form(value), ensure_ascii=False)
    return f"{json.dumps(_key(name), ensure_ascii=False)}:{shown}"


def namespace_division(fields: Mapping[str, Payload]) -> str | None:
    """Return the namespace division of a run's search attributes, or None."""
    payload = fields.get(NAMESPACE_DIVISION)
    if payload is None:
        return None
    try:
        value = decode_value(payload, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
    except UndecodableValueError:
        return None
    return None if value is None else str(value)


def json_path(name: str) -> str:
    """Return the JSON path of an attribute in that object."""
    return f'$."{_key(name)}"'


def text_form(text: str) -> str:
    """Return the words of a text between blanks; a blank alone for a text without any."""
    plain = "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    words = "".join(letter if letter.isalnum() else " " for letter in plain.lower()).split()
    return f" {' '.join(words)} " if words else " "


def keyword_list_form(keywords: Iterable[str]) -> str:
    """Return keywords between separators."""
    return _SEPARATOR + "".join(f"{keyword.lower()}{_SEPARATOR}" for keyword in keywords)


def time_form(time: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def _key(name: str) -> str:
    return _UNSAFE_IN_PATH.sub(lambda match: f"%{ord(match[0]):02x}", name)


_FORMS: dict[int, Callable[[Any], str | int]] = {
    IndexedValueType.INDEXED_VALUE_TYPE_DATETIME: time_form,
    IndexedValueType.INDEXED_VALUE_TYPE_TEXT: text_form,
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST: keyword_list_form,
}
