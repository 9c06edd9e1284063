"""The workflow commands as a person uses them: text output, ids as plain words, waiting and following."""

from __future__ import annotations

import functools
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cli.conftest import Stage
from tests.cli.normalize import normalize_text
from tests.cli.sample_worker import TASK_QUEUE


def test_start_then_start_again(stage: Stage, snapshot: SnapshotAssertion) -> None:
    workflow_id = stage.new_id("waiter")
    words = ("workflow", "start", workflow_id, "--type", "Waiter", "-t", TASK_QUEUE)
    first, second = stage.dx(*words).ok(), stage.dx(*words).ok()
    assert normalize_text(first.stdout, id=workflow_id) == snapshot
    assert normalize_text(second.stdout, id=workflow_id) == snapshot
    refused = stage.dx(*words, "--fail-existing")
    assert refused.code == 1
    assert "already" in refused.stderr


def test_life_of_a_workflow(stage: Stage, snapshot: SnapshotAssertion) -> None:
    workflow_id = stage.new_id("waiter")
    stage.dx("workflow", "start", workflow_id, "--type", "Waiter", "-t", TASK_QUEUE).ok()
    assert stage.dx("workflow", "signal", workflow_id, "--name", "add", "-i", '"a"').ok().stdout == (
        f"Signaled {workflow_id}: add\n"
    )
    assert stage.dx("workflow", "query", workflow_id, "--name", "values").ok().stdout == '["a"]\n'
    shown = normalize_text(stage.dx("workflow", "describe", workflow_id).ok().stdout, id=workflow_id)
    assert "Status" in shown
    assert "Running" in shown
    stage.dx("workflow", "signal", workflow_id, "--name", "finish").ok()
    result = stage.dx("workflow", "result", workflow_id).ok()
    assert normalize_text(result.stdout) == snapshot
    assert stage.dx("workflow", "query", workflow_id, "--name", "values", "--reject-condition", "not_open").code == 1


def test_execute_prints_history_and_result(stage: Stage, snapshot: SnapshotAssertion) -> None:
    workflow_id = stage.new_id("greet")
    words = ("workflow", "execute", workflow_id, "--type", "Greet", "-t", TASK_QUEUE, "-i", '"Ada"')
    assert normalize_text(stage.dx(*words).ok().stdout, id=workflow_id) == snapshot


def test_execute_of_a_workflow_that_fails(stage: Stage) -> None:
    workflow_id = stage.new_id("fails")
    result = stage.dx("workflow", "execute", workflow_id, "--type", "Fails", "-t", TASK_QUEUE, "-i", '"x"')
    assert result.code == 1
    assert "caused by Boom: boom x" in result.stdout
    assert result.stderr.splitlines()[0] == f"error: workflow '{workflow_id}' failed"


def test_show_follows_a_running_workflow(stage: Stage) -> None:
    workflow_id = stage.start("Waiter")
    process = stage.dx.launch("workflow", "show", workflow_id, "--follow")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    assert "WorkflowTaskCompleted" in lines[4], "events are shown before the workflow is closed"
    stage.official("workflow", "signal", "-w", workflow_id, "--name", "finish").ok()
    rest, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "finish()" in rest
    assert "Completed" in rest.splitlines()[-2]


def test_show_follows_continue_as_new(stage: Stage) -> None:
    workflow_id = stage.start("Counts", "-i", "2")
    stage.finish(workflow_id)
    last = stage.official("workflow", "describe", "-w", workflow_id, "-o", "json").ok().json
    first_run_id = last["workflowExecutionInfo"]["firstRunId"]
    shown = stage.dx("workflow", "show", workflow_id, "-r", first_run_id).ok().stdout
    assert shown.count("WorkflowExecutionStarted") == 3
    assert '"counted"' in shown


def test_show_detailed_and_reverse(stage: Stage, snapshot: SnapshotAssertion) -> None:
    workflow_id = stage.start("Greet", "-i", '"Ada"')
    stage.finish(workflow_id)
    detailed = stage.dx("workflow", "show", workflow_id, "--detailed").ok().stdout
    assert "input[0]: Ada" in detailed
    assert "activityType.name: greet" in detailed
    ids = [line.split()[0] for line in stage.dx("workflow", "show", workflow_id, "--reverse").ok().stdout.splitlines()]
    assert ids[1:] == [str(number) for number in range(len(ids) - 1, 0, -1)]
    refused = stage.dx("workflow", "show", workflow_id, "--reverse", "--follow")
    assert refused.code == 2


def test_describe_says_what_an_activity_waits_for(stage: Stage) -> None:
    workflow_id = stage.start("Stuck")
    until = time.monotonic() + 20
    while "boom again" not in (shown := stage.dx("workflow", "describe", workflow_id).ok().stdout):
        assert time.monotonic() < until, shown
    assert "Pending activity 1:" in shown
    assert "Boom: boom again" in shown


