"""What the browser does to one activity of a run: each returns what was done, in words.

Raises: CliError when the server refuses.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from durable_cli.errors import CliError
from durable_cli.tui.feed.actions import execution, make_arguments
from durable_cli.tui.feed.link import Link, seconds

if TYPE_CHECKING:
    from temporalio.api.activity.v1 import ActivityOptions

    from durable_cli.client import Client

__all__ = [
    "OPTION_FIELDS",
    "OPTION_WORDS",
    "ActivityTarget",
    "complete_activity",
    "fail_activity",
    "pause_activity",
    "read_options",
    "reset_activity",
    "unpause_activity",
    "update_options",
]

SECONDS = 10.0

OPTION_FIELDS = {
    "task_queue": "task_queue.name",
    "start_to_close": "start_to_close_timeout",
    "schedule_to_close": "schedule_to_close_timeout",
    "heartbeat": "heartbeat_timeout",
    "attempts": "retry_policy.maximum_attempts",
}
"""The options that a form asks for, and where each is in the protocol."""
OPTION_WORDS = {
    "task_queue": "task queue",
    "start_to_close": "time limit of an attempt",
    "schedule_to_close": "time limit of all attempts",
    "heartbeat": "longest time between heartbeats",
    "attempts": "most attempts",
}
"""What they are called, by the form and in what is said of a change."""


class ActivityTarget(NamedTuple):
    """Which activity of which run."""

    workflow_id: str
    run_id: str
    activity_id: str
    activity_type: str

    @property
    def title(self) -> str:
        """How it is called in questions and notes."""
        return f"{self.activity_type} ({self.activity_id})"


@asynccontextmanager
async def _asking(link: Link, action: str) -> AsyncIterator[Client]:
    """Ask the server for something that an activity must be pending for."""
    async with link.asking(action) as client:
        from temporalio.service import RPCError, RPCStatusCode

        try:
            yield client
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            raise CliError(f"can't {action}: {error.message}", "is it over by now? The history says so") from None


async def complete_activity(link: Link, target: ActivityTarget, result: str) -> str:
    """Complete it in a worker's place; `result` is JSON, or nothing."""
    async with _asking(link, f"complete activity {target.title}") as client:
        from temporalio.api.workflowservice.v1 import RespondActivityTaskCompletedByIdRequest

        request = RespondActivityTaskCompletedByIdRequest(
            namespace=link.namespace,
            workflow_id=target.workflow_id,
            run_id=target.run_id,
            activity_id=target.activity_id,
            result=make_arguments(result),
            identity=client.identity,
        )
        service = client.workflow_service
        await service.respond_activity_task_completed_by_id(request, timeout=seconds(SECONDS))
    return f"completed {target.title}"


async def fail_activity(link: Link, target: ActivityTarget, message: str, type_name: str, *, is_final: bool) -> str:
    """Fail its attempt in a worker's place; a final failure is not tried again."""
    async with _asking(link, f"fail activity {target.title}") as client:
        from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
        from temporalio.api.workflowservice.v1 import RespondActivityTaskFailedByIdRequest

        info = ApplicationFailureInfo(type=type_name, non_retryable=is_final)
        request = RespondActivityTaskFailedByIdRequest(
            namespace=link.namespace,
            workflow_id=target.workflow_id,
            run_id=target.run_id,
            activity_id=target.activity_id,
            failure=Failure(message=message, application_failure_info=info),
            identity=client.identity,
        )
        await client.workflow_service.respond_activity_task_failed_by_id(request, timeout=seconds(SECONDS))
    return f"failed {target.title}"


async def pause_activity(link: Link, target: ActivityTarget, reason: str) -> str:
    """Start no further attempt until it is let go on."""
    async with _asking(link, f"pause activity {target.title}") as client:
        from temporalio.api.workflowservice.v1 import PauseActivityRequest

        request = PauseActivityRequest(
            namespace=link.namespace,
            execution=execution(target.workflow_id, target.run_id),
            id=target.activity_id,
            reason=reason,
            identity=client.identity,
            request_id=str(uuid.uuid4()),
        )
        await client.workflow_service.pause_activity(request, timeout=seconds(SECONDS))
    return f"paused {target.title}"


