"""Worker deployments and their versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from durable_cli.tui.feed.link import Link, Post, seconds
from durable_cli.tui.feed.watch import repeat
from durable_cli.tui.place_messages import DeploymentDescribed, DeploymentsListed, VersionDescribed
from durable_cli.tui.place_rows import DeploymentRow, VersionDetail, VersionRow

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp
    from temporalio.api.deployment.v1 import RoutingConfig, WorkerDeploymentInfo

__all__ = ["watch_deployment", "watch_deployments", "watch_version"]

LIST_SECONDS = 3.0
DESCRIBE_SECONDS = 1.5
PAGE_ROWS = 200
MOST_ROWS = 1_000


async def watch_deployments(link: Link, post: Post) -> None:
    """Tell of the deployments of the namespace, again and again."""

    async def ask() -> DeploymentsListed:
        rows: list[DeploymentRow] = []
        token = b""
        while True:
            async with link.asking("list worker deployments") as client:
                from temporalio.api.workflowservice.v1 import ListWorkerDeploymentsRequest

                page = await client.workflow_service.list_worker_deployments(
                    ListWorkerDeploymentsRequest(namespace=link.namespace, page_size=PAGE_ROWS, next_page_token=token),
                    timeout=seconds(10),
                )
            rows += [
                _row(
                    each.name,
                    each.routing_config,
                    each.create_time,
                    each.latest_version_summary.deployment_version.build_id,
                )
                for each in page.worker_deployments
            ]
            token = page.next_page_token
            if not token or len(rows) >= MOST_ROWS:
                return DeploymentsListed(sorted(rows, key=lambda row: row.name))

    await repeat(ask, post, LIST_SECONDS)


async def watch_deployment(link: Link, name: str, post: Post) -> None:
    """Tell of one deployment and its versions, again and again."""

    async def ask() -> DeploymentDescribed:
        async with link.asking(f"describe worker deployment {name!r}") as client:
            from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest

            reply = await client.workflow_service.describe_worker_deployment(
                DescribeWorkerDeploymentRequest(namespace=link.namespace, deployment_name=name), timeout=seconds(10)
            )
        info = reply.worker_deployment_info
        versions = sorted(_versions(info), key=lambda version: -version.create_time_ns)
        newest = versions[0].build_id if versions else ""
        row = _row(info.name, info.routing_config, info.create_time, newest)
        return DeploymentDescribed(row._replace(fields=tuple(_fields(info))), versions)

    await repeat(ask, post, DESCRIBE_SECONDS)


async def watch_version(link: Link, name: str, chosen: Callable[[], str], post: Post) -> None:
    """Tell of the version that is looked at: `chosen` gives its build id, or nothing."""

    async def ask() -> VersionDescribed:
        build_id = chosen()
        if not build_id:
            return VersionDescribed(VersionDetail("", (), ""))
        async with link.asking(f"describe version {build_id!r}") as client:
            from temporalio.api.deployment.v1 import WorkerDeploymentVersion
            from temporalio.api.enums.v1 import TaskQueueType
            from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentVersionRequest

            from durable_cli.output.payload_text import format_fields

            reply = await client.workflow_service.describe_worker_deployment_version(
                DescribeWorkerDeploymentVersionRequest(
                    namespace=link.namespace,
                    deployment_version=WorkerDeploymentVersion(deployment_name=name, build_id=build_id),
                    report_task_queue_stats=True,
                ),
                timeout=seconds(10),
            )
        info = reply.worker_deployment_version_info
        queues = {
            (each.name, each.type): (
                each.stats.approximate_backlog_count,
                each.stats.approximate_backlog_age.ToNanoseconds(),
            )
            for each in reply.version_task_queues
        }
        for each in info.task_queue_infos:
            queues.setdefault((each.name, each.type), (0, 0))
        prefix = "TASK_QUEUE_TYPE_"
        rows = tuple(
            (queue, TaskQueueType.Name(kind).removeprefix(prefix).lower(), *stats)
            for (queue, kind), stats in sorted(queues.items())
        )
        return VersionDescribed(VersionDetail(build_id, rows, format_fields(info.metadata.entries)))

    await repeat(ask, post, DESCRIBE_SECONDS)


def _row(name: str, routing: RoutingConfig, created: Timestamp, latest: str) -> DeploymentRow:
    from durable_cli.tui.feed.from_protos import timestamp_ns

    return DeploymentRow(
        name,
        routing.current_deployment_version.build_id,
        timestamp_ns(routing.current_version_changed_time),
        routing.ramping_deployment_version.build_id,
        routing.ramping_version_percentage,
        latest,
        timestamp_ns(created),
    )


def _fields(info: WorkerDeploymentInfo) -> Iterator[tuple[str, str]]:
    from durable_cli.tui.feed.from_protos import timestamp_ns
    from durable_cli.tui.times import clock

    yield "created", clock(timestamp_ns(info.create_time), with_date=True)[:16]
    if info.last_modifier_identity:
        yield "changed last by", info.last_modifier_identity
    if info.manager_identity:
        yield "managed by", info.manager_identity


def _versions(info: WorkerDeploymentInfo) -> Iterator[VersionRow]:
    from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus

    from durable_cli.tui.feed.from_protos import timestamp_ns

    routing = info.routing_config
    prefix = "WORKER_DEPLOYMENT_VERSION_STATUS_"
    for each in info.version_summaries:
        build_id = each.deployment_version.build_id
        status = WorkerDeploymentVersionStatus.Name(each.status).removeprefix(prefix).capitalize()
        times = {
            "Current": each.current_since_time,
            "Ramping": each.ramping_since_time,
            "Draining": each.drainage_info.last_changed_time,
            "Drained": each.drainage_info.last_changed_time,
        }
        yield VersionRow(
            build_id,
            status,
            routing.ramping_version_percentage if status == "Ramping" else 0,
            timestamp_ns(each.create_time),
            timestamp_ns(times.get(status, each.create_time)),
            timestamp_ns(each.drainage_info.last_checked_time) if status == "Draining" else 0,
        )
