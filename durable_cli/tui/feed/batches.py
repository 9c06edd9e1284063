"""Batch operations."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, LostError, Post, seconds
from durable_cli.tui.feed.watch import repeat
from durable_cli.tui.place_messages import BatchesListed
from durable_cli.tui.place_rows import BatchRow

if TYPE_CHECKING:
    from temporalio.api.batch.v1 import BatchOperationInfo

__all__ = ["RUNNING_STATE", "stop_batch", "watch_batches"]

LIST_SECONDS = 1.5
PAGE_ROWS = 100
MOST_DESCRIBED = 50
SLOTS = 8
RUNNING_STATE = "Running"


async def watch_batches(link: Link, post: Post) -> None:
    """Tell of the latest batch operations, and how far they are."""
    known: dict[str, BatchRow] = {}

    async def ask() -> BatchesListed:
        async with link.asking("list batch operations") as client:
            from temporalio.api.workflowservice.v1 import ListBatchOperationsRequest

            page = await client.workflow_service.list_batch_operations(
                ListBatchOperationsRequest(namespace=link.namespace, page_size=PAGE_ROWS), timeout=seconds(10)
            )
        rows = sorted(map(_listed_row, page.operation_info), key=lambda row: -row.start_time_ns)
        slots = asyncio.Semaphore(SLOTS)

        async def describe(row: BatchRow) -> None:
            async with slots:
                known[row.job_id] = await _describe(link, row)

        # One that is closed, and was seen so, does not change any more.
        await asyncio.gather(*(describe(row) for row in rows[:MOST_DESCRIBED] if not _is_final(known.get(row.job_id))))
        return BatchesListed([known.get(row.job_id, row) for row in rows])

    await repeat(ask, post, LIST_SECONDS)


async def stop_batch(link: Link, job_id: str, reason: str) -> str:
    """Stop a batch operation; what it has done stays done."""
    async with link.asking(f"stop batch {job_id}") as client:
        from temporalio.api.workflowservice.v1 import StopBatchOperationRequest

        request = StopBatchOperationRequest(
            namespace=link.namespace, job_id=job_id, reason=reason, identity=client.identity
        )
        await client.workflow_service.stop_batch_operation(request, timeout=seconds(10))
    return f"stopped batch {job_id}"


async def _describe(link: Link, row: BatchRow) -> BatchRow:
    try:
        async with link.asking(f"describe batch {row.job_id}") as client:
            from temporalio.api.workflowservice.v1 import DescribeBatchOperationRequest

            from durable_cli.tui.feed.from_protos import timestamp_ns

            reply = await client.workflow_service.describe_batch_operation(
                DescribeBatchOperationRequest(namespace=link.namespace, job_id=row.job_id), timeout=seconds(10)
            )
    except LostError:
        raise
    except CliError:
        return row  # it is gone since it was listed
    return row._replace(
        operation=_operation(reply.operation_type),
        state=_state(reply.state),
        close_time_ns=timestamp_ns(reply.close_time),
        total=reply.total_operation_count,
        completed=reply.complete_operation_count,
        failed=reply.failure_operation_count,
        reason=reply.reason,
        query=reply.query,
        identity=reply.identity,
    )


def _listed_row(info: BatchOperationInfo) -> BatchRow:
    from durable_cli.tui.feed.from_protos import timestamp_ns

    return BatchRow(
        info.job_id,
        _operation(info.operation_type),
        _state(info.state),
        timestamp_ns(info.start_time),
        timestamp_ns(info.close_time),
    )


def _is_final(row: BatchRow | None) -> bool:
    return row is not None and row.state != RUNNING_STATE and row.total is not None


def _state(number: int) -> str:
    from temporalio.api.enums.v1 import BatchOperationState

    name = BatchOperationState.Name(BatchOperationState.ValueType(number))
    return name.removeprefix("BATCH_OPERATION_STATE_").capitalize()


def _operation(number: int) -> str:
    from temporalio.api.enums.v1 import BatchOperationType

    name = BatchOperationType.Name(BatchOperationType.ValueType(number))
    return name.removeprefix("BATCH_OPERATION_TYPE_").replace("_", " ").lower().removesuffix(" workflow")
