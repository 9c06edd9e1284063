"""What a simulated workflow decides: random commands that fit its history, and some that do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import ActivityType, Memo, Payload, Payloads, RetryPolicy, SearchAttributes
from temporalio.api.enums.v1 import command_type_pb2 as ct
from temporalio.api.enums.v1 import workflow_pb2 as wf
from temporalio.api.enums.v1.event_type_pb2 import EventType
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue

__all__ = ["View", "World", "application_failure", "decide", "finish", "payloads", "retry_policy", "seconds"]

DEPTH = 3
"""A child of a child of a child starts no children."""
CHILD_IDS = 4
"""Of each depth: few, so that they are in use now and then."""


def payloads(text: str) -> Payloads:
    """Return one JSON string."""
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=f'"{text}"'.encode())])


def seconds(number: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(int(number * 1e9))
    return duration


def application_failure(message: str, *, non_retryable: bool = False, delay: float | None = None) -> Failure:
    info = ApplicationFailureInfo(type=message, non_retryable=non_retryable)
    if delay is not None:
        info.next_retry_delay.CopyFrom(seconds(delay))
    return Failure(message=message, application_failure_info=info)


def retry_policy(random: Random) -> RetryPolicy:
    """Return the retry policy of a workflow."""
    return RetryPolicy(initial_interval=seconds(random.choice((0.2, 1))), maximum_attempts=random.choice((0, 2, 3)))


@dataclass(frozen=True)
class World:
    """What there is for workflows to use: task queues, and the ids w0, w1, ... that clients start."""

    task_queues: list[str]
    workflow_ids: int

    def any_workflow_id(self, random: Random) -> str:
        """Return the id of a workflow that clients start, of a child, or of nobody."""
        kind = random.randrange(10)
        if kind <= 4:
            return f"w{random.randrange(self.workflow_ids)}"
        return child_id(random, random.randrange(1, DEPTH + 1)) if kind <= 8 else "nobody"


def child_id(random: Random, depth: int) -> str:
    return f"child-{depth}-{random.randrange(CHILD_IDS)}"


@dataclass
class View:
    """What a workflow knows from the history that its worker was sent."""

    workflow_id: str = ""
    activities: dict[int, str] = field(default_factory=dict)
    cancel_requested: set[int] = field(default_factory=set)
    timers: dict[str, int] = field(default_factory=dict)
    children: dict[int, str] = field(default_factory=dict)
    workflow_tasks: int = 0

    @property
    def depth(self) -> int:
        """How many generations are above this one at least."""
        return int(self.workflow_id.split("-")[1]) if self.workflow_id.startswith("child-") else 0

    @classmethod
    def of(cls, events: list[HistoryEvent]) -> View:
        view = cls()
        for event in events:
            kind = event.event_type
            if kind == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                view.workflow_id = event.workflow_execution_started_event_attributes.workflow_id
            elif kind == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                view.workflow_tasks += 1
            elif kind == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                view.activities[event.event_id] = event.activity_task_scheduled_event_attributes.activity_id
            elif kind == EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
                view.cancel_requested.add(event.activity_task_cancel_requested_event_attributes.scheduled_event_id)
            elif kind == EventType.EVENT_TYPE_TIMER_STARTED:
                view.timers[event.timer_started_event_attributes.timer_id] = event.event_id
            elif kind == EventType.EVENT_TYPE_TIMER_FIRED:
                view.timers.pop(event.timer_fired_event_attributes.timer_id, None)
            elif kind == EventType.EVENT_TYPE_TIMER_CANCELED:
                view.timers.pop(event.timer_canceled_event_attributes.timer_id, None)
            elif kind == EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
                attributes = event.start_child_workflow_execution_initiated_event_attributes
                view.children[event.event_id] = attributes.workflow_id
            else:
                name = event.WhichOneof("attributes") or ""
                if name.startswith("activity_task_") and "started" not in name:
                    view.activities.pop(getattr(event, name).scheduled_event_id, None)
                if name.startswith(("child_workflow_", "start_child_")) and "started" not in name:
                    view.children.pop(getattr(event, name).initiated_event_id, None)
        return view


def finish() -> list[Command]:
    """Complete the workflow, whatever is pending."""
    command = Command(command_type=ct.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    command.complete_workflow_execution_command_attributes.result.CopyFrom(payloads("finished"))
    return [command]


def decide(random: Random, view: View, task_queue: str, world: World) -> list[Command]:
    """Return the answer to a workflow task."""
    commands: list[Command] = []
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        if (command := _any(random, view, task_queue, world)) is not None:
            commands.append(command)
    if random.random() < 0.04:
        commands.append(_bad(random, view))
    if random.random() < _eagerness_to_close(view):
        commands.append(_close(random, task_queue))
    elif not view.activities and not view.timers and random.random() < (0.3 if view.children else 0.8):
        commands.append(_start_timer(random, view))
    return commands


def _eagerness_to_close(view: View) -> float:
    """Return how likely a workflow closes now; those with children wait for them more often than not."""
    eagerness = 0.06 + 0.03 * view.workflow_tasks + 0.1 * (view.depth > 0)
    return eagerness * (0.3 if view.children else 1.0)


def _any(random: Random, view: View, task_queue: str, world: World) -> Command | None:
    kind = random.randrange(14)
    if kind <= 2:
        return _schedule_activity(random, view, task_queue)
    if kind <= 4:
        return _start_timer(random, view)
    if kind == 5 and view.timers:
        timer_id = random.choice(sorted(view.timers))
        del view.timers[timer_id]
        command = Command(command_type=ct.COMMAND_TYPE_CANCEL_TIMER)
        command.cancel_timer_command_attributes.timer_id = timer_id
        return command
    if kind == 6 and (open_ids := sorted(set(view.activities) - view.cancel_requested - {0})):
        scheduled_event_id = random.choice(open_ids)
        view.cancel_requested.add(scheduled_event_id)
        command = Command(command_type=ct.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK)
        command.request_cancel_activity_task_command_attributes.scheduled_event_id = scheduled_event_id
        return command
    if kind == 7:
        command = Command(command_type=ct.COMMAND_TYPE_RECORD_MARKER)
        command.record_marker_command_attributes.marker_name = "marker"
        return command
    if kind == 8:
        command = Command(command_type=ct.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
        number = Payload(metadata={"encoding": b"json/plain", "type": b"Int"}, data=b"%d" % random.randrange(9))
        command.upsert_workflow_search_attributes_command_attributes.search_attributes.CopyFrom(
            SearchAttributes(indexed_fields={"Number": number})
        )
        return command
    if kind in (10, 11) and view.depth < DEPTH:
        return _start_child(random, view, world)
    if kind == 12:
        return _signal_external(random, view, world)
    if kind == 13:
        return _cancel_external(random, view, world)
    command = Command(command_type=ct.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES)
    name = random.choice("abc")
    value = payloads("memo").payloads[0] if random.random() < 0.7 else Payload(metadata={"encoding": b"binary/null"})
    command.modify_workflow_properties_command_attributes.upserted_memo.CopyFrom(Memo(fields={name: value}))
    return command


def _schedule_activity(random: Random, view: View, task_queue: str) -> Command:
    activity_id = f"a{random.randrange(10**6)}"
    view.activities[0] = activity_id
    command = Command(command_type=ct.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    attributes = command.schedule_activity_task_command_attributes
    attributes.activity_id = activity_id
    attributes.activity_type.CopyFrom(ActivityType(name="work"))
    attributes.task_queue.CopyFrom(TaskQueue(name=task_queue if random.random() < 0.95 else "nobody-polls-this"))
    attributes.input.CopyFrom(payloads(activity_id))
    attributes.request_eager_execution = random.random() < 0.3
    chosen = random.randrange(1, 4) if attributes.task_queue.name == task_queue else 2
    if chosen & 1:
        attributes.start_to_close_timeout.CopyFrom(seconds(random.choice((0.5, 2, 10))))
    if chosen & 2:
        attributes.schedule_to_close_timeout.CopyFrom(seconds(random.choice((1, 5, 30))))
    if random.random() < 0.3:
        attributes.schedule_to_start_timeout.CopyFrom(seconds(random.choice((0.1, 1, 5))))
    if random.random() < 0.4:
        attributes.heartbeat_timeout.CopyFrom(seconds(random.choice((0.3, 1, 3))))
    if random.random() < 0.7:
        attributes.retry_policy.CopyFrom(
            RetryPolicy(
                initial_interval=seconds(random.choice((0.05, 0.5, 1))),
                backoff_coefficient=random.choice((1.0, 2.0)),
                maximum_attempts=random.choice((0, 1, 2, 3)),
                non_retryable_error_types=random.choice(([], ["fatal"], ["TemporalTimeout:Heartbeat"])),
            )
        )
    return command


def _start_timer(random: Random, view: View) -> Command:
    timer_id = f"t{random.randrange(10**6)}" if random.random() < 0.9 else "t"
    while timer_id in view.timers:
        timer_id += "'"
    view.timers[timer_id] = 0
    command = Command(command_type=ct.COMMAND_TYPE_START_TIMER)
    command.start_timer_command_attributes.timer_id = timer_id
    command.start_timer_command_attributes.start_to_fire_timeout.CopyFrom(
        seconds(random.choice((0, 0.001, 0.1, 1, 1, 5, 20)))
    )
    return command


def _start_child(random: Random, view: View, world: World) -> Command:
    workflow_id = child_id(random, view.depth + 1) if random.random() < 0.9 else world.any_workflow_id(random)
    view.children[0] = workflow_id
    command = Command(command_type=ct.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    attributes = command.start_child_workflow_execution_command_attributes
    attributes.workflow_id = workflow_id
    attributes.workflow_type.name = "child"
    attributes.input.CopyFrom(payloads("child"))
    attributes.workflow_task_timeout.CopyFrom(seconds(random.choice((1, 2, 10))))
    if random.random() < 0.5:
        attributes.task_queue.name = random.choice(world.task_queues)
    attributes.parent_close_policy = random.choice(wf.ParentClosePolicy.values())
    attributes.workflow_id_reuse_policy = random.choice(wf.WorkflowIdReusePolicy.values())
    if random.random() < 0.2:
        attributes.workflow_run_timeout.CopyFrom(seconds(random.choice((2, 10, 60))))
    if random.random() < 0.15:
        attributes.workflow_execution_timeout.CopyFrom(seconds(random.choice((5, 30, 90))))
    if random.random() < 0.3:
        attributes.retry_policy.CopyFrom(retry_policy(random))
    if random.random() < 0.15:
        attributes.cron_schedule = random.choice(("@every 3s", "@every 10s", "* * * * *"))
    return command


def _whom(random: Random, view: View, world: World) -> tuple[str, bool]:
    """Return whom to signal or to cancel, and whether it must be a child."""
    if view.children and random.random() < 0.4:
        return random.choice(sorted(view.children.values())), random.random() < 0.7
    return world.any_workflow_id(random), random.random() < 0.1


def _signal_external(random: Random, view: View, world: World) -> Command:
    workflow_id, child_workflow_only = _whom(random, view, world)
    command = Command(command_type=ct.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)
    attributes = command.signal_external_workflow_execution_command_attributes
    attributes.execution.workflow_id = workflow_id
    attributes.child_workflow_only = child_workflow_only
    attributes.signal_name = f"external-{random.randrange(10**12)}"
    attributes.input.CopyFrom(payloads("external"))
    return command


def _cancel_external(random: Random, view: View, world: World) -> Command:
    workflow_id, child_workflow_only = _whom(random, view, world)
    command = Command(command_type=ct.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION)
    attributes = command.request_cancel_external_workflow_execution_command_attributes
    attributes.workflow_id = workflow_id
    attributes.child_workflow_only = child_workflow_only
    return command


def _bad(random: Random, view: View) -> Command:
    kind = random.randrange(4)
    if kind == 0:
        return Command(command_type=ct.COMMAND_TYPE_START_TIMER)
    if kind == 1:
        command = Command(command_type=ct.COMMAND_TYPE_CANCEL_TIMER)
        command.cancel_timer_command_attributes.timer_id = "no such timer"
        return command
    if kind == 2:
        return Command(command_type=ct.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION)
    return Command(command_type=ct.COMMAND_TYPE_UNSPECIFIED)


def _close(random: Random, task_queue: str) -> Command:
    kind = random.randrange(8)
    if kind <= 2:
        return finish()[0]
    if kind == 3:
        command = Command(command_type=ct.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)
        command.cancel_workflow_execution_command_attributes.details.CopyFrom(payloads("cancelled"))
        return command
    if kind <= 5:
        command = Command(command_type=ct.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION)
        failure = application_failure("failed", non_retryable=random.random() < 0.3)
        command.fail_workflow_execution_command_attributes.failure.CopyFrom(failure)
        return command
    command = Command(command_type=ct.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    attributes = command.continue_as_new_workflow_execution_command_attributes
    attributes.input.CopyFrom(payloads("again"))
    attributes.initiator = random.choice((0, 1, 2))  # unspecified, by the workflow, as a retry
    if random.random() < 0.3:
        attributes.memo.CopyFrom(Memo(fields={"again": payloads("memo").payloads[0]}))
    if random.random() < 0.2:
        attributes.retry_policy.CopyFrom(RetryPolicy(initial_interval=seconds(1), maximum_attempts=2))
    if random.random() < 0.3:
        attributes.backoff_start_interval.CopyFrom(seconds(random.choice((0.5, 2))))
    return command
