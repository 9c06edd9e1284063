"""Both servers, and a project that is provisioned on one of them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.service import ConnectConfig

from durable_cli.client import Client
from durable_cli.config import Settings
from durable_cli.dev.project.load import parse_project
from durable_cli.dev.provision.provision import provision
from durable_cli.dev.provision.step import Outcome
from tests.support.server_process import launch_dx, launch_reference, running


class World:
    """A server and a namespace on it, by default one that nobody else uses."""

    def __init__(self, address: str, namespace: str = "") -> None:
        self.address = address
        self.namespace = namespace or f"shop-{uuid.uuid4().hex[:8]}"

    def connect(self) -> Client:
        """Return a client that is not connected yet."""
        connect = ConnectConfig(target_host=self.address, identity="tester")
        return Client(Settings(connect, self.namespace, connect_timeout=None, codec=None))

    async def provision(self, text: str) -> list[Outcome]:
        """Provision a project with this text in the test's namespace."""
        project = parse_project(f'namespace = "{self.namespace}"\n{text}', Path("/shop/dx.toml"))
        async with asyncio.timeout(60):
            return [outcome async for outcome in provision(project, self.connect())]

    async def provision_lines(self, text: str) -> list[str]:
        """Return what the log says, but for the project's namespace."""
        return [outcome.line for outcome in await self.provision(text) if not outcome.subject.endswith(self.namespace)]


@pytest.fixture(scope="session")
def reference_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(launch_reference(tmp_path_factory.mktemp("reference"))) as server:
        yield server.address


@pytest.fixture(scope="session")
def dx_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(launch_dx(tmp_path_factory.mktemp("dx"))) as server:
        yield server.address


@pytest.fixture
def dx(dx_address: str) -> World:
    """Our server."""
    return World(dx_address)


@pytest.fixture(params=[pytest.param("reference", marks=pytest.mark.reference), "dx"])
def world(request: pytest.FixtureRequest) -> World:
    """Each of the servers."""
    name: str = request.getfixturevalue(f"{request.param}_address")
    return World(name)
