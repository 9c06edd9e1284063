"""A new workflow, made like another one or of what was typed.

Raises: CliError when the server refuses.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from durable_cli.errors import CliError
from durable_cli.tui.feed.actions import execution
from durable_cli.tui.feed.link import Link, seconds

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration
    from temporalio.api.common.v1 import Payload, Payloads
    from temporalio.api.history.v1 import HistoryEvent

__all__ = ["CONFLICTS", "REUSES", "Model", "StartedRun", "read_model", "start_workflow"]

SECONDS = 10.0
EDITABLE_CHARACTERS = 100_000
SUGGESTED_END = re.compile(r"-[0-9a-f]{6}$")

# In words, by the number of the protocol's policy.
REUSES = {
    "start it": 1,
    "start it only if that one failed": 2,
    "refuse": 3,
}
CONFLICTS = {"refuse": 1, "show that one": 2, "terminate that one": 3}


class Model(NamedTuple):
    """How a run was started, for a form; `serialized` is its first event, the rest of which is taken over as it is."""

    workflow_id: str = ""
    workflow_type: str = ""
    task_queue: str = ""
    arguments: str | None = ""
    """JSON values with commas between; None when they can't be edited so."""
    argument_note: str = ""
    execution_timeout: str = ""
    run_timeout: str = ""
    cron_schedule: str = ""
    also: tuple[str, ...] = ()
    """What is taken over without being asked for."""
    serialized: bytes = b""


class StartedRun(NamedTuple):
    """The run that a start led to; `is_new` is False when there was one already, which was asked for."""

    workflow_id: str
    run_id: str
    is_new: bool


async def read_model(link: Link, workflow_id: str, run_id: str) -> Model:
    """Read how a run was started."""
    async with link.asking(f"read the start of workflow {workflow_id!r}") as client:
        from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest

        request = GetWorkflowExecutionHistoryRequest(
            namespace=link.namespace, execution=execution(workflow_id, run_id), maximum_page_size=1
        )
        page = await client.workflow_service.get_workflow_execution_history(request, timeout=seconds(SECONDS))
    from durable_cli.output.times import format_duration

    event = page.history.events[0]
    started = event.workflow_execution_started_event_attributes
    text, note = _edit(started.input.payloads)
    return Model(
        f"{SUGGESTED_END.sub('', workflow_id)}-{uuid.uuid4().hex[:6]}",
        started.workflow_type.name,
        started.task_queue.name,
        text,
        note,
        format_duration(started.workflow_execution_timeout) if _is_set(started.workflow_execution_timeout) else "",
        format_duration(started.workflow_run_timeout) if _is_set(started.workflow_run_timeout) else "",
        started.cron_schedule,
        tuple(word for word, is_there in _others(event) if is_there),
        event.SerializeToString(),
    )


def _is_set(duration: Duration) -> bool:
    return bool(duration.seconds or duration.nanos)


def _others(event: HistoryEvent) -> Sequence[tuple[str, bool]]:
    started = event.workflow_execution_started_event_attributes
    return (
        ("memo", bool(started.memo.fields)),
        ("search attributes", bool(started.search_attributes.indexed_fields)),
        ("retry policy", started.HasField("retry_policy")),
        ("priority", bool(started.priority.ListFields())),
        ("summary", event.user_metadata.HasField("summary")),
        ("details", event.user_metadata.HasField("details")),
    )


def _edit(payloads: Sequence[Payload]) -> tuple[str | None, str]:
    """Return arguments as text to edit, or None and why not."""
    from durable_cli.tui.feed.payload_lines import describe_payload

    texts = []
    for payload in payloads:
        text = _edit_one(payload)
        if text is None:
            return None, f"it can't be edited and is sent as it is: {describe_payload(payload)}"
        texts.append(text)
    text = ",\n".join(texts)
    if len(text) > EDITABLE_CHARACTERS:
        return None, f"it is too long to edit here and is sent as it is: {len(text):,} characters"
    return text, ""


def _edit_one(payload: Payload) -> str | None:
    """Return a value as JSON; None where what would be made of that JSON is another kind of payload."""
    encoding = payload.metadata.get("encoding", b"")
    if encoding == b"binary/null":
        return "null"
    if not encoding.startswith(b"json/") or "encryption-key-id" in payload.metadata:
        return None
    try:
        return json.dumps(json.loads(payload.data), indent=2, ensure_ascii=False)
    except ValueError:
        return None


async def start_workflow(link: Link, model: Model, values: Mapping[str, str]) -> StartedRun:
    """Start what the form's values say; what they do not name is the model's."""
    async with link.asking(f"start workflow {values['workflow_id']!r}") as client:
        from temporalio.api.common.v1 import WorkflowType
        from temporalio.api.history.v1 import HistoryEvent
        from temporalio.api.taskqueue.v1 import TaskQueue
        from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
        from temporalio.service import RPCError, RPCStatusCode

        event = HistoryEvent.FromString(model.serialized)
        before = event.workflow_execution_started_event_attributes
        request = StartWorkflowExecutionRequest(
            namespace=link.namespace,
            workflow_id=values["workflow_id"],
            workflow_type=WorkflowType(name=values["workflow_type"]),
            task_queue=TaskQueue(name=values["task_queue"]),
            input=_make_input(before.input, model, values.get("arguments")),
            workflow_execution_timeout=_duration(values["execution_timeout"]),
            workflow_run_timeout=_duration(values["run_timeout"]),
            workflow_task_timeout=before.workflow_task_timeout,
            workflow_id_reuse_policy=REUSES[values["reuse"]],  # type: ignore[arg-type]
            workflow_id_conflict_policy=CONFLICTS[values["conflict"]],  # type: ignore[arg-type]
            cron_schedule=values.get("cron_schedule", ""),
            identity=client.identity,
            request_id=str(uuid.uuid4()),
        )
        for field in ("memo", "search_attributes", "retry_policy", "priority"):
            if before.HasField(field):
                getattr(request, field).CopyFrom(getattr(before, field))
        if event.HasField("user_metadata"):
            request.user_metadata.CopyFrom(event.user_metadata)
        try:
            response = await client.workflow_service.start_workflow_execution(
                request, retry=True, timeout=seconds(SECONDS)
            )
        except RPCError as error:
            if error.status != RPCStatusCode.ALREADY_EXISTS:
                raise
            message = f"can't start workflow {request.workflow_id!r}: {error.message}"
            raise CliError(message, "choose another id, or what is to become of the run that has it") from None
    return StartedRun(values["workflow_id"], response.run_id, response.started)


def _make_input(before: Payloads, model: Model, text: str | None) -> Payloads | None:
    """Encode the arguments; those that were not changed stay the very bytes that they were."""
    from temporalio.api.common.v1 import Payloads

    from durable_cli.payloads import make_payload
    from durable_cli.tui.field_checks import parse_arguments

    if text is None or (model.serialized and text == model.arguments):
        return before if before.payloads else None
    made = []
    for number, value in enumerate(parse_arguments(text)):
        payload = make_payload(value)
        old = before.payloads[number] if number < len(before.payloads) else None
        if old is not None and value is not None and old.metadata.get("encoding", b"").startswith(b"json/"):
            # What kind of JSON it is, a protobuf message for one, is still so.
            payload.metadata.clear()
            payload.metadata.update(old.metadata)
        made.append(payload)
    return Payloads(payloads=made) if made else None


def _duration(text: str) -> Any:
    from google.protobuf.duration_pb2 import Duration

    from durable_cli.parameters import parse_duration

    duration = Duration()
    if text:
        duration.FromTimedelta(parse_duration(text))
    return duration
