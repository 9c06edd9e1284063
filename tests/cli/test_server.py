"""`dx server start-dev` as a process: how it starts, what it says, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import SERVER_UNDER_TEST, Cli
from tests.support.server_process import dx_command, find_free_port, launch_dx, running

pytestmark = pytest.mark.skipif(SERVER_UNDER_TEST != "dx", reason="the reference server is under test")


def start(dx: Cli, *words: str) -> tuple[subprocess.Popen[str], int]:
    port = find_free_port()
    return dx.launch("server", "start-dev", "--port", str(port), *words), port


def read_lines(process: subprocess.Popen[str], until: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if until in line:
            return lines
    raise AssertionError(f"{until!r} never came: {lines}")


def test_says_where_it_listens_and_that_history_will_be_lost(dx: Cli) -> None:
    ui_port = find_free_port()
    process, port = start(dx, "--http-port", "0", "--ui-port", str(ui_port), "--metrics-port", "9000")
    lines = read_lines(process, "Ctrl-C")
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=10)
    text = "\n".join(lines)
    assert f"gRPC     localhost:{port}" in text
    assert "lost at exit" in text
    assert f"http://localhost:{ui_port}" in text
    # What does not listen is not announced.
    assert "9000" not in text
    assert (process.returncode, rest, errors) == (0, "", "")


def test_says_where_history_is_kept(dx: Cli, tmp_path: Path) -> None:
    process, port = start(
        dx, "--db-filename", str(tmp_path / "dev.db"), "-o", "json", "--ip", "127.0.0.1", "--headless"
    )
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    process.terminate()
    assert process.wait(10) == 0
    assert said == {"address": f"127.0.0.1:{port}", "dbFilename": str(tmp_path / "dev.db"), "uiPort": None}
    assert (tmp_path / "dev.db").exists()


def test_as_the_sdks_start_it(dx: Cli) -> None:
    """The words that the SDKs' `dev_server_existing_path` uses, stdin and stdout closed."""
    port = find_free_port()
    words = [
        "--namespace",
        "default",
        "--ip",
        "127.0.0.1",
        "--log-format",
        "pretty",
        "--log-level",
        "warn",
        "--headless",
    ]
    for key in ("frontend.enableServerVersionCheck=false", 'some.unknownKey={"a": 1}'):
        words += ["--dynamic-config-value", key]
    process = subprocess.Popen(
        [*dx_command(), "server", "start-dev", "--port", str(port), *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**dict(__import__("os").environ), "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )  # fmt: skip
    try:
        until = time.monotonic() + 10
        while dx("workflow", "count", "--address", f"127.0.0.1:{port}").code != 0:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < until
    finally:
        process.terminate()
    assert process.wait(10) == 0


def test_port_in_use(dx: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = dx("server", "start-dev", "--port", str(port))
    assert (result.code, result.stdout) == (1, "")
    first, blank, hint = result.stderr.splitlines()
    assert str(port) in first
    assert blank == ""
    assert hint.startswith("hint: ")


def test_file_that_is_no_database(dx: Cli, tmp_path: Path) -> None:
    (tmp_path / "dev.db").write_text("not a database" * 100)
    for name in ("dev.db", "missing/dev.db"):
        process, _ = start(dx, "--db-filename", str(tmp_path / name))
        stdout, stderr = process.communicate(timeout=10)
        assert (process.returncode, stdout) == (1, ""), stderr
        first, blank, hint = stderr.splitlines()
        assert name.rpartition("/")[0] in first
        assert (blank, hint[:6]) == ("", "hint: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--search-attribute", "Name=Nonsense"], "Nonsense"),
        (["--search-attribute", "Name"], "Name"),
        (["--dynamic-config-value", "key=not json"], "not json"),
        (["--sqlite-pragma", "synchronous"], "synchronous"),
        (["--port", "many"], "many"),
    ],
    ids=str,
)
def test_wrong_options(dx: Cli, words: list[str], said: str) -> None:
    result = dx("server", "start-dev", *words)
    assert result.code in {1, 2}
    assert said in result.stderr
    assert "hint: " in result.stderr


def test_namespaces_and_search_attributes(dx: Cli, tmp_path: Path) -> None:
    words = ("--namespace", "orders", "--search-attribute", "Customer=Keyword")
    with running(launch_dx(tmp_path, *words)) as server:
        flags = ("--address", server.address, "-n", "orders", "-o", "json")
        words = ("workflow", "start", "order-1", "--type", "X", "-t", "q", "--search-attribute", 'Customer="Ada"')
        dx(*words, *flags).ok()
        described = dx("workflow", "describe", "order-1", *flags).ok().json
        fields = described["workflowExecutionInfo"]["searchAttributes"]["indexedFields"]
        assert "Customer" in fields
        assert dx(*words, "--address", server.address, "-n", "nowhere").code == 1
