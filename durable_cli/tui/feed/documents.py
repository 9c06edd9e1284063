"""Events as something to read: what they carry, their failures, and the rest of them as JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from durable_cli.codec import iterate_payloads
from durable_cli.output.event_text import name_event
from durable_cli.output.proto_json import to_json
from durable_cli.tui.feed.codec import NOT_DECODED
from durable_cli.tui.feed.from_protos import timestamp_ns
from durable_cli.tui.feed.payload_lines import (
    LARGE_BYTES,
    copy_text,
    describe_payload,
    failure_lines,
    is_large,
    payloads_lines,
)
from durable_cli.tui.lines import Line, Look, json_lines, plain_text, show_controls
from durable_cli.tui.times import clock

__all__ = [
    "event_json",
    "event_lines",
    "group_lines",
    "history_json",
    "input_lines",
    "input_text",
    "result_lines",
    "values_text",
]

# What is the same for all events, or is said in the heading.
_LEFT_OUT = frozenset({"eventId", "eventTime", "eventType", "taskId", "version"})


class Value(NamedTuple):
    """Something that an event carries: payloads, or a failure."""

    label: str
    payloads: Sequence[Payload] = ()
    failure: Failure | None = None


def event_json(serialized: bytes) -> str:
    """Return an event as the official command line writes it, payloads as they are."""
    return json.dumps(to_json(_official(serialized), shorthand_payloads=False), indent=2, ensure_ascii=False)


def history_json(events: Iterable[bytes]) -> Iterator[str]:
    """Yield the pieces of a whole history in the form that the official command line writes and replayers read."""
    yield '{\n  "events": ['
    separator = "\n"
    for serialized in events:
        value = to_json(_official(serialized), shorthand_payloads=False)
        text = json.dumps(value, indent=2, ensure_ascii=False)
        yield separator + "\n".join(f"    {line}" for line in text.splitlines())
        separator = ",\n"
    yield "\n  ]\n}\n"


def _official(serialized: bytes) -> HistoryEvent:
    """Read an event without what the browser has noted in it."""
    event = HistoryEvent.FromString(serialized)
    if NOT_DECODED.encode() in serialized:
        for payload in iterate_payloads(event):
            payload.metadata.pop(NOT_DECODED, None)
    return event


def event_lines(serialized: bytes, *, is_whole: bool = False) -> list[Line]:
    """Write one event: its fields as JSON with decoded payloads, and its failure so that it can be read."""
    event = HistoryEvent.FromString(serialized)
    lines = [_heading(event)]
    if not is_whole and len(serialized) > LARGE_BYTES:
        _leave_large_out(event)
    document = to_json(event, shorthand_payloads=True)
    fields: dict[str, Any] = {}
    for key, value in document.items():
        if key.endswith("EventAttributes"):
            fields = {**value, **fields}
        elif key not in _LEFT_OUT:
            fields[key] = value
    failures = [value for value in _iterate_values(event) if value.failure is not None]
    for name in ("failure", "lastFailure"):
        if failures:
            fields.pop(name, None)
    if fields:
        lines += json_lines(_explain_payloads(fields), is_whole=is_whole)
    for value in failures:
        lines += _value_lines(value, is_whole)
    return lines


def _leave_large_out(event: HistoryEvent) -> None:
    """Put words in the place of what would take long to read."""
    for payload in iterate_payloads(event):
        if is_large(payload):
            words = f"<{describe_payload(payload)}: v opens all of it>"
            payload.CopyFrom(Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(words).encode()))


def group_lines(events: Iterable[bytes], *, is_whole: bool = False) -> list[Line]:
    """Write what the events of a group carry, and below it when they were."""
    lines: list[Line] = []
    when: list[Line] = []
    before_ns = 0
    for serialized in events:
        event = HistoryEvent.FromString(serialized)
        for value in _iterate_values(event):
            lines += _value_lines(value, is_whole)
        time_ns = timestamp_ns(event.event_time)
        identity = getattr(_attributes(event), "identity", "")
        words = f"{clock(time_ns)}  {event.event_id:>5}  {name_event(event)}"
        when.append(Line(f"{words}  by {identity}" if identity else words, Look.TEXT))
        before_ns = time_ns
    if before_ns:
        lines += [Line(""), Line("events", Look.HEADING), *when]
    return lines[1:] if lines and not lines[0].text else lines


def input_lines(first: bytes, *, is_whole: bool = False) -> list[Line]:
    """Write what a run was given by the event that began it."""
    attributes = HistoryEvent.FromString(first).workflow_execution_started_event_attributes
    lines = _value_lines(Value("input", attributes.input.payloads), is_whole)[1:]
    if not attributes.input.payloads:
        lines.append(Line("nothing", Look.QUIET))
    if attributes.HasField("continued_failure"):
        lines += _value_lines(Value("failure of the run before", failure=attributes.continued_failure), is_whole)
    if attributes.HasField("last_completion_result"):
        before = Value("result of the run before", attributes.last_completion_result.payloads)
        lines += _value_lines(before, is_whole)
    for label, fields in (
        ("memo", attributes.memo.fields),
        ("search attributes", attributes.search_attributes.indexed_fields),
        ("header", attributes.header.fields),
    ):
        if fields:
            lines += [Line(""), Line(label, Look.HEADING)]
            lines += json_lines({name: _short(fields[name]) for name in sorted(fields)}, is_whole=is_whole)
    return lines


def result_lines(last: bytes, *, is_whole: bool = False) -> list[Line]:
    """Write how a run ended, by the event that closed it."""
    end = HistoryEvent.FromString(last)
    lines: list[Line] = []
    for value in _iterate_values(end):
        lines += _value_lines(value, is_whole)
    if not lines:
        word = name_event(end).removeprefix("WorkflowExecution").lower()
        lines = [Line(""), Line(_END_WORDS.get(word, word), Look.HEADING)]
    return lines[1:] + _said_of_end(end)


_END_WORDS = {"completed": "no result", "timedout": "timed out", "continuedasnew": "continued as new"}


def input_text(first: bytes) -> str:
    """Return what a run was given, to be copied."""
    attributes = HistoryEvent.FromString(first).workflow_execution_started_event_attributes
    return copy_text(attributes.input.payloads)


def values_text(events: Iterable[bytes]) -> str:
    """Return what events carry, to be copied: the value alone where there is one, else each under its label."""
    values = [value for serialized in events for value in _iterate_values(HistoryEvent.FromString(serialized))]
    texts = [plain_text(failure_lines(v.failure)) if v.failure is not None else copy_text(v.payloads) for v in values]
    if len(values) == 1:
        return texts[0]
    return "\n\n".join(f"{value.label}:\n{text}" for value, text in zip(values, texts, strict=True))


def _attributes(event: HistoryEvent) -> Any:
    field = event.WhichOneof("attributes")
    return getattr(event, field) if field else None


def _heading(event: HistoryEvent) -> Line:
    return Line(f"{event.event_id}  {name_event(event)}  {clock(timestamp_ns(event.event_time))}", Look.HEADING)


def _iterate_values(event: HistoryEvent) -> Iterator[Value]:
    """Yield what an event carries, at its first level and in an update's request and outcome."""
    attributes = _attributes(event)
    if attributes is None:
        return
    for field, value in attributes.ListFields():
        name = field.message_type.full_name.rpartition(".")[2] if field.message_type else ""
        label = field.name.replace("_", " ")
        if name == "Payloads" and value.payloads:
            yield Value(label, value.payloads)
        elif name == "Payload" and not field.is_repeated:
            yield Value(label, [value])
        elif name == "Failure" and (value.message or value.WhichOneof("failure_info")):
            yield Value(label, failure=value)
        elif name == "Request" and value.input.args.payloads:
            yield Value("arguments", value.input.args.payloads)
        elif name == "Outcome":
            failed = value.HasField("failure")
            yield Value("failure", failure=value.failure) if failed else Value("result", value.success.payloads)
    if event.HasField("marker_recorded_event_attributes"):
        for key, payloads in attributes.details.items():
            yield Value(key, payloads.payloads)


