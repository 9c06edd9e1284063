"""The comparison itself: it hides what is random, and nothing else."""

from __future__ import annotations

import json

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes

from tests.differential.normalise import Normaliser
from tests.differential.run import Outcome, explain_difference, render_record
from tests.differential.scenario import load_scenarios

ONE_ID = "0190a5f4-5a2e-7c3e-8f4e-2b1d6f6f0001"
OTHER_ID = "0190a5f4-5a2e-7c3e-8f4e-2b1d6f6f0002"


def _started(run_id: str, first_run_id: str) -> HistoryEvent:
    return HistoryEvent(
        event_id=1,
        event_type="EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
        event_time=Timestamp(seconds=1_700_000_000),
        task_id=17,
        workflow_execution_started_event_attributes=WorkflowExecutionStartedEventAttributes(
            original_execution_run_id=run_id,
            first_execution_run_id=first_run_id,
            workflow_execution_expiration_time=Timestamp(seconds=1_700_000_059, nanos=900_000_000),
            first_workflow_task_backoff=Duration(nanos=912_345_678),
        ),
    )


def test_equal_ids_get_equal_placeholders_and_different_ids_different_ones() -> None:
    normaliser = Normaliser()
    same, different = normaliser.history([_started(ONE_ID, ONE_ID), _started(OTHER_ID, ONE_ID)])
    assert same["original_execution_run_id"] == same["first_execution_run_id"] == "<run-1>"
    assert (different["original_execution_run_id"], different["first_execution_run_id"]) == ("<run-2>", "<run-1>")


def test_event_is_named_and_what_the_clock_decides_is_rounded() -> None:
    (event,) = Normaliser().history([_started(ONE_ID, ONE_ID)])
    assert event == {
        "event": "1 WorkflowExecutionStarted",
        "original_execution_run_id": "<run-1>",
        "first_execution_run_id": "<run-1>",
        "workflow_execution_expiration_time": "<about event_time +60s>",
        "first_workflow_task_backoff": "1s",
    }


def test_durations_that_somebody_asked_for_are_exact() -> None:
    assert Normaliser().message(Duration(nanos=250_000_000)) == "0.25s"


def test_ids_inside_texts_are_replaced() -> None:
    normaliser = Normaliser()
    normaliser.message(WorkflowExecution(workflow_id="w", run_id=ONE_ID))
    assert normaliser.text(f"no run {ONE_ID} here") == "no run <run-1> here"


def test_payloads_are_readable() -> None:
    payload = Payload(metadata={"encoding": b"json/plain", "type": b"Int"}, data=b'{"a": 1}')
    assert Normaliser().message(payload) == {"payload": "json/plain", "data": {"a": 1}, "type": "Int"}


def test_a_changed_attribute_is_a_difference() -> None:
    scenario = next(scenario for scenario in load_scenarios() if scenario.full_name == "timers/fire_and_cancel")
    steps = json.loads(scenario.record_path.read_text(encoding="utf-8"))["steps"]
    assert explain_difference(Outcome(scenario, steps)) == ""
    steps[0]["events"][4]["start_to_fire_timeout"] = "2s"
    explained = explain_difference(Outcome(scenario, steps)).splitlines()
    added = [line.removeprefix("+").strip() for line in explained if line.startswith("+ ")]
    assert added == ['"start_to_fire_timeout": "2s",']


def test_an_error_in_a_scenario_is_a_difference() -> None:
    scenario = next(scenario for scenario in load_scenarios() if scenario.full_name == "timers/fire_and_cancel")
    steps = json.loads(scenario.record_path.read_text(encoding="utf-8"))["steps"]
    assert "broke" in explain_difference(Outcome(scenario, steps, error="it broke"))


def test_records_are_written_as_they_are_compared() -> None:
    for scenario in load_scenarios():
        text = scenario.record_path.read_text(encoding="utf-8")
        record = json.loads(text)
        assert record["about"], f"{scenario.full_name} says nothing about itself"
        assert render_record(Outcome(scenario, record["steps"])) == text
