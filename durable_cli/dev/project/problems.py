"""What is wrong with a `dx.toml`, in words for its writer."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from durable_cli.dev.project.lines import KeyPath, Lines
from durable_cli.dev.project.model import Project
from durable_cli.dev.project.rules import IS_MISSING, find_contradictions

__all__ = ["Problem", "find_problems", "locate_syntax_error"]

MAX_LISTED_KEYS = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the line, from 1, and its text; the key that is at fault, or an empty one; what is wrong."""

    line: int
    source: str
    key: str
    message: str

    def describe(self, filename: str) -> str:
        """Return it as one line."""
        return f"{filename}:{self.line}: {self.key}{': ' if self.key else ''}{self.message}"


def find_problems(text: str, document: Mapping[str, Any], errors: Sequence[ErrorDetails]) -> list[Problem]:
    """Return the mistakes in a valid TOML text: the model's errors, and what rules say; by line."""
    lines, source = Lines(text), text.split("\n")
    misspelt = {(*error["loc"][:-1], _find_meant(error)) for error in errors if error["type"] == "extra_forbidden"}
    problems = []
    for path, message in dict.fromkeys([*_translate(document, errors), *find_contradictions(document)]):
        if message == IS_MISSING and path in misspelt:
            continue
        line = lines.find(path)
        problems.append(Problem(line, source[line - 1].strip(), _show_path(path), message))
    return sorted(problems, key=lambda problem: (problem.line, problem.key))


def locate_syntax_error(text: str, error: tomllib.TOMLDecodeError) -> Problem:
    """Return what the TOML parser says, with its line."""
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
    reason = str(error)[: place.start()] if place else str(error)
    if place and place[1]:
        line = int(place[1])
    else:
        # The parser ran to the end: for the partner of the last quote, or for what is missing at the end.
        opening = max((text.rfind(quote) for quote in _UNCLOSED.get(reason, ())), default=len(text.rstrip()))
        line = text.count("\n", 0, opening) + 1
    hint = _QUOTE_HINT if reason in _UNCLOSED else _SYNTAX_HINTS.get(reason, "")
    return Problem(line, text.split("\n")[line - 1].strip(), "", f"not TOML: {_lower_first(reason)}{hint}")


_UNCLOSED = {
    "Unterminated string": ('"',),
    """Expected "'\"""": ("'",),
    """Expected "'''\"""": ("'''",),
}
_QUOTE_HINT = "; the quote is not closed"
_SYNTAX_HINTS = {
    "Invalid value": '; text needs quotes: "…"',
    "Cannot overwrite a value": "; the key is there twice",
    r"Illegal character '\n'": _QUOTE_HINT,
}


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _translate(document: Mapping[str, Any], errors: Sequence[ErrorDetails]) -> Iterator[tuple[KeyPath, str]]:
    for error in errors:
        if error["type"] == "default_factory_not_called":  # follows from another error
            continue
        path = error["loc"][:-1] if error["loc"][-1:] == ("[key]",) and error["input"] == "" else error["loc"]
        if path and isinstance(path[-1], int) and not isinstance(_find_value(document, path[:-1]), list):
            path = path[:-1]  # a single value where a list of them may stand
        message = _MESSAGES.get(error["type"])
        yield path, message(error) if message else _lower_first(error["msg"])


def _find_value(document: Any, path: KeyPath) -> Any:
    for part in path:
        document = document[part]
    return document


def _unknown_key(error: ErrorDetails) -> str:
    meant = _find_meant(error)
    if meant:
        return f"unknown key; did you mean {meant}?"
    known = _find_table(error["loc"][:-1]).model_fields
    return f"unknown key; there are {', '.join(known)}" if len(known) <= MAX_LISTED_KEYS else "unknown key"


def _find_meant(error: ErrorDetails) -> str | None:
    """Return the key that an unknown one was probably meant to be."""
    *table, key = error["loc"]
    close = get_close_matches(_snake(str(key)), _find_table(table).model_fields, n=1, cutoff=0.6)
    return close[0] if close else None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")


def _find_table(path: Sequence[str | int]) -> type[BaseModel]:
    """Return the model of the table at a path."""
    found: Any = Project
    for part in path:
        if get_origin(found) is dict:
            found = get_args(found)[1]
        else:
            kinds = get_args(found.model_fields[part].annotation)
            is_optional = NoneType in kinds
            found = kinds[0] if is_optional else found.model_fields[part].annotation
    assert isinstance(found, type)
    assert issubclass(found, BaseModel)
    return found


def _literal(error: ErrorDetails) -> str:
    value = error["input"]
    choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
    close = [choice for choice in choices if str(value).lower() == choice.lower()]
    close = close or get_close_matches(str(value), choices, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{_show(value)} is none of {', '.join(choices)}{hint}"


def _wrong_type(expected: str) -> Callable[[ErrorDetails], str]:
    return lambda error: f"must be {expected}, not {_show(error['input'])}"


def _wrong_list(error: ErrorDetails) -> str:
    value = error["input"]
    example = f", such as [{_show(value)}]" if isinstance(value, str) else ""
    return f"must be a list{example}, not {_show(value)}"


def _show(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return str(value)


def _show_path(path: KeyPath) -> str:
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            shown += f"{'.' if shown else ''}{part if re.fullmatch('[A-Za-z0-9_-]+', part) else _show(part)}"
    return shown


_MESSAGES: dict[str, Callable[[ErrorDetails], str]] = {
    "extra_forbidden": _unknown_key,
    "missing": lambda error: IS_MISSING,
    "value_error": lambda error: str(error["ctx"]["error"]),
    "literal_error": _literal,
    "string_type": _wrong_type("text"),
    "int_type": _wrong_type("a whole number"),
    "float_type": _wrong_type("a number"),
    "bool_type": _wrong_type("true or false"),
    "list_type": _wrong_list,
    "dict_type": _wrong_type("a table"),
    "model_type": _wrong_type("a table"),
    "string_too_short": lambda error: "must not be empty",
    "greater_than_equal": lambda error: f"must be at least {error['ctx']['ge']}, not {error['input']}",
    "less_than_equal": lambda error: f"must be at most {error['ctx']['le']}, not {error['input']}",
    "greater_than": lambda error: f"must be more than {error['ctx']['gt']:g}, not {error['input']}",
}
