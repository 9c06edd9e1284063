"""Search attributes: names, values, sizes, types; the messages are the reference server's."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.enums.v1 import IndexedValueType

from engine.core.errors import InvalidArgument
from engine.core.policy.limits import Limits
from engine.core.visibility.search_attribute_values import UndecodableValueError, decode_value
from engine.core.visibility.search_attributes import (
    set_type_metadata,
    validate_new_search_attributes,
    validate_removed_search_attributes,
    validate_search_attributes,
    validate_total_size,
)

REGISTERED = {
    "K": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "T": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "I": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "D": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "B": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "DT": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "KL": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


def payload(value: object, encoding: bytes = b"json/plain") -> Payload:
    """A JSON payload of the value, or of the very bytes."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Payload(metadata={"encoding": encoding}, data=data)


def validate(fields: dict[str, Payload]) -> None:
    validate_search_attributes(SearchAttributes(indexed_fields=fields), REGISTERED, Limits(), namespace="default")


@pytest.mark.parametrize(
    ("name", "value", "decoded"),
    [
        ("K", payload("a"), "a"),
        ("K", payload(["a"]), "a"),
        ("K", payload(None), None),
        ("K", payload([]), None),
        ("K", payload([None]), ""),
        ("K", payload(b"", b"binary/null"), None),
        ("K", payload(b'"\xff"'), "\ufffd"),
        ("K", payload(b'"\\ud800"'), "\ufffd"),
        ("T", payload("some text"), "some text"),
        ("I", payload(5), 5),
        ("I", payload(-(2**63)), -(2**63)),
        ("I", payload([7]), 7),
        ("D", payload(5), 5.0),
        ("D", payload(b"1.5e3"), 1500.0),
        ("B", payload(True), True),
        ("B", payload([False]), False),
        ("DT", payload("2024-01-01T00:00:00Z"), datetime(2024, 1, 1, tzinfo=UTC)),
        ("DT", payload("2024-01-01T00:00:00+02:30"), datetime(2023, 12, 31, 21, 30, tzinfo=UTC)),
        ("DT", payload("2024-01-01T00:00:00.123456789Z"), datetime(2024, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)),
        ("DT", payload("2024-01-01T00:00:00,5Z"), datetime(2024, 1, 1, 0, 0, 0, 500000, tzinfo=UTC)),
        ("KL", payload(["a", "b"]), ["a", "b"]),
        ("KL", payload([]), []),
        ("KL", payload([None]), [""]),
        ("KL", payload([["a"]]), ["a"]),
    ],
)
def test_values(name: str, value: Payload, decoded: object) -> None:
    validate({name: value})
    assert decode_value(value, REGISTERED[name]) == decoded


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("K", payload(5), "of type Keyword: 5"),
        ("K", payload(["a", "b"]), "of type Keyword: [a b]"),
        ("K", payload({"b": None, "a": [1, "x", True]}), "of type Keyword: map[a:[1 x true] b:<nil>]"),
        ("K", payload(b"\x01\x02", b"binary/plain"), "of type Keyword: [1 2]"),
        ("K", payload(1000000), "of type Keyword: 1e+06"),
        ("K", payload(123456789012345678901), "of type Keyword: 1.2345678901234568e+20"),
        ("K", payload(b"0.0001"), "of type Keyword: 0.0001"),
        ("K", payload(b"0.00001"), "of type Keyword: 1e-05"),
        ("K", payload(b"-0.5"), "of type Keyword: -0.5"),
        ("T", payload(1), "of type Text: 1"),
        ("I", payload(5.5), "of type Int: 5.5"),
        ("I", payload(5.0), "of type Int: 5"),
        ("I", payload("5"), "of type Int: 5"),
        ("I", payload(True), "of type Int: true"),
        ("I", payload([1, 2]), "of type Int: [1 2]"),
        ("I", payload(2**63), "of type Int: 9.223372036854776e+18"),
        ("D", payload("x"), "of type Double: x"),
        ("D", payload(True), "of type Double: true"),
        ("B", payload("true"), "of type Bool: true"),
        ("B", payload(1), "of type Bool: 1"),
        ("DT", payload("2024-01-01"), "of type Datetime: 2024-01-01"),
        ("DT", payload("2024-01-01T00:00:00"), "of type Datetime: 2024-01-01T00:00:00"),
        ("DT", payload("2024-02-30T00:00:00Z"), "of type Datetime: 2024-02-30T00:00:00Z"),
        ("DT", payload("2024-01-01T24:00:00Z"), "of type Datetime: 2024-01-01T24:00:00Z"),
        ("DT", payload("2024-01-01T00:00:00+25:00"), "of type Datetime: 2024-01-01T00:00:00+25:00"),
        ("KL", payload("a"), "of type KeywordList: a"),
        ("KL", payload([1]), "of type KeywordList: [1]"),
        ("KL", payload([["a"], ["b"]]), "of type KeywordList: [[a] [b]]"),
        ("BuildIds", payload("b"), "of type KeywordList: b"),
    ],
)
def test_values_refused(name: str, value: Payload, shown: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        validate({name: value})
    assert raised.value.message == f"invalid value for search attribute {name} {shown}"


@pytest.mark.parametrize(
    "value",
    [
        Payload(),
        payload(b"{bad"),
        payload(b"NaN"),
        payload(b"1e400"),
        payload(b"[" * 100_000),
        payload(b"9" * 5_000),
        payload("a", b"json/protobuf"),
    ],
)
def test_what_is_no_json_is_refused(value: Payload) -> None:
    with pytest.raises(InvalidArgument) as raised:
        validate({"D": value})
    assert raised.value.message.startswith("invalid value for search attribute D of type Double: value from <")
    assert len(raised.value.message) < 1100
    with pytest.raises(UndecodableValueError):
        decode_value(value, REGISTERED["D"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Nope": payload("a")}, "Namespace default has no mapping defined for search attribute Nope"),
        ({"NamespaceId": payload("a")}, "Namespace default has no mapping defined for search attribute NamespaceId"),
        ({"WorkflowId": payload("a")}, "WorkflowId attribute can't be set in SearchAttributes"),
        (
            {"TemporalWorkerDeployment": payload("a")},
            "TemporalWorkerDeployment attribute can't be set in SearchAttributes",
        ),
    ],
)
def test_names_refused(fields: dict[str, Payload], message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        validate(fields)
    assert raised.value.message == message


def test_too_many() -> None:
    registered = {f"k{n}": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD for n in range(101)}
    attributes = SearchAttributes(indexed_fields={name: payload("a") for name in registered})
    with pytest.raises(InvalidArgument) as raised:
        validate_search_attributes(attributes, registered, Limits(), namespace="default")
    assert raised.value.message == "number of search attributes 101 exceeds limit 100"


def test_sizes() -> None:
    validate_total_size({"K": payload("v" * 2046)}, Limits())
    with pytest.raises(InvalidArgument) as raised:
        validate_total_size({"K": payload("v" * 2047)}, Limits())
    assert raised.value.message == "search attribute K value size 2049 exceeds size limit 2048"

    many = SearchAttributes(indexed_fields={f"k{n}": payload("v" * 2000) for n in range(21)})
    with pytest.raises(InvalidArgument) as raised:
        validate_total_size(many.indexed_fields, Limits())
    assert raised.value.message == f"total size of search attributes {many.ByteSize()} exceeds size limit 40960"


def test_type_metadata_is_added_and_kept() -> None:
    typed = payload(5)
    typed.metadata["type"] = b"Keyword"
    attributes = SearchAttributes(
        indexed_fields={"K": payload("a"), "I": typed, "BuildIds": payload(["b"]), "gone": payload("x")}
    )
    set_type_metadata(attributes, REGISTERED)
    types = {name: each.metadata.get("type") for name, each in attributes.indexed_fields.items()}
    assert types == {"K": b"Keyword", "I": b"Keyword", "BuildIds": b"KeywordList", "gone": None}


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ({}, "SearchAttributes are not set on request."),
        ({"WorkflowId": 2}, "Search attribute WorkflowId is reserved by system."),
        ({"BuildIds": 7}, "Search attribute BuildIds is reserved by system."),
        ({"Memo": 2}, "Search attribute Memo is reserved by system."),
        ({"TemporalX": 2}, "Search attribute TemporalX is reserved by system."),
        ({"Mine": 9}, "Unknown search attribute type: 9."),
        (
            {"Mine": 0},
            "Unable to create search attributes: cannot have more than 0 search attribute of type Unspecified.",
        ),
    ],
)
def test_definitions_refused(new: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        validate_new_search_attributes(new)
    assert raised.value.message == message


def test_definitions_accepted() -> None:
    validate_new_search_attributes(REGISTERED)
    validate_removed_search_attributes(["K", "never registered"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "SearchAttributes are not set on request."),
        (["WorkflowId"], "Unable to remove non-custom search attributes: WorkflowId."),
        (["BuildIds"], "Unable to remove non-custom search attributes: BuildIds."),
    ],
)
def test_removals_refused(names: list[str], message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        validate_removed_search_attributes(names)
    assert raised.value.message == message
