"""The server of a test session: one child process, in memory, on a free port."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TypedDict

from durable_cli.testing.errors import ServerEndedError, ServerNotStartedError

__all__ = ["DxServer", "ServerOptions"]

_CHILD = Path(__file__).with_name("child.py")
_READY_SECONDS = 30.0
_STOP_SECONDS = 10.0
_END_SECONDS = 1.0


class ServerOptions(TypedDict, total=False):
    """What the fixture `dx_server_options` may return.

    `search_attributes` maps a name to its type (Keyword, Text, Int, Double, Bool, Datetime, KeywordList): each test's
    namespace has them. `dynamic_config` are values of the server's dynamic configuration.
    """

    search_attributes: Mapping[str, str]
    dynamic_config: Mapping[str, object]


class DxServer:
    """A running server; `address` is where clients and `dx --address` find it."""

    def __init__(self, dynamic_config: Mapping[str, object]) -> None:
        self.address = ""
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `stop`)
        self._process = subprocess.Popen(
            # -P: what lies in the current folder must not stand for a module of the server.
            [sys.executable, "-P", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            # Ctrl-C is for the tests, which need their server until their fixtures are torn down.
            start_new_session=True,
        )
        request = {"path": sys.path, "parent": os.getpid(), "dynamic_config": dict(dynamic_config)}
        with contextlib.suppress(BrokenPipeError):
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ready(self) -> None:
        """Return once the server answers.

        Raises:
            ServerNotStartedError: it ended, or took too long.
        """
        assert self._process.stdout is not None
        until = time.monotonic() + _READY_SECONDS
        line = b""
        if select.select([self._process.stdout], [], [], until - time.monotonic())[0]:
            line = self._process.stdout.readline()
        said = json.loads(line) if line else {}
        if "address" in said:
            self.address = said["address"]
            return
        self.stop()
        if "error" in said:
            reason = f"{said['error']}\n\nhint: {said['hint']}"
        else:
            ended = f"it ended with exit code {self._process.returncode}" if not line else "no answer"
            reason = f"{ended}:\n\n{self._last_words}"
        raise ServerNotStartedError(f"the dx server did not start: {reason}")

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Say so when the calls in this block fail since the server has ended.

        Raises:
            ServerEndedError: it has.
        """
        try:
            yield
        except Exception:
            # Its end may be a moment younger than what came of it.
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(_END_SECONDS)
                said = self.read_log().strip() or "it said nothing"
                raise ServerEndedError(f"the dx server has ended with exit code {code}:\n\n{said}") from None
            raise

    def read_log(self, offset: int = 0) -> str:
        """Return what the server has logged since `offset` bytes: warnings and errors, usually nothing."""
        return os.pread(self._log.fileno(), 1 << 20, offset).decode(errors="replace")

    @property
    def log_size_bytes(self) -> int:
        return os.fstat(self._log.fileno()).st_size

    def stop(self) -> None:
        """End the server; its history is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._last_words = self.read_log().strip() or "it said nothing"
        self._log.close()
