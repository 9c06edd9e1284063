"""COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION."""

from __future__ import annotations

from temporalio.api.command.v1 import ContinueAsNewWorkflowExecutionCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.enums.v1.failed_cause_pb2 import WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_NORMAL, TaskQueueKind
from temporalio.api.enums.v1.workflow_pb2 import CONTINUE_AS_NEW_INITIATOR_RETRY, CONTINUE_AS_NEW_INITIATOR_WORKFLOW
from temporalio.api.history.v1 import (
    HistoryEvent,
    WorkflowExecutionContinuedAsNewEventAttributes,
    WorkflowExecutionStartedEventAttributes,
)
from temporalio.api.taskqueue.v1 import TaskQueue

from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask, InvalidArgument
from engine.core.policy.durations import cap_duration, duration_to_ns, ns_to_duration, ns_to_timestamp
from engine.core.policy.payloads import remove_unset
from engine.core.policy.retry import ensure_retry_policy_defaults, validate_retry_policy
from engine.core.policy.task_queues import normalize_user_task_queue
from engine.core.policy.timeouts import effective_workflow_run_timeout_ns, effective_workflow_task_timeout_ns
from engine.core.run import lifecycle
from engine.core.visibility.search_attributes import (
    check_search_attribute_names,
    set_type_metadata,
    validate_search_attributes,
)

__all__ = ["apply", "validate"]

_COMMAND = "ContinueAsNewWorkflowExecutionCommand"
_COPIED = ("workflow_type", "task_queue", "header", "input", "workflow_run_timeout", "workflow_task_timeout")


def validate(work: CommandWork, attributes: ContinueAsNewWorkflowExecutionCommandAttributes) -> None:
    """Check the next run and fill in, in place, what it inherits from this one.

    Raises: FailWorkflowTask(UNHANDLED_COMMAND | BAD_CONTINUE_AS_NEW_ATTRIBUTES | BAD_SEARCH_ATTRIBUTES).
    Source: command_attr_validator.go ValidateContinueAsNewWorkflowExecutionAttributes.
    """
    work.refuse_close_with_buffered_events()
    started, limits, namespace = work.t.state.started, work.t.context.limits, work.t.context.namespace
    registered = namespace.custom_search_attributes
    try:
        check_search_attribute_names(attributes.search_attributes, registered, namespace=namespace.name)
    except InvalidArgument as error:
        raise FailWorkflowTask(WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES, error.message) from None
    if not attributes.workflow_type.name:
        attributes.workflow_type.name = started.workflow_type.name
    work.check_id_length(BAD_ATTRIBUTES, "WorkflowType", _COMMAND, attributes.workflow_type.name)
    if not attributes.HasField("task_queue"):
        attributes.task_queue.kind = TASK_QUEUE_KIND_NORMAL
    try:
        normalize_user_task_queue(
            attributes.task_queue, limits, default_name=started.task_queue.name, parent_name=started.task_queue.name
        )
    except InvalidArgument as error:
        raise _bad(attributes, f"error validating {_COMMAND} TaskQueue: {error.message}") from None
    _normalize_timeouts(work, attributes)
    if attributes.HasField("retry_policy"):
        ensure_retry_policy_defaults(attributes.retry_policy)
        try:
            validate_retry_policy(attributes.retry_policy)
        except InvalidArgument as error:
            raise _bad(attributes, f"invalid WorkflowRetryPolicy on {_COMMAND}: {error.message}") from None
    try:
        validate_search_attributes(attributes.search_attributes, registered, limits, namespace=namespace.name)
    except InvalidArgument as error:
        raise FailWorkflowTask(
            WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
            f"invalid SearchAttributes on {_COMMAND}: {error.message}. "
            f"WorkflowType={attributes.workflow_type.name} TaskQueue={_printed(attributes.task_queue)}",
        ) from None
    work.check_blob_size(
        attributes.input.ByteSize(),
        BAD_ATTRIBUTES,
        "ContinueAsNewWorkflowExecutionCommandAttributes. Input exceeds size limit.",
    )
    if attributes.memo.ByteSize() > limits.memo_size_error_bytes:
        message = "ContinueAsNewWorkflowExecutionCommandAttributes. Memo exceeds size limit."
        raise FailWorkflowTask(BAD_ATTRIBUTES, message, terminates_workflow=True)


def _bad(attributes: ContinueAsNewWorkflowExecutionCommandAttributes, message: str) -> FailWorkflowTask:
    return FailWorkflowTask(
        BAD_ATTRIBUTES,
        f"{message}. WorkflowType={attributes.workflow_type.name} TaskQueue={_printed(attributes.task_queue)}",
    )


def _printed(task_queue: TaskQueue) -> str:
    return f'name:"{task_queue.name}" kind:{TaskQueueKind.Name(task_queue.kind)}'


