"""Our JSON against the official CLI's, both run live against the same server."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from importlib import import_module
from typing import Any

import pytest

from durable_cli.commands import ROOT
from durable_cli.lazy import Group
from durable_cli.options import ConnectionOptions
from tests.cli.conftest import Result, Stage
from tests.cli.normalize import without_volatile
from tests.cli.sample_worker import TASK_QUEUE

CONNECTION_FLAGS = {
    part for entry in fields(ConnectionOptions) for name in entry.metadata["names"] for part in name.split("/")
}


def run_both(stage: Stage, *words: str) -> tuple[Result, Result]:
    """Run one command line by both programs at once."""
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.submit(stage.dx, *words), pool.submit(stage.official, *words)
        return ours.result(), theirs.result()


def assert_same_json(stage: Stage, *words: str, tries: int = 1) -> Any:
    """Assert that both print equal JSON and end alike; return it.

    Lists and counts follow a workflow's end a moment later, and may change between the two: they get some `tries`.
    """
    for _ in range(tries):
        ours, theirs = run_both(stage, *words, "-o", "json")
        if ours.stdout and theirs.stdout and ours.json == theirs.json:
            break
    assert ours.code == theirs.code, ours.stderr
    assert ours.json == theirs.json
    return ours.json


FLAG = re.compile(r"^ +(?:-\w, )?(--[\w-]+)", re.MULTILINE)


OUR_OWN = {("worker", "run"), *(("time", verb) for verb in ROOT.children["time"].children)}
OFFICIAL_VERBS = [
    (name, verb)
    for name, group in ROOT.children.items()
    if isinstance(group, Group)
    for verb in group.children
    if (name, verb) not in OUR_OWN
]


@pytest.mark.parametrize(("group", "verb"), OFFICIAL_VERBS)
def test_every_official_flag_is_known(stage: Stage, group: str, verb: str) -> None:
    theirs = set(FLAG.findall(stage.official(group, verb, "--help").ok().stdout))
    assert theirs - {"--help"}
    theirs |= set(FLAG.findall(stage.official("options").ok().stdout))
    command = import_module(f"durable_cli.commands.{group}.{verb.replace('-', '_')}").command
    ours = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    missing = theirs - ours - {"--help"}
    if group == "server":  # it starts a server, and connects to none
        missing -= {name for name in missing if name in CONNECTION_FLAGS}
    assert missing == set()


@pytest.fixture(scope="module")
def closed(stage: Stage) -> dict[str, str]:
    """One workflow of each way to end, by that way's name."""
    ids = {
        "completed": stage.start("Greet", "-i", '"Ada"', "--memo", 'note="hi"', "--memo", "list=[1,2.5]"),
        "failed": stage.start("Fails", "-i", '"x"'),
        "canceled": stage.start("Waiter"),
        "terminated": stage.start("Waiter"),
        "timed-out": stage.start("Waiter", "--run-timeout", "1s"),
        "continued": stage.start("Counts", "-i", "2"),
    }
    stage.official("workflow", "cancel", "-w", ids["canceled"]).ok()
    stage.official("workflow", "terminate", "-w", ids["terminated"], "--reason", "because").ok()
    for workflow_id in ids.values():
        stage.finish(workflow_id)
    return ids


