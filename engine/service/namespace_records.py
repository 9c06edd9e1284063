"""How a namespace is described, made and named."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1.namespace_pb2 import ARCHIVAL_STATE_DISABLED, NAMESPACE_STATE_REGISTERED
from temporalio.api.namespace.v1 import BadBinaries, NamespaceConfig, NamespaceInfo
from temporalio.api.replication.v1 import ClusterReplicationConfig, NamespaceReplicationConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceResponse

from engine.core.errors import InvalidArgument
from engine.core.namespace import Namespace
from engine.core.policy.durations import duration_to_ns
from engine.core.policy.limits import Limits
from engine.service.workflow_service.system import CLUSTER_NAME

__all__ = ["DEFAULT_RETENTION", "describe", "new_namespace", "validate_retention"]

DEFAULT_RETENTION = Duration(seconds=24 * 3600)

# What a completion may hold is bounded by the size of a gRPC message.
_COMPLETION_SIZE_LIMIT_BYTES = 4 * 1024 * 1024


def new_namespace(
    namespace_id: str,
    name: str,
    retention: Duration,
    *,
    description: str = "",
    owner_email: str = "",
    data: Mapping[str, str] | None = None,
) -> Namespace:
    """Build a namespace that is not stored yet."""
    return Namespace(
        namespace_key=0,
        namespace_id=namespace_id,
        name=name,
        description=DescribeNamespaceResponse(
            namespace_info=NamespaceInfo(
                name=name,
                id=namespace_id,
                state=NAMESPACE_STATE_REGISTERED,
                description=description,
                owner_email=owner_email,
                data=data or {},
            ),
            config=NamespaceConfig(
                workflow_execution_retention_ttl=retention,
                bad_binaries=BadBinaries(),
                history_archival_state=ARCHIVAL_STATE_DISABLED,
                visibility_archival_state=ARCHIVAL_STATE_DISABLED,
            ),
            replication_config=NamespaceReplicationConfig(
                active_cluster_name=CLUSTER_NAME, clusters=[ClusterReplicationConfig(cluster_name=CLUSTER_NAME)]
            ),
        ),
    )


def describe(namespace: Namespace, limits: Limits) -> DescribeNamespaceResponse:
    """Return what is stored of a namespace, with what this server can do for it."""
    response = DescribeNamespaceResponse()
    response.CopyFrom(namespace.description)
    info = response.namespace_info
    info.capabilities.CopyFrom(
        NamespaceInfo.Capabilities(
            eager_workflow_start=limits.eager_workflow_start,
            sync_update=limits.updates,
            async_update=limits.updates_accepted,
            worker_heartbeats=True,
            worker_poll_complete_on_shutdown=True,
        )
    )
    info.limits.CopyFrom(
        NamespaceInfo.Limits(
            blob_size_limit_error=limits.blob_size_error_bytes,
            memo_size_limit_error=limits.memo_size_error_bytes,
            workflow_task_completion_size_limit_error=_COMPLETION_SIZE_LIMIT_BYTES,
        )
    )
    return response


def validate_retention(retention: Duration | None, limits: Limits) -> None:
    """Check a namespace's retention period; None stands for an unset one.

    Raises:
        InvalidArgument: none, or one that is too short.
    """
    if retention is None or duration_to_ns(retention) < limits.namespace_min_retention_ns:
        raise InvalidArgument("A valid retention period is not set on request.")
