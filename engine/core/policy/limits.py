"""The numbers that bound requests, histories and runs, each settable by its official dynamic-config key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from engine.core.policy.durations import NANOS_PER_SECOND, parse_duration_text

_SECOND_NS = NANOS_PER_SECOND
_MINUTE_NS = 60 * _SECOND_NS
_HOUR_NS = 60 * _MINUTE_NS
_KIB = 1024
_MIB = 1024 * _KIB

MAX_HISTORY_PAGE_SIZE = 256
"""A history page never holds more events, whatever the request and the dynamic config ask for."""

MAX_WORKFLOW_TASK_TIMEOUT_NS = 120 * _SECOND_NS
"""A longer workflow task timeout is cut to this."""

MIN_LONG_POLL_TIMEOUT_NS = 2 * _SECOND_NS
"""A poll whose deadline is nearer is refused."""

MAX_FAIRNESS_KEY_LENGTH = 64

MAX_GRPC_MESSAGE_BYTES = 4 * _MIB
"""A larger request is refused by the transport."""


def _limit(default: float, key: str) -> Any:
    return field(default=default, metadata={"key": key.lower()})


@dataclass(frozen=True, slots=True)
class Limits:
    """Hold every limit; the defaults are the reference server's.

    A reached *error* limit refuses or fails, a *warn* limit only says so and is the size to which oversize
    failures are cut. Names end in their unit; those without one count things.
    """

    max_id_length: int = _limit(1000, "limit.maxIDLength")
    worker_build_id_length: int = _limit(255, "limit.workerBuildIdSize")
    blob_size_error_bytes: int = _limit(2 * _MIB, "limit.blobSize.error")
    blob_size_warn_bytes: int = _limit(512 * _KIB, "limit.blobSize.warn")
    memo_size_error_bytes: int = _limit(2 * _MIB, "limit.memoSize.error")
    memo_size_warn_bytes: int = _limit(2 * _KIB, "limit.memoSize.warn")
    user_metadata_summary_bytes: int = _limit(400, "limit.userMetadataSummarySize")
    user_metadata_details_bytes: int = _limit(20_000, "limit.userMetadataDetailsSize")

    history_size_error_bytes: int = _limit(50 * _MIB, "limit.historySize.error")
    history_size_warn_bytes: int = _limit(10 * _MIB, "limit.historySize.warn")
    history_size_suggest_continue_as_new_bytes: int = _limit(4 * _MIB, "limit.historySize.suggestContinueAsNew")
    history_count_error: int = _limit(50 * 1024, "limit.historyCount.error")
    history_count_warn: int = _limit(10 * 1024, "limit.historyCount.warn")
    history_count_suggest_continue_as_new: int = _limit(4 * 1024, "limit.historyCount.suggestContinueAsNew")
    activity_failure_size_error_bytes: int = _limit(4 * _KIB, "limit.mutableStateActivityFailureSize.error")
    state_size_error_bytes: int = _limit(8 * _MIB, "limit.mutableStateSize.error")

    pending_activities_error: int = _limit(2000, "limit.numPendingActivities.error")
    pending_child_executions_error: int = _limit(2000, "limit.numPendingChildExecutions.error")
    pending_signals_error: int = _limit(2000, "limit.numPendingSignals.error")
    pending_cancel_requests_error: int = _limit(2000, "limit.numPendingCancelRequests.error")
    signals_per_execution: int = _limit(10_000, "history.maximumSignalsPerExecution")
    buffered_events: int = _limit(100, "history.maximumBufferedEventsBatch")
    buffered_events_size_bytes: int = _limit(2 * _MIB, "history.maximumBufferedEventsSizeInBytes")
    buffered_queries: int = _limit(1, "history.MaxBufferedQueryCount")
    updates_in_flight: int = _limit(10, "history.maxInFlightUpdates")
    update_payloads_in_flight_bytes: int = _limit(20 * _MIB, "history.maxInFlightUpdatePayloads")
    updates_total: int = _limit(2000, "history.maxTotalUpdates")
    updates_suggest_continue_as_new_share: float = _limit(0.9, "history.maxTotalUpdates.suggestContinueAsNewThreshold")
    discarded_task_events: int = _limit(10, "history.discardSpeculativeWorkflowTaskMaximumEventsCount")

    default_workflow_task_timeout_ns: int = _limit(10 * _SECOND_NS, "history.defaultWorkflowTaskTimeout")
    workflow_task_heartbeat_timeout_ns: int = _limit(30 * _MINUTE_NS, "history.workflowTaskHeartbeatTimeout")
    workflow_task_retry_max_interval_ns: int = _limit(10 * _MINUTE_NS, "history.workflowTaskRetryMaxInterval")
    continue_as_new_min_interval_ns: int = _limit(1 * _SECOND_NS, "history.workflowIdReuseMinimalInterval")
    history_long_poll_interval_ns: int = _limit(20 * _SECOND_NS, "history.longPollExpirationInterval")
    task_long_poll_interval_ns: int = _limit(1 * _MINUTE_NS, "matching.longPollExpirationInterval")
    namespace_min_retention_ns: int = _limit(1 * _HOUR_NS, "system.namespaceMinRetentionLocal")

    history_page_size: int = _limit(MAX_HISTORY_PAGE_SIZE, "frontend.historyMaxPageSize")
    visibility_page_size: int = _limit(1000, "frontend.visibilityMaxPageSize")
    search_attributes_number_of_keys: int = _limit(100, "frontend.searchAttributesNumberOfKeysLimit")
    search_attributes_value_size_bytes: int = _limit(2 * _KIB, "frontend.searchAttributesSizeOfValueLimit")
    search_attributes_total_size_bytes: int = _limit(40 * _KIB, "frontend.searchAttributesTotalSizeLimit")
    links_per_request: int = _limit(10, "frontend.maxlinksPerRequest")
    link_size_bytes: int = _limit(4000, "frontend.linkMaxSize")
    cross_namespace_commands: bool = _limit(False, "system.enableCrossNamespaceCommands")
    updates: bool = _limit(True, "frontend.enableUpdateWorkflowExecution")
    updates_accepted: bool = _limit(True, "frontend.enableUpdateWorkflowExecutionAsyncAccepted")
    fairness: bool = _limit(True, "matching.enableFairness")
    eager_activities: bool = _limit(True, "system.enableActivityEagerExecution")
    eager_workflow_start: bool = _limit(True, "system.enableEagerWorkflowStart")
    time_skipping: bool = _limit(True, "frontend.WorkflowTimeSkippingEnabled")
    time_skipping_session_skips: int = _limit(200, "frontend.WorkflowTimeSkippingMaxSkipPerSession")
    callbacks_per_workflow: int = _limit(32, "system.maxCallbacksPerWorkflow")

    @classmethod
    def from_dynamic_config(cls, values: Mapping[str, object]) -> Limits:
        """Apply dynamic-config values (JSON) to the defaults.

        Keys are compared without case, unknown ones are ignored. A duration is a number of seconds or text such as
        `1m30s`; a value of the wrong type leaves its default, as on the reference server.
        """
        lowered = {key.lower(): value for key, value in values.items()}
        chosen: dict[str, Any] = {}
        for each in fields(cls):
            key = each.metadata["key"]
            if key in lowered:
                value = _read(each.name, each.default, lowered[key])
                if value is not None:
                    chosen[each.name] = value
        return cls(**chosen)


def _read(name: str, default: object, value: object) -> float | None:
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(default, float):
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    return _read_duration_ns(value) if name.endswith("_ns") else _read_number(value)


def _read_number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
        return None
    return int(value)


def _read_duration_ns(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value * NANOS_PER_SECOND) if math.isfinite(value) else None
    if isinstance(value, str):
        try:
            return parse_duration_text(value if value[-1:].isalpha() else value + "s")
        except ValueError:
            return None
    return None
