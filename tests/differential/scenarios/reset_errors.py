"""What a reset refuses: event ids, runs, and requests that make no sense."""

from __future__ import annotations

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import Priority, WorkflowExecution
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from tests.differential.raw_worker import complete_workflow, payloads, schedule_activity, seconds, start_timer
from tests.differential.scenario import scenario
from tests.differential.world import World

UNKNOWN_RUN_ID = "11111111-2222-3333-4444-555555555555"


@scenario()
async def event_ids(world: World) -> None:
    """Every event id of a history with two workflow tasks, and ids that it does not have."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", 60))
    await world.signal()
    await worker.next_workflow_task(start_timer("u", 60), complete_workflow())
    for event_id in (-1, 0, *range(1, 14), 1000):
        reply = await world.record_call(
            f"event {event_id}", world.reset_request(event_id, run_id=run_id, request_id=f"reset-{event_id}")
        )
        if reply is not None:
            await world.record_history(run_id=reply.run_id)
    await world.record_history(run_id=run_id)


@scenario()
async def event_ids_of_an_open_run(world: World) -> None:
    """The scheduled event of a pending workflow task, and the id that its start will have."""
    await world.start()
    worker = world.raw_worker()
    for event_id in (1, 2, 3):
        await world.record_call(f"scheduled, event {event_id}", world.reset_request(event_id))
    held = await worker.poll_workflow_task()
    for event_id in (2, 4):
        await world.record_call(f"started, event {event_id}", world.reset_request(event_id))
    await worker.complete_workflow_task(held)
    for event_id in (2, 5):
        await world.record_call(f"completed, event {event_id}", world.reset_request(event_id))
    await world.record_history()


@scenario()
async def transient_event_ids(world: World) -> None:
    """The ids that a transient workflow task's events would have are out of range."""
    await world.start()
    worker = world.raw_worker()
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    await worker.poll_workflow_task()
    for event_id in (5, 6, 7):
        await world.record_call(f"event {event_id}", world.reset_request(event_id))
    await world.record_history()
    await world.record_call("failed event", world.reset_request(4))
    await world.record_history()


@scenario()
async def without_a_completed_task(world: World) -> None:
    """A run whose first workflow task is delayed, pending, or running."""
    delayed = world.workflow_id("delayed")
    await world.start(delayed, workflow_start_delay=seconds(60))
    for event_id in (1, 2):
        await world.record_call(f"delayed, event {event_id}", world.reset_request(event_id, delayed))
    cron = world.workflow_id("cron")
    await world.start(cron, cron_schedule="@every 1h")
    for event_id in (1, 2):
        await world.record_call(f"cron, event {event_id}", world.reset_request(event_id, cron))
    await world.signal(delayed)
    for event_id in (2, 3):
        await world.record_call(f"delayed, signalled, event {event_id}", world.reset_request(event_id, delayed))
    await world.record_history(delayed)


