"""`dx time`: the clock of a local server, and the errors of those that are none."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import SERVER_UNDER_TEST, Cli
from tests.cli.sample_worker import TASK_QUEUE
from tests.support.server_process import (
    PROJECT_FOLDER,
    dx_command,
    find_free_port,
    launch_dx,
    launch_reference,
    reference_executable,
    running,
)

pytestmark = pytest.mark.skipif(SERVER_UNDER_TEST == "reference", reason="the local server's clock")

MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


@pytest.fixture(scope="module")
def dx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The command line on a server whose time may go; a workflow waits there for an activity's next attempt."""
    folder = tmp_path_factory.mktemp("clock")
    with running(launch_dx(folder)) as server:
        dx = Cli(dx_command(), folder, {"TEMPORAL_ADDRESS": server.address})
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.sample_worker", server.address],
            cwd=PROJECT_FOLDER,
            stderr=subprocess.DEVNULL,
        )
        try:
            dx("workflow", "start", "-w", "stuck", "--type", "Stuck", "-t", TASK_QUEUE).ok()
            while "activity retry" not in dx("time", "status", "-o", "json").ok().stdout:
                time.sleep(0.1)
            yield dx
        finally:
            worker.kill()
            worker.wait()


@pytest.fixture(autouse=True)
def running_clock(dx: Cli) -> Iterator[None]:
    yield
    dx("time", "resume").ok()


def masked(text: str) -> list[str]:
    """Return the lines with times in place of what differs from run to run."""
    text = MOMENT.sub("TIME", text)
    return re.sub(r"in (1 hour|\d+ minutes)( \d+ (minutes?|seconds?))?:", "in SPAN:", text).splitlines()


def test_status(dx: Cli) -> None:
    assert masked(dx("time", "status").ok().stdout) == [
        "Server time:",
        "  Now     TIME",
        "  Offset  none: it is the system's time",
        "  Mode    running at the pace of the system's clock",
        "  Next    in SPAN: the next attempt of activity boom of stuck (Stuck)",
    ]


def test_pause_and_resume(dx: Cli) -> None:
    assert masked(dx("time", "pause").ok().stdout) == ["Paused. The server's time is TIME."]
    first, second = (dx("time", "status", "-o", "json").ok().json for _ in range(2))
    assert first["time"] == second["time"]
    assert (first["mode"], first["systemTime"] < second["systemTime"]) == ("paused", True)
    assert "paused: it stands, and nothing falls due" in dx("time", "status").ok().stdout
    assert masked(dx("time", "resume").ok().stdout) == ["Resumed. The server's time is TIME."]
    assert dx("time", "status", "-o", "json").ok().json["time"] > second["time"]


def test_skip(dx: Cli) -> None:
    before = dx("workflow", "describe", "stuck", "-o", "json").ok().json["pendingActivities"][0]["attempt"]
    assert masked(dx("time", "skip", "90m").ok().stdout) == [
        "Skipped 1 hour 30 minutes, past 1 deadline. The server's time is TIME."
    ]
    after = dx("workflow", "describe", "stuck", "-o", "json").ok().json["pendingActivities"][0]["attempt"]
    assert after == before + 1
    # What the pauses before took away is less than a minute.
    assert re.search(r"Offset  1 hour (29|30) minutes ahead", dx("time", "status").ok().stdout)


def test_relative_times_go_by_the_server(dx: Cli) -> None:
    """What has just started is not ahead, and what was there before the skip is as old as the server says."""
    dx("time", "skip", "25h").ok()
    dx("workflow", "start", "-w", "fresh", "--type", "Greet", "-t", "nobody", "--run-timeout", "50h").ok()
    described = dx("workflow", "describe", "fresh").ok().stdout
    assert re.search(r"StartTime +(now|\d seconds? ago)\n", described)
    assert re.search(r"RunExpirationTime +in 2 days\n", described)
    listed = dx("workflow", "list").ok().stdout
    dx("workflow", "terminate", "fresh").ok()
    assert re.search(r"fresh +Greet +(now|\d seconds? ago) ", listed)
    assert re.search(r"stuck +Stuck +1 day ago ", listed)