def _normalize_timeouts(work: CommandWork, attributes: ContinueAsNewWorkflowExecutionCommandAttributes) -> None:
    started, limits = work.t.state.started, work.t.context.limits
    for name, duration in (
        ("WorkflowRunTimeout", attributes.workflow_run_timeout),
        ("WorkflowTaskTimeout", attributes.workflow_task_timeout),
        ("BackoffStartInterval", attributes.backoff_start_interval),
    ):
        if problem := cap_duration(duration):
            raise _bad(attributes, f"Invalid {name} on {_COMMAND}: {problem}")
    run_timeout_ns = effective_workflow_run_timeout_ns(
        duration_to_ns(attributes.workflow_run_timeout) or duration_to_ns(started.workflow_run_timeout),
        duration_to_ns(started.workflow_execution_timeout),
    )
    task_timeout_ns = effective_workflow_task_timeout_ns(
        duration_to_ns(attributes.workflow_task_timeout) or duration_to_ns(started.workflow_task_timeout),
        run_timeout_ns,
        limits,
    )
    attributes.workflow_run_timeout.CopyFrom(ns_to_duration(run_timeout_ns))
    attributes.workflow_task_timeout.CopyFrom(ns_to_duration(task_timeout_ns))


def apply(work: CommandWork, attributes: ContinueAsNewWorkflowExecutionCommandAttributes) -> HistoryEvent | None:
    """Close this run and start the next one; of several closing commands the first one counts.

    Emits: event WorkflowExecutionContinuedAsNew; the next run's WorkflowExecutionStarted and first workflow task.
    """
    t = work.t
    if not t.state.running:
        return None
    new_run_id = t.context.env.new_id()
    set_type_metadata(attributes.search_attributes, t.context.namespace.custom_search_attributes)
    remove_unset(attributes.search_attributes.indexed_fields)
    remove_unset(attributes.memo.fields)
    closed = WorkflowExecutionContinuedAsNewEventAttributes(
        new_execution_run_id=new_run_id,
        workflow_task_completed_event_id=work.workflow_task_completed_event_id,
        initiator=attributes.initiator,
        inherit_build_id=attributes.inherit_build_id,
    )
    for name in (*_COPIED, "backoff_start_interval", "failure", "last_completion_result"):
        if attributes.HasField(name):  # type: ignore[arg-type]
            getattr(closed, name).CopyFrom(getattr(attributes, name))
    started = _next_started(work, attributes, new_run_id)
    for name in ("memo", "search_attributes"):
        if started.HasField(name):  # type: ignore[arg-type]
            getattr(closed, name).CopyFrom(getattr(started, name))
    return lifecycle.continue_as_new(t, closed, started)


def _next_started(
    work: CommandWork, attributes: ContinueAsNewWorkflowExecutionCommandAttributes, new_run_id: str
) -> WorkflowExecutionStartedEventAttributes:
    state = work.t.state
    previous = state.started
    retry = attributes.initiator == CONTINUE_AS_NEW_INITIATOR_RETRY
    started = WorkflowExecutionStartedEventAttributes(
        workflow_id=state.workflow_id,
        continued_execution_run_id=state.run_id,
        original_execution_run_id=new_run_id,
        first_execution_run_id=previous.first_execution_run_id,
        initiator=attributes.initiator or CONTINUE_AS_NEW_INITIATOR_WORKFLOW,
        attempt=previous.attempt + 1 if retry else 1,
        cron_schedule=attributes.cron_schedule,
    )
    for name in (*_COPIED, "last_completion_result", "retry_policy"):
        if attributes.HasField(name):  # type: ignore[arg-type]
            getattr(started, name).CopyFrom(getattr(attributes, name))
    started.task_queue.CopyFrom(TaskQueue(name=attributes.task_queue.name, kind=TASK_QUEUE_KIND_NORMAL))
    if attributes.HasField("failure"):
        started.continued_failure.CopyFrom(attributes.failure)
    _copy_parent(previous, started)
    if previous.HasField("workflow_execution_timeout"):
        started.workflow_execution_timeout.CopyFrom(previous.workflow_execution_timeout)
    if state.execution_expiration_time_ns:
        started.workflow_execution_expiration_time.CopyFrom(ns_to_timestamp(state.execution_expiration_time_ns))
    if state.priority is not None:
        started.priority.CopyFrom(state.priority)
    if attributes.memo.fields:
        started.memo.CopyFrom(attributes.memo)
    if attributes.search_attributes.indexed_fields:
        started.search_attributes.CopyFrom(attributes.search_attributes)
    return started


def _copy_parent(
    previous: WorkflowExecutionStartedEventAttributes, started: WorkflowExecutionStartedEventAttributes
) -> None:
    """Make the next run of a child a child of the same parent."""
    if not previous.HasField("parent_workflow_execution"):
        return
    started.parent_workflow_namespace = previous.parent_workflow_namespace
    started.parent_workflow_namespace_id = previous.parent_workflow_namespace_id
    started.parent_workflow_execution.CopyFrom(previous.parent_workflow_execution)
    started.parent_initiated_event_id = previous.parent_initiated_event_id
    started.root_workflow_execution.CopyFrom(previous.root_workflow_execution)
