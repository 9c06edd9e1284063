"""Answers to queries that come with the completion of a workflow task."""

from __future__ import annotations

from collections.abc import Mapping

from temporalio.api.enums.v1.query_pb2 import QUERY_RESULT_TYPE_ANSWERED, QUERY_RESULT_TYPE_FAILED
from temporalio.api.query.v1 import WorkflowQueryResult

from engine.core.errors import InvalidArgument, ServiceError
from engine.core.policy.fields import exceeds_blob_size
from engine.core.policy.limits import Limits

__all__ = ["check_query_results"]


def check_query_results(
    results: Mapping[str, WorkflowQueryResult], limits: Limits
) -> dict[str, WorkflowQueryResult | ServiceError]:
    """Return the answers by query id: an error for one that is too large, and no entry for one that says nothing."""
    return {
        query_id: InvalidArgument("Blob data size exceeds limit.")
        if exceeds_blob_size(result.answer, limits)
        else result
        for query_id, result in results.items()
        if _is_whole(result)
    }


def _is_whole(result: WorkflowQueryResult) -> bool:
    if result.result_type == QUERY_RESULT_TYPE_ANSWERED:
        return result.HasField("answer") and not result.error_message
    return (
        result.result_type == QUERY_RESULT_TYPE_FAILED and not result.HasField("answer") and bool(result.error_message)
    )
