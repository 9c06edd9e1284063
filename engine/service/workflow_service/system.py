"""GetSystemInfo and GetClusterInfo: what this server is and can do."""

from __future__ import annotations

from temporalio.api.workflowservice.v1 import (
    GetClusterInfoRequest,
    GetClusterInfoResponse,
    GetSystemInfoRequest,
    GetSystemInfoResponse,
)

from engine.service.service import Call, Service

__all__ = ["CLUSTER_NAME", "SERVER_VERSION", "get_cluster_id", "get_cluster_info", "get_system_info"]

SERVER_VERSION = "1.32.0"
"""The release of the reference server whose behaviour this one follows: clients compare it with what they need."""

CLUSTER_NAME = "active"

_SUPPORTED_CLIENTS = {
    "temporal-cli": "<2.0.0",
    "temporal-go": "<2.0.0",
    "temporal-java": "<2.0.0",
    "temporal-php": "<2.0.0",
    "temporal-typescript": "<2.0.0",
    "temporal-server": "<2.0.0",
    "temporal-ui": "<3.0.0",
}


async def get_system_info(service: Service, request: GetSystemInfoRequest, call: Call) -> GetSystemInfoResponse:
    """Say what this server can do: a bit is set only for what is served."""
    return GetSystemInfoResponse(
        server_version=SERVER_VERSION,
        capabilities=GetSystemInfoResponse.Capabilities(
            signal_and_query_header=True,
            internal_error_differentiation=True,
            activity_failure_include_heartbeat=True,
            encoded_failure_attributes=True,
            upsert_memo=True,
            eager_workflow_start=True,
            sdk_metadata=True,
            # Workers then say their build with every poll and completion, and histories show it.
            build_id_based_versioning=True,
            count_group_by_execution_status=True,
        ),
    )


async def get_cluster_info(service: Service, request: GetClusterInfoRequest, call: Call) -> GetClusterInfoResponse:
    """Say which server this is."""
    return GetClusterInfoResponse(
        supported_clients=_SUPPORTED_CLIENTS,
        server_version=SERVER_VERSION,
        cluster_id=get_cluster_id(service),
        cluster_name=CLUSTER_NAME,
        history_shard_count=1,
        persistence_store="sqlite",
        visibility_store="sqlite",
        initial_failover_version=1,
        failover_version_increment=10,
    )


def get_cluster_id(service: Service) -> str:
    """Return what tells this database from another: the id of its first namespace."""
    return service.engine.namespaces.all()[0].namespace_id
