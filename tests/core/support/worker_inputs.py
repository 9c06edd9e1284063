"""What a worker's answers become when they reach the core."""

from __future__ import annotations

from engine.core.inputs import ActivityRef
from engine.core.matching.task_token import ActivityTaskToken
from engine.core.run.activity_task import StartedActivityTask


def activity_ref(which: StartedActivityTask | str) -> ActivityRef:
    """Return how an answer names its activity: by the task's token, or by the activity's id."""
    if isinstance(which, str):
        return ActivityRef(activity_id=which)
    return ActivityRef(token=ActivityTaskToken.decode(which.token))
