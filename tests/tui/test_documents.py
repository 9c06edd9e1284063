"""Values, failures and stack traces as lines; events as official JSON."""

from __future__ import annotations

import json

import pytest
from google.protobuf.json_format import Parse
from temporalio.api.common.v1 import Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import RetryState
from temporalio.api.failure.v1 import ActivityFailureInfo, ApplicationFailureInfo, Failure
from temporalio.api.history.v1 import History as ProtoHistory

from durable_cli.tui.feed.documents import (
    event_lines,
    group_lines,
    history_json,
    input_lines,
    input_text,
    result_lines,
    values_text,
)
from durable_cli.tui.feed.payload_lines import failure_lines, payload_lines
from durable_cli.tui.feed.queries import METADATA_QUERY, STACK_TRACE_QUERY, read_answer
from durable_cli.tui.lines import CUT_CHARACTERS, CUT_LINES, Line, Look, plain_text, trace_lines
from tests.tui.histories import BOOM, Story, value, values


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (value({"a": [1, None]}), ["{", '  "a": [', "    1,", "    null", "  ]", "}"]),
        (value("日本語 שלום 👩‍👩‍👧"), ['"日本語 שלום 👩‍👩‍👧"']),
        (Payload(metadata={"encoding": b"binary/null"}), ["null"]),
        (
            Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}, data=b"x" * 2000),
            ["encrypted (binary/encrypted, key k1, 2,000 bytes); a codec server can decode it: --codec-endpoint"],
        ),
        (
            Payload(metadata={"encoding": b"binary/plain"}, data=b"hello\x00\xff"),
            ["binary/plain, 7 bytes", f"000000  {'68 65 6c 6c 6f 00 ff':<48} hello··"],
        ),
        (
            Payload(metadata={"encoding": b"binary/zlib"}, data=b"\x01"),
            ["binary/zlib, 1 bytes; a codec server can decode it: --codec-endpoint", f"000000  {'01':<48} ·"],
        ),
        (
            Payload(metadata={"encoding": b"json/plain"}, data=b"{broken"),
            ["json/plain, 7 bytes", f"000000  {'7b 62 72 6f 6b 65 6e':<48} {{broken"],
        ),
        (
            Payload(metadata={"encoding": b"json/protobuf", "messageType": b"a.B"}, data=b'{"x":1}'),
            ["a.B", "{", '  "x": 1', "}"],
        ),
        (
            Payload(data=b"?"),
            ["no encoding, 1 bytes; a codec server can decode it: --codec-endpoint", f"000000  {'3f':<48} ?"],
        ),
    ],
)
def test_payloads(payload: Payload, expected: list[str]) -> None:
    assert texts(payload_lines(payload)) == expected


def test_what_a_worker_wrote_cannot_steer_the_terminal() -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data='"\x9b31m\x7f"'.encode())
    assert texts(payload_lines(payload)) == ['"\\x9b31m\\x7f"']
    assert texts(failure_lines(Failure(message="\x1b[2Jgone"))) == ["\\x1b[2Jgone"]


def test_a_huge_value_is_cut_and_opened_whole() -> None:
    payload = value(list(range(1_000)))
    lines = payload_lines(payload)
    assert len(lines) == CUT_LINES + 2
    assert texts(lines)[-2:] == ["… and more: v opens all of it", f"{len(payload.data):,} bytes in all"]
    assert len(payload_lines(payload, is_whole=True)) == 1_002


def test_a_long_line_is_cut_and_opened_whole() -> None:
    lines = payload_lines(value("x" * 10_000))
    assert len(lines[0].text) == CUT_CHARACTERS
    assert lines[1].text == f"… and {10_002 - CUT_CHARACTERS:,} characters more: v opens all of it"
    assert texts(payload_lines(value("x" * 10_000), is_whole=True)) == [f'"{"x" * 10_000}"']


PYTHON_TRACE = """  File "/venv/lib/python3.11/site-packages/temporalio/worker/_activity.py", line 9, in execute
    return await fn()

  File "/app/orders.py", line 3, in charge
    raise Declined("no money")
"""


def chain() -> Failure:
    cause = Failure(message="no money", stack_trace=PYTHON_TRACE)
    cause.application_failure_info.CopyFrom(ApplicationFailureInfo(type="Declined", non_retryable=True))
    cause.application_failure_info.details.CopyFrom(values({"sum": 3}))
    activity = Failure(message="activity failed", cause=cause)
    activity.activity_failure_info.CopyFrom(
        ActivityFailureInfo(
            activity_type={"name": "charge"}, retry_state=RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
        )
    )
    return activity


def test_a_failure_says_all_causes_before_where_they_came_from() -> None:
    assert texts(failure_lines(chain())) == [
        "activity failed",
        "activity charge, maximum attempts reached",
        "← Declined: no money",
        "  not retryable",
        "",
        "2 of 2: Declined: no money",
        "{",
        '  "sum": 3',
        "}",
        "  … 1 frame in libraries: v shows all",
        '  File "/app/orders.py", line 3, in charge',
        '    raise Declined("no money")',
    ]


def test_a_failure_that_is_encrypted_says_so() -> None:
    failure = Failure(message="Encoded failure")
    failure.encoded_attributes.CopyFrom(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"12"))
    said = "its message is encrypted (binary/encrypted, 2 bytes); a codec server can decode it: --codec-endpoint"
    assert said in texts(failure_lines(failure))


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (
            "Error: no\n    at charge (/app/orders.ts:3:9)\n    at execute (/app/node_modules/@temporalio/w.js:1:2)",
            ["Error: no", "    at charge (/app/orders.ts:3:9)", "  … 1 frame in libraries: v shows all"],
        ),
        (
            "io.temporal.failure.Failure\n\tat app.Orders.charge(Orders.java:3)\n\tat java.base/jdk.Reflect(X.java:1)",
            [
                "io.temporal.failure.Failure",
                "    at app.Orders.charge(Orders.java:3)",
                "  … 1 frame in libraries: v shows all",
            ],
        ),
    ],
)
def test_frames_of_the_users_code_stand_out(trace: str, expected: list[str]) -> None:
    assert texts(trace_lines(trace)) == expected
    whole = trace_lines(trace, is_whole=True)
    assert len(whole) == len(trace.splitlines())
    assert Look.FRAME in {line.look for line in whole}