def test_cancel_and_terminate(stage: Stage) -> None:
    canceled, terminated = stage.start("Waiter"), stage.start("Waiter")
    assert stage.dx("workflow", "cancel", canceled).ok().stdout == f"Asked {canceled} to cancel\n"
    assert stage.dx("workflow", "terminate", terminated, "--reason", "enough").ok().stdout == (
        f"Terminated {terminated}\n"
    )
    result = stage.dx("workflow", "result", canceled)
    assert (result.code, result.stderr.splitlines()[0]) == (1, f"error: workflow '{canceled}' was canceled")
    result = stage.dx("workflow", "result", terminated)
    assert result.code == 1
    assert "enough" in result.stdout
    again = stage.dx("workflow", "terminate", terminated)
    assert again.code == 1
    assert "already completed" in again.stderr


def test_reset(stage: Stage) -> None:
    workflow_id = stage.start("Greet", "-i", '"Ada"')
    stage.finish(workflow_id)
    said = stage.dx("workflow", "reset", workflow_id, "-t", "FirstWorkflowTask", "--reason", "again").ok().stdout
    run_id = said.split()[-1]
    assert said == f"Reset {workflow_id} to event 4; it goes on as run {run_id}\n"
    assert "Hello, Ada!" in stage.dx("workflow", "result", workflow_id, "-r", run_id).ok().stdout
    refused = stage.dx("workflow", "reset", workflow_id, "-e", "5", "--reason", "again")
    assert refused.code == 1
    assert "this event must be at the boundary" in refused.stderr


def test_reset_to_a_build(stage: Stage) -> None:
    workflow_id = stage.start("Greet", "-i", '"Ada"')
    stage.finish(workflow_id)
    shown = stage.dx("workflow", "describe", workflow_id, "-o", "json").ok().json
    (point,) = shown["workflowExecutionInfo"]["autoResetPoints"]["points"]
    words = ("workflow", "reset", workflow_id, "-t", "BuildId", "--reason", "again")
    assert "to event 4;" in stage.dx(*words, "--build-id", point["buildId"]).ok().stdout
    unknown = stage.dx(*words, "--build-id", "nobody-s")
    assert unknown.code == 1
    assert "was completed by the build 'nobody-s'" in unknown.stderr


def test_reset_of_what_has_no_such_point(stage: Stage) -> None:
    workflow_id = stage.start("Waiter")
    refused = stage.dx("workflow", "reset", workflow_id, "-t", "LastContinuedAsNew", "--reason", "again")
    assert refused.code == 1
    assert "was not continued from another run" in refused.stderr
    delayed = stage.start("Waiter", "--start-delay", "1h")
    refused = stage.dx("workflow", "reset", delayed, "-t", "LastWorkflowTask", "--reason", "again")
    assert refused.code == 1
    assert "has had no workflow task yet" in refused.stderr


def test_list_in_a_pipe_is_whole_and_without_colour(stage: Stage) -> None:
    workflow_id = stage.start("Waiter", name="w" * 300)
    listed = stage.dx("workflow", "list", "-q", f"WorkflowId = '{workflow_id}'", env={"COLUMNS": "40"}).ok().stdout
    heading, row = listed.splitlines()
    assert heading.split() == ["Status", "WorkflowId", "Type", "StartTime", "Duration", "TaskQueue"]
    assert row.split()[:3] == ["Running", workflow_id, "Waiter"]
    assert "\x1b" not in listed
    assert "\x1b[" in stage.dx("workflow", "list", "--color", "always", env={"NO_COLOR": ""}).ok().stdout


