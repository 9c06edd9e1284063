"""Which group an event belongs to, and what state it leaves that group in: a table by the event's name."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

__all__ = ["OPEN_STATES", "ROLES", "TROUBLE_STATES", "Kind", "Role", "State", "find_role"]


class Kind(Enum):
    """What a group of events is about; the value is how a person calls it."""

    RUN = "workflow"
    WORKFLOW_TASK = "workflow task"
    ACTIVITY = "activity"
    LOCAL_ACTIVITY = "local activity"
    TIMER = "timer"
    CHILD = "child"
    SIGNAL = "signal"
    UPDATE = "update"
    EXTERNAL_SIGNAL = "signal to"
    EXTERNAL_CANCEL = "cancel of"
    NEXUS = "Nexus"
    SIDE_EFFECT = "side effect"
    PATCH = "patch"
    MARKER = "marker"
    ATTRIBUTES = "attributes"
    REQUEST = "request"
    OTHER = "event"


class State(Enum):
    """Where a group is; the value is the word for it."""

    SCHEDULED = "scheduled"
    STARTED = "started"
    CANCEL_REQUESTED = "cancel requested"
    COMPLETED = "completed"
    FIRED = "fired"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CANCELED = "canceled"
    TERMINATED = "terminated"
    CONTINUED = "continued as new"


OPEN_STATES = frozenset({State.SCHEDULED, State.STARTED, State.CANCEL_REQUESTED})
TROUBLE_STATES = frozenset({State.FAILED, State.TIMED_OUT, State.TERMINATED})


class Role(NamedTuple):
    """What an event is to its group."""

    kind: Kind
    state: State


_RUN = {
    "WorkflowExecutionStarted": State.STARTED,
    "WorkflowExecutionCompleted": State.COMPLETED,
    "WorkflowExecutionFailed": State.FAILED,
    "WorkflowExecutionTimedOut": State.TIMED_OUT,
    "WorkflowExecutionCanceled": State.CANCELED,
    "WorkflowExecutionTerminated": State.TERMINATED,
    "WorkflowExecutionContinuedAsNew": State.CONTINUED,
}
_WORKFLOW_TASK = {
    "WorkflowTaskScheduled": State.SCHEDULED,
    "WorkflowTaskStarted": State.STARTED,
    "WorkflowTaskCompleted": State.COMPLETED,
    "WorkflowTaskFailed": State.FAILED,
    "WorkflowTaskTimedOut": State.TIMED_OUT,
}
_ACTIVITY = {
    "ActivityTaskScheduled": State.SCHEDULED,
    "ActivityTaskStarted": State.STARTED,
    "ActivityTaskCompleted": State.COMPLETED,
    "ActivityTaskFailed": State.FAILED,
    "ActivityTaskTimedOut": State.TIMED_OUT,
    "ActivityTaskCancelRequested": State.CANCEL_REQUESTED,
    "ActivityTaskCanceled": State.CANCELED,
    "ActivityPropertiesModifiedExternally": State.SCHEDULED,
}
_TIMER = {"TimerStarted": State.STARTED, "TimerFired": State.FIRED, "TimerCanceled": State.CANCELED}
_CHILD = {
    "StartChildWorkflowExecutionInitiated": State.SCHEDULED,
    "StartChildWorkflowExecutionFailed": State.FAILED,
    "ChildWorkflowExecutionStarted": State.STARTED,
    "ChildWorkflowExecutionCompleted": State.COMPLETED,
    "ChildWorkflowExecutionFailed": State.FAILED,
    "ChildWorkflowExecutionCanceled": State.CANCELED,
    "ChildWorkflowExecutionTimedOut": State.TIMED_OUT,
    "ChildWorkflowExecutionTerminated": State.TERMINATED,
}
_UPDATE = {
    "WorkflowExecutionUpdateAdmitted": State.SCHEDULED,
    "WorkflowExecutionUpdateAccepted": State.STARTED,
    "WorkflowExecutionUpdateRejected": State.FAILED,
    "WorkflowExecutionUpdateCompleted": State.COMPLETED,
}
_EXTERNAL_SIGNAL = {
    "SignalExternalWorkflowExecutionInitiated": State.STARTED,
    "SignalExternalWorkflowExecutionFailed": State.FAILED,
    "ExternalWorkflowExecutionSignaled": State.COMPLETED,
}
_EXTERNAL_CANCEL = {
    "RequestCancelExternalWorkflowExecutionInitiated": State.STARTED,
    "RequestCancelExternalWorkflowExecutionFailed": State.FAILED,
    "ExternalWorkflowExecutionCancelRequested": State.COMPLETED,
}
_NEXUS = {
    "NexusOperationScheduled": State.SCHEDULED,
    "NexusOperationStarted": State.STARTED,
    "NexusOperationCompleted": State.COMPLETED,
    "NexusOperationFailed": State.FAILED,
    "NexusOperationCanceled": State.CANCELED,
    "NexusOperationTimedOut": State.TIMED_OUT,
    "NexusOperationCancelRequested": State.CANCEL_REQUESTED,
    "NexusOperationCancelRequestCompleted": State.CANCEL_REQUESTED,
    "NexusOperationCancelRequestFailed": State.STARTED,
}
# What happens at one moment and is a group of its own.
_MOMENTS = {
    "WorkflowExecutionSignaled": Kind.SIGNAL,
    "MarkerRecorded": Kind.MARKER,
    "UpsertWorkflowSearchAttributes": Kind.ATTRIBUTES,
    "WorkflowPropertiesModified": Kind.ATTRIBUTES,
    "WorkflowPropertiesModifiedExternally": Kind.ATTRIBUTES,
    "WorkflowExecutionCancelRequested": Kind.REQUEST,
    "WorkflowExecutionOptionsUpdated": Kind.REQUEST,
    "WorkflowExecutionPaused": Kind.REQUEST,
    "WorkflowExecutionUnpaused": Kind.REQUEST,
    "WorkflowExecutionTimeSkippingTransitioned": Kind.REQUEST,
}

ROLES: dict[str, Role] = {
    **{name: Role(kind, State.COMPLETED) for name, kind in _MOMENTS.items()},
    **{
        name: Role(kind, state)
        for kind, states in (
            (Kind.RUN, _RUN),
            (Kind.WORKFLOW_TASK, _WORKFLOW_TASK),
            (Kind.ACTIVITY, _ACTIVITY),
            (Kind.TIMER, _TIMER),
            (Kind.CHILD, _CHILD),
            (Kind.UPDATE, _UPDATE),
            (Kind.EXTERNAL_SIGNAL, _EXTERNAL_SIGNAL),
            (Kind.EXTERNAL_CANCEL, _EXTERNAL_CANCEL),
            (Kind.NEXUS, _NEXUS),
        )
        for name, state in states.items()
    },
}

_UNKNOWN = Role(Kind.OTHER, State.COMPLETED)


def find_role(event_name: str) -> Role:
    """Return what an event is; one that only a newer server knows is a group of its own."""
    return ROLES.get(event_name, _UNKNOWN)
