"""Namespaces and their search attributes."""

from __future__ import annotations

from temporalio.api.namespace.v1 import NamespaceConfig, UpdateNamespaceInfo
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    DeleteNamespaceRequest,
    ListSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    ListNamespacesRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)

from tests.differential.raw_worker import complete_workflow, seconds
from tests.differential.scenario import scenario
from tests.differential.world import World

DAY_SECONDS = 86_400


@scenario()
async def life(world: World) -> None:
    """A namespace is registered, used, changed, and found in the list."""
    name = world.name
    await world.record_call(
        "register",
        RegisterNamespaceRequest(
            namespace=name,
            description="for a test",
            owner_email="owner@example.com",
            data={"k": "v"},
            workflow_execution_retention_period=seconds(3 * DAY_SECONDS),
        ),
    )
    await world.record_call(
        "register again",
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=seconds(3 * DAY_SECONDS)),
    )

    async def usable() -> bool:
        try:
            await world.start(namespace=name, request_id="in-namespace")
        except Exception:
            return False
        return True

    await world.eventually(usable, timeout_seconds=25)
    described = await world.call(DescribeNamespaceRequest(namespace=name))
    info = described.namespace_info
    for server_specific in ("capabilities", "limits", "supports_schedules"):
        info.ClearField(server_specific)
    world.record_reply("info", info)
    world.record_reply("retention", described.config.workflow_execution_retention_ttl)
    await world.raw_worker(namespace=name).next_workflow_task(complete_workflow())
    await world.call(
        UpdateNamespaceRequest(
            namespace=name,
            update_info=UpdateNamespaceInfo(description="changed", data={"k2": "v2"}),
            config=NamespaceConfig(workflow_execution_retention_ttl=seconds(5 * DAY_SECONDS)),
        )
    )
    described = await world.call(DescribeNamespaceRequest(namespace=name))
    world.record_value("description", described.namespace_info.description)
    world.record_value("owner", described.namespace_info.owner_email)
    world.record_value("data", dict(sorted(described.namespace_info.data.items())))
    world.record_reply("new retention", described.config.workflow_execution_retention_ttl)
    by_id = await world.call(DescribeNamespaceRequest(id=described.namespace_info.id))
    world.record_value("found by id", by_id.namespace_info.name)
    listed = await world.call(ListNamespacesRequest(page_size=100))
    world.record_value("listed", name in {entry.namespace_info.name for entry in listed.namespaces})


@scenario()
async def refused(world: World) -> None:
    """Namespaces that cannot be registered, changed or deleted."""
    day = seconds(DAY_SECONDS)
    requests = {
        "no name": RegisterNamespaceRequest(workflow_execution_retention_period=day),
        "no retention": RegisterNamespaceRequest(namespace="no-retention"),
        "retention too short": RegisterNamespaceRequest(
            namespace="short", workflow_execution_retention_period=seconds(60)
        ),
        "negative retention": RegisterNamespaceRequest(
            namespace="negative", workflow_execution_retention_period=seconds(-5)
        ),
        "long name": RegisterNamespaceRequest(namespace="n" * 1001, workflow_execution_retention_period=day),
        "the default one": RegisterNamespaceRequest(namespace="default", workflow_execution_retention_period=day),
        "update unknown": UpdateNamespaceRequest(namespace="nowhere"),
        "describe unknown id": DescribeNamespaceRequest(id="11111111-2222-3333-4444-555555555555"),
        "delete unknown": DeleteNamespaceRequest(namespace="nowhere"),
        "delete nothing": DeleteNamespaceRequest(),
        "delete the system's": DeleteNamespaceRequest(namespace="temporal-system"),
    }
    for name, request in requests.items():
        await world.record_call(name, request)


@scenario()
async def search_attributes(world: World) -> None:
    """Search attributes are added, listed and removed."""
    fields = {"namespace": world.namespace}
    await world.record_call(
        "add", AddSearchAttributesRequest(search_attributes={"OwnKeyword": 2, "OwnInt": 3}, **fields)
    )

    async def listed() -> bool:
        reply = await world.call(ListSearchAttributesRequest(**fields))
        return "OwnInt" in reply.custom_attributes

    await world.eventually(listed, timeout_seconds=25)
    reply = await world.call(ListSearchAttributesRequest(**fields))
    own = {name: kind for name, kind in reply.custom_attributes.items() if name.startswith(("Own", "Diff"))}
    world.record_value("custom", dict(sorted(own.items())))
    world.record_value("system", dict(sorted(reply.system_attributes.items())))
    requests = {
        "add again": AddSearchAttributesRequest(search_attributes={"OwnKeyword": 2}, **fields),
        "add with another type": AddSearchAttributesRequest(search_attributes={"OwnKeyword": 3}, **fields),
        "add nothing": AddSearchAttributesRequest(**fields),
        "add a reserved one": AddSearchAttributesRequest(search_attributes={"WorkflowId": 2}, **fields),
        "remove unknown": RemoveSearchAttributesRequest(search_attributes=["Nobody"], **fields),
        "remove a reserved one": RemoveSearchAttributesRequest(search_attributes=["WorkflowId"], **fields),
        "remove nothing": RemoveSearchAttributesRequest(**fields),
        "remove": RemoveSearchAttributesRequest(search_attributes=["OwnKeyword", "OwnInt"], **fields),
    }
    for name, request in requests.items():
        await world.record_call(name, request)
