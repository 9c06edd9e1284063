"""COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION."""

from __future__ import annotations

from temporalio.api.command.v1 import StartChildWorkflowExecutionCommandAttributes
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES as BAD_SEARCH_ATTRIBUTES,
)
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES as BAD_ATTRIBUTES,
)
from temporalio.api.enums.v1.failed_cause_pb2 import (
    WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
)
from temporalio.api.enums.v1.task_queue_pb2 import TASK_QUEUE_KIND_NORMAL, TaskQueueKind
from temporalio.api.enums.v1.workflow_pb2 import (
    PARENT_CLOSE_POLICY_TERMINATE,
    PARENT_CLOSE_POLICY_UNSPECIFIED,
    WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED,
)
from temporalio.api.history.v1 import HistoryEvent

from engine.core.commands.work import CommandWork
from engine.core.errors import FailWorkflowTask, InvalidArgument
from engine.core.events.child_workflow import start_child_workflow_execution_initiated
from engine.core.namespace import Namespace
from engine.core.policy.cron import validate_cron_spec
from engine.core.policy.durations import cap_duration, duration_to_ns, ns_to_duration
from engine.core.policy.payloads import remove_unset
from engine.core.policy.priority import validate_priority
from engine.core.policy.retry import ensure_retry_policy_defaults, validate_retry_policy
from engine.core.policy.task_queues import normalize_user_task_queue
from engine.core.policy.timeouts import (
    effective_workflow_run_timeout_ns,
    effective_workflow_task_timeout_ns,
)
from engine.core.run import child_workflow
from engine.core.run.time_skipping import for_child
from engine.core.visibility.search_attributes import (
    check_search_attribute_names,
    set_type_metadata,
    validate_search_attributes,
    validate_total_size,
)

__all__ = ["apply", "validate"]

_COMMAND = "StartChildWorkflowExecutionCommand"
_Attributes = StartChildWorkflowExecutionCommandAttributes


def validate(work: CommandWork, attributes: _Attributes) -> None:
    """Check the child and fill in, in place, what it inherits from its parent.

    Raises: FailWorkflowTask(BAD_START_CHILD_EXECUTION_ATTRIBUTES | BAD_SEARCH_ATTRIBUTES |
        PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED); NamespaceNotFound.
    Source: command_attr_validator.go ValidateStartChildExecutionAttributes.
    """
    limits = work.t.context.limits
    namespace = work.find_target_namespace(attributes.namespace)
    if not attributes.namespace:
        attributes.namespace = namespace.name
    try:
        check_search_attribute_names(
            attributes.search_attributes, namespace.custom_search_attributes, namespace=namespace.name
        )
    except InvalidArgument as error:
        raise FailWorkflowTask(BAD_SEARCH_ATTRIBUTES, error.message) from None
    work.target_namespace(attributes.namespace, BAD_ATTRIBUTES)
    _check_ids(work, attributes)
    _check_policies(work, attributes, namespace)
    _normalize_task_queue(work, attributes)
    _normalize_timeouts(work, attributes)
    work.check_blob_size(
        attributes.input.ByteSize(),
        BAD_ATTRIBUTES,
        "StartChildWorkflowExecutionCommandAttributes. Input exceeds size limit.",
    )
    if attributes.memo.ByteSize() > limits.memo_size_error_bytes:
        message = "StartChildWorkflowExecutionCommandAttributes.Memo exceeds size limit."
        raise FailWorkflowTask(BAD_ATTRIBUTES, message, terminates_workflow=True)
    try:
        validate_total_size(attributes.search_attributes.indexed_fields, limits)
    except InvalidArgument as error:
        raise FailWorkflowTask(BAD_ATTRIBUTES, error.message, terminates_workflow=True) from None
    work.check_pending(
        len(work.t.state.children),
        limits.pending_child_executions_error,
        "pending child workflow executions",
        WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
    )


def apply(work: CommandWork, attributes: _Attributes) -> HistoryEvent:
    """Initiate the child, which starts after this workflow task in the same commit.

    Emits: event StartChildWorkflowExecutionInitiated; effect SendToRun.
    """
    t = work.t
    if attributes.parent_close_policy == PARENT_CLOSE_POLICY_UNSPECIFIED:
        attributes.parent_close_policy = PARENT_CLOSE_POLICY_TERMINATE
    if attributes.workflow_id_reuse_policy == WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED:
        attributes.workflow_id_reuse_policy = WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    namespace = work.target_namespace(attributes.namespace, BAD_ATTRIBUTES)
    set_type_metadata(attributes.search_attributes, namespace.custom_search_attributes)
    remove_unset(attributes.search_attributes.indexed_fields)
    if not attributes.search_attributes.indexed_fields:
        attributes.ClearField("search_attributes")
    remove_unset(attributes.memo.fields)
    if not attributes.memo.fields:
        attributes.ClearField("memo")
    event = t.add(
        start_child_workflow_execution_initiated(
            work.workflow_task_completed_event_id, attributes, namespace.namespace_id, *for_child(t.state)
        )
    )
    work.initiated_children.add(attributes.workflow_id)
    child_workflow.start(t, event.event_id)
    return event


