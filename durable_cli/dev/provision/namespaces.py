"""Namespaces: registered when missing, with what is declared of them kept up to date."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig, UpdateNamespaceInfo
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.service import RPCError, RPCStatusCode

from durable_cli.client import Client
from durable_cli.dev.project.model import Namespace, Project
from durable_cli.dev.provision.step import Result, Step, wait_until_usable

__all__ = ["list_steps"]


def list_steps(project: Project, client: Client) -> Sequence[Step]:
    """Return a step for every namespace that the file names."""
    return [
        Step(f"namespace {name}", partial(_make, client, name, project.namespaces.get(name, Namespace())))
        for name in project.all_namespaces
    ]


async def _make(client: Client, name: str, declared: Namespace) -> Result:
    try:
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        await _register(client, name, declared)
        return Result.CREATED
    update = UpdateNamespaceRequest(namespace=name)
    if "retention" in declared.model_fields_set:
        ttl = described.config.workflow_execution_retention_ttl.ToTimedelta()
        if ttl != declared.retention:
            update.config.CopyFrom(NamespaceConfig(workflow_execution_retention_ttl=_retention(declared)))
    if "description" in declared.model_fields_set and described.namespace_info.description != declared.description:
        update.update_info.CopyFrom(UpdateNamespaceInfo(description=declared.description))
    if not update.HasField("config") and not update.HasField("update_info"):
        return Result.UNCHANGED
    await client.workflow_service.update_namespace(update, retry=True)
    return Result.UPDATED


async def _register(client: Client, name: str, declared: Namespace) -> None:
    """Register a namespace, and wait until requests may name it."""
    request = RegisterNamespaceRequest(
        namespace=name,
        description=declared.description,
        workflow_execution_retention_period=_retention(declared),
    )
    try:
        await client.workflow_service.register_namespace(request, retry=True)
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:  # by somebody else, just now
            raise
    probe = CountWorkflowExecutionsRequest(namespace=name)
    await wait_until_usable(partial(_is_usable, client, probe))


async def _is_usable(client: Client, probe: CountWorkflowExecutionsRequest) -> bool:
    try:
        await client.workflow_service.count_workflow_executions(probe)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


def _retention(declared: Namespace) -> Duration:
    retention = Duration()
    retention.FromTimedelta(declared.retention)
    return retention
