"""Workers that report themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_cli.tui.feed.link import Link, Post, seconds
from durable_cli.tui.feed.watch import repeat
from durable_cli.tui.place_messages import WorkersListed
from durable_cli.tui.place_rows import SlotsRow, WorkerRow

if TYPE_CHECKING:
    from temporalio.api.deployment.v1 import WorkerDeploymentVersion
    from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerListInfo, WorkerPollerInfo, WorkerSlotsInfo

__all__ = ["watch_workers"]

LIST_SECONDS = 3.0
PAGE_ROWS = 200
MOST_ROWS = 2_000


async def watch_workers(link: Link, post: Post) -> None:
    """Tell of the workers of the namespace, again and again."""

    async def ask() -> WorkersListed:
        rows: list[WorkerRow] = []
        token = b""
        while True:
            async with link.asking("list workers") as client:
                from temporalio.api.workflowservice.v1 import ListWorkersRequest

                page = await client.workflow_service.list_workers(
                    ListWorkersRequest(namespace=link.namespace, page_size=PAGE_ROWS, next_page_token=token),
                    timeout=seconds(10),
                )
            # The one list is deprecated, and the other says less.
            heartbeats = {
                each.worker_heartbeat.worker_instance_key: each.worker_heartbeat for each in page.workers_info
            }
            rows += [_from_heartbeat(each) for each in heartbeats.values()]
            rows += [_from_info(each) for each in page.workers if each.worker_instance_key not in heartbeats]
            token = page.next_page_token
            if not token or len(rows) >= MOST_ROWS:
                return WorkersListed(sorted(rows, key=lambda row: (row.task_queue, row.start_time_ns, row.key)))

    await repeat(ask, post, LIST_SECONDS)


def _from_info(info: WorkerListInfo) -> WorkerRow:
    from durable_cli.tui.feed.from_protos import timestamp_ns

    return WorkerRow(
        info.worker_instance_key,
        info.worker_identity,
        _status(info.status),
        info.task_queue,
        _version(info.deployment_version),
        f"{info.sdk_name} {info.sdk_version}".strip(),
        info.host_name,
        info.process_id,
        timestamp_ns(info.start_time),
        plugins=", ".join(f"{plugin.name} {plugin.version}".strip() for plugin in info.plugins),
    )


def _from_heartbeat(heartbeat: WorkerHeartbeat) -> WorkerRow:
    from durable_cli.tui.feed.from_protos import timestamp_ns

    return WorkerRow(
        heartbeat.worker_instance_key,
        heartbeat.worker_identity,
        _status(heartbeat.status),
        heartbeat.task_queue,
        _version(heartbeat.deployment_version),
        f"{heartbeat.sdk_name} {heartbeat.sdk_version}".strip(),
        heartbeat.host_info.host_name,
        heartbeat.host_info.process_id,
        timestamp_ns(heartbeat.start_time),
        timestamp_ns(heartbeat.heartbeat_time),
        (
            _slots("workflow", heartbeat.workflow_task_slots_info, heartbeat.workflow_poller_info),
            _slots("activity", heartbeat.activity_task_slots_info, heartbeat.activity_poller_info),
            _slots("local activity", heartbeat.local_activity_slots_info, None),
            _slots("nexus", heartbeat.nexus_task_slots_info, heartbeat.nexus_poller_info),
        ),
        heartbeat.current_sticky_cache_size,
        heartbeat.total_sticky_cache_hit,
        heartbeat.total_sticky_cache_miss,
        heartbeat.host_info.current_host_cpu_usage,
        heartbeat.host_info.current_host_mem_usage,
        ", ".join(f"{plugin.name} {plugin.version}".strip() for plugin in heartbeat.plugins),
    )


def _slots(kind: str, info: WorkerSlotsInfo, pollers: WorkerPollerInfo | None) -> SlotsRow:
    from durable_cli.tui.feed.from_protos import timestamp_ns

    return SlotsRow(
        kind,
        info.current_used_slots,
        info.current_available_slots,
        info.slot_supplier_kind,
        info.total_processed_tasks,
        info.total_failed_tasks,
        pollers.current_pollers if pollers else 0,
        timestamp_ns(pollers.last_successful_poll_time) if pollers else 0,
    )


def _status(number: int) -> str:
    from temporalio.api.enums.v1 import WorkerStatus

    return WorkerStatus.Name(WorkerStatus.ValueType(number)).removeprefix("WORKER_STATUS_").replace("_", " ").lower()


def _version(version: WorkerDeploymentVersion) -> str:
    return ":".join(filter(None, (version.deployment_name, version.build_id)))
