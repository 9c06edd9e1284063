"""The server itself: what it is, whether it is well, and its metrics page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, LostError, Post, seconds
from durable_cli.tui.feed.namespaces import list_namespaces
from durable_cli.tui.feed.runs import count_runs
from durable_cli.tui.feed.threads import in_thread
from durable_cli.tui.feed.watch import repeat
from durable_cli.tui.place_messages import MetricsRead, ServerDescribed
from durable_cli.tui.place_rows import ServerRow
from durable_cli.tui.server_metrics import parse_metrics

if TYPE_CHECKING:
    from temporalio.api.workflowservice.v1 import GetClusterInfoResponse, GetSystemInfoResponse

__all__ = ["watch_metrics", "watch_server"]

DESCRIBE_SECONDS = 2.0
METRICS_SECONDS = 3.0
SERVICE = "temporal.api.workflowservice.v1.WorkflowService"


async def watch_server(link: Link, post: Post) -> None:
    """Tell what the server is and how it is, again and again."""

    async def ask() -> ServerDescribed:
        async with link.asking("ask what the server is") as client:
            from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

            system = await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=seconds(5))
        cluster = await _cluster(link)
        return ServerDescribed(
            ServerRow(
                tuple((label, value) for label, value in _fields(system, cluster) if value),
                tuple(_capabilities(system)),
                await _is_serving(link),
                await _counts(link),
                await _count_namespaces(link),
            )
        )

    await repeat(ask, post, DESCRIBE_SECONDS)


async def watch_metrics(url: str, post: Post) -> None:
    """Tell what a metrics page says, again and again."""
    from http.client import HTTPException

    while True:
        try:
            values = await in_thread(partial(_read_metrics, url))
            problem = "" if values else "has none of the metrics that are shown here"
            post(MetricsRead(time.monotonic(), values, problem))
        except HTTPException:
            post(MetricsRead(time.monotonic(), {}, "can't be read: what answers there does not speak HTTP"))
        except (OSError, ValueError) as error:
            post(MetricsRead(time.monotonic(), {}, f"can't be read: {getattr(error, 'reason', error)}"))
        await asyncio.sleep(METRICS_SECONDS)


def _read_metrics(url: str) -> dict[str, float]:
    from urllib.request import urlopen

    if not url.startswith(("http://", "https://")):
        raise ValueError("it must begin with http://")
    with urlopen(url, timeout=5) as reply:
        return parse_metrics(reply.read())


async def _counts(link: Link) -> dict[int, int]:
    try:
        return await count_runs(link, "")
    except LostError:
        raise
    except CliError:
        return {}  # it has no such namespace, or can't count


async def _count_namespaces(link: Link) -> int:
    try:
        return len(await list_namespaces(link))
    except LostError:
        raise
    except CliError:
        return 0  # not for everybody's eyes


async def _cluster(link: Link) -> GetClusterInfoResponse | None:
    try:
        async with link.asking("ask which cluster it is") as client:
            from temporalio.api.workflowservice.v1 import GetClusterInfoRequest

            return await client.workflow_service.get_cluster_info(GetClusterInfoRequest(), timeout=seconds(5))
    except LostError:
        raise
    except CliError:
        return None  # not for everybody's eyes


async def _is_serving(link: Link) -> bool | None:
    try:
        async with link.asking("check the server's health") as client:
            from temporalio.bridge.proto.health.v1 import HealthCheckRequest

            reply = await client.health_service.check(HealthCheckRequest(service=SERVICE), timeout=seconds(5))
    except LostError:
        raise
    except CliError:
        return None
    return bool(reply.status == reply.SERVING)


def _fields(system: GetSystemInfoResponse, cluster: GetClusterInfoResponse | None) -> Iterator[tuple[str, str]]:
    yield "version", system.server_version
    if cluster is None:
        return
    yield "cluster", cluster.cluster_name
    yield "id", cluster.cluster_id
    yield "history in", cluster.persistence_store
    yield "visibility in", cluster.visibility_store
    yield "history shards", str(cluster.history_shard_count or "")
    recommended = cluster.version_info.recommended.version
    yield "recommended version", recommended if recommended != system.server_version else ""
    clients = cluster.supported_clients
    yield "clients", ", ".join(f"{name} {clients[name]}" for name in sorted(clients, key=str.lower))


def _capabilities(system: GetSystemInfoResponse) -> Iterator[tuple[str, bool]]:
    for field in type(system.capabilities).DESCRIPTOR.fields:
        yield field.name.replace("_", " ").removeprefix("supports "), bool(getattr(system.capabilities, field.name))
