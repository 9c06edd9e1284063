"""Activities: what is scheduled, how attempts follow one another, who completes them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.common.v1 import Header
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.workflowservice.v1 import (
    RecordActivityTaskHeartbeatByIdRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
)
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    payload,
    payloads,
    retry_policy,
    schedule_activity,
    seconds,
)
from tests.differential.scenario import scenario
from tests.differential.world import World


@activity.defn
async def greet(name: str) -> str:
    return f"hello {name}"


@activity.defn
async def fail_twice(name: str) -> str:
    if activity.info().attempt < 3:
        raise ApplicationError(f"attempt {activity.info().attempt}", {"detail": 1}, type="Flaky")
    return name


@activity.defn
async def fail_without_retry() -> None:
    raise ApplicationError("declined", "details", type="Declined", non_retryable=True)


@activity.defn
async def complete_later() -> str:
    activity.raise_complete_async()


@activity.defn
async def resume() -> str:
    details = activity.info().heartbeat_details
    if not details:
        activity.heartbeat("half", 5)
        raise ApplicationError("stopped half way")
    return f"resumed from {details}"


@workflow.defn
class Resumes:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            resume,
            start_to_close_timeout=timedelta(seconds=10),
            heartbeat_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
        )


@workflow.defn
class GreetTwice:
    @workflow.run
    async def run(self, name: str) -> str:
        first = await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10))
        return await workflow.execute_activity(
            greet,
            first,
            schedule_to_close_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2), maximum_attempts=3),
        )


@workflow.defn
class Flaky:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            fail_twice,
            "done",
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
        )


@workflow.defn
class Declined:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(fail_without_retry, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class CompletedLater:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            complete_later, start_to_close_timeout=timedelta(seconds=20), activity_id="later", result_type=str
        )


@scenario(live_sample=True)
async def sdk_two_in_sequence(world: World) -> None:
    """An SDK workflow runs two activities; the server fills in timeouts and the retry policy."""
    async with world.worker([GreetTwice], [greet]):
        result = await world.client.execute_workflow(
            GreetTwice.run, "dx", id=world.workflow_id(), task_queue=world.task_queue
        )
    world.record_value("result", result)
    await world.record_history()


@scenario()
async def sdk_two_in_sequence_not_eager(world: World) -> None:
    """The same without eager execution: the activity tasks go through matching."""
    async with world.worker([GreetTwice], [greet], disable_eager_activity_execution=True):
        await world.client.execute_workflow(GreetTwice.run, "dx", id=world.workflow_id(), task_queue=world.task_queue)
    await world.record_history()


@scenario()
async def sdk_retries_until_success(world: World) -> None:
    """An activity fails twice; only its last attempt is in the history, with the failure before."""
    async with world.worker([Flaky], [fail_twice]):
        await world.client.execute_workflow(Flaky.run, id=world.workflow_id(), task_queue=world.task_queue)
    await world.record_history()


@scenario()
async def sdk_non_retryable_failure(world: World) -> None:
    """A non-retryable failure fails the activity, and through it the workflow."""
    async with world.worker([Declined], [fail_without_retry]):
        handle = await world.client.start_workflow(Declined.run, id=world.workflow_id(), task_queue=world.task_queue)
        await world.wait_closed()
    description = await handle.describe()
    world.record_value("status", description.status.name if description.status else "")
    await world.record_history()


@scenario()
async def sdk_resumes_from_heartbeat(world: World) -> None:
    """The second attempt of an SDK activity resumes from what the first one heartbeated before it failed."""
    async with world.worker([Resumes], [resume]):
        result = await world.client.execute_workflow(Resumes.run, id=world.workflow_id(), task_queue=world.task_queue)
    world.record_value("result", result)
    await world.record_history()


@scenario()
async def sdk_completed_by_id(world: World) -> None:
    """An activity is heartbeated and completed from outside, by its id."""
    async with world.worker([CompletedLater], [complete_later]):
        await world.client.start_workflow(CompletedLater.run, id=world.workflow_id(), task_queue=world.task_queue)

        async def is_started() -> bool:
            pending = (await world.describe()).pending_activities
            return bool(pending) and pending[0].state == 2

        await world.eventually(is_started)
        await asyncio.sleep(0.3)
        handle = world.client.get_async_activity_handle(
            workflow_id=world.workflow_id(), run_id=None, activity_id="later"
        )
        await handle.heartbeat("half way")
        await handle.complete("from outside")
        await world.wait_closed()
    await world.record_history()


@scenario()
async def all_fields(world: World) -> None:
    """Every field of ScheduleActivityTask comes back in the event and in the worker's task."""
    await world.start(workflow_run_timeout=seconds(60))
    worker = world.raw_worker()
    schedule = schedule_activity(
        "a",
        world.task_queue,
        header=Header(fields={"trace": payload("t1")}),
        input=payloads("one", 2),
        schedule_to_close_timeout=seconds(40),
        schedule_to_start_timeout=seconds(30),
        start_to_close_timeout=seconds(20),
        heartbeat_timeout=seconds(15),
        retry_policy=retry_policy(initial=2, coefficient=1.5, maximum=9, attempts=4, non_retryable=("Fatal",)),
    )
    schedule.user_metadata.CopyFrom(UserMetadata(summary=payload("summary"), details=payload("details")))
    await worker.next_workflow_task(schedule)
    task = await worker.poll_activity_task()
    world.record_reply("activity task", task)
    await world.record_description("while it runs")
    await worker.complete_activity(task, "done")
    await worker.next_workflow_task(complete_workflow("ok"))
    await world.record_history()


