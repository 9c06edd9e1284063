"""Nexus endpoints: created when missing, updated when they differ from the file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import (
    CreateNexusEndpointRequest,
    ListNexusEndpointsRequest,
    UpdateNexusEndpointRequest,
)

from durable_cli.client import Client
from durable_cli.dev.project.model import NexusEndpoint, Project
from durable_cli.dev.provision.step import Result, Step
from durable_cli.payloads import make_payload

__all__ = ["list_steps"]


def list_steps(project: Project, client: Client) -> Sequence[Step]:
    """Return a step for every endpoint."""
    return [
        Step(f"Nexus endpoint {name}", partial(_make, client, _make_spec(name, declared)))
        for name, declared in project.nexus_endpoints.items()
    ]


async def _make(client: Client, spec: EndpointSpec) -> Result:
    service = client.operator_service
    listed = await service.list_nexus_endpoints(ListNexusEndpointsRequest(name=spec.name), retry=True)
    if not listed.endpoints:
        await service.create_nexus_endpoint(CreateNexusEndpointRequest(spec=spec), retry=True)
        return Result.CREATED
    endpoint = listed.endpoints[0]
    if endpoint.spec.target == spec.target and endpoint.spec.description.data == spec.description.data:
        return Result.UNCHANGED
    request = UpdateNexusEndpointRequest(id=endpoint.id, version=endpoint.version, spec=spec)
    await service.update_nexus_endpoint(request, retry=True)
    return Result.UPDATED


def _make_spec(name: str, declared: NexusEndpoint) -> EndpointSpec:
    if declared.url:
        target = EndpointTarget(external=EndpointTarget.External(url=declared.url))
    else:
        worker = EndpointTarget.Worker(namespace=declared.namespace, task_queue=declared.task_queue)
        target = EndpointTarget(worker=worker)
    description = make_payload(declared.description) if declared.description else None
    return EndpointSpec(name=name, target=target, description=description)