def test_skip_as_json(dx: Cli) -> None:
    skipped = dx("time", "skip", "1ms", "-o", "json").ok().json
    assert list(skipped) == ["time", "systemTime", "offset", "mode", "next", "skippedDeadlines"]
    assert skipped["skippedDeadlines"] == 0
    assert {"namespace": "default", "workflowId": "stuck", "workflowType": "Stuck", "activityType": "boom"}.items() <= (
        skipped["next"].items()
    )


def test_auto(dx: Cli) -> None:
    """The first attempts are hours apart; each is there a moment after the one before."""
    assert masked(dx("time", "auto").ok().stdout) == [
        "Jumping whenever nothing is in flight. The server's time is TIME."
    ]
    while dx("workflow", "describe", "stuck", "-o", "json").ok().json["pendingActivities"][0]["attempt"] < 5:
        assert "auto: it jumps to what is due next" in dx("time", "status").ok().stdout


def test_a_skip_says_what_it_waits_for_and_ends_with_its_command(dx: Cli) -> None:
    """The workflow's task waits for a worker who may still come."""
    dx("workflow", "start", "-w", "nobody", "--type", "Greet", "-t", "nobody", "--run-timeout", "60s").ok()
    skipping = dx.launch("time", "skip", "1h")
    assert skipping.stderr is not None
    assert skipping.stderr.readline() == "waiting for workflow task of nobody, for a worker of task queue nobody\n"
    skipping.send_signal(signal.SIGINT)
    skipping.communicate(timeout=20)
    assert skipping.returncode == 130
    described = dx("time", "status", "-o", "json").ok().json
    assert described["next"]["workflowId"] == "nobody"
    assert "waitsFor" not in described


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["skip", "3"], "'3' is not a duration: write it with its unit"),
        (["skip", "0s"], "the clock moves forward only"),
        (["skip", "99999999999d"], "is too long"),
        (["skip"], "missing argument"),
        (["back"], "dx time has no command 'back'"),
    ],
)
def test_a_wrong_command_line(dx: Cli, words: list[str], said: str) -> None:
    refused = dx("time", *words)
    assert (refused.code, refused.stdout) == (2, "")
    assert said in refused.stderr


def test_the_end_of_time(dx: Cli) -> None:
    refused = dx("time", "skip", "200000d")
    assert refused.code == 1
    assert "refuses: the clock does not go beyond the year 2200" in refused.stderr


@pytest.mark.reference
@pytest.mark.skipif(reference_executable() is None, reason="the reference server is not installed")
def test_a_server_of_another_kind(dx: Cli, tmp_path: Path) -> None:
    with running(launch_reference(tmp_path)) as server:
        for words in (["status"], ["skip", "3d"], ["pause"]):
            refused = dx("time", *words, "--address", server.address)
            assert (refused.code, refused.stdout) == (1, "")
            assert refused.stderr == (
                f"error: what listens at {server.address} is no local dx server: its time can't be moved\n\n"
                "hint: `dx server start-dev` and `dx dev` start one; name it with --address\n"
            )


def test_what_is_no_server(dx: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        asking = dx.launch("time", "status", "--address", address)
        caller, _ = listener.accept()
        caller.recv(100)
        caller.close()
        _, said = asking.communicate(timeout=20)
    assert f"what listens at {address} is no local dx server" in said or "nothing listens" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--address", f"127.0.0.1:{find_free_port()}"], "nothing listens at 127.0.0.1:"),
        (["--address", "localhost"], "nothing listens at localhost, which has no port"),
        (["--address", "nowhere.invalid:7233"], "no answer from nowhere.invalid:7233"),
        (["--tls"], "is reached over TLS: only a local dx server's time can be moved"),
    ],
)
def test_nobody_to_ask(dx: Cli, words: list[str], said: str) -> None:
    refused = dx("time", "status", *words)
    assert refused.code == 1
    assert said in refused.stderr
