"""What happens at the same time, or twice: answers that cross, requests repeated after the run went on."""

from __future__ import annotations

from temporalio.api.common.v1 import WorkflowType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, RemoveSearchAttributesRequest
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    ListWorkflowExecutionsRequest,
    QueryWorkflowRequest,
    RecordActivityTaskHeartbeatByIdRequest,
    ResetStickyTaskQueueRequest,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
)

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    payload,
    payloads,
    retry_policy,
    schedule_activity,
    seconds,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


def _signal(world: World, request_id: str, run_id: str = "") -> SignalWorkflowExecutionRequest:
    return SignalWorkflowExecutionRequest(
        namespace=world.namespace,
        workflow_execution=world.execution(run_id=run_id),
        signal_name="go",
        identity="signaller",
        request_id=request_id,
    )


def _signal_with_start(world: World, request_id: str, **fields: object) -> SignalWithStartWorkflowExecutionRequest:
    return SignalWithStartWorkflowExecutionRequest(
        namespace=world.namespace,
        workflow_id=world.workflow_id(),
        workflow_type=WorkflowType(name="RawWorkflow"),
        task_queue=TaskQueue(name=world.task_queue),
        identity="signaller",
        request_id=request_id,
        signal_name="go",
        **fields,  # type: ignore[arg-type]
    )


@scenario()
async def activities_close_during_a_workflow_task(world: World) -> None:
    """Three activities close in three ways, and a signal and a cancel request come, while a worker has the task."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue),
        schedule_activity("b", world.task_queue, retry_policy=retry_policy(attempts=1)),
        schedule_activity("c", world.task_queue),
        start_timer("t", 60),
    )
    activities = {}
    for _ in range(3):
        task = await worker.poll_activity_task()
        activities[task.activity_id] = task
    await world.signal()
    await worker.next_workflow_task(command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=7))
    await world.signal(name="held")
    held = await worker.poll_workflow_task()
    await worker.complete_activity(activities["a"], "done")
    await world.signal(name="buffered")
    await worker.fail_activity(activities["b"], application_failure("failed"))
    await world.cancel()
    await worker.cancel_activity(activities["c"], "stopped")
    await world.record_description("all buffered")
    await world.record_outcome("completed twice", worker.complete_activity(activities["a"], "again"))
    await worker.complete_workflow_task(held, command("CANCEL_TIMER", timer_id="t"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def terminated_with_closed_activities_buffered(world: World) -> None:
    """Termination while an activity's close waits in the buffer."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    activity = await worker.poll_activity_task()
    await world.signal()
    await worker.poll_workflow_task()
    await worker.complete_activity(activity, "done")
    await world.signal(name="buffered")
    await world.terminate()
    await world.record_description("terminated")
    await world.record_history()