def _value_lines(value: Value, is_whole: bool) -> list[Line]:
    lines = [Line(""), Line(value.label, Look.HEADING)]
    if value.failure is not None:
        return lines + failure_lines(value.failure, is_whole=is_whole)
    return lines + payloads_lines(value.payloads, is_whole=is_whole)


def _said_of_end(end: HistoryEvent) -> list[Line]:
    """Say of an end without a value why it came."""
    attributes = _attributes(end)
    said = []
    for field, words in (("reason", ""), ("identity", "by "), ("new_execution_run_id", "goes on as run ")):
        text = getattr(attributes, field, "")
        if text:
            said.append(Line(show_controls(words + text)))
    return said


def _short(payload: Payload) -> Any:
    """Return a payload's value where it is JSON, else what it is."""
    short = to_json(payload, shorthand_payloads=True)
    return _explain_payloads(short)


def _explain_payloads(value: Any) -> Any:
    """Replace payloads that have no short form by what they are."""
    if isinstance(value, dict):
        if set(value) == {"metadata", "data"} and isinstance(value["metadata"], dict):
            payload = _find_payload(value)
            if payload is not None:
                return f"<{describe_payload(payload)}>"
        return {key: _explain_payloads(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_explain_payloads(item) for item in value]
    return value


def _find_payload(value: dict[str, Any]) -> Payload | None:
    try:
        metadata = {key: base64.b64decode(item, validate=True) for key, item in value["metadata"].items()}
        return Payload(metadata=metadata, data=base64.b64decode(value["data"], validate=True))
    except (ValueError, TypeError):
        return None
