"""The fixtures. None of them is a coroutine, so they work under every async plugin and in tests that are not async."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from durable_cli.testing.errors import DxError
from durable_cli.testing.project import read_server_options
from durable_cli.testing.server import DxServer, ServerOptions

if TYPE_CHECKING:
    from temporalio.client import Client

    from durable_cli.testing.connection import ClientOptions, Connection
    from durable_cli.testing.replay import ReplayHistories
    from durable_cli.testing.time import DxTime
    from durable_cli.testing.watch import Watch
    from durable_cli.testing.worker import DxWorker

__all__ = [
    "STAGE",
    "Stage",
    "_dx_connection",
    "_dx_portal",
    "_dx_stage",
    "dx_client",
    "dx_client_options",
    "dx_namespace",
    "dx_server",
    "dx_server_options",
    "dx_time",
    "dx_worker",
    "replay_histories",
]


@dataclass(frozen=True)
class Stage:
    """What one test works with."""

    server: DxServer
    connection: Connection
    namespace: str
    client: Client
    watch: Watch
    log_offset: int


STAGE = pytest.StashKey[Stage]()


@pytest.fixture(scope="session")
def dx_server_options(pytestconfig: pytest.Config) -> ServerOptions:
    """Search attributes and values of the dynamic configuration: those of the project's dx.toml, unless overridden."""
    return read_server_options(pytestconfig.rootpath)


@pytest.fixture
def dx_client_options() -> ClientOptions:
    """Override it to give `dx_client` a data converter, interceptors or plugins."""
    return {}


@pytest.fixture(scope="session")
def dx_server(dx_server_options: ServerOptions) -> Iterator[DxServer]:
    """A local server in memory, one for the whole session; `dx_server.address` is where it listens."""
    unknown = sorted(set(dx_server_options) - set(ServerOptions.__annotations__))
    if unknown:
        known = ", ".join(ServerOptions.__annotations__)
        raise DxError(f"dx_server_options: {unknown[0]!r} can't be given\n\nhint: return some of {known}")
    server = DxServer(dx_server_options.get("dynamic_config", {}))
    try:
        import temporalio.worker  # noqa: F401 (takes as long as the server's start, so it is done meanwhile)

        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def _dx_portal() -> Iterator[Any]:
    """The loop of the fixtures; not for tests."""
    from durable_cli.testing.portal import Portal

    portal = Portal()
    yield portal
    portal.close()


@pytest.fixture(scope="session")
def _dx_connection(dx_server: DxServer, _dx_portal: Any) -> Connection:
    """The connection of the fixtures; not for tests."""
    from durable_cli.testing.connection import Connection

    return Connection(dx_server.address, _dx_portal)


@pytest.fixture
def _dx_stage(
    request: pytest.FixtureRequest,
    dx_server: DxServer,
    _dx_connection: Connection,
    dx_server_options: ServerOptions,
    dx_client_options: ClientOptions,
) -> Iterator[Stage]:
    """What one test works with; not for tests."""
    from durable_cli.testing.guard import GuardInterceptor
    from durable_cli.testing.watch import Watch

    _refuse_other_loops(request)
    with dx_server.in_use():
        namespace = _dx_connection.create_namespace(request.node.name, dx_server_options.get("search_attributes", {}))
    guard = GuardInterceptor()
    client = _dx_connection.make_client(namespace, [guard], dx_client_options)
    guard.watch = watch = Watch(_dx_connection.portal, client)
    stage = Stage(dx_server, _dx_connection, namespace, client, watch, dx_server.log_size_bytes)
    request.node.stash[STAGE] = stage
    yield stage
    watch.stop()
    with dx_server.in_use():
        _dx_connection.delete_namespace(namespace)


@pytest.fixture
def dx_namespace(_dx_stage: Stage) -> str:
    """The name of a namespace that this test alone uses; it is deleted when the test is over."""
    return _dx_stage.namespace


@pytest.fixture
def dx_client(_dx_stage: Stage) -> Client:
    """A client of the official SDK, for the test's own namespace; it is bound to no event loop."""
    return _dx_stage.client


@pytest.fixture
def dx_worker(request: pytest.FixtureRequest, _dx_stage: Stage, dx_client_options: ClientOptions) -> DxWorker:
    """Make workers: `async with dx_worker(workflows=[...], activities=[...]) as worker:`."""
    from durable_cli.testing.worker import DxWorker

    return DxWorker(_dx_stage.client, _dx_stage.watch, dx_client_options, request.node.name)


@pytest.fixture
def dx_time(dx_server: DxServer, _dx_portal: Any) -> Iterator[DxTime]:
    """Move the server's time: `await dx_time.skip("3d")`, or `async with dx_time.auto():`."""
    from durable_cli.testing.time import DxTime

    time = DxTime(dx_server.address)
    yield time
    if time.changed:
        _dx_portal.run(time.resume())


@pytest.fixture
def replay_histories(
    request: pytest.FixtureRequest, _dx_portal: Any, dx_client_options: ClientOptions
) -> ReplayHistories:
    """Replay histories in files: `replay_histories("histories", workflows=[...])`; needs no server."""
    from durable_cli.testing.replay import ReplayHistories

    return ReplayHistories(_dx_portal, request.path.parent, request.config.rootpath, dx_client_options)


def _refuse_other_loops(request: pytest.FixtureRequest) -> None:
    """Raise where anyio runs a test on another loop than asyncio's, which the SDK needs.

    Raises:
        DxError: it does.
    """
    if "anyio_backend" not in request.fixturenames:
        return
    backend = request.getfixturevalue("anyio_backend")
    name = backend if isinstance(backend, str) else backend[0]
    if name != "asyncio":
        raise DxError(
            f"the Temporal SDK runs on asyncio only, and anyio runs this test on {name}\n\n"
            'hint: in conftest.py, define the fixture anyio_backend and return "asyncio"'
        )
