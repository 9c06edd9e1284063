"""ListClusters: there is one, this server."""

from __future__ import annotations

from temporalio.api.operatorservice.v1 import ClusterMetadata, ListClustersRequest, ListClustersResponse

from engine.service.service import Call, Service
from engine.service.workflow_service.system import CLUSTER_NAME, get_cluster_id

__all__ = ["list_clusters"]


async def list_clusters(service: Service, request: ListClustersRequest, call: Call) -> ListClustersResponse:
    """Say where this server is."""
    cluster = ClusterMetadata(
        cluster_name=CLUSTER_NAME,
        cluster_id=get_cluster_id(service),
        address=service.address,
        initial_failover_version=1,
        history_shard_count=1,
        is_connection_enabled=True,
    )
    return ListClustersResponse(clusters=[cluster])
