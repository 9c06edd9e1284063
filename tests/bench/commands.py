"""What the workers of the benchmark answer to a workflow task: commands, and messages about updates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message as ProtoMessage
from temporalio.api.command.v1 import (
    Command,
    CompleteWorkflowExecutionCommandAttributes,
    ProtocolMessageCommandAttributes,
    ScheduleActivityTaskCommandAttributes,
    StartChildWorkflowExecutionCommandAttributes,
    StartTimerCommandAttributes,
)
from temporalio.api.common.v1 import ActivityType, Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.protocol.v1 import Message
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Acceptance, Meta, Outcome, Request, Response
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueResponse

ORDER = Payloads(
    payloads=[
        Payload(
            metadata={"encoding": b"json/plain"}, data=b'{"order_id":"order-001","user_id":"user-123","amount":99000}'
        )
    ]
)

Decision = Sequence[Command | Message]
Plan = Callable[[PollWorkflowTaskQueueResponse], Decision]


def activity_command(activity_id: str, task_queue: str) -> Command:
    """Return the command that schedules one activity on `task_queue`."""
    return Command(
        command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        schedule_activity_task_command_attributes=ScheduleActivityTaskCommandAttributes(
            activity_id=activity_id,
            activity_type=ActivityType(name="charge"),
            task_queue=TaskQueue(name=task_queue),
            input=ORDER,
            start_to_close_timeout=Duration(seconds=30),
        ),
    )


def timer_command(timer_id: str, milliseconds: int) -> Command:
    """Return the command that starts a timer."""
    attributes = StartTimerCommandAttributes(timer_id=timer_id)
    attributes.start_to_fire_timeout.FromMilliseconds(milliseconds)
    return Command(command_type=CommandType.COMMAND_TYPE_START_TIMER, start_timer_command_attributes=attributes)


def child_command(workflow_id: str, workflow_type: str) -> Command:
    """Return the command that starts a child without input on the parent's task queue."""
    return Command(
        command_type=CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
        start_child_workflow_execution_command_attributes=StartChildWorkflowExecutionCommandAttributes(
            workflow_id=workflow_id, workflow_type=WorkflowType(name=workflow_type)
        ),
    )


def complete_command() -> Command:
    """Return the command that completes the workflow."""
    return Command(
        command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        complete_workflow_execution_command_attributes=CompleteWorkflowExecutionCommandAttributes(result=ORDER),
    )


def answer_updates(task: PollWorkflowTaskQueueResponse) -> Decision:
    """Accept and complete every update that came with the task, as the SDKs do."""
    answer: list[Command | Message] = []
    for message in task.messages:
        request = Request.FromString(message.body.value)
        update_id = request.meta.update_id
        acceptance = Acceptance(
            accepted_request_message_id=message.id,
            accepted_request_sequencing_event_id=message.event_id,
            accepted_request=request,
        )
        answer += _about_update(update_id, "accept", acceptance)
        response = Response(meta=Meta(update_id=update_id), outcome=Outcome(success=ORDER))
        answer += _about_update(update_id, "complete", response)
    return answer


def _about_update(update_id: str, suffix: str, content: ProtoMessage) -> Decision:
    """Return a message about an update with the command that says when it takes effect."""
    body = AnyMessage()
    body.Pack(content)
    message_id = f"{update_id}/{suffix}"
    command = Command(
        command_type=CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
        protocol_message_command_attributes=ProtocolMessageCommandAttributes(message_id=message_id),
    )
    return command, Message(id=message_id, protocol_instance_id=update_id, body=body)


def count_events(task: PollWorkflowTaskQueueResponse, event_type: EventType.ValueType) -> int:
    """Return how many events of that type the task carries."""
    return sum(1 for event in task.history.events if event.event_type == event_type)


def order_plan(task_queue: str) -> Plan:
    """Return the plan of the order workflow: one activity, then complete. Needs the whole history in each task."""

    def decide(task: PollWorkflowTaskQueueResponse) -> Decision:
        if count_events(task, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED):
            return [complete_command()]
        return [activity_command("1", task_queue)]

    return decide


def counting_plan(event_type: EventType.ValueType, total: int, first: Decision = ()) -> Plan:
    """Return the plan of runs that say `first` at their start, then complete when they have `total` such events."""
    seen = SeenEvents()

    def decide(task: PollWorkflowTaskQueueResponse) -> Decision:
        if seen.add(task)[event_type] >= total:
            return [complete_command()]
        return [] if task.previous_started_event_id else first

    return decide


class SeenEvents:
    """How many events of each type each run has, for plans of sticky workers, whose tasks bring new events alone."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[EventType.ValueType]] = {}

    def add(self, task: PollWorkflowTaskQueueResponse) -> Counter[EventType.ValueType]:
        """Count the events of a task, anew when it brings the whole history; return the counts of its run."""
        if task.history.events[0].event_id == 1:
            self._counts[task.workflow_execution.run_id] = Counter()
        counts = self._counts[task.workflow_execution.run_id]
        counts.update(event.event_type for event in task.history.events)
        return counts