@scenario()
async def timeout_defaults(world: World) -> None:
    """How unset activity timeouts are filled in from the others and from the run timeout."""
    await world.start(workflow_run_timeout=seconds(60))
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("start-to-close", world.task_queue, start_to_close_timeout=seconds(10)),
        schedule_activity(
            "schedule-to-close",
            world.task_queue,
            start_to_close_timeout=None,
            schedule_to_close_timeout=seconds(10),
        ),
        schedule_activity(
            "both", world.task_queue, start_to_close_timeout=seconds(20), schedule_to_close_timeout=seconds(10)
        ),
        schedule_activity("longer-than-the-run", world.task_queue, start_to_close_timeout=seconds(600)),
        schedule_activity(
            "schedule-to-start-longer",
            world.task_queue,
            schedule_to_start_timeout=seconds(600),
            schedule_to_close_timeout=seconds(700),
        ),
        schedule_activity("heartbeat-longer", world.task_queue, heartbeat_timeout=seconds(30)),
        schedule_activity(
            "retry-defaults", world.task_queue, retry_policy=retry_policy(initial=3, coefficient=1, attempts=0)
        ),
    )
    await world.record_history()


@scenario()
async def pending_between_attempts(world: World) -> None:
    """Between attempts an activity shows its last failure and keeps its heartbeat details for the next one."""
    await world.start()
    worker = world.raw_worker()
    policy = retry_policy(initial=1, coefficient=1, attempts=3)
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, retry_policy=policy, heartbeat_timeout=seconds(8))
    )
    await world.record_description("scheduled")
    task = await worker.poll_activity_task()
    world.record_reply("first attempt", task)
    await worker.heartbeat(task, {"done": 1})
    world.record_reply("heartbeat", await worker.heartbeat(task, {"done": 2}))
    await world.record_description("first attempt runs")
    await worker.fail_activity(task, application_failure("first"))
    await world.record_description("first attempt failed")
    task = await worker.poll_activity_task()
    world.record_reply("second attempt", task)
    await worker.fail_activity(task, application_failure("second"), last_heartbeat_details=payloads("from failure"))
    task = await worker.poll_activity_task()
    world.record_reply("third attempt", task)
    await world.record_description("third attempt runs")
    await worker.fail_activity(task, application_failure("third"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def non_retryable_types(world: World) -> None:
    """A failure whose type the retry policy names is not retried; `next_retry_delay` replaces the backoff."""
    await world.start()
    worker = world.raw_worker()
    policy = retry_policy(initial=60, non_retryable=("Fatal",))
    await worker.next_workflow_task(schedule_activity("a", world.task_queue, retry_policy=policy))
    task = await worker.poll_activity_task()
    await worker.fail_activity(task, application_failure("soon again", next_retry_delay=seconds(1)))
    await world.record_description("after next_retry_delay")
    task = await worker.poll_activity_task()
    await worker.fail_activity(task, application_failure("fatal", type_name="Fatal"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def no_time_for_another_attempt(world: World) -> None:
    """A retry whose backoff ends after the schedule-to-close timeout is not made."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity(
            "a", world.task_queue, schedule_to_close_timeout=seconds(5), retry_policy=retry_policy(initial=30)
        )
    )
    await worker.fail_activity(await worker.poll_activity_task(), application_failure("once"))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def eager(world: World) -> None:
    """With request_eager_execution the reply carries the activity's task."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    reply = await worker.complete_workflow_task(
        task,
        schedule_activity("eager", world.task_queue, request_eager_execution=True),
        schedule_activity("not-eager", world.task_queue),
    )
    world.record_reply("reply", reply)
    await world.record_description("both pending")
    await worker.complete_activity(reply.activity_tasks[0], "eager result")
    await worker.next_workflow_task()
    await worker.complete_activity(await worker.poll_activity_task(), "matched result")
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def answered_by_id(world: World) -> None:
    """Heartbeat, failure with a retry, and completion, all by id."""
    await world.start()
    worker = world.raw_worker()
    policy = retry_policy(initial=1, attempts=2)
    await worker.next_workflow_task(schedule_activity("a", world.task_queue, retry_policy=policy))
    await worker.poll_activity_task()
    fields = {
        "namespace": world.namespace,
        "workflow_id": world.workflow_id(),
        "activity_id": "a",
        "identity": "outsider",
    }
    await world.record_call("heartbeat", RecordActivityTaskHeartbeatByIdRequest(details=payloads("h"), **fields))
    await world.record_call(
        "fail", RespondActivityTaskFailedByIdRequest(failure=application_failure("by id"), **fields)
    )
    await worker.poll_activity_task()
    await world.record_call("complete", RespondActivityTaskCompletedByIdRequest(result=payloads("r"), **fields))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def same_id_again(world: World) -> None:
    """An activity id may be used again once the activity has closed."""
    await world.start()
    worker = world.raw_worker()
    for _ in range(2):
        await worker.next_workflow_task(schedule_activity("a", world.task_queue))
        await worker.complete_activity(await worker.poll_activity_task(), "done")
    await worker.next_workflow_task(command("COMPLETE_WORKFLOW_EXECUTION"))
    await world.record_history()


@scenario()
async def completed_with_the_run_closing(world: World) -> None:
    """A run that closes leaves its activities behind: nothing of them is in the history."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("started", world.task_queue))
    task = await worker.poll_activity_task()
    await world.signal()
    await worker.next_workflow_task(schedule_activity("waiting", world.task_queue), complete_workflow())
    await world.record_outcome("complete", worker.complete_activity(task))
    await world.record_description("closed")
    await world.record_history()
