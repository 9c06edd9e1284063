"""What every bad command of a completion must do."""

from __future__ import annotations

from temporalio.api.command.v1 import Command

from engine.core.errors import InvalidArgument
from tests.core.support.core import Core
from tests.core.support.messages import start_timer


def assert_fails_the_task(
    *commands: Command, cause: str, message: str, terminates: bool = False, core: Core | None = None
) -> None:
    """Assert that the first workflow task fails with `cause` and `message`, and that it leaves nothing else.

    Args:
        terminates: whether the run ends with the task.
    """
    run = (core or Core()).start()
    reply = run.complete(start_timer("before", 60), *commands)
    assert isinstance(reply.error, InvalidArgument)
    assert reply.error.message == message
    follows = (
        f"5 WorkflowExecutionTerminated 'reason={message}' identity=history-service"
        if terminates
        else "5 WorkflowTaskScheduled attempt=2"
    )
    failed = (
        f"4 WorkflowTaskFailed scheduled_event_id=2 started_event_id=3 cause={cause} "
        f"'failure.message={message}' failure.source= failure.server_failure_info={{}} identity=worker"
    )
    run.assert_history(failed + ("\n" + follows if terminates else ""))
    assert run.state.timers == {}
    assert run.state.activities == {}
    assert run.state.children == {}
    assert len(run.core.runs) == 1
    if not terminates:
        assert run.offered_workflow_task is not None
        assert run.offered_workflow_task.attempt == 2