def _check_ids(work: CommandWork, attributes: _Attributes) -> None:
    limit = work.t.context.limits.max_id_length
    workflow_id, workflow_type, namespace = attributes.workflow_id, attributes.workflow_type.name, attributes.namespace
    if not workflow_id:
        raise FailWorkflowTask(
            BAD_ATTRIBUTES,
            f"Required field WorkflowId is not set on {_COMMAND}. WorkflowType={workflow_type} Namespace={namespace}",
        )
    if not workflow_type:
        raise FailWorkflowTask(
            BAD_ATTRIBUTES,
            f"Required field WorkflowType is not set on {_COMMAND}. WorkflowId={workflow_id} Namespace={namespace}",
        )
    length = len(workflow_id.encode())
    if length > limit:
        raise FailWorkflowTask(
            BAD_ATTRIBUTES,
            f"WorkflowId on {_COMMAND} exceeds length limit. WorkflowId={workflow_id} Length={length} Limit={limit} "
            f"WorkflowType={workflow_type} Namespace={namespace}",
        )
    length = len(workflow_type.encode())
    if length > limit:
        raise FailWorkflowTask(
            BAD_ATTRIBUTES,
            f"WorkflowType on {_COMMAND} exceeds length limit. WorkflowId={workflow_id} WorkflowType={workflow_type} "
            f"Length={length} Limit={limit} Namespace={namespace}",
        )


def _check_policies(work: CommandWork, attributes: _Attributes, namespace: Namespace) -> None:
    where = _where(attributes)
    for name, duration in (
        ("WorkflowExecutionTimeout", attributes.workflow_execution_timeout),
        ("WorkflowRunTimeout", attributes.workflow_run_timeout),
        ("WorkflowTaskTimeout", attributes.workflow_task_timeout),
    ):
        if problem := cap_duration(duration):
            raise FailWorkflowTask(BAD_ATTRIBUTES, f"Invalid {name} on {_COMMAND}: {problem}. {where}")
    if attributes.HasField("retry_policy"):
        ensure_retry_policy_defaults(attributes.retry_policy)
        try:
            validate_retry_policy(attributes.retry_policy)
        except InvalidArgument as error:
            message = f"invalid WorkflowRetryPolicy on {_COMMAND}: {error.message}. {where}"
            raise FailWorkflowTask(BAD_ATTRIBUTES, message) from None
    try:
        validate_cron_spec(attributes.cron_schedule, work.t.now_ns)
    except InvalidArgument as error:
        message = f"invalid CronSchedule on {_COMMAND}: {error.message}. {where}"
        raise FailWorkflowTask(BAD_ATTRIBUTES, message) from None
    try:
        validate_search_attributes(
            attributes.search_attributes,
            namespace.custom_search_attributes,
            work.t.context.limits,
            namespace=namespace.name,
        )
    except InvalidArgument as error:
        raise FailWorkflowTask(
            BAD_SEARCH_ATTRIBUTES,
            f"invalid SearchAttributes on StartChildWorkflowCommand: {error.message}. {where}",
        ) from None
    try:
        validate_priority(attributes.priority)
    except InvalidArgument as error:
        raise FailWorkflowTask(BAD_ATTRIBUTES, error.message) from None


def _normalize_task_queue(work: CommandWork, attributes: _Attributes) -> None:
    parent_name = work.t.state.task_queue
    if not attributes.HasField("task_queue"):
        attributes.task_queue.kind = TASK_QUEUE_KIND_NORMAL
    try:
        normalize_user_task_queue(
            attributes.task_queue, work.t.context.limits, default_name=parent_name, parent_name=parent_name
        )
    except InvalidArgument as error:
        task_queue = attributes.task_queue
        raise FailWorkflowTask(
            BAD_ATTRIBUTES,
            f"invalid TaskQueue on {_COMMAND}: {error.message}. {_where(attributes)} "
            f'TaskQueue=name:"{task_queue.name}" kind:{TaskQueueKind.Name(task_queue.kind)}',
        ) from None


def _normalize_timeouts(work: CommandWork, attributes: _Attributes) -> None:
    run_timeout_ns = effective_workflow_run_timeout_ns(
        duration_to_ns(attributes.workflow_run_timeout), duration_to_ns(attributes.workflow_execution_timeout)
    )
    task_timeout_ns = effective_workflow_task_timeout_ns(
        duration_to_ns(attributes.workflow_task_timeout), run_timeout_ns, work.t.context.limits
    )
    attributes.workflow_run_timeout.CopyFrom(ns_to_duration(run_timeout_ns))
    attributes.workflow_task_timeout.CopyFrom(ns_to_duration(task_timeout_ns))


def _where(attributes: _Attributes) -> str:
    return (
        f"WorkflowId={attributes.workflow_id} WorkflowType={attributes.workflow_type.name} "
        f"Namespace={attributes.namespace}"
    )
