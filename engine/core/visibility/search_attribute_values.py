"""Decode the value of a search attribute by its type."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from temporalio.api.common.v1.message_pb2 import Payload
from temporalio.api.enums.v1.common_pb2 import IndexedValueType

SearchAttributeValue = str | int | float | bool | datetime | list[str]

_MAX_SHOWN = 1000
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})([.,][0-9]+)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)


class UndecodableValueError(ValueError):
    """The payload holds no value of the attribute's type."""


def decode_value(payload: Payload, value_type: int) -> SearchAttributeValue | None:
    """Return the value: str, int, float, bool, aware UTC datetime or a list of str; None where it is unset.

    A list of one value stands for that value. Times keep microseconds.

    Raises:
        UndecodableValueError: not JSON, or JSON of another type.
    """
    decoded = _load(payload)
    if decoded is None:
        return None
    convert = _CONVERTERS[value_type]
    try:
        return convert(decoded)
    except UndecodableValueError:
        if not isinstance(decoded, list):
            raise
    if not decoded:
        return None
    if len(decoded) > 1:
        raise UndecodableValueError("a list of values")
    return _ZERO_VALUES[value_type] if decoded[0] is None else convert(decoded[0])


def describe_bad_value(payload: Payload) -> str:
    """Name a refused value in an error message, as Go prints it (`[a b]`, `map[a:1]`), cut to 1000 characters."""
    if payload.metadata.get("encoding") == b"binary/plain":
        shown = print_go(list(payload.data[:_MAX_SHOWN]))
    else:
        try:
            shown = _without_surrogates(print_go(_load(payload)))
        except UndecodableValueError:
            metadata = dict(sorted(payload.metadata.items()))
            shown = f"value from <metadata:{metadata} data:{payload.data[:_MAX_SHOWN]!r}>"
    return shown[:_MAX_SHOWN]


def _load(payload: Payload) -> Any:
    encoding = payload.metadata.get("encoding", b"")
    if encoding == b"binary/null":
        return None
    if encoding != b"json/plain":
        raise UndecodableValueError("not JSON")
    try:
        text = payload.data.decode(errors="replace")
        return json.loads(text, parse_float=_finite, parse_int=_finite_integer, parse_constant=_finite)
    except (ValueError, RecursionError):
        raise UndecodableValueError("not JSON") from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _finite_integer(text: str) -> int:
    _finite(text)
    return int(text)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise UndecodableValueError("not a string")
    return _without_surrogates(value)


def _integer(value: Any) -> int:
    if type(value) is not int or not _MIN_INT <= value <= _MAX_INT:
        raise UndecodableValueError("not an integer of 64 bits")
    return value


def _double(value: Any) -> float:
    if type(value) not in (int, float):
        raise UndecodableValueError("not a number")
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UndecodableValueError("neither true nor false")
    return value


def _time(value: Any) -> datetime:
    parts = _TIME.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        raise UndecodableValueError("not an RFC 3339 time")
    text, fraction, sign, offset_hours, offset_minutes = parts.groups()
    try:
        time = datetime.fromisoformat(text).replace(tzinfo=UTC)
        if fraction:
            time = time.replace(microsecond=int(fraction[1:7].ljust(6, "0")))
        if sign:
            offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
            if int(offset_hours) > 24 or int(offset_minutes) > 60:
                raise UndecodableValueError("no such offset")
            time += offset if sign == "-" else -offset
    except (ValueError, OverflowError):
        raise UndecodableValueError("no such time") from None
    return time


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise UndecodableValueError("not a list")
    return ["" if item is None else _string(item) for item in value]


_CONVERTERS: dict[int, Callable[[Any], SearchAttributeValue]] = {
    IndexedValueType.INDEXED_VALUE_TYPE_TEXT: _string,
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD: _string,
    IndexedValueType.INDEXED_VALUE_TYPE_INT: _integer,
    IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE: _double,
    IndexedValueType.INDEXED_VALUE_TYPE_BOOL: _boolean,
    IndexedValueType.INDEXED_VALUE_TYPE_DATETIME: _time,
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST: _strings,
}
_ZERO_VALUES: dict[int, SearchAttributeValue | None] = {
    IndexedValueType.INDEXED_VALUE_TYPE_TEXT: "",
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD: "",
    IndexedValueType.INDEXED_VALUE_TYPE_INT: 0,
    IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE: 0.0,
    IndexedValueType.INDEXED_VALUE_TYPE_BOOL: False,
    IndexedValueType.INDEXED_VALUE_TYPE_DATETIME: datetime.min.replace(tzinfo=UTC),
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST: None,
}


def print_go(value: Any) -> str:
    """Print a JSON value as Go's %v does."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _print_number(value)
    if isinstance(value, list):
        return f"[{' '.join(map(print_go, value))}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{print_go(item)}' for key, item in sorted(value.items()))}]"
    return str(value)


def _print_number(value: float) -> str:
    """Print a number with the fewest digits, with an exponent below 1e-4 and from 1e+06 on."""
    if value == 0:
        return "0"
    number = Decimal(repr(float(value))).normalize()
    exponent = number.adjusted()
    if -4 <= exponent < 6:
        return format(number, "f")
    return f"{number.scaleb(-exponent):f}e{exponent:+03d}"


def _without_surrogates(text: str) -> str:
    """Replace half a surrogate pair, which JSON can spell and UTF-8 can't."""
    return re.sub(r"[\ud800-\udfff]", "\ufffd", text)