async def unpause_activity(link: Link, target: ActivityTarget) -> str:
    """Let it go on."""
    async with _asking(link, f"unpause activity {target.title}") as client:
        from temporalio.api.workflowservice.v1 import UnpauseActivityRequest

        request = UnpauseActivityRequest(
            namespace=link.namespace,
            execution=execution(target.workflow_id, target.run_id),
            id=target.activity_id,
            identity=client.identity,
        )
        await client.workflow_service.unpause_activity(request, timeout=seconds(SECONDS))
    return f"unpaused {target.title}"


async def reset_activity(
    link: Link, target: ActivityTarget, *, resets_heartbeat: bool, keeps_paused: bool = False
) -> str:
    """Begin again with its first attempt, at once."""
    async with _asking(link, f"reset activity {target.title}") as client:
        from temporalio.api.workflowservice.v1 import ResetActivityRequest

        request = ResetActivityRequest(
            namespace=link.namespace,
            execution=execution(target.workflow_id, target.run_id),
            id=target.activity_id,
            identity=client.identity,
            reset_heartbeat=resets_heartbeat,
            keep_paused=keeps_paused,
        )
        await client.workflow_service.reset_activity(request, timeout=seconds(SECONDS))
    return f"reset {target.title}: it begins again with attempt 1"


async def read_options(link: Link, target: ActivityTarget) -> dict[str, str]:
    """Return its options as a form shows them: an empty text where there is no limit."""
    async with link.asking(f"describe workflow {target.workflow_id!r}") as client:
        from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

        description = await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace=link.namespace, execution=execution(target.workflow_id, target.run_id)
            ),
            timeout=seconds(SECONDS),
        )
    for activity in description.pending_activities:
        if activity.activity_id == target.activity_id:
            return _write_options(activity.activity_options)
    return dict.fromkeys(OPTION_FIELDS, "")


def _write_options(options: ActivityOptions) -> dict[str, str]:
    from durable_cli.output.times import format_duration

    texts = {}
    for name, path in OPTION_FIELDS.items():
        value: Any = options
        for part in path.split("."):
            value = getattr(value, part)
        if path.endswith("timeout"):
            value = format_duration(value) if value.seconds or value.nanos else ""
        texts[name] = str(value or "")
    return texts


async def update_options(
    link: Link, target: ActivityTarget, before: Mapping[str, str], after: Mapping[str, str]
) -> str:
    """Change those of its options that a form has other values for than there were."""
    changed = [name for name in OPTION_FIELDS if after[name] != before[name]]
    if not changed:
        return f"nothing changed of {target.title}"
    async with _asking(link, f"change the options of activity {target.title}") as client:
        from google.protobuf.field_mask_pb2 import FieldMask
        from temporalio.api.activity.v1 import ActivityOptions
        from temporalio.api.workflowservice.v1 import UpdateActivityOptionsRequest

        from durable_cli.parameters import parse_duration

        options = ActivityOptions()
        for name in changed:
            *owners, field = OPTION_FIELDS[name].split(".")
            place: Any = options
            for owner in owners:
                place = getattr(place, owner)
            if field.endswith("timeout"):
                getattr(place, field).FromTimedelta(parse_duration(after[name] or "0"))
            else:
                setattr(place, field, int(after[name] or "0") if name == "attempts" else after[name])
        request = UpdateActivityOptionsRequest(
            namespace=link.namespace,
            execution=execution(target.workflow_id, target.run_id),
            id=target.activity_id,
            activity_options=options,
            update_mask=FieldMask(paths=[OPTION_FIELDS[name] for name in changed]),
            identity=client.identity,
        )
        await client.workflow_service.update_activity_options(request, timeout=seconds(SECONDS))
    return f"changed {target.title}: {', '.join(OPTION_WORDS[name] for name in changed)}"
