"""The kinds of values in `dx.toml`: how each is parsed, and how an editor's schema describes it.

A parser raises ValueError with what the user reads after the key's name, such as `"5" is not a duration; …`.
"""

from __future__ import annotations

import datetime
import re
import shlex
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

from croniter import croniter
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema

from durable_cli.parameters import parse_duration

__all__ = [
    "OVERLAP_POLICIES",
    "Commandline",
    "CronExpressions",
    "Duration",
    "Durations",
    "JsonValue",
    "ModuleAttribute",
    "ModuleName",
    "Name",
    "OverlapPolicy",
    "Pragma",
    "ProjectPath",
    "TimeZone",
]

OVERLAP_POLICIES = ("Skip", "BufferOne", "BufferAll", "CancelOther", "TerminateOther", "AllowAll")
"""The official names; `dx.toml` takes them as they are and in snake_case."""

_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
_DOTTED = rf"{_IDENTIFIER}(\.{_IDENTIFIER})*"
_DURATION = r"^(0|((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h|d))+)$"
_CRON_WORDS = ("@hourly", "@daily", "@weekly", "@monthly", "@yearly")
# Numbers, and the names of months and days; what some programs know beyond that (L, #, ?) servers don't.
_CRON = re.compile(r"([\d*/,-]+ +){3}([\d*/,-]|[a-z]{3})+ +([\d*/,-]|[a-z]{3})+")
_SHELL_WORDS = {"&&", "||", "|", ";", ">", ">>", "<", "&"}


def _duration(value: Any) -> datetime.timedelta:
    if isinstance(value, datetime.timedelta):
        return value
    try:
        duration = parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        duration = None
    if duration is None or duration < datetime.timedelta():
        raise ValueError(f'{_show(value)} is not a duration; write it with its unit, such as "90s", "1h30m" or "3d"')
    return duration


def _interval(value: Any) -> datetime.timedelta:
    interval = _duration(value)
    if not interval:
        raise ValueError("must be longer than nothing")
    return interval


def _words(value: Any) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return value
    if not isinstance(value, str) or not value.strip():
        raise ValueError('must be a command, such as "node lib/worker.js", or a list of its words')
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise ValueError(f"{_show(value)} can't be split into words: {str(error).lower()}") from None
    shell_word = next((word for word in words if word in _SHELL_WORDS), None)
    if shell_word:
        raise ValueError(f'has {shell_word!r}, but no shell reads it; for one, write ["sh", "-c", "…"]')
    return words


def _module_name(value: str) -> str:
    if not re.fullmatch(_DOTTED, value):
        module = value.removesuffix(".py").replace("/", ".").strip(".")
        hint = f"; did you mean {module}?" if re.fullmatch(_DOTTED, module) else ', such as "shop.workflows"'
        raise ValueError(f"{_show(value)} is not a module's name{hint}")
    return value


def _module_attribute(value: str) -> str:
    if not re.fullmatch(f"{_DOTTED}:{_DOTTED}", value):
        raise ValueError(f'{_show(value)} is not module:attribute, such as "converters:data_converter"')
    return value


def _cron(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError('must be a cron expression, such as "0 3 * * *"')
    if value in _CRON_WORDS or (_CRON.fullmatch(value.lower()) and croniter.is_valid(value)):
        return value
    raise ValueError(
        f"{_show(value)} is not a cron expression; it has minute, hour, day, month and weekday, such as "
        f'"0 3 * * *", or is {", ".join(_CRON_WORDS[:-1])} or {_CRON_WORDS[-1]}'
    )


def _overlap(value: Any) -> str:
    names = {_snake(name): name for name in OVERLAP_POLICIES}
    if isinstance(value, str) and (value in OVERLAP_POLICIES or value in names):
        return names.get(value, value)
    close = get_close_matches(_snake(str(value)), names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"those are {', '.join(OVERLAP_POLICIES)}"
    raise ValueError(f"{_show(value)} is not an overlap policy; {hint}")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _time_zone(value: str) -> str:
    zones = available_timezones()
    if value in zones:
        return value
    close = [zone for zone in sorted(zones) if zone.lower().endswith(f"/{value.lower()}")]
    close = close or get_close_matches(value, sorted(zones), n=1)
    hint = f"; did you mean {close[0]}?" if close else ', such as "Europe/Berlin" or "UTC"'
    raise ValueError(f"{_show(value)} is not a time zone{hint}")


def _pragma(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    raise ValueError("must be text or a whole number")


def _json(value: Any) -> Any:
    """Return a TOML value as what JSON can say; dates and times become RFC 3339 text."""
    match value:
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case dict():
            return {key: _json(entry) for key, entry in value.items()}
        case list():
            return [_json(entry) for entry in value]
        case float() if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{value} can't be said in JSON")
        case _:
            return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _path(value: Any, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError('must be a path, such as "src"')
    context: dict[str, Path] = info.context or {}
    return Path(context["folder"], value)


def _show(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _one_or_more(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1}]}


_DURATION_SCHEMA = {"type": "string", "pattern": _DURATION, "examples": ["90s", "1h30m", "3d"]}
_WORDS_SCHEMA = _one_or_more({"type": "string", "minLength": 1})
_OVERLAP_SCHEMA = {"type": "string", "enum": [*map(_snake, OVERLAP_POLICIES), *OVERLAP_POLICIES]}
_CRON_SCHEMA = {"type": "string", "examples": ["0 3 * * *", "@daily"]}

Name = Annotated[str, Field(min_length=1)]
Duration = Annotated[
    datetime.timedelta,
    BeforeValidator(_duration),
    WithJsonSchema(_DURATION_SCHEMA),
    PlainSerializer(lambda duration: f"{duration.total_seconds():g}s", when_used="json"),
]
Durations = Annotated[
    list[Annotated[datetime.timedelta, BeforeValidator(_interval)]],
    BeforeValidator(_listed),
    WithJsonSchema(_one_or_more(_DURATION_SCHEMA)),
]
Commandline = Annotated[list[str], BeforeValidator(_words), WithJsonSchema(_WORDS_SCHEMA)]
ModuleName = Annotated[str, Field(json_schema_extra={"pattern": f"^{_DOTTED}$"}), AfterValidator(_module_name)]
ModuleAttribute = Annotated[
    str, Field(json_schema_extra={"pattern": f"^{_DOTTED}:{_DOTTED}$"}), AfterValidator(_module_attribute)
]
CronExpressions = Annotated[
    list[Annotated[str, BeforeValidator(_cron)]], BeforeValidator(_listed), WithJsonSchema(_one_or_more(_CRON_SCHEMA))
]
OverlapPolicy = Annotated[str, BeforeValidator(_overlap), WithJsonSchema(_OVERLAP_SCHEMA)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Pragma = Annotated[str, BeforeValidator(_pragma), WithJsonSchema({"type": ["string", "integer", "boolean"]})]
JsonValue = Annotated[Any, BeforeValidator(_json)]
ProjectPath = Annotated[Path, BeforeValidator(_path), WithJsonSchema({"type": "string", "minLength": 1})]
