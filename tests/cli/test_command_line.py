"""The command line itself: mistakes, where options may stand, and what never leaves a traceback."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from durable_cli.parameters import parse_duration
from tests.cli.conftest import Cli, Stage
from tests.support.server_process import PROJECT_FOLDER

NOBODY = ("--address", "127.0.0.1:1")  # nothing listens there


def assert_error(stderr: str, message: str, hint: str) -> None:
    """Assert one line, a blank one, and a hint, each with these words."""
    first, blank, last = stderr.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert blank == ""
    assert last.startswith("hint: ")
    assert hint in last


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ([], "no command given", "`dx --help`"),
        (["workflow"], "no command given", "`dx workflow --help`"),
        (["wrkflow"], "dx has no command 'wrkflow'", "`dx workflow`"),
        (["workflow", "strat"], "dx workflow has no command 'strat'", "did you mean `dx workflow start`?"),
        (["workflow", "reset-batch"], "dx workflow has no command 'reset-batch'", "`dx workflow --help`"),
        (["--nonsense", "workflow", "list"], "--nonsense", "`dx --help`"),
        (["workflow", "list", "--limt", "3"], "--limt", "`dx workflow list --help`"),
        (["workflow", "list", "-o", "yaml"], "'yaml' is not one of", "`dx workflow list --help`"),
        (["workflow", "list", "--limit", "many"], "'many' is not a valid integer", "`dx workflow list --help`"),
        (["workflow", "list", "extra"], "extra", "`dx workflow list --help`"),
        (["workflow", "start", "--run-timeout", "5"], "'5' is not a duration", "--help"),
    ],
    ids=str,
)
def test_wrong_command_lines(dx: Cli, words: list[str], message: str, hint: str) -> None:
    result = dx(*words)
    assert (result.code, result.stdout) == (2, "")
    assert_error(result.stderr, message, hint)


@pytest.mark.parametrize(
    ("words", "code", "message", "hint"),
    [
        (["start"], 2, "--type and --task-queue", "for example"),
        (["start", "--type", "X"], 2, "--task-queue", "for example"),
        (["start", "a", "-w", "b", "--type", "X", "-t", "q"], 2, "two workflow ids", "give one"),
        (["start", "--type", "X", "-t", "q", "-i", "{bad"], 2, "input 1 is not JSON", "--input-meta"),
        (["start", "--type", "X", "-t", "q", "-i", "hello"], 2, "input 1 is not JSON", """--input '"hello"'"""),
        (["start", "--type", "X", "-t", "q", "-i", "1", "--input-file", "x"], 2, "don't go together", "one of"),
        (["start", "--type", "X", "-t", "q", "--input-file", "/nope"], 1, "'/nope' can't be read", "path"),
        (["start", "--type", "X", "-t", "q", "-i", "x", "--input-base64"], 2, "not base64", "--input-base64"),
        (["start", "--type", "X", "-t", "q", "--memo", "a=hello"], 2, "'hello' is not JSON", """--memo 'a="hello"'"""),
        (["start", "--type", "X", "-t", "q", "--memo", "a"], 2, "has no '='", "KEY=VALUE"),
        (["describe"], 2, "which workflow?", "for example"),
        (["query", "x"], 2, "--name", "for example"),
        (["terminate"], 2, "which workflow?", "--query"),
        (["cancel", "x", "-q", "y"], 2, "--query", "either"),
        (["signal", "x", "--name", "n", "--yes"], 2, "--yes", "either"),
        (["cancel", "-q", "y", "-r", "z"], 2, "--run-id", "workflow id"),
        (["terminate", "-q", "WorkflowId = 'x'"], 1, "confirmation", "--yes"),
        (["reset", "x", "-e", "4"], 2, "--reason", "for example"),
        (["reset", "--reason", "r", "-e", "4"], 2, "which workflow?", "for example"),
        (["reset", "x", "--reason", "r"], 2, "to which event?", "--type"),
        (["reset", "x", "--reason", "r", "-e", "-4"], 2, "to which event?", "--type"),
        (["reset", "x", "--reason", "r", "-t", "BuildId"], 2, "which build?", "--reset-points"),
        (["reset", "x", "--reason", "r", "-q", "y", "-e", "4"], 2, "--query", "one of them"),
        (["reset", "--reason", "r", "-q", "y"], 2, "to which event?", "--type"),
        (["reset", "--reason", "r", "-q", "y", "-e", "4"], 2, "--event-id", "--type"),
        (["reset", "--reason", "r", "-q", "y", "-r", "z", "-t", "BuildId", "--build-id", "b"], 2, "--run-id", "id"),
        (["reset", "--reason", "r", "-q", "y", "-t", "LastContinuedAsNew"], 2, "--query", "one by one"),
        (["reset", "--reason", "r", "-q", "y", "-t", "LastWorkflowTask"], 1, "confirmation", "--yes"),
    ],
    ids=str,
)
def test_refused_without_a_server(dx: Cli, words: list[str], code: int, message: str, hint: str) -> None:
    result = dx("workflow", *words, *NOBODY)
    assert (result.code, result.stdout) == (code, "")
    assert_error(result.stderr, message, hint)


def test_nothing_listens(dx: Cli) -> None:
    result = dx("workflow", "list", *NOBODY)
    assert result.code == 1
    assert_error(result.stderr, "nothing listens at 127.0.0.1:1", "`dx server start-dev --port 1`")


def test_nothing_listens_without_a_port(dx: Cli) -> None:
    result = dx("workflow", "list", "--address", "127.0.0.1")
    assert result.code == 1
    assert_error(result.stderr, "nothing listens at 127.0.0.1, which has no port", "HOST:PORT")


def test_the_hint_names_the_command_itself(dx: Cli) -> None:
    result = dx("workflow", "show", *NOBODY)
    assert result.code == 2
    assert_error(result.stderr, "which workflow? Give its id", "dx workflow show my-workflow-id")


def test_unknown_host(dx: Cli) -> None:
    result = dx("workflow", "list", "--address", "nohost.invalid:7233")
    assert result.code == 1
    assert_error(result.stderr, "nohost.invalid:7233", "--address")


def test_tls_to_a_server_without(stage: Stage) -> None:
    for flags in (["--tls"], ["--api-key", "key"]):
        result = stage.dx("workflow", "list", *flags)
        assert result.code == 1
        assert_error(result.stderr, "does not speak TLS", "--tls=false")
    stage.dx("workflow", "count", "--api-key", "key", "--tls=false").ok()


def test_options_may_stand_before_the_verb(stage: Stage) -> None:
    expected = stage.dx("workflow", "list", "-q", "WorkflowType = 'None'", "-o", "json").ok().stdout
    for words in (
        ["-o", "json", "workflow", "list", "-q", "WorkflowType = 'None'"],
        ["--output=json", "workflow", "--namespace", "default", "list", "-q", "WorkflowType = 'None'"],
        ["workflow", "list", "--query=WorkflowType = 'None'", "-ojson", "--no-json-shorthand-payloads=false"],
    ):
        assert stage.dx(*words).ok().stdout == expected


def test_command_timeout(stage: Stage) -> None:
    result = stage.dx("workflow", "result", stage.start("Waiter"), "--command-timeout", "500ms")
    assert result.code == 1
    assert_error(result.stderr, "longer than 0.5 s", "--command-timeout")


def test_a_reader_that_goes_away_is_no_error(stage: Stage) -> None:
    process = stage.dx.launch("workflow", "list", stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=30)
    assert errors == ""
    assert process.returncode == 0


def test_interrupt(stage: Stage) -> None:
    import signal

    process = stage.dx.launch("workflow", "show", stage.start("Waiter"), "--follow")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.strip()) == (130, "")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("1s", 1), ("250ms", 0.25), ("1h30m", 5400), ("1.5h", 5400), ("7d", 604800), ("1d2h", 93600),
     ("10us", 0.00001), ("-5s", -5)],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1x", "1s 2s", "1s2", "--1s"])
def test_not_durations(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


USER_MODULE = "raise SystemExit('the user\\'s own engine was imported')\n"


@pytest.mark.parametrize("shape", ["module", "package"])
@pytest.mark.parametrize("place", ["current folder", "PYTHONPATH"])
def test_a_users_own_engine_is_left_alone(dx: Cli, tmp_path: Path, shape: str, place: str) -> None:
    """A module called `engine` where Python looks first must not stand in for dx's own."""
    folder = tmp_path if place == "current folder" else tmp_path / "libraries"
    file = folder / "engine.py" if shape == "module" else folder / "engine" / "__init__.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(USER_MODULE)
    (file.parent / "serve.py").write_text(USER_MODULE)
    env = {"PYTHONPATH": f"{folder}:{PROJECT_FOLDER}"}
    # The command imports the engine before it looks at the search attribute.
    result = dx("server", "start-dev", "--search-attribute", "Name=Nonsense", env=env)
    assert_error(result.stderr, "search attribute 'Name' can't have the type 'Nonsense'", "Keyword")
    assert dx("workflow", "--help", env=env).code == 0


def test_pinning_the_engine_leaves_pythonpath_to_child_processes() -> None:
    import os
    import sys

    script = (
        "import os, sys\n"
        "from durable_cli.engine_pin import pin_engine\n"
        "before, path = os.environ.get('PYTHONPATH'), list(sys.path)\n"
        "pin_engine(); pin_engine()\n"
        "assert (os.environ.get('PYTHONPATH'), sys.path) == (before, path)\n"
        "assert len([f for f in sys.meta_path if type(f).__name__ == '_EngineFinder']) == 1\n"
        "import engine; print(engine.__file__)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_FOLDER)}
    found = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()) == PROJECT_FOLDER / "engine" / "__init__.py"


def test_the_browser_needs_a_terminal(dx: Cli) -> None:
    refused = dx("tui", "--address", "127.0.0.1:1")
    assert refused.code == 1
    assert refused.stderr.startswith("error: the browser needs a terminal\n\nhint: `dx ui` ")