def test_python_stacks_are_called_by_what_they_wait_for() -> None:
    stack = "Stack for <{} pending name='{} (workflow: Order, id: o, run: r)' coro=<x>> (most recent call last):\n{}"
    answer = "\n\n".join(
        stack.format(kind, name, PYTHON_TRACE)
        for kind, name in (("Task", "run"), ("Task", "query: __stack_trace"), ("_ActivityHandle", "activity: charge"))
    )
    read = read_answer(STACK_TRACE_QUERY, values(answer))
    assert [line.text for line in read.lines if line.look == Look.HEADING] == ["run", "activity: charge"]
    assert plain_text(read.whole_lines).count("Stack for") == 3


def test_metadata_names_what_can_be_asked_and_told() -> None:
    metadata = {
        "currentDetails": "charging the **card**",
        "definition": {
            "type": "Order",
            "signalDefinitions": [{"name": "add", "description": "Adds\nan item."}],
            "queryDefinitions": [{"name": "price"}, {"name": "__stack_trace"}],
        },
    }
    encoding = {"encoding": b"json/protobuf", "messageType": b"temporal.api.sdk.v1.WorkflowMetadata"}
    payload = Payload(metadata=encoding, data=json.dumps(metadata).encode())
    answer = read_answer(METADATA_QUERY, Payloads(payloads=[payload]))
    assert [query.name for query in answer.queries] == ["price"]
    assert texts(answer.lines)[:2] == ["current details", "charging the card"]
    assert "add  Adds an item." in texts(answer.lines)


def _story() -> Story:
    story = Story().start(input=values({"sum": 3}, "x"))
    scheduled = story.schedule("charge", 12)
    started = story.add("activity_task_started", scheduled_event_id=scheduled, attempt=2, identity="me@host")
    story.add("activity_task_failed", scheduled_event_id=scheduled, started_event_id=started, failure=BOOM)
    story.add("workflow_execution_completed", result=values({"ok": True}))
    return story


def _serialized(story: Story) -> list[bytes]:
    return [event.SerializeToString() for event in story.events]


def test_an_event_is_its_fields_with_decoded_values() -> None:
    lines = event_lines(_serialized(_story())[1])
    assert lines[0].text.startswith("2  ActivityTaskScheduled")
    shown = json.loads(plain_text(lines[1:]))
    assert shown["input"] == [12]
    assert shown["activityType"] == {"name": "charge"}
    assert "eventId" not in shown


def test_an_event_says_what_it_can_not_decode() -> None:
    story = Story().start()
    story.events[0].workflow_execution_started_event_attributes.input.payloads.add(
        metadata={"encoding": b"binary/encrypted"}, data=b"123"
    )
    lines = plain_text(event_lines(_serialized(story)[0]))
    assert "<encrypted (binary/encrypted, 3 bytes); a codec server can decode it: --codec-endpoint>" in lines


def test_a_failure_in_an_event_is_readable() -> None:
    lines = event_lines(_serialized(_story())[3])
    assert Line("Declined: no money", Look.ERROR) in lines
    assert '"failure"' not in plain_text(lines)


def test_a_group_is_what_it_was_given_and_what_came_of_it() -> None:
    lines = texts(group_lines(_serialized(_story())[1:4]))
    assert lines[:4] == ["input", "12", "", "failure"]
    assert [line.split()[2] for line in lines[-3:]] == [
        "ActivityTaskScheduled",
        "ActivityTaskStarted",
        "ActivityTaskFailed",
    ]
    assert lines[-2].endswith("by me@host")


def test_input_and_result() -> None:
    events = _serialized(_story())
    assert texts(input_lines(events[0])) == ["input", "1 of 2", "{", '  "sum": 3', "}", "2 of 2", '"x"']
    assert texts(result_lines(events[-1])) == ["result", "{", '  "ok": true', "}"]
    assert input_text(events[0]) == '{\n  "sum": 3\n}\n"x"'
    assert values_text(events[-1:]) == '{\n  "ok": true\n}'


def test_ends_without_a_value() -> None:
    story = Story().start()
    story.add("workflow_execution_terminated", reason="over", identity="ada")
    story.add("workflow_execution_continued_as_new", new_execution_run_id="run-2", workflow_type=WorkflowType(name="O"))
    events = _serialized(story)
    assert texts(result_lines(events[1])) == ["terminated", "over", "by ada"]
    assert texts(result_lines(events[2])) == ["continued as new", "goes on as run run-2"]


def test_an_exported_history_is_the_history() -> None:
    story = _story()
    exported = "".join(history_json(_serialized(story)))
    assert list(Parse(exported, ProtoHistory()).events) == story.events


def test_without_frames_of_the_users_code_the_innermost_is_shown() -> None:
    library = '  File "/venv/site-packages/temporalio/workflow.py", line {}, in {}\n    await {}()\n'
    trace = library.format(1, "run", "outer") + library.format(2, "sleep", "inner")
    assert texts(trace_lines(trace)) == [
        "  … 1 frame in libraries: v shows all",
        '  File "…/temporalio/workflow.py", line 2, in sleep',
        "    await inner()",
    ]
