"""Check and complete the task queues of requests and commands."""

from __future__ import annotations

from temporalio.api.enums.v1.task_queue_pb2 import (
    TASK_QUEUE_KIND_NORMAL,
    TASK_QUEUE_KIND_STICKY,
    TASK_QUEUE_KIND_UNSPECIFIED,
)
from temporalio.api.taskqueue.v1.message_pb2 import TaskQueue

from engine.core.errors import InvalidArgument
from engine.core.policy.limits import Limits

RESERVED_TASK_QUEUE_PREFIX = "/_sys/"
"""Names of a task queue's partitions start like this; only DescribeTaskQueue may name one."""

_INTERNAL_PREFIX = "temporal-sys-per-ns-"
_INTERNAL_NAME = "temporal-sys-worker-controller-per-ns-tq"


def normalize_user_task_queue(
    task_queue: TaskQueue | None, limits: Limits, *, default_name: str = "", parent_name: str = ""
) -> None:
    """Complete and check, in place, the task queue that a workflow or an activity is to run on.

    Args:
        task_queue: None where the request leaves it unset.
        default_name: the name to set where there is none.
        parent_name: the task queue of the workflow that gives the command, if one does.

    Raises:
        InvalidArgument: no name, a name that is too long or reserved.
    """
    normalize_task_queue(task_queue, limits, default_name=default_name)
    assert task_queue is not None
    if _is_internal(task_queue.name) and not _is_internal(parent_name):
        parent = f" (in parent component task queue: {parent_name})" if parent_name else ""
        raise InvalidArgument(f"cannot use internal per-namespace task queue:{task_queue.name}{parent}")


def normalize_task_queue(
    task_queue: TaskQueue | None, limits: Limits, *, default_name: str = "", allow_partition: bool = False
) -> None:
    """Complete and check, in place, a task queue that is polled or described.

    Raises:
        InvalidArgument: no name, a name that is too long or reserved.
    """
    if task_queue is None:
        raise InvalidArgument("taskQueue is not set")
    if task_queue.kind == TASK_QUEUE_KIND_UNSPECIFIED:
        task_queue.kind = TASK_QUEUE_KIND_NORMAL
    if not task_queue.name:
        if not default_name:
            raise InvalidArgument("missing task queue name")
        task_queue.name = default_name
    _check_name(task_queue.name, limits, allow_partition)
    if task_queue.kind == TASK_QUEUE_KIND_STICKY and task_queue.normal_name:
        _check_name(task_queue.normal_name, limits, True)


def _check_name(name: str, limits: Limits, allow_partition: bool) -> None:
    if len(name.encode()) > limits.max_id_length:
        raise InvalidArgument("taskQueue length exceeds limit")
    if not allow_partition and name.startswith(RESERVED_TASK_QUEUE_PREFIX):
        raise InvalidArgument(f"task queue name cannot start with reserved prefix {RESERVED_TASK_QUEUE_PREFIX}")


def _is_internal(name: str) -> bool:
    return name.startswith(_INTERNAL_PREFIX) or name == _INTERNAL_NAME
