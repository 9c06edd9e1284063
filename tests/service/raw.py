"""Short forms of the requests that the tests send."""

from __future__ import annotations

from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import (
    Command,
    CompleteWorkflowExecutionCommandAttributes,
    ScheduleActivityTaskCommandAttributes,
)
from temporalio.api.common.v1 import ActivityType, Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1.command_type_pb2 import (
    COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)

POLL_SECONDS = 10


def text_payloads(text: str) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=f'"{text}"'.encode())])


def execution(workflow_id: str) -> WorkflowExecution:
    return WorkflowExecution(workflow_id=workflow_id)


def start(workflow_id: str, **fields: Any) -> StartWorkflowExecutionRequest:
    """Start a workflow on the task queue that is named like it."""
    return StartWorkflowExecutionRequest(
        namespace="default",
        workflow_id=workflow_id,
        workflow_type=WorkflowType(name="RawWorkflow"),
        task_queue=TaskQueue(name=workflow_id),
        request_id=workflow_id,
        **fields,
    )


def signal(workflow_id: str) -> SignalWorkflowExecutionRequest:
    return SignalWorkflowExecutionRequest(
        namespace="default", workflow_execution=execution(workflow_id), signal_name="go"
    )


def poll_workflow(task_queue: str, **fields: Any) -> PollWorkflowTaskQueueRequest:
    return PollWorkflowTaskQueueRequest(
        **{"namespace": "default", "task_queue": TaskQueue(name=task_queue), "identity": "tester", **fields}
    )


def poll_activity(task_queue: str, **fields: Any) -> PollActivityTaskQueueRequest:
    return PollActivityTaskQueueRequest(
        namespace="default", task_queue=TaskQueue(name=task_queue), identity="tester", **fields
    )


def complete_workflow(result: str) -> Command:
    return Command(
        command_type=COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        complete_workflow_execution_command_attributes=CompleteWorkflowExecutionCommandAttributes(
            result=text_payloads(result)
        ),
    )


def schedule_activity(activity_id: str, task_queue: str) -> Command:
    return Command(
        command_type=COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        schedule_activity_task_command_attributes=ScheduleActivityTaskCommandAttributes(
            activity_id=activity_id,
            activity_type=ActivityType(name="RawActivity"),
            task_queue=TaskQueue(name=task_queue),
            start_to_close_timeout=Duration(seconds=10),
        ),
    )
