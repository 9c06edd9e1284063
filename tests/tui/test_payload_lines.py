"""Payloads as something to read: large ones, packed ones, messages, and what can't be read."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from durable_cli.output.payload_text import failure_words
from durable_cli.tui.feed.codec import NOT_DECODED
from durable_cli.tui.feed.documents import event_json, event_lines
from durable_cli.tui.feed.payload_lines import LARGE_BYTES, copy_text, payload_lines
from durable_cli.tui.lines import CUT_LINES, Line, first_json_lines, json_lines, plain_text
from tests.cli.conftest import Stage
from tests.tui.conftest import browsing, screen_text, until


def plain(value: Any) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, {"b": [], "c": {}}, "x, y: {z}"], "d": None, "e": -1.5e3},
        [],
        [[[]], [{}]],
        "only text",
        ['quote " and \\ back', "a\\"],
    ],
)
@pytest.mark.parametrize("indent", [None, 4])
def test_the_first_lines_are_those_of_the_whole(value: object, indent: int | None) -> None:
    data = json.dumps(value, indent=indent).encode()
    assert texts(first_json_lines(data))[:-1] == texts(json_lines(value))


def test_a_large_payload_is_cut_and_is_whole_when_asked_for() -> None:
    payload = plain([{"number": number} for number in range(50_000)])
    assert len(payload.data) > LARGE_BYTES
    lines = texts(payload_lines(payload))
    assert lines[:4] == ["[", "  {", '    "number": 0', "  },"]
    assert lines[CUT_LINES:] == ["… and more: v opens all of it", f"{len(payload.data):,} bytes in all"]
    assert len(payload_lines(payload, is_whole=True)) == 150_002


def test_a_large_payload_in_an_event_is_words() -> None:
    event = HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    event.workflow_execution_started_event_attributes.input.payloads.extend([plain("x" * LARGE_BYTES), plain(1)])
    assert "<json/plain, 100,002 bytes: v opens all of it>" in plain_text(event_lines(event.SerializeToString()))
    assert "xxxx" in plain_text(event_lines(event.SerializeToString(), is_whole=True))


def test_a_payload_that_is_only_packed_is_read() -> None:
    packed = Payload(metadata={"encoding": b"binary/zlib"}, data=zlib.compress(plain({"a": "b"}).SerializeToString()))
    assert texts(payload_lines(packed)) == [f"binary/zlib, {len(packed.data)} bytes", "{", '  "a": "b"', "}"]
    assert json.loads(copy_text([packed])) == {"a": "b"}
    broken = Payload(metadata={"encoding": b"binary/zlib"}, data=b"not packed at all")
    assert "a codec server can decode it" in payload_lines(broken)[0].text


def test_a_message_of_a_known_type_is_read() -> None:
    metadata = {"encoding": b"binary/protobuf", "messageType": b"temporal.api.common.v1.WorkflowType"}
    known = Payload(metadata=metadata, data=WorkflowType(name="Order").SerializeToString())
    assert texts(payload_lines(known)) == ["temporal.api.common.v1.WorkflowType", "{", '  "name": "Order"', "}"]
    metadata["messageType"] = b"my.own.Type"
    unknown = Payload(metadata=metadata, data=b"\x0a\x01x")
    assert texts(payload_lines(unknown))[0] == "binary/protobuf, my.own.Type, 3 bytes"
    assert texts(payload_lines(unknown))[1].startswith("000000  0a 01 78")


def test_an_encrypted_payload_says_what_it_is_and_why() -> None:
    metadata = {"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}
    without = Payload(metadata=metadata, data=b"12345")
    assert texts(payload_lines(without)) == [
        "encrypted (binary/encrypted, key k1, 5 bytes); a codec server can decode it: --codec-endpoint"
    ]
    away = Payload(metadata={**metadata, NOT_DECODED: b"the codec server at X does not answer"}, data=b"12345")
    assert texts(payload_lines(away)) == [
        "encrypted (binary/encrypted, key k1, 5 bytes) · the codec server at X does not answer"
    ]
    event = HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    event.workflow_execution_started_event_attributes.input.payloads.append(away)
    assert "the codec server at X does not answer" in plain_text(event_lines(event.SerializeToString()))
    assert NOT_DECODED not in event_json(event.SerializeToString())


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (plain({"message": "what it was", "stack_trace": "where"}), ("what it was", "where")),
        (plain(["no", "attributes"]), ("Encoded failure", "")),
        (Payload(metadata={"encoding": b"json/plain"}, data=b"{"), ("Encoded failure", "")),
        (Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x"), ("Encoded failure", "")),
    ],
)
def test_a_failure_whose_words_are_in_a_payload(encoded: Payload, expected: tuple[str, str]) -> None:
    assert failure_words(Failure(message="Encoded failure", encoded_attributes=encoded)) == expected


async def test_a_large_input_is_read_to_its_end(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_text(json.dumps([*range(100_000), "the end"]))
    workflow_id = stage.start("Nobody", "-t", "nobody", "--input-file", str(file))
    async with browsing(stage.server.address, workflow_id=workflow_id, size=(140, 60)) as (app, pilot):
        await until(lambda: "waits for" in screen_text(app), "it is read")
        await pilot.press("3")
        await until(lambda: "[0,1,2" in screen_text(app) or "  0," in screen_text(app), "its beginning is shown")
        await pilot.press("v")
        await until(lambda: "  5," in screen_text(app), "all of it is opened")
        await pilot.press("G")
        await until(lambda: '"the end"' in screen_text(app), "its end is there")