ENDINGS = ["completed", "failed", "canceled", "terminated", "timed-out", "continued"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_describe(stage: Stage, closed: dict[str, str], ending: str) -> None:
    described = assert_same_json(stage, "workflow", "describe", "-w", closed[ending])
    assert described["workflowExecutionInfo"]["execution"]["workflowId"] == closed[ending]


@pytest.mark.parametrize("ending", ENDINGS)
def test_result(stage: Stage, closed: dict[str, str], ending: str) -> None:
    result = assert_same_json(stage, "workflow", "result", "-w", closed[ending])
    assert result["workflowId"] == closed[ending]


@pytest.mark.parametrize("ending", ["completed", "failed", "continued"])
@pytest.mark.parametrize("extra", [(), ("--reverse",)], ids=["forward", "reverse"])
def test_show(stage: Stage, closed: dict[str, str], ending: str, extra: tuple[str, ...]) -> None:
    history = assert_same_json(stage, "workflow", "show", "-w", closed[ending], *extra)
    assert history["events"]


def test_show_stays_within_one_run(stage: Stage, closed: dict[str, str]) -> None:
    last = stage.official("workflow", "describe", "-w", closed["continued"], "-o", "json").ok().json
    first_run_id = last["workflowExecutionInfo"]["firstRunId"]
    history = assert_same_json(stage, "workflow", "show", "-w", closed["continued"], "-r", first_run_id, "--follow")
    assert history["events"][-1]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"


def test_raw_payloads(stage: Stage, closed: dict[str, str]) -> None:
    for verb in ("describe", "result"):
        shown = assert_same_json(stage, "workflow", verb, "-w", closed["completed"], "--no-json-shorthand-payloads")
        assert "metadata" in shown["result"]


def test_describe_of_running_workflows(stage: Stage) -> None:
    stuck = stage.start("Stuck", "--static-summary", "in short", "--static-details", "at length")
    waiter = stage.start("Waiter", "--execution-timeout", "1h", "--priority-key", "2")
    stage.official("workflow", "query", "-w", waiter, "--name", "values").ok()
    for _ in range(50):
        pending = stage.official("workflow", "describe", "-w", stuck, "-o", "json").ok().json["pendingActivities"]
        if "lastFailure" in pending[0]:
            break
    described = assert_same_json(stage, "workflow", "describe", "-w", stuck)
    assert described["pendingActivities"][0]["lastFailure"]["message"] == "boom again"
    assert_same_json(stage, "workflow", "describe", "-w", waiter)


def test_reset_points(stage: Stage, closed: dict[str, str]) -> None:
    assert_same_json(stage, "workflow", "describe", "-w", closed["completed"], "--reset-points")


def test_query(stage: Stage) -> None:
    waiter = stage.start("Waiter")
    stage.dx("workflow", "signal", waiter, "--name", "add", "-i", '{"a": [1, null, "é"]}').ok()
    shown = assert_same_json(stage, "workflow", "query", "-w", waiter, "--name", "values")
    assert shown == {"queryResult": [[{"a": [1, None, "é"]}]]}


def test_list_and_count(stage: Stage, closed: dict[str, str]) -> None:
    for workflow_id in (closed["completed"], closed["continued"]):
        query = f"WorkflowId = '{workflow_id}'"
        listed = assert_same_json(stage, "workflow", "list", "-q", query, tries=5)
        assert {entry["execution"]["workflowId"] for entry in listed} == {workflow_id}
    counted = assert_same_json(stage, "workflow", "count", "-q", query, tries=5)
    assert int(counted["count"]) == len(listed)


def test_empty_list_and_count(stage: Stage) -> None:
    assert assert_same_json(stage, "workflow", "list", "-q", "WorkflowType = 'None'") == []
    assert_same_json(stage, "workflow", "count", "-q", "WorkflowType = 'None'")


def test_list_as_json_lines(stage: Stage, closed: dict[str, str]) -> None:
    words = ("workflow", "list", "-q", "WorkflowType = 'Greet'", "-o", "jsonl", "--limit", "2", "--page-size", "1")
    ours, theirs = run_both(stage, *words)
    assert [json.loads(line) for line in ours.ok().stdout.splitlines()] == [
        json.loads(line) for line in theirs.ok().stdout.splitlines()
    ]


@pytest.mark.reference
def test_grouped_count(reference: Stage) -> None:
    reference.finish(reference.start("Greet", "-i", '"Ada"'))
    counted = assert_same_json(reference, "workflow", "count", "-q", "GROUP BY ExecutionStatus", tries=5)
    assert {"Completed"} <= {group["groupValues"][0] for group in counted["groups"]}


STARTS = {
    "plain": (),
    "inputs": ("-i", "1", "-i", '{"a": {"b": [null, "é"]}}'),
    "metadata": ("-i", "plain", "-i", "text", "--input-meta", "encoding=text/plain", "--input-meta", "by=one",
                 "--input-meta", "by=two"),
    "base64": ("-i", "AAEC", "--input-base64", "--input-meta", "encoding=binary/plain"),
    "timeouts": ("--execution-timeout", "1h30m", "--run-timeout", "2m", "--task-timeout", "7.5s"),
    "delay": ("--start-delay", "1h"),
    "memo": ("--memo", 'a="x"', "--memo", "b=null", "--memo", "c=[1]"),
    "search attributes": ("--search-attribute", 'Customer="Ada"', "--search-attribute", "Amount=7"),
    "headers": ("--headers", 'trace="abc"'),
    "summary": ("--static-summary", "short", "--static-details", "long\nlong"),
    "priority": ("--priority-key", "2", "--fairness-key", "customer", "--fairness-weight", "0.7"),
}  # fmt: skip


@pytest.mark.parametrize("flags", STARTS.values(), ids=STARTS)
def test_start_writes_the_same_event(stage: Stage, flags: tuple[str, ...]) -> None:
    words = ("workflow", "start", "--type", "Nobody", "-t", "no-worker", *flags, "-o", "json")
    ours, theirs = run_both(stage, *words)
    assert list(ours.ok().json) == list(theirs.ok().json)
    assert without_volatile(ours.json) == without_volatile(theirs.json)
    started = [
        stage.official("workflow", "show", "-w", result.json["workflowId"], "-o", "json").ok().json["events"][0]
        for result in (ours, theirs)
    ]
    assert without_volatile(started[0]) == without_volatile(started[1])


def test_execute(stage: Stage) -> None:
    words = ("workflow", "execute", "--type", "Greet", "-t", TASK_QUEUE, "-i", '"Ada"', "--detailed", "-o", "json")
    ours, theirs = run_both(stage, *words)
    assert list(ours.ok().json) == list(theirs.ok().json)
    # Which sticky queue a later task names depends on the worker: only the kinds of events are compared.
    for result in (ours, theirs):
        result.stdout = json.dumps(
            {**result.json, "history": [e["eventType"] for e in result.json["history"]["events"]]}
        )
    assert without_volatile(ours.json) == without_volatile(theirs.json)


def test_execute_of_a_workflow_that_fails(stage: Stage) -> None:
    words = ("workflow", "execute", "--type", "Fails", "-t", TASK_QUEUE, "-i", '"x"', "-o", "json")
    ours, theirs = run_both(stage, *words)
    assert (ours.code, theirs.code) == (1, 1)
    assert without_volatile(ours.json) == without_volatile(theirs.json)


@pytest.mark.parametrize(
    "words",
    [
        ("signal", "--name", "add", "-i", '{"x": 1}', "-i", "2"),
        ("signal", "--name", "nothing"),
        ("cancel",),
        ("terminate",),
        ("terminate", "--reason", "because"),
    ],
    ids=" ".join,
)
def test_acting_writes_the_same_event(stage: Stage, words: tuple[str, ...]) -> None:
    events = []
    for cli in (stage.dx, stage.official):
        workflow_id = stage.start("Nobody", "-t", "no-worker")
        result = cli("workflow", *words, "-w", workflow_id, "-o", "json").ok()
        assert result.stdout == ""
        history = stage.official("workflow", "show", "-w", workflow_id, "-o", "json").ok().json["events"]
        events.append([without_volatile(event) for event in history])
    assert events[0] == events[1]


@pytest.mark.parametrize(
    "words",
    [
        ("--event-id", "4"),
        ("--type", "FirstWorkflowTask"),
        ("--type", "LastWorkflowTask"),
        ("--type", "FirstWorkflowTask", "--reapply-exclude", "Signal"),
        ("--type", "FirstWorkflowTask", "--reapply-exclude", "All"),
        ("--type", "LastWorkflowTask", "--reapply-exclude", "Update", "--reapply-exclude", "Signal"),
    ],
    ids=" ".join,
)
def test_a_reset_writes_the_same_events(stage: Stage, words: tuple[str, ...]) -> None:
    events = []
    for cli in (stage.dx, stage.official):
        workflow_id = stage.start("Waiter")
        for value in (1, 2):
            stage.official("workflow", "signal", "-w", workflow_id, "--name", "add", "-i", str(value)).ok()
            values = stage.official("workflow", "query", "-w", workflow_id, "--name", "values").ok().stdout
            assert str(value) in values
        reset = cli("workflow", "reset", "-w", workflow_id, *words, "--reason", "because", "-o", "json").ok()
        assert list(reset.json) == ["runId"]
        stage.official("workflow", "signal", "-w", workflow_id, "--name", "finish").ok()
        stage.finish(workflow_id)
        history = stage.official("workflow", "show", "-w", workflow_id, "-o", "json").ok().json["events"]
        events.append([without_volatile(event) for event in _without_worker_events(history)])
    assert events[0] == events[1]


def _without_worker_events(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the ids, and the tasks after the reset: how many there are is up to the worker."""
    kept = []
    for event in events:
        if "workflowTaskFailedEventAttributes" in event or "WORKFLOW_TASK" not in event["eventType"]:
            kept.append({name: value for name, value in event.items() if name != "eventId"})
    return kept


def test_reset_to_the_last_continue_as_new(stage: Stage) -> None:
    for cli in (stage.dx, stage.official):
        workflow_id = stage.start("Counts", "-i", "1")
        stage.finish(workflow_id)
        words = ("workflow", "reset", "-w", workflow_id, "--type", "LastContinuedAsNew", "--reason", "because")
        run_id = cli(*words, "-o", "json").ok().json["runId"]
        stage.finish(workflow_id)
        started = stage.official("workflow", "show", "-w", workflow_id, "-o", "json").ok().json["events"][0]
        assert started["workflowExecutionStartedEventAttributes"]["continuedExecutionRunId"] == run_id


ERRORS = [
    ("workflow", "reset", "-w", "no-such-workflow", "--event-id", "4", "--reason", "because"),
    ("workflow", "reset", "-w", "no-such-workflow", "--type", "LastWorkflowTask", "--reason", "because"),
    ("workflow", "describe", "-w", "no-such-workflow"),
    ("workflow", "describe", "-w", "no-such-workflow", "-r", "not-a-uuid"),
    ("workflow", "result", "-w", "no-such-workflow"),
    ("workflow", "show", "-w", "no-such-workflow"),
    ("workflow", "signal", "-w", "no-such-workflow", "--name", "x"),
    ("workflow", "query", "-w", "no-such-workflow", "--name", "x"),
    ("workflow", "cancel", "-w", "no-such-workflow"),
    ("workflow", "terminate", "-w", "no-such-workflow"),
    ("workflow", "list", "-n", "no-such-namespace"),
    ("workflow", "start", "--type", "X", "-t", "q", "-n", "no-such-namespace"),
    ("workflow", "start", "--type", "X", "-t", "q", "--search-attribute", "Nope=1"),
    ("workflow", "result", "-w", "no-such-workflow", "--command-timeout", "0.001s"),
]


@pytest.mark.parametrize("words", ERRORS, ids=" ".join)
def test_errors_end_alike(stage: Stage, words: tuple[str, ...]) -> None:
    ours, theirs = run_both(stage, *words)
    assert ours.code == theirs.code == 1
    assert ours.stdout == ""
    assert theirs.stderr.startswith("Error: ")
    first, blank, hint, *rest = ours.stderr.splitlines()
    assert first.startswith("error: ")
    assert blank == ""
    assert hint.startswith("hint: ")
    assert rest == []
    # What the server said is in both.
    said = theirs.stderr.strip().rstrip(".").rpartition(": ")[2]
    assert said in first or "--command-timeout" in words
