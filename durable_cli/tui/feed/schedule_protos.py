"""Schedules as rows, made of what a server answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import (
    Schedule,
    ScheduleActionResult,
    ScheduleInfo,
    ScheduleListEntry,
    ScheduleSpec,
    StructuredCalendarSpec,
)
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse

from durable_cli.dev.provision.calendars import expand_calendar
from durable_cli.output.payload_text import format_fields, format_payloads
from durable_cli.tui.feed.from_protos import timestamp_ns
from durable_cli.tui.schedules.rows import ActionRow, Calendar, Interval, ScheduleDetail, ScheduleRow, Spec
from durable_cli.tui.schedules.spec_words import exact_span
from durable_cli.tui.times import clock

__all__ = ["OVERLAPS", "argument_json", "schedule_detail", "schedule_row"]

OVERLAPS = {
    ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP: "skip",
    ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE: "buffer one",
    ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL: "buffer all",
    ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER: "cancel other",
    ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER: "terminate other",
    ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL: "allow all",
}


def schedule_row(entry: ScheduleListEntry) -> ScheduleRow:
    """Make a row of a schedule in a list."""
    info = entry.info
    return ScheduleRow(
        entry.schedule_id,
        _spec(info.spec),
        info.workflow_type.name,
        info.paused,
        info.notes,
        tuple(map(timestamp_ns, info.future_action_times)),
        _actions(info.recent_actions),
    )


def schedule_detail(schedule_id: str, description: DescribeScheduleResponse) -> ScheduleDetail:
    """Say all of one schedule."""
    schedule, info = description.schedule, description.info
    start = schedule.action.start_workflow
    row = ScheduleRow(
        schedule_id,
        _spec(schedule.spec),
        start.workflow_type.name,
        schedule.state.paused,
        schedule.state.notes,
        tuple(map(timestamp_ns, info.future_action_times)),
        _actions(info.recent_actions),
    )
    return ScheduleDetail(
        row,
        start.workflow_id,
        start.task_queue.name,
        format_payloads(start.input.payloads),
        argument_json(start.input),
        _overlap(schedule),
        tuple((label, value) for label, value in _fields(description, schedule, info) if value),
    )


def argument_json(payloads: Payloads) -> str | None:
    """Return the only argument as JSON, the empty text for none, None for anything else."""
    if not payloads.payloads:
        return ""
    if len(payloads.payloads) > 1 or not payloads.payloads[0].metadata.get("encoding", b"").startswith(b"json/"):
        return None
    try:
        return json.dumps(json.loads(payloads.payloads[0].data), indent=2, ensure_ascii=False)
    except ValueError:
        return None


def _spec(spec: ScheduleSpec) -> Spec:
    return Spec(
        tuple(_calendars(spec.structured_calendar)),
        tuple(
            Interval(each.interval.seconds, each.phase.seconds) for each in spec.interval if each.interval.seconds > 0
        ),
        tuple(_calendars(spec.exclude_structured_calendar)),
        timestamp_ns(spec.start_time),
        timestamp_ns(spec.end_time),
        spec.jitter.seconds + spec.jitter.nanos / 1e9,
        "" if spec.timezone_name in ("UTC", "Etc/UTC") else spec.timezone_name,
    )


def _calendars(specs: Iterable[StructuredCalendarSpec]) -> Iterator[Calendar]:
    """Leave out what never matches: a field without a value matches none, but for the year."""
    for spec in specs:
        calendar = Calendar(*expand_calendar(spec))
        if all(calendar._replace(year=(1,))):
            yield calendar


def _actions(results: Iterable[ScheduleActionResult]) -> tuple[ActionRow, ...]:
    return tuple(
        ActionRow(
            timestamp_ns(result.schedule_time),
            timestamp_ns(result.actual_time),
            result.start_workflow_result.workflow_id,
            result.start_workflow_result.run_id,
            result.start_workflow_status,
        )
        for result in results
    )


def _overlap(schedule: Schedule) -> str:
    return OVERLAPS.get(schedule.policies.overlap_policy, "skip")


def _fields(description: DescribeScheduleResponse, schedule: Schedule, info: ScheduleInfo) -> Iterator[tuple[str, str]]:
    yield "overlap", _overlap(schedule)
    jitter = schedule.spec.jitter.ToTimedelta().total_seconds()
    yield "jitter", f"up to {exact_span(jitter)}" if jitter else ""
    yield "catch up", f"within {exact_span(schedule.policies.catchup_window.ToTimedelta().total_seconds())}"
    yield "on failure", "pauses" if schedule.policies.pause_on_failure else ""
    yield "left", f"{schedule.state.remaining_actions:,} runs" if schedule.state.limited_actions else ""
    yield "started", f"{info.action_count:,}"
    yield "missed", _count(info.missed_catchup_window)
    yield "skipped", _count(info.overlap_skipped)
    yield "dropped", _count(info.buffer_dropped)
    yield "buffered", _count(info.buffer_size)
    yield "running", _count(len(info.running_workflows))
    yield "created", clock(timestamp_ns(info.create_time), with_date=True)[:16]
    if info.HasField("update_time"):
        yield "changed", clock(timestamp_ns(info.update_time), with_date=True)[:16]
    yield "memo", format_fields(description.memo.fields)
    yield "attributes", format_fields(description.search_attributes.indexed_fields)


def _count(number: int) -> str:
    return f"{number:,}" if number else ""
