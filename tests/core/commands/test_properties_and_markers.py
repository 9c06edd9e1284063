"""COMMAND_TYPE_RECORD_MARKER, UPSERT_WORKFLOW_SEARCH_ATTRIBUTES and MODIFY_WORKFLOW_PROPERTIES."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.command.v1 import Command

from engine.core.commands import UNSERVED
from engine.core.policy.limits import Limits
from tests.core.commands.bad_command import assert_fails_the_task
from tests.core.support.core import Core
from tests.core.support.messages import application_failure, command, payload, payloads

NUMBER = {"Number": 3}


def marker(name: str, **attributes: Any) -> Command:
    return command("RECORD_MARKER", marker_name=name, **attributes)


def upsert(**values: Any) -> Command:
    fields = {name: payload(value) for name, value in values.items()}
    return command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes={"indexed_fields": fields})


def modify(**values: Any) -> Command:
    fields = {name: payload(value) for name, value in values.items()}
    return command("MODIFY_WORKFLOW_PROPERTIES", upserted_memo={"fields": fields})


@pytest.mark.parametrize(
    ("bad", "cause", "message"),
    [
        (
            marker(""),
            "BAD_RECORD_MARKER_ATTRIBUTES",
            "BadRecordMarkerAttributes: MarkerName is not set on RecordMarkerCommand.",
        ),
        (
            marker("m" * 1001),
            "BAD_RECORD_MARKER_ATTRIBUTES",
            "BadRecordMarkerAttributes: MarkerName on RecordMarkerCommand exceeds length limit. "
            f"MarkerName={'m' * 1001} Length=1001 Limit=1000",
        ),
        (
            command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"),
            "BAD_SEARCH_ATTRIBUTES",
            "BadSearchAttributes: SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand.",
        ),
        (
            upsert(),
            "BAD_SEARCH_ATTRIBUTES",
            "BadSearchAttributes: IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.",
        ),
        (
            upsert(Nobody="x"),
            "BAD_SEARCH_ATTRIBUTES",
            "BadSearchAttributes: Namespace default has no mapping defined for search attribute Nobody",
        ),
        (
            upsert(Number="x"),
            "BAD_SEARCH_ATTRIBUTES",
            "BadSearchAttributes: invalid value for search attribute Number of type Int: x",
        ),
        (
            command("MODIFY_WORKFLOW_PROPERTIES"),
            "BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES",
            "BadModifyWorkflowPropertiesAttributes: UpsertedMemo is not set on ModifyWorkflowPropertiesCommand.",
        ),
        (
            modify(),
            "BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES",
            "BadModifyWorkflowPropertiesAttributes: UpsertedMemo.Fields is not set on ModifyWorkflowPropertiesCommand.",
        ),
    ],
)
def test_bad_attributes_fail_the_task(bad: Command, cause: str, message: str) -> None:
    assert_fails_the_task(bad, core=Core(search_attributes=NUMBER), cause=cause, message=message)


@pytest.mark.parametrize(
    ("bad", "limits", "cause", "message"),
    [
        (
            marker("m", details={"d": payloads("x" * 100)}),
            Limits(blob_size_error_bytes=100),
            "BAD_RECORD_MARKER_ATTRIBUTES",
            "BadRecordMarkerAttributes: RecordMarkerCommandAttributes.Details exceeds size limit.",
        ),
        (
            modify(note="x" * 100),
            Limits(memo_size_error_bytes=100),
            "BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES",
            "BadModifyWorkflowPropertiesAttributes: "
            "ModifyWorkflowPropertiesCommandAttributes. Memo exceeds size limit.",
        ),
        (
            modify(note="x" * 100),
            Limits(blob_size_error_bytes=100),
            "BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES",
            "BadModifyWorkflowPropertiesAttributes: ModifyWorkflowPropertiesCommandAttributes exceeds size limit.",
        ),
    ],
)
def test_an_oversize_command_ends_the_run(bad: Command, limits: Limits, cause: str, message: str) -> None:
    assert_fails_the_task(bad, core=Core(limits), cause=cause, message=message, terminates=True)


@pytest.mark.parametrize("command_type", sorted(UNSERVED))
def test_a_command_that_is_not_served_says_so(command_type: int) -> None:
    run = Core().start()
    reply = run.complete(Command(command_type=command_type))  # type: ignore[arg-type]
    assert str(reply.error).endswith("commands are not served by this server.")
    run.assert_history("4 WorkflowTaskFailed")


def test_a_marker_is_recorded_as_it_came() -> None:
    run = Core().start()
    run.complete(
        marker(
            "side-effect",
            details={"data": payloads(1), "more": payloads(2)},
            header={"fields": {"h": payload("v")}},
            failure=application_failure("inside"),
        ),
        marker("version"),
    )
    run.assert_history("""
        5 MarkerRecorded marker_name=side-effect details=data,more details.data=1 'header.fields.h="v"' \
failure.message=inside workflow_task_completed_event_id=4
        6 MarkerRecorded marker_name=version header=- failure=-
    """)


def test_search_attributes_are_merged_and_null_removes_one() -> None:
    core = Core(search_attributes={"Number": 3, "Word": 2})
    run = core.start(search_attributes={"indexed_fields": {"Word": payload("start")}})
    run.complete(upsert(Number=1))
    run.signal()
    run.complete(upsert(Number=2, Word=None))
    run.assert_history("""
        10 UpsertWorkflowSearchAttributes search_attributes.indexed_fields=Number,Word \
search_attributes.indexed_fields.Number=2 search_attributes.indexed_fields.Word=null
    """)
    own = {name: value.data for name, value in run.state.search_attributes.items() if name in core.search_attributes}
    assert own == {"Number": b"2"}


def test_memo_is_merged_and_null_removes_an_entry() -> None:
    run = Core().start(memo={"fields": {"kept": payload(1), "changed": payload(1), "gone": payload(1)}})
    run.complete(modify(changed=2, gone=None, new=3))
    run.assert_history("5 WorkflowPropertiesModified upserted_memo.fields=changed,gone,new")
    assert {name: value.data for name, value in run.state.memo.items()} == {
        "kept": b"1",
        "changed": b"2",
        "new": b"3",
    }


def test_the_memo_counts_as_a_whole() -> None:
    run = Core(Limits(memo_size_error_bytes=150)).start(memo={"fields": {"one": payload("x" * 80)}})
    run.complete(modify(two="x" * 80))
    assert not run.state.running
