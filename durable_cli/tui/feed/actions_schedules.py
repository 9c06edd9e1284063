"""What the browser does to schedules: each returns what was done, in words.

Raises: CliError when the server refuses.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, seconds

if TYPE_CHECKING:
    from temporalio.api.schedule.v1 import Schedule, SchedulePatch, ScheduleSpec
    from temporalio.api.workflowservice.v1 import DescribeScheduleResponse

    from durable_cli.client import Client

__all__ = [
    "OVERLAP_NAMES",
    "PauseState",
    "backfill_schedule",
    "create_schedule",
    "delete_schedule",
    "edit_schedule",
    "pause_schedule",
    "read_pause",
    "restore_pause",
    "trigger_schedule",
    "unpause_schedule",
]

SECONDS = 10.0
OVERLAP_NAMES = ("skip", "buffer one", "buffer all", "cancel other", "terminate other", "allow all")


class PauseState(NamedTuple):
    """Whether a schedule rests, and the note that is kept with that."""

    is_paused: bool
    note: str


async def trigger_schedule(link: Link, schedule_id: str) -> str:
    """Let a schedule act at once."""
    from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest

    patch = SchedulePatch(trigger_immediately=TriggerImmediatelyRequest())
    await _patch(link, schedule_id, f"trigger schedule {schedule_id!r}", patch)
    return f"triggered {schedule_id}"


async def pause_schedule(link: Link, schedule_id: str, note: str) -> str:
    """Let a schedule not act any more; the note stays with it."""
    from temporalio.api.schedule.v1 import SchedulePatch

    await _patch(link, schedule_id, f"pause schedule {schedule_id!r}", SchedulePatch(pause=note or "paused in dx tui"))
    return f"paused {schedule_id}"


async def unpause_schedule(link: Link, schedule_id: str, note: str) -> str:
    """Let a schedule act again."""
    from temporalio.api.schedule.v1 import SchedulePatch

    patch = SchedulePatch(unpause=note or "unpaused in dx tui")
    await _patch(link, schedule_id, f"unpause schedule {schedule_id!r}", patch)
    return f"unpaused {schedule_id}"


async def read_pause(link: Link, schedule_id: str) -> PauseState:
    """Ask whether a schedule rests, and why: a list may be behind."""
    async with link.asking(f"describe schedule {schedule_id!r}") as client:
        state = (await _describe(client, link, schedule_id)).schedule.state
    return PauseState(state.paused, state.notes)


async def restore_pause(link: Link, schedule_id: str, before: PauseState) -> str:
    """Let a schedule rest or act as it did before, with the note of that time: a patch can't write an empty one."""
    async with link.asking(f"change schedule {schedule_id!r}") as client:
        description = await _describe(client, link, schedule_id)
        description.schedule.state.paused, description.schedule.state.notes = before
        await _update(client, link, schedule_id, description)
    return f"{schedule_id} is {'paused' if before.is_paused else 'active'} again"


async def backfill_schedule(link: Link, schedule_id: str, start: str, end: str, overlap: str) -> str:
    """Let a schedule do what it would have done between two local times."""
    from temporalio.api.schedule.v1 import BackfillRequest, SchedulePatch

    from durable_cli.tui.feed.schedule_protos import OVERLAPS

    request = BackfillRequest(overlap_policy=next(number for number, name in OVERLAPS.items() if name == overlap))
    request.start_time.FromDatetime(_parse_time(start))
    request.end_time.FromDatetime(_parse_time(end))
    patch = SchedulePatch(backfill_request=[request])
    await _patch(link, schedule_id, f"backfill schedule {schedule_id!r}", patch)
    return f"backfilled {schedule_id} from {start} to {end}"


async def delete_schedule(link: Link, schedule_id: str) -> str:
    """Delete a schedule; the runs that it started go on."""
    async with link.asking(f"delete schedule {schedule_id!r}") as client:
        from temporalio.api.workflowservice.v1 import DeleteScheduleRequest

        request = DeleteScheduleRequest(namespace=link.namespace, schedule_id=schedule_id, identity=client.identity)
        await client.workflow_service.delete_schedule(request, timeout=seconds(SECONDS))
    return f"deleted {schedule_id}"


