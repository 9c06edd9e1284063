"""What a typed value must be: each check returns what is wrong with it in words, or nothing."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["check_arguments", "check_count", "check_duration", "check_json", "parse_arguments"]


def check_json(text: str) -> str:
    """Check that it is one JSON value."""
    try:
        _parse(text)
    except (ValueError, RecursionError) as error:
        return _explain(error, text, "")
    return ""


def check_arguments(text: str) -> str:
    """Check that it is JSON values with commas between."""
    try:
        parse_arguments(text)
    except (ValueError, RecursionError) as error:
        return _explain(error, text, "[")
    return ""


def check_duration(text: str) -> str:
    """Check that it is a time with its unit."""
    from durable_cli.parameters import parse_duration

    try:
        return "it can't be negative" if parse_duration(text).total_seconds() < 0 else ""
    except (ValueError, OverflowError):
        return "a time with its unit, such as 30s, 5m or 1h30m"


def check_count(text: str) -> str:
    """Check that it is a whole number, 0 or more."""
    return "" if text.isdecimal() and text.isascii() and len(text) < 10 else "a whole number, 0 or more"


def parse_arguments(text: str) -> list[Any]:
    """Return the JSON values that a text has, with commas between; none when it is empty.

    Raises:
        ValueError: it is none.
        RecursionError: one value is in another too many times.
    """
    values = _parse(text, "[", "]") if text.strip() else []
    assert isinstance(values, list)
    return values


def _parse(text: str, before: str = "", after: str = "") -> object:
    value = json.loads(f"{before}{text}{after}", parse_constant=_refuse_constant)
    json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _explain(error: ValueError | RecursionError, text: str, before: str) -> str:
    """Say what is wrong with a text that was parsed with something before it."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        is_incomplete = error.pos >= len(before + text.rstrip()) or error.msg.startswith("Unterminated string")
        hint = "; text needs quotes" if error.msg == "Expecting value" else ""
        return f"not JSON, line {error.lineno}: {'it is incomplete' if is_incomplete else error.msg + hint}"
    if isinstance(error, UnicodeEncodeError):
        return "not JSON: half of a surrogate pair"
    return f"not JSON: {error}"
