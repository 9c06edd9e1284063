"""TestService: locks are counted, sleepers wake at their time, and a server that is no test server has none of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from temporalio.api.testservice.v1 import (
    LockTimeSkippingRequest,
    SleepRequest,
    SleepUntilRequest,
    UnlockTimeSkippingRequest,
)
from temporalio.api.testservice.v1.service_pb2 import DESCRIPTOR
from temporalio.api.testservice.v1.service_pb2_grpc import TestServiceStub as ClockStub

from engine.core.policy.durations import ns_to_timestamp, timestamp_to_ns
from engine.service.test_service import HANDLERS, TEST_SERVICE
from tests.service.conftest import Stubs
from tests.support.server_process import ServerProcess, find_free_port, launch_server, running

DAY_NS = 86_400 * 1_000_000_000


def launch_test_server(folder: Path, *flags: str) -> ServerProcess:
    port = find_free_port()
    command = [sys.executable, "-c", "from durable_cli.test_server import main; main()", str(port), *flags]
    return launch_server(command, port, folder / f"test-server-{port}.log")


@dataclass
class Clock:
    """The TestService in short forms."""

    stub: ClockStub

    def now_ns(self) -> int:
        return timestamp_to_ns(self.stub.GetCurrentTime(Empty(), timeout=10).time)

    def lock(self) -> None:
        self.stub.LockTimeSkipping(LockTimeSkippingRequest(), timeout=10)

    def unlock(self) -> None:
        self.stub.UnlockTimeSkipping(UnlockTimeSkippingRequest(), timeout=10)

    def sleep(self, days: float, timeout: float = 10) -> None:
        self.stub.Sleep(SleepRequest(duration=Duration(seconds=int(days * 86_400))), timeout=timeout)

    def sleep_until(self, time_ns: int) -> None:
        self.stub.SleepUntil(SleepUntilRequest(timestamp=ns_to_timestamp(time_ns)), timeout=10)

    def sleep_unlocked(self, days: float, timeout: float = 10) -> None:
        request = SleepRequest(duration=Duration(seconds=int(days * 86_400)))
        self.stub.UnlockTimeSkippingWithSleep(request, timeout=timeout)

    @contextmanager
    def taking(self, days: float) -> Iterator[None]:
        """Expect that so much time passes."""
        before_ns = self.now_ns()
        yield
        assert 0 <= self.now_ns() - before_ns - days * DAY_NS < 60_000_000_000


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[grpc.Channel]:
    with (
        running(launch_test_server(tmp_path_factory.mktemp("server"))) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        yield channel


@pytest.fixture
def clock(channel: grpc.Channel) -> Clock:
    return Clock(ClockStub(channel))


def refused_code(error: pytest.ExceptionInfo[grpc.RpcError]) -> grpc.StatusCode:
    code: grpc.StatusCode = error.value.code()
    return code


def test_every_rpc_is_served() -> None:
    service = DESCRIPTOR.services_by_name["TestService"]
    assert service.full_name == TEST_SERVICE
    assert {method.name: method.input_type.full_name for method in service.methods} == {
        name: request.DESCRIPTOR.full_name for name, (request, _) in HANDLERS.items()
    }


def test_it_starts_locked(clock: Clock) -> None:
    with pytest.raises(grpc.RpcError) as late:
        clock.sleep(1, timeout=0.5)
    assert refused_code(late) is grpc.StatusCode.DEADLINE_EXCEEDED
    clock.unlock()
    with clock.taking(1):
        clock.sleep(1)
    clock.lock()


def test_locks_and_unlocks_are_counted(clock: Clock) -> None:
    clock.lock()
    clock.unlock()
    with pytest.raises(grpc.RpcError) as late:
        clock.sleep(1, timeout=0.5)
    assert refused_code(late) is grpc.StatusCode.DEADLINE_EXCEEDED
    clock.unlock()
    with pytest.raises(grpc.RpcError) as unbalanced:
        clock.unlock()
    assert refused_code(unbalanced) is grpc.StatusCode.FAILED_PRECONDITION
    assert "time skipping is not locked" in unbalanced.value.details()
    with clock.taking(1):
        clock.sleep(1)
    clock.lock()


def test_sleep_until(clock: Clock) -> None:
    now_ns = clock.now_ns()
    with clock.taking(0):
        clock.sleep_until(now_ns - DAY_NS)
    clock.unlock()
    clock.sleep_until(now_ns + 3 * DAY_NS)
    assert 0 <= clock.now_ns() - now_ns - 3 * DAY_NS < 60_000_000_000
    clock.lock()


def test_unlocked_sleep(clock: Clock) -> None:
    with clock.taking(30):
        clock.sleep_unlocked(30)
    with pytest.raises(grpc.RpcError) as late:
        clock.sleep(1, timeout=0.5)  # locked again
    assert refused_code(late) is grpc.StatusCode.DEADLINE_EXCEEDED
    clock.lock()
    with pytest.raises(grpc.RpcError) as late:
        clock.sleep_unlocked(1, timeout=0.5)  # another lock holds it
    assert refused_code(late) is grpc.StatusCode.DEADLINE_EXCEEDED
    clock.unlock()
    clock.unlock()
    with pytest.raises(grpc.RpcError) as unbalanced:
        clock.sleep_unlocked(1)
    assert refused_code(unbalanced) is grpc.StatusCode.FAILED_PRECONDITION
    clock.lock()


def test_nothing_to_wait_for_is_no_reason_to_jump(clock: Clock) -> None:
    clock.unlock()
    with clock.taking(0):
        clock.now_ns()
    clock.lock()


def test_time_may_skip_from_the_start(tmp_path: Path) -> None:
    with (
        running(launch_test_server(tmp_path, "--enable-time-skipping")) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        clock = Clock(ClockStub(channel))
        with clock.taking(1):
            clock.sleep(1)
        assert server.stop() == 0


def test_a_server_for_development_has_no_test_service(stubs: Stubs) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        ClockStub(stubs.channel).GetCurrentTime(Empty(), timeout=10)
    assert refused_code(refused) is grpc.StatusCode.UNIMPLEMENTED
    assert refused.value.details() == f"unknown service {TEST_SERVICE}"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "'' is not a port"),
        (["port"], 2, "'port' is not a port"),
        (["-1"], 2, "'-1' is not a port"),
        (["99999"], 1, "there is no port 99999"),
        (["0", "--nonsense"], 2, "unknown argument '--nonsense'"),
        (["--help"], 0, ""),
    ],
)
def test_a_wrong_command_line(arguments: list[str], code: int, said: str) -> None:
    command = [str(Path(sys.executable).with_name("dx-test-server")), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == code
    assert said in ended.stderr


def test_a_port_in_use(tmp_path: Path) -> None:
    with running(launch_test_server(tmp_path)) as server:
        command = [str(Path(sys.executable).with_name("dx-test-server")), str(server.port)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"port {server.port} on 127.0.0.1 is in use" in ended.stderr


def test_a_free_port_is_said() -> None:
    command = [str(Path(sys.executable).with_name("dx-test-server")), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            with grpc.insecure_channel(address) as channel:
                assert Clock(ClockStub(channel)).now_ns() > 0
        finally:
            process.terminate()
    assert process.returncode == 0
