"""A codec that hides payloads, a codec server over it, and a worker that uses it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

__all__ = ["CodecServer", "HidingCodec", "running_worker"]

TASK_QUEUE = "secret"
ENCODING = b"binary/encrypted"


def turn(data: bytes) -> bytes:
    return bytes(byte ^ 0x5A for byte in data)


class HidingCodec(PayloadCodec):
    """Hides whole payloads, metadata and all."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": ENCODING, "encryption-key-id": b"k1"}, data=turn(each.SerializeToString()))
            for each in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload.FromString(turn(each.data)) if each.metadata.get("encoding") == ENCODING else each
            for each in payloads
        ]


class CodecServer(ThreadingHTTPServer):
    """Encodes and decodes over HTTP; `status` makes it refuse, `gate` makes it wait."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), CodecHandler)
        self.status = 200
        self.bad = b""
        """A payload with these bytes makes it refuse all that it is given at once."""
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[tuple[str, str, int]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{{namespace}}"

    @contextmanager
    def running(self) -> Iterator[CodecServer]:
        thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.gate.set()
            self.shutdown()
            self.server_close()


class CodecHandler(BaseHTTPRequestHandler):
    server: CodecServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        payloads = [
            Payload(
                metadata={key: base64.b64decode(value) for key, value in each["metadata"].items()},
                data=base64.b64decode(each.get("data", "")),
            )
            for each in body["payloads"]
        ]
        self.server.asked.append((self.path, self.headers.get("Authorization", ""), len(payloads)))
        self.server.gate.wait(30)
        status = self.server.status
        if self.server.bad and any(self.server.bad in turn(each.data) for each in payloads):
            status = 400
        if status != 200:
            self.send_error(status)
            return
        codec, answer = HidingCodec(), []
        work = codec.decode(payloads) if self.path.endswith("/decode") else codec.encode(payloads)
        try:
            work.send(None)
        except StopIteration as end:
            answer = end.value
        done = [
            {
                "metadata": {key: base64.b64encode(value).decode() for key, value in each.metadata.items()},
                "data": base64.b64encode(each.data).decode(),
            }
            for each in answer
        ]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"payloads": done}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@activity.defn
async def whisper(words: str) -> str:
    if words == "wrong":
        raise ApplicationError("the secret is out", type="Leak", non_retryable=True)
    return f"psst: {words}"


@workflow.defn
class Secret:
    def __init__(self) -> None:
        self._heard: list[str] = []

    @workflow.run
    async def run(self, words: str) -> str:
        said = await workflow.execute_activity(whisper, words, start_to_close_timeout=timedelta(seconds=10))
        await workflow.wait_condition(lambda: bool(self._heard))
        return f"{said}, {self._heard[0]}"

    @workflow.signal
    def tell(self, words: str) -> None:
        self._heard.append(words)

    @workflow.query
    def heard(self, prefix: str) -> str:
        return f"{prefix} {len(self._heard)} times"


@asynccontextmanager
async def running_worker(address: str) -> AsyncIterator[Client]:
    """Yield the client of a worker whose payloads and failures are hidden."""
    converter = DataConverter(
        payload_codec=HidingCodec(), failure_converter_class=DefaultFailureConverterWithEncodedAttributes
    )
    client = await Client.connect(address, data_converter=converter)
    async with Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Secret],
        activities=[whisper],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield client
