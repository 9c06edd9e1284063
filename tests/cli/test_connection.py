"""Which server is talked to, and what every request carries."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import grpc
import pytest
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    CountWorkflowExecutionsResponse,
    GetSystemInfoResponse,
)
from temporalio.api.workflowservice.v1.service_pb2_grpc import (
    WorkflowServiceServicer,
    add_WorkflowServiceServicer_to_server,
)

from tests.cli.conftest import Cli, Stage

COUNT = ("workflow", "count")


class Recorder(WorkflowServiceServicer):
    """A server that notes what it was asked for."""

    def __init__(self) -> None:
        self.namespace = ""
        self.metadata: dict[str, str | bytes] = {}
        self.address = ""

    def GetSystemInfo(self, request: Any, context: Any) -> GetSystemInfoResponse:  # noqa: N802
        return GetSystemInfoResponse(server_version="1.0.0")

    def CountWorkflowExecutions(  # noqa: N802
        self, request: CountWorkflowExecutionsRequest, context: Any
    ) -> CountWorkflowExecutionsResponse:
        self.namespace = request.namespace
        self.metadata = dict(context.invocation_metadata())
        if request.query:
            context.abort(grpc.StatusCode[request.query], "as you wish")
        return CountWorkflowExecutionsResponse(count=7)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    servicer = Recorder()
    server = grpc.server(ThreadPoolExecutor(2))
    add_WorkflowServiceServicer_to_server(servicer, server)
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer
    server.stop(None).wait()


def write_config(folder: Path, text: str) -> Path:
    file = folder / "temporal.toml"
    file.write_text(text)
    return file


def test_flags(dx: Cli, recorder: Recorder) -> None:
    words = ("--address", recorder.address, "-n", "mine", "--grpc-meta", "a=1", "--grpc-meta", "b=2=3",
             "--api-key", "secret", "--tls=false")  # fmt: skip
    assert dx(*COUNT, *words).ok().stdout == "Total: 7\n"
    assert recorder.namespace == "mine"
    assert recorder.metadata["a"] == "1"
    assert recorder.metadata["b"] == "2=3"
    assert recorder.metadata["authorization"] == "Bearer secret"


def test_environment(dx: Cli, recorder: Recorder) -> None:
    env = {"TEMPORAL_ADDRESS": recorder.address, "TEMPORAL_NAMESPACE": "from-env", "TEMPORAL_API_KEY": "k",
           "TEMPORAL_TLS": "false"}  # fmt: skip
    dx(*COUNT, env=env).ok()
    assert recorder.namespace == "from-env"
    assert recorder.metadata["authorization"] == "Bearer k"
    dx(*COUNT, "-n", "flag", env=env).ok()
    assert recorder.namespace == "flag"
    refused = dx(*COUNT, "--disable-config-env", "--address", recorder.address, env=env).ok()
    assert recorder.namespace == "default"
    assert refused.stderr == ""


def test_profiles(dx: Cli, recorder: Recorder, tmp_path: Path) -> None:
    file = write_config(
        tmp_path,
        f"""
        [profile.default]
        address = "127.0.0.1:1"
        [profile.good]
        address = "{recorder.address}"
        namespace = "from-file"
        grpc_meta = {{ kept = "yes", changed = "no" }}
        """,
    )
    dx(*COUNT, "--config-file", str(file), "--profile", "good", "--grpc-meta", "changed=yes").ok()
    assert recorder.namespace == "from-file"
    assert (recorder.metadata["kept"], recorder.metadata["changed"]) == ("yes", "yes")
    dx(*COUNT, env={"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "good", "TEMPORAL_NAMESPACE": "env"}).ok()
    assert recorder.namespace == "env"
    assert "127.0.0.1:1" in dx(*COUNT, "--config-file", str(file)).stderr
    dx(*COUNT, "--config-file", str(file), "--disable-config-file", "--address", recorder.address).ok()
    assert recorder.namespace == "default"


class CodecHandler(BaseHTTPRequestHandler):
    """A codec that turns every payload's bytes around and says so in the encoding."""

    seen: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        self.seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for payload in body["payloads"]:
            data = base64.b64decode(payload.get("data", ""))[::-1]
            payload["data"] = base64.b64encode(data).decode()
            encoding = b"json/plain" if self.path.endswith("decode") else b"binary/reversed"
            payload["metadata"]["encoding"] = base64.b64encode(encoding).decode()
        answer = json.dumps(body).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def codec() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), CodecHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{{namespace}}"
        server.shutdown()


