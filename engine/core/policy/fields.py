"""Checks of the fields that many requests have; lengths are those of the UTF-8 text, in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from temporalio.api.common.v1.message_pb2 import Link, WorkflowExecution
from temporalio.api.deployment.v1.message_pb2 import WorkerDeploymentOptions
from temporalio.api.enums.v1.deployment_pb2 import WORKER_VERSIONING_MODE_VERSIONED
from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_STICKY
from temporalio.api.taskqueue.v1.message_pb2 import TaskQueue

from engine.core.errors import FailedPrecondition, InvalidArgument
from engine.core.policy.limits import MIN_LONG_POLL_TIMEOUT_NS, Limits

_HEX = "[0-9a-fA-F]"
_UUID_TEXT = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_UUID = re.compile(rf"{_UUID_TEXT}|urn:uuid:{_UUID_TEXT}|\{{{_UUID_TEXT}\}}|{_HEX}{{32}}")


def exceeds(text: str, limits: Limits) -> bool:
    """Tell whether an id or a name is too long."""
    return len(text) > limits.max_id_length or (not text.isascii() and len(text.encode()) > limits.max_id_length)


def is_uuid(text: str) -> bool:
    """Tell whether a run id has one of the forms of a UUID."""
    return _UUID.fullmatch(text) is not None


def validate_namespace_name(namespace: str, limits: Limits) -> None:
    """Check a request's `namespace`, as for every RPC that has one."""
    if exceeds(namespace, limits):
        raise InvalidArgument("Namespace length exceeds limit.")


def validate_execution(execution: WorkflowExecution | None) -> None:
    """Check which run a request is for; None stands for an unset field. An empty run id is the current run."""
    if execution is None:
        raise InvalidArgument("Execution is not set on request.")
    if not execution.workflow_id:
        raise InvalidArgument("WorkflowId is not set on request.")
    if execution.run_id and not is_uuid(execution.run_id):
        raise InvalidArgument("Invalid RunId.")


def validate_identity(identity: str, limits: Limits) -> None:
    """Check the length of a client's identity."""
    if exceeds(identity, limits):
        raise InvalidArgument("Identity length exceeds limit.")


def validate_request_id(request_id: str, limits: Limits) -> None:
    """Check the length of a request id."""
    if exceeds(request_id, limits):
        raise InvalidArgument("RequestId length exceeds limit.")


def validate_blob_size(blob: Message, limits: Limits) -> None:
    """Check that payloads or a header fit into an event."""
    if exceeds_blob_size(blob, limits):
        raise InvalidArgument("Blob data size exceeds limit.")


def exceeds_blob_size(blob: Message, limits: Limits) -> bool:
    """Tell whether payloads or a failure are too large for an event."""
    return blob.ByteSize() > limits.blob_size_error_bytes


def validate_long_poll_timeout(remaining_ns: int | None) -> None:
    """Check how long a client waits for a task; None stands for ever.

    Raises:
        InvalidArgument: no deadline.
        FailedPrecondition: less than two seconds.
    """
    if remaining_ns is None:
        raise InvalidArgument("Context timeout is not set.")
    if remaining_ns < MIN_LONG_POLL_TIMEOUT_NS:
        raise FailedPrecondition("Context timeout is too short.")


def validate_versioning(
    *,
    use_versioning: bool,
    build_id: str,
    deployment: WorkerDeploymentOptions | None,
    task_queue: TaskQueue | None,
    limits: Limits,
) -> None:
    """Check what a worker says about its version; `deployment` and `task_queue` are None where unset."""
    sticky = task_queue is not None and task_queue.kind == TASK_QUEUE_KIND_STICKY
    if sticky and task_queue is not None and not task_queue.normal_name and (use_versioning or deployment is not None):
        raise InvalidArgument(
            "NormalName must be set on sticky queue when UseVersioning is true or DeploymentOptions are set."
        )
    if use_versioning and not build_id:
        raise InvalidArgument("WorkerVersionStamp must be present if UseVersioning is true.")
    if len(build_id.encode()) > limits.worker_build_id_length:
        raise InvalidArgument("Build ID exceeds configured limit.workerBuildIdSize, use a shorter build ID.")
    if deployment is None or deployment.worker_versioning_mode != WORKER_VERSIONING_MODE_VERSIONED:
        return
    if not deployment.deployment_name or not deployment.build_id:
        raise InvalidArgument("Deployment name and build id must be set together.")


def validate_links(links: Iterable[Link], limits: Limits) -> None:
    """Check the links that a caller attaches to what it asks for."""
    links = list(links)
    if len(links) > limits.links_per_request:
        raise InvalidArgument(f"cannot attach more than {limits.links_per_request} links per request, got {len(links)}")
    for link in links:
        if link.ByteSize() > limits.link_size_bytes:
            raise InvalidArgument(f"link exceeds allowed size of {limits.link_size_bytes}, got {link.ByteSize()}")
        _validate_link(link)


_LINK_FIELDS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "workflow_event": (
        "workflow event",
        (("namespace", "namespace field"), ("workflow_id", "workflow ID field"), ("run_id", "run ID field")),
    ),
    "batch_job": ("batch job", (("job_id", "job ID"),)),
    "nexus_operation": (
        "nexus operation",
        (("namespace", "namespace field"), ("operation_id", "operation ID field"), ("run_id", "run ID field")),
    ),
    "activity": (
        "activity",
        (("namespace", "namespace field"), ("activity_id", "activity ID field"), ("run_id", "run ID field")),
    ),
    "workflow": (
        "workflow",
        (("namespace", "namespace field"), ("workflow_id", "workflow ID field"), ("run_id", "run ID field")),
    ),
}


def _validate_link(link: Link) -> None:
    variant = link.WhichOneof("variant")
    if variant not in _LINK_FIELDS:
        raise InvalidArgument("unsupported link variant")
    shown, fields = _LINK_FIELDS[variant]
    for field, shown_field in fields:
        if not getattr(getattr(link, variant), field):
            raise InvalidArgument(f"{shown} link must not have an empty {shown_field}")
    reference = link.workflow_event.event_ref
    if reference.event_id and reference.event_type == EventType.EVENT_TYPE_UNSPECIFIED:
        raise InvalidArgument("workflow event link ref cannot have an unspecified event type and a non-zero event ID")


def find_unknown_path(message: Descriptor, paths: Iterable[str]) -> str:
    """Return what is wrong with a field mask: a path that leads to no field of the message; nothing if all do."""
    for path in paths:
        descriptor: Descriptor | None = message
        for name in path.split("."):
            field: FieldDescriptor | None = None if descriptor is None else descriptor.fields_by_name.get(name)
            if field is None:
                # The reference server's own words, with the space that it has there.
                return f'proto:\u00a0invalid path "{path}" for message "{message.full_name}"'
            descriptor = None if field.is_repeated else field.message_type
    return ""