@scenario()
async def after_a_failed_task(world: World) -> None:
    """The event after a failed workflow task, and the end of its second attempt: both fail in the new run."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await worker.fail_workflow_task(task)
    await worker.next_workflow_task(complete_workflow())
    for event_id in (5, 7):
        new_run_id = await world.reset(event_id, run_id=task.workflow_execution.run_id)
        world.record_reply(f"event {event_id}: next task", await worker.poll_workflow_task())
        await world.record_history(run_id=new_run_id)


@scenario()
async def batch_boundaries(world: World) -> None:
    """Where events were written together, only the last of them can be what a new run starts from."""
    await world.start()
    worker = world.raw_worker()
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    await worker.next_workflow_task()
    await world.signal()
    task = await worker.poll_workflow_task()
    reply = await worker.complete_workflow_task(
        task, force_create_new_workflow_task=True, return_new_workflow_task=True
    )
    await worker.complete_workflow_task(reply.workflow_task, complete_workflow())
    events = await world.history()
    await world.record_history()
    run_id = task.workflow_execution.run_id
    for event_id in range(2, len(events) + 1):
        await world.record_outcome(
            f"event {event_id}",
            _length_after_the_reset(
                world, world.reset_request(event_id, run_id=run_id, request_id=f"reset-{event_id}")
            ),
        )


@scenario()
async def batch_boundary_of_an_eager_start(world: World) -> None:
    """An eager first workflow task is written with the start: only its end can be reset to."""
    reply = await world.call(world.start_request(request_eager_execution=True))
    worker = world.raw_worker()
    await worker.complete_workflow_task(reply.eager_workflow_task)
    for event_id in range(2, 5):
        await world.record_outcome(
            f"event {event_id}",
            _length_after_the_reset(
                world, world.reset_request(event_id, run_id=reply.run_id, request_id=f"reset-{event_id}")
            ),
        )


async def _length_after_the_reset(world: World, request: ResetWorkflowExecutionRequest) -> int:
    run_id = (await world.call(request)).run_id
    return len(await world.history(run_id=run_id))


@scenario()
async def bad_requests(world: World) -> None:
    """Requests without an execution, a request id, a namespace; with ids that are unknown or too long."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", 60))
    requests = {
        "nothing": ResetWorkflowExecutionRequest(),
        "no request id": world.reset_request(4, request_id=None),
        "long request id": world.reset_request(4, request_id="r" * 1001),
        "no namespace": world.reset_request(4, namespace=None),
        "unknown namespace": world.reset_request(4, namespace="nowhere"),
        "no execution": world.reset_request(4, workflow_execution=None),
        "no workflow id": world.reset_request(4, workflow_execution=WorkflowExecution(run_id=UNKNOWN_RUN_ID)),
        "unknown workflow id": world.reset_request(4, "never-started"),
        "unknown workflow and run id": world.reset_request(4, "never-started", UNKNOWN_RUN_ID),
        "unknown run id": world.reset_request(4, run_id=UNKNOWN_RUN_ID),
        "malformed run id": world.reset_request(4, run_id="not-a-uuid"),
        "long workflow id": world.reset_request(4, "w" * 1001, request_id="reset"),
    }
    for name, request in requests.items():
        await world.record_call(name, request)
    await world.record_history()


@scenario()
async def odd_requests(world: World) -> None:
    """Unknown exclude types, a very long reason and a missing reason or identity are taken as they are."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    cases = {
        "unknown exclude type": {"reset_reapply_exclude_types": [77]},
        "long reason": {"reason": "x" * 100_000},
        "no reason": {"reason": None},
        "no identity": {"identity": None},
        "long identity": {"identity": "i" * 1001},
    }
    for name, fields in cases.items():
        request = world.reset_request(4, run_id=run_id, request_id=name, **fields)
        reply = await world.record_call(name, request)
        if reply is not None:
            await worker.next_workflow_task(complete_workflow())
            await world.record_history(run_id=reply.run_id)


@scenario()
async def by_the_start_request_id(world: World) -> None:
    """A reset request with the request id of the start counts as a repeated one and does nothing."""
    await world.start()
    await world.raw_worker().next_workflow_task()
    await world.record_call("reset", world.reset_request(4, request_id=f"start-{world.workflow_id()}"))
    await world.record_history()
    await world.record_description("after")


@scenario()
async def bad_post_reset_operations(world: World) -> None:
    """Operations after the reset that are empty, not served, or malformed; a priority is taken unchecked."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    update = PostResetOperation.UpdateWorkflowOptions
    operations = {
        "empty": PostResetOperation(),
        "signal": PostResetOperation(
            signal_workflow=PostResetOperation.SignalWorkflow(signal_name="go", input=payloads(1))
        ),
        "unknown path": PostResetOperation(
            update_workflow_options=update(
                workflow_execution_options=WorkflowExecutionOptions(), update_mask=FieldMask(paths=["nonsense"])
            )
        ),
        "negative priority": PostResetOperation(
            update_workflow_options=update(
                workflow_execution_options=WorkflowExecutionOptions(priority=Priority(priority_key=-1)),
                update_mask=FieldMask(paths=["priority"]),
            )
        ),
    }
    for name, operation in operations.items():
        run_id = (await world.describe()).workflow_execution_info.execution.run_id
        reply = await world.record_call(
            name, world.reset_request(4, run_id=run_id, request_id=name, post_reset_operations=[operation])
        )
        if reply is not None:
            await world.record_history(run_id=reply.run_id)
            await worker.next_workflow_task(schedule_activity("a", world.task_queue))
    await world.record_history()