def test_remote_codec(stage: Stage, codec: str) -> None:
    CodecHandler.seen.clear()
    flags = ("--codec-endpoint", codec, "--codec-auth", "me", "--codec-header", "x-more=1")
    workflow_id = stage.new_id("coded")
    words = ("workflow", "start", workflow_id, "--type", "Nobody", "-t", "no-worker", "-i", '"secret"', "-i", "[1]")
    stage.dx(*words, "--memo", 'note="hidden"', *flags).ok()
    stored = stage.dx("workflow", "show", workflow_id).ok().stdout
    assert "Nobody(<binary/reversed, 8 bytes>, <binary/reversed, 3 bytes>)" in stored
    assert 'Nobody("secret", [1])' in stage.dx("workflow", "show", workflow_id, *flags).ok().stdout
    # The official CLI reads what ours wrote, and the other way round.
    described = stage.official("workflow", "describe", "-w", workflow_id, *flags, "-o", "json").ok().json
    assert described["workflowExecutionInfo"]["memo"] == {"fields": {"note": "hidden"}}
    assert stage.dx("workflow", "describe", workflow_id, *flags, "-o", "json").ok().json == described
    first = CodecHandler.seen[0]
    assert (first["path"], first["x-namespace"], first["authorization"], first["x-more"]) == (
        "/default/encode", "default", "me", "1"
    )  # fmt: skip


def test_codec_that_is_not_there(stage: Stage) -> None:
    workflow_id = stage.start("Nobody", "-t", "no-worker", "-i", "1")
    result = stage.dx("workflow", "show", workflow_id, "--codec-endpoint", "http://127.0.0.1:1")
    assert result.code == 1
    assert "the codec can't decode at http://127.0.0.1:1/decode" in result.stderr


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("[profile.default]\n", ["--profile", "nope"], "nope"),
        ("this is not TOML\n", [], "temporal.toml"),
        ("", ["--env", "prod"], "--env"),
        ("", ["--codec-header", "nonsense", "--codec-endpoint", "x"], "KEY=VALUE"),
        ("", ["--client-authority", "x"], "--client-authority"),
        ("", ["--tls-disable-host-verification"], "--tls-server-name"),
        ("", ["--address", "http://127.0.0.1:1"], "scheme"),
        ("", ["--tls-ca-path", "/nope.pem"], "/nope.pem"),
        ("", ["--grpc-meta", "nonsense"], "KEY=VALUE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_configuration_that_cannot_be_used(dx: Cli, tmp_path: Path, text: str, words: list[str], said: str) -> None:
    file = write_config(tmp_path, text)
    result = dx(*COUNT, "--config-file", str(file), *words)
    assert result.code in {1, 2}
    assert result.stdout == ""
    assert said in result.stderr
    assert "hint: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("INVALID_ARGUMENT", "what it says must change first"),
        ("PERMISSION_DENIED", "--api-key"),
        ("UNAUTHENTICATED", "--api-key"),
        ("UNIMPLEMENTED", "does not offer this"),
        ("FAILED_PRECONDITION", "what it says must change first"),
        ("NOT_FOUND", "`dx workflow list`"),
    ],
)
def test_every_status_has_a_hint(dx: Cli, recorder: Recorder, status: str, hint: str) -> None:
    result = dx(*COUNT, "--address", recorder.address, "-q", status)
    first, blank, last = result.stderr.splitlines()
    assert (result.code, blank) == (1, "")
    assert first == "error: can't count workflows: as you wish"
    assert hint in last
