"""What list filters compare search attributes with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import IndexedValueType

from engine.core.visibility.comparable_values import (
    comparable_values,
    json_path,
    keyword_list_form,
    namespace_division,
    text_form,
)

TYPES = {
    "K": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "I": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "D": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "B": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "At": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "T": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "L": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    'odd "\\ name%': IndexedValueType.INDEXED_VALUE_TYPE_INT,
}


def _payload(value: Any) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def _values(**values: Any) -> Any:
    found = comparable_values({name: _payload(value) for name, value in values.items()}, TYPES)
    return None if found is None else json.loads(found)


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("K", "é 'x'", "é 'x'"),
        ("K", ["one"], "one"),
        ("I", -(2**63), -(2**63)),
        ("D", 2, 2.0),
        ("B", True, True),
        ("At", "1970-01-01T00:00:01.5+00:00", 1_500_000),
        ("At", "1969-12-31T23:59:59.999999Z", -1),
        ("T", "Two words.", " two words "),
        ("L", ["One", "two"], "♡one♡two♡"),
        ("L", [""], "♡♡"),
        ("BuildIds", ["a"], "♡a♡"),
    ],
)
def test_each_type_has_its_form(name: str, value: Any, form: Any) -> None:
    assert _values(**{name: value}) == {name: form}


def test_what_is_unset_unknown_or_of_another_type_is_left_out() -> None:
    assert _values(K=None, L=[], I="x", Nobody="x") is None
    assert _values(K="k", L=None, Nobody="x") == {"K": "k"}
    assert comparable_values({"K": Payload(metadata={"encoding": b"binary/null"})}, TYPES) is None
    assert comparable_values({}, TYPES) is None


def test_a_name_is_found_whatever_is_in_it() -> None:
    (name,) = (name for name in TYPES if name.startswith("odd"))
    assert _values(**{name: 1}) == {json_path(name)[3:-1]: 1}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        *(("", " "), ("-!", " "), ("Fox", " fox "), ("quick-brown  fox.", " quick brown fox "), ("don't", " don t ")),
        *(
            ("ÉLAN élan", " elan elan "),
            ("Straße", " straße "),
            ("a1 ٣", " a1 ٣ "),
            ("日本", " 日本 "),
            ("a_b", " a b "),
        ),
    ],
)
def test_words(text: str, form: str) -> None:
    assert text_form(text) == form


def test_keywords() -> None:
    assert keyword_list_form(["A b", "ÉC"]) == "♡a b♡éc♡"


@pytest.mark.parametrize(("value", "division"), [("north", "north"), ("", ""), (None, None), (5, None)])
def test_divisions(value: Any, division: str | None) -> None:
    assert namespace_division({"TemporalNamespaceDivision": _payload(value)}) == division
    assert namespace_division({}) is None
