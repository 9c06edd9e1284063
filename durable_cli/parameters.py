"""Parameter types and value parsers with the official CLI's syntax."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from durable_cli.errors import CliError
from durable_cli.exit_codes import ExitCode

__all__ = ["DURATION", "parse_duration", "parse_json_pairs", "parse_pairs"]

_UNIT_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)")


def parse_duration(text: str) -> timedelta:
    """Parse a duration such as `1h30m`, `250ms` or `7d`.

    Raises:
        ValueError: it has no unit, or is no duration.
    """
    if text == "0":
        return timedelta()
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    total, position = 0.0, 0
    for part in _PART.finditer(body):
        if part.start() != position:
            break
        total += float(part[1]) * _UNIT_SECONDS[part[2]]
        position = part.end()
    if not body or position != len(body):
        raise ValueError(f"{text!r} is not a duration")
    return sign * timedelta(seconds=total)


if TYPE_CHECKING:
    _DurationBase = click.ParamType[timedelta]
else:
    _DurationBase = click.ParamType


class _DurationType(_DurationBase):
    name = "duration"

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(value)
        except OverflowError:
            self.fail(f"{value!r} is too long", param, ctx)
        except ValueError:
            self.fail(f"{value!r} is not a duration: write it with its unit, such as 30s, 5m, 1h30m or 7d", param, ctx)


DURATION = _DurationType()


def parse_pairs(pairs: Iterable[str], flag: str) -> dict[str, str]:
    """Parse `KEY=VALUE` words; a later one wins.

    Raises:
        CliError: a word has no `=`.
    """
    parsed = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise CliError(f"{flag} {pair!r} has no '='", f"write it as {flag} KEY=VALUE", ExitCode.USAGE)
        parsed[key] = value
    return parsed


def parse_json_pairs(pairs: Iterable[str], flag: str) -> dict[str, object]:
    """Parse `KEY=JSON` words.

    Raises:
        CliError: a word has no `=`, or its value is not JSON.
    """
    parsed: dict[str, object] = {}
    for key, value in parse_pairs(pairs, flag).items():
        try:
            parsed[key] = json.loads(value)
        except ValueError:
            quoted = json.dumps(value)
            raise CliError(
                f"{flag} {key}: {value!r} is not JSON", f"for text, quote it: {flag} '{key}={quoted}'", ExitCode.USAGE
            ) from None
    return parsed