@pytest.mark.parametrize(
    ("form", "pattern"),
    [("iso", r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"), ("raw", r"\+0000 UTC"), ("relative", r"ago|now")],
)
def test_time_format(stage: Stage, form: str, pattern: str) -> None:
    import re

    stage.start("Waiter")
    listed = stage.dx("workflow", "list", "--time-format", form, "--limit", "1").ok().stdout
    assert re.search(pattern, listed)


def test_describe_shows_what_people_added(stage: Stage) -> None:
    workflow_id = stage.new_id("nobody")
    words = ("workflow", "start", workflow_id, "--type", "Nobody", "-t", "no-worker", "--memo", "note=[1]")
    stage.dx(*words, "--search-attribute", 'Customer="Ada"', "--static-summary", "in short").ok()
    shown = dict(
        line.split(maxsplit=1) for line in stage.dx("workflow", "describe", workflow_id).ok().stdout.splitlines()[1:]
        if len(line.split()) > 1
    )  # fmt: skip
    assert shown["Memo"] == "note=[1]"
    assert shown["SearchAttributes"] == 'Customer="Ada"'
    assert shown["Summary"] == '"in short"'


def test_output_none(stage: Stage) -> None:
    workflow_id = stage.start("Greet", "-i", '"Ada"')
    assert stage.dx("workflow", "result", workflow_id, "-o", "none").ok().stdout == ""
    assert stage.dx("workflow", "list", "-o", "none").ok().stdout == ""
    assert stage.dx("workflow", "show", workflow_id, "-o", "none").ok().stdout == ""


@pytest.mark.parametrize("verb", ["list", "count", "describe", "result", "show"])
def test_json_output_does_not_import_rich(stage: Stage, verb: str) -> None:
    words = ["workflow", verb, "-o", "json"]
    if verb not in {"list", "count"}:
        words.insert(2, _finished(stage))
    script = (
        "import sys\n"
        "from durable_cli.main import run\n"
        f"code = run({words!r})\n"
        "sys.stdout.flush()\n"
        "import os; os._exit(99 if 'rich' in sys.modules else code)\n"
    )
    process = stage.dx.launch(command=[sys.executable, "-c", script])
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors


@functools.cache
def _finished(stage: Stage) -> str:
    workflow_id = stage.start("Greet", "-i", '"Ada"')
    stage.finish(workflow_id)
    return workflow_id


def test_input_from_a_file(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_text('"from a file"')
    workflow_id = stage.new_id("greet")
    words = ("workflow", "start", workflow_id, "--type", "Greet", "-t", TASK_QUEUE, "--input-file", str(file))
    stage.dx(*words).ok()
    assert "Hello, from a file!" in stage.dx("workflow", "result", workflow_id).ok().stdout


def run_on_terminal(stage: Stage, *words: str, typed: str = "", code: int = 0) -> str:
    """Run a command on a pseudo-terminal, type something, and return what it drew."""
    near, far = pty.openpty()
    environment = {**os.environ, **stage.dx.environment, "TERM": "xterm-256color", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        [*stage.dx.command, *words],
        stdin=far, stdout=far, stderr=far, env=environment, cwd=stage.dx.folder,
    ) as process:  # fmt: skip
        os.close(far)
        os.write(near, typed.encode())
        drawn = b""
        while True:
            try:
                drawn += (chunk := os.read(near, 4096))
            except OSError:
                break
            if not chunk:
                break
        assert process.wait(10) == code
    os.close(near)
    return drawn.decode()


def test_terminal_output_is_drawn(stage: Stage) -> None:
    drawn = run_on_terminal(stage, "workflow", "describe", stage.start("Waiter"))
    assert "╭─" in drawn
    assert "\x1b[34mRunning" in drawn


def test_the_users_words_are_shown_as_they_are(stage: Stage) -> None:
    workflow_id = stage.new_id("[red]x[/blue]:smile:")
    stage.start("Fails", "-i", '"[bold] \\u001b[31m :smile: [/nothing]"', name=workflow_id)
    stage.finish(workflow_id)
    shown = stage.dx("workflow", "describe", workflow_id).ok().stdout
    drawn = run_on_terminal(stage, "workflow", "describe", workflow_id)
    for text in (shown, drawn):
        assert workflow_id in text
        assert "boom [bold] \\x1b[31m :smile: [/nothing]" in text
    assert workflow_id in run_on_terminal(stage, "workflow", "list", "-q", f"WorkflowId = '{workflow_id}'")


@pytest.mark.reference
def test_batches(reference: Stage) -> None:
    kind = "Waiter"
    ids = [reference.start(kind) for _ in range(2)]
    query = " OR ".join(f"WorkflowId = '{workflow_id}'" for workflow_id in ids)
    without_yes = reference.dx("workflow", "signal", "-q", query, "--name", "add")
    assert without_yes.code == 1
    assert "--yes" in without_yes.stderr
    until = time.monotonic() + 20
    while reference.official("workflow", "count", "-q", query).ok().stdout != "Total: 2\n":
        assert time.monotonic() < until
    refused = run_on_terminal(reference, "workflow", "cancel", "-q", query, typed="n\n", code=1)
    assert "Start a batch on about 2 workflows? [y/N]" in refused
    assert "nothing was started" in refused
    words = ("workflow", "signal", "-q", query, "--name", "add", "-i", '"all"', "--yes", "--rps", "50")
    started = reference.dx(*words, "-o", "json").ok().json
    assert list(started) == ["batchJobId"]
    for workflow_id in ids:
        while '["all"]' not in reference.official("workflow", "query", "-w", workflow_id, "--name", "values").stdout:
            assert time.monotonic() < until
    reset = ("workflow", "reset", "-q", query, "-t", "FirstWorkflowTask", "--reason", "again", "--yes")
    assert reference.dx(*reset).ok().stdout.startswith("Started batch")
    for workflow_id in ids:
        while "RESET_WORKFLOW" not in reference.official("workflow", "show", "-w", workflow_id, "-o", "json").stdout:
            assert time.monotonic() < until
    assert "Started batch" in run_on_terminal(reference, "workflow", "terminate", "-q", query, typed="y\n")
    for workflow_id in ids:
        assert "Terminated" in reference.dx("workflow", "result", workflow_id).stdout