async def create_schedule(link: Link, values: Mapping[str, str]) -> str:
    """Make a schedule of the values of its form."""
    from temporalio.api.schedule.v1 import Schedule
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import CreateScheduleRequest

    schedule_id = values["schedule_id"]
    schedule = Schedule()
    schedule.action.start_workflow.workflow_id = schedule_id
    schedule.action.start_workflow.task_queue.CopyFrom(TaskQueue(name=values["task_queue"]))
    _fill(schedule, values)
    async with link.asking(f"create schedule {schedule_id!r}") as client:
        request = CreateScheduleRequest(
            namespace=link.namespace,
            schedule_id=schedule_id,
            schedule=schedule,
            identity=client.identity,
            request_id=str(uuid.uuid4()),
        )
        await client.workflow_service.create_schedule(request, retry=True, timeout=seconds(SECONDS))
    return f"created {schedule_id}"


async def edit_schedule(link: Link, schedule_id: str, values: Mapping[str, str]) -> str:
    """Change of a schedule what its form says; everything else stays, and so does it when no time is given."""
    async with link.asking(f"change schedule {schedule_id!r}") as client:
        description = await _describe(client, link, schedule_id)
        _fill(description.schedule, values)
        await _update(client, link, schedule_id, description)
    return f"changed {schedule_id}"


async def _describe(client: Client, link: Link, schedule_id: str) -> DescribeScheduleResponse:
    from temporalio.api.workflowservice.v1 import DescribeScheduleRequest

    request = DescribeScheduleRequest(namespace=link.namespace, schedule_id=schedule_id)
    return await client.workflow_service.describe_schedule(request, timeout=seconds(SECONDS))


async def _update(client: Client, link: Link, schedule_id: str, description: DescribeScheduleResponse) -> None:
    """Put a schedule as it was described, but for what was changed in it; refused when it was changed meanwhile."""
    from temporalio.api.workflowservice.v1 import UpdateScheduleRequest

    request = UpdateScheduleRequest(
        namespace=link.namespace,
        schedule_id=schedule_id,
        schedule=description.schedule,
        conflict_token=description.conflict_token,
        identity=client.identity,
        request_id=str(uuid.uuid4()),
    )
    await client.workflow_service.update_schedule(request, timeout=seconds(SECONDS))


def _fill(schedule: Schedule, values: Mapping[str, str]) -> None:
    from temporalio.api.common.v1 import Payloads

    from durable_cli.payloads import make_payload
    from durable_cli.tui.feed.schedule_protos import OVERLAPS

    start = schedule.action.start_workflow
    if values["when"]:
        schedule.spec.CopyFrom(_make_spec(values["when"], values["time_zone"], schedule.spec))
    elif values["time_zone"]:
        schedule.spec.timezone_name = values["time_zone"]
    start.workflow_type.name = values["workflow_type"]
    start.task_queue.name = values["task_queue"]
    start.workflow_id = values["workflow_id"] or start.workflow_id
    if "argument" in values:
        argument = values["argument"]
        start.input.CopyFrom(Payloads(payloads=[make_payload(json.loads(argument))] if argument else []))
    schedule.policies.overlap_policy = next(number for number, name in OVERLAPS.items() if name == values["overlap"])
    schedule.state.notes = values["notes"]


def _make_spec(when: str, time_zone: str, before: ScheduleSpec) -> ScheduleSpec:
    """Read `30 2 * * *` or `every 1h` or `1h/5m`, several of them with ; between them."""
    from datetime import timedelta

    from temporalio.api.schedule.v1 import IntervalSpec, ScheduleSpec

    from durable_cli.parameters import parse_duration

    spec = ScheduleSpec(timezone_name=time_zone)
    spec.jitter.CopyFrom(before.jitter)
    for part in filter(None, (part.strip() for part in when.split(";"))):
        interval, _, phase = part.removeprefix("every ").strip().partition("/")
        try:
            every, offset = parse_duration(interval), parse_duration(phase) if phase else timedelta()
        except ValueError:
            spec.cron_string.append(part)
            continue
        entry = IntervalSpec()
        entry.interval.FromTimedelta(every)
        entry.phase.FromTimedelta(offset)
        spec.interval.append(entry)
    return spec


def _parse_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise CliError(f"{text!r} is no time", "write it as 2026-01-31 08:00") from None


async def _patch(link: Link, schedule_id: str, action: str, patch: SchedulePatch) -> None:
    async with link.asking(action) as client:
        from temporalio.api.workflowservice.v1 import PatchScheduleRequest

        request = PatchScheduleRequest(
            namespace=link.namespace,
            schedule_id=schedule_id,
            patch=patch,
            identity=client.identity,
            request_id=str(uuid.uuid4()),
        )
        await client.workflow_service.patch_schedule(request, retry=True, timeout=seconds(SECONDS))