@scenario()
async def activity_answered_in_backoff(world: World) -> None:
    """Answers to an activity that waits for its next attempt: by its old token, and by its id."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue, retry_policy=retry_policy(initial=60)))
    task = await worker.poll_activity_task()
    await worker.fail_activity(task, application_failure("first"))
    by_id = {
        "namespace": world.namespace,
        "workflow_id": world.workflow_id(),
        "activity_id": "a",
        "identity": "other",
    }
    await world.record_outcome("heartbeat", worker.heartbeat(task, 1))
    await world.record_outcome("fail", worker.fail_activity(task, application_failure("again")))
    await world.record_outcome("complete", worker.complete_activity(task))
    await world.record_outcome("cancel", worker.cancel_activity(task))
    await world.record_call("heartbeat by id", RecordActivityTaskHeartbeatByIdRequest(**by_id))
    await world.record_call(
        "fail by id", RespondActivityTaskFailedByIdRequest(failure=application_failure("by id"), **by_id)
    )
    await world.record_call("cancel by id", RespondActivityTaskCanceledByIdRequest(**by_id))
    await world.record_call(
        "complete by id", RespondActivityTaskCompletedByIdRequest(result=payloads("outside"), **by_id)
    )
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def schedule_to_close_between_attempts(world: World) -> None:
    """The schedule-to-close timeout ends an activity whose second attempt nobody took."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity(
            "a",
            world.task_queue,
            schedule_to_close_timeout=seconds(3),
            retry_policy=retry_policy(initial=0.5, coefficient=1),
        )
    )
    task = await worker.poll_activity_task()
    await worker.heartbeat(task, "progress")
    await worker.fail_activity(task, application_failure("first"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def late_heartbeat(world: World) -> None:
    """A heartbeat and a second answer after the activity is complete, and after its run is."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    task = await worker.poll_activity_task()
    await worker.complete_activity(task, "done")
    await world.record_outcome("heartbeat", worker.heartbeat(task, 1))
    await world.record_outcome("complete", worker.complete_activity(task, "done"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_outcome("heartbeat, closed", worker.heartbeat(task, 1))
    await world.record_outcome("complete, closed", worker.complete_activity(task, "done"))
    await world.record_history()


@scenario()
async def requests_repeated_after_continue_as_new(world: World) -> None:
    """The same start, signal and signal-with-start again, when the chain has gone on to its next run."""
    first = await world.start()
    await world.call(_signal(world, "s-1"))
    worker = world.raw_worker()
    await world.age()
    await worker.next_workflow_task(
        command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", workflow_type=WorkflowType(name="RawWorkflow"))
    )
    await world.record_call("start", world.start_request())
    await world.record_call("signal of the first run", _signal(world, "s-1", run_id=first))
    await world.record_call("new signal of the first run", _signal(world, "s-2", run_id=first))
    await world.record_call("signal of the current run", _signal(world, "s-1"))
    await world.record_call("signal-with-start", _signal_with_start(world, f"start-{world.workflow_id()}"))
    await world.record_call("signal-with-start again", _signal_with_start(world, f"start-{world.workflow_id()}"))
    await world.record_call("start by the signal's id", world.start_request(request_id="s-1"))
    await world.record_history(run_id=first)
    await world.record_history()


@scenario()
async def requests_repeated_after_the_close(world: World) -> None:
    """The same start, signal, cancel and termination again, when the run is closed."""
    await world.start()
    await world.call(_signal(world, "s-1"))
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_call("start", world.start_request())
    await world.record_call("signal", _signal(world, "s-1"))
    await world.record_call("another signal", _signal(world, "s-2"))
    await world.record_call("start by the signal's id", world.start_request(request_id="s-1"))
    await world.record_call("signal-with-start", _signal_with_start(world, "s-1"))
    await world.record_history()


@scenario()
async def during_a_start_delay(world: World) -> None:
    """Starts, signals and queries that meet a run whose first workflow task is still delayed."""
    await world.start(workflow_start_delay=seconds(60))
    await world.record_call("same start", world.start_request(workflow_start_delay=seconds(60)))
    await world.record_call(
        "query",
        QueryWorkflowRequest(
            namespace=world.namespace, execution=world.execution(), query=WorkflowQuery(query_type="q")
        ),
        timeout_seconds=2,
    )
    await world.record_description("delayed")
    await world.record_call("signal-with-start", _signal_with_start(world, "sws-1"))
    await world.record_call(
        "delayed signal-with-start", _signal_with_start(world, "sws-2", workflow_start_delay=seconds(60))
    )
    await world.record_history()
    await world.record_call(
        "terminate existing",
        world.start_request(
            request_id="other", workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"
        ),
    )
    await world.record_history()


@scenario()
async def cancelled_in_cron_backoff(world: World) -> None:
    """A cancel request wakes a cron run before its time; when the worker accepts it the chain ends."""
    await world.start(cron_schedule="@every 1h")
    await world.signal()
    await world.record_description("waits")
    await world.cancel(reason="now")
    await world.raw_worker().next_workflow_task(command("CANCEL_WORKFLOW_EXECUTION"))
    await world.record_history()


@scenario()
async def terminated_in_cron_backoff(world: World) -> None:
    """Termination of a cron run before its time ends the chain."""
    await world.start(cron_schedule="@every 1h")
    await world.signal()
    await world.terminate()
    await world.record_description("terminated")
    await world.record_history()


@scenario()
async def query_while_tasks_fail(world: World) -> None:
    """A query of a run whose workflow tasks keep failing."""
    await world.start()
    worker = world.raw_worker()
    for _ in range(3):
        await worker.fail_workflow_task(await worker.poll_workflow_task())
    await world.record_call(
        "query",
        QueryWorkflowRequest(
            namespace=world.namespace, execution=world.execution(), query=WorkflowQuery(query_type="q")
        ),
        timeout_seconds=3,
    )
    await world.record_description("failing")
    await world.record_history()


@scenario()
async def answers_after_termination(world: World) -> None:
    """A worker answers a workflow task and an activity of a run that was terminated meanwhile."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    activity = await worker.poll_activity_task()
    await world.signal()
    task = await worker.poll_workflow_task()
    await world.terminate()
    await world.record_outcome("fail the task", worker.fail_workflow_task(task))
    await world.record_outcome("heartbeat", worker.heartbeat(activity, 1))
    await world.record_outcome("fail the activity", worker.fail_activity(activity, application_failure("late")))
    await world.record_outcome("cancel the activity", worker.cancel_activity(activity))
    await world.record_call(
        "reset", ResetStickyTaskQueueRequest(namespace=world.namespace, execution=world.execution())
    )


@scenario()
async def search_attribute_removed_while_in_use(world: World) -> None:
    """A search attribute that was removed from the namespace is refused at a start and in a running workflow."""
    attribute = "RacesRemoved"
    await world.call(
        AddSearchAttributesRequest(namespace=world.namespace, search_attributes={attribute: 2})  # type: ignore[dict-item]
    )
    searched = {"indexed_fields": {attribute: payload("value")}}

    async def started() -> bool:
        try:
            await world.start(search_attributes=searched)
        except Exception:
            return False
        return True

    await world.eventually(started)
    await world.call(RemoveSearchAttributesRequest(namespace=world.namespace, search_attributes=[attribute]))

    async def refused() -> bool:
        try:
            await world.start("probe", search_attributes=searched)
        except Exception:
            return True
        await world.terminate("probe")
        return False

    await world.eventually(refused)
    await world.record_call("start", world.start_request("another", search_attributes=searched))
    await world.record_outcome(
        "upsert",
        world.raw_worker().next_workflow_task(command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=searched)),
    )


@scenario()
async def odd_workflow_ids(world: World) -> None:
    """Ids with quotes, spaces, other scripts and the greatest length are ids like others."""
    for number, text in enumerate(("it's", 'say "hi"', "back\\slash", "日本 ☃", " spaces ", "%_*", "x" * 960)):
        workflow_id = f"{world.workflow_id()}{text}"
        await world.record_call(f"start {number}", world.start_request(workflow_id))
        await world.record_description(f"describe {number}", workflow_id)
        await world.terminate(workflow_id)
    for quoted in ("'{}it''s'", "'{}it\\'s'", '"{}it\'s"', "'{}日本 ☃'"):
        query = f"WorkflowId = {quoted.format(world.workflow_id())}"

        async def listed(query: str = query) -> list[str]:
            reply = await world.call(ListWorkflowExecutionsRequest(namespace=world.namespace, query=query))
            return [each.execution.workflow_id for each in reply.executions]

        try:
            world.record_value(query, await world.eventually(listed, 4))
        except TimeoutError:
            world.record_value(query, [])
