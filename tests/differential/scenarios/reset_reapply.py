"""What comes again in the new run of a reset: signals, updates and options from after the point, unless excluded."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio import workflow
from temporalio.api.common.v1 import Header, Link, Priority
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Rejection
from temporalio.api.workflow.v1 import PostResetOperation, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    SignalWorkflowExecutionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)

from tests.differential.raw_worker import (
    RawWorker,
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payload,
    payloads,
    retry_policy,
    seconds,
)
from tests.differential.scenario import scenario
from tests.differential.update_worker import (
    accept,
    answer,
    poll_update_request,
    record_stages,
    respond,
    send_update,
    update_request,
    worker_message,
)
from tests.differential.world import World

FIRST_COMPLETED = 4
# A second is what the server would wait at most by itself, less the time that the run took.
CONTINUE_AS_NEW = command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", backoff_start_interval=seconds(1))


def _signal(world: World, request_id: str, number: int, **fields: Any) -> SignalWorkflowExecutionRequest:
    return SignalWorkflowExecutionRequest(
        namespace=world.namespace,
        workflow_execution=world.execution(),
        signal_name="go",
        input=payloads(number),
        identity="signaller",
        request_id=request_id,
        **fields,
    )


async def _accepted_and_completed(world: World, worker: RawWorker, update_id: str = "update") -> None:
    update = await send_update(world, update_id, 1)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond(update_id, "done"))
    await update


def _accept_again(update_id: str, admitted_event_id: int) -> Message:
    """Accept an update that came by its UpdateAdmitted event, as the SDKs do."""
    body = Acceptance(
        accepted_request_message_id=f"{update_id}/request", accepted_request_sequencing_event_id=admitted_event_id
    )
    return worker_message(update_id, "accept", body)


def _reject_again(update_id: str, admitted_event_id: int) -> Message:
    body = Rejection(
        rejected_request_message_id=f"{update_id}/request",
        rejected_request_sequencing_event_id=admitted_event_id,
        failure=application_failure("rejected by the validator"),
    )
    return worker_message(update_id, "reject", body)


@scenario(live_sample=True)
async def signals(world: World) -> None:
    """Signals keep their order, input, header, links and request ids, which are recognised in the new run."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    header = Header(fields={"h": payload("v")})
    link = Link(workflow_event=Link.WorkflowEvent(namespace=world.namespace, workflow_id="other", run_id=run_id))
    await world.call(_signal(world, "s-1", 1, header=header, links=[link]))
    await world.call(_signal(world, "s-2", 2))
    await world.call(_signal(world, "", 3))
    await worker.next_workflow_task()
    new_run_id = await world.reset(FIRST_COMPLETED)
    await world.record_history(run_id=new_run_id)
    await world.record_description("new run")
    await world.call(_signal(world, "s-1", 4))
    await world.call(_signal(world, "s-3", 5))
    await worker.next_workflow_task(complete_workflow())
    await world.record_history(run_id=new_run_id)


@scenario()
async def what_is_excluded(world: World) -> None:
    """A signal and an update after the reset point, with every reapply type and with every exclude type."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.signal(name="go")
    await worker.next_workflow_task()
    await _accepted_and_completed(world, worker)
    await world.signal(name="end")
    await worker.next_workflow_task(complete_workflow())
    cases: dict[str, dict[str, Any]] = {}
    for kind in ("UNSPECIFIED", "SIGNAL", "NONE", "ALL_ELIGIBLE"):
        cases[f"reapply {kind}"] = {"reset_reapply_type": f"RESET_REAPPLY_TYPE_{kind}"}
    for kinds in (
        ("SIGNAL",),
        ("UPDATE",),
        ("NEXUS",),
        ("CANCEL_REQUEST",),
        ("SIGNAL", "UPDATE"),
        ("SIGNAL", "UPDATE", "NEXUS", "CANCEL_REQUEST"),
    ):
        cases[f"exclude {' '.join(kinds)}"] = {
            "reset_reapply_exclude_types": [f"RESET_REAPPLY_EXCLUDE_TYPE_{kind}" for kind in kinds]
        }
    cases["reapply SIGNAL, exclude SIGNAL"] = {
        "reset_reapply_type": "RESET_REAPPLY_TYPE_SIGNAL",
        "reset_reapply_exclude_types": ["RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL"],
    }
    for name, fields in cases.items():
        new_run_id = await world.reset(FIRST_COMPLETED, run_id=run_id, request_id=name, **fields)
        events = await world.history(run_id=new_run_id)
        world.record_value(name, [event.WhichOneof("attributes") for event in events[FIRST_COMPLETED:]])


@scenario()
async def completed_update(world: World) -> None:
    """An update that was completed after the reset point is admitted again and reaches the worker again."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await _accepted_and_completed(world, worker)
    new_run_id = await world.reset(FIRST_COMPLETED)
    await world.record_history(run_id=new_run_id)
    await world.record_description("new run")
    await record_stages(world, "admitted again")
    await world.record_call("of the old run", poll_update_request(world, run_id=run_id))
    task = await worker.poll_workflow_task()
    world.record_reply("task", task)
    await answer(worker, task, _accept_again("update", FIRST_COMPLETED + 1), respond("update", "done again"))
    await world.record_call("done again", poll_update_request(world))
    await world.record_history(run_id=new_run_id)
    await world.record_description("update completed")


@scenario()
async def update_accepted_before(world: World) -> None:
    """An update that was accepted before the reset point and completed after it is open again in the new run."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    update = await send_update(world, "update", 1)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    await world.signal(name="go")
    held = await worker.poll_workflow_task()
    await answer(worker, held, respond("update", "done"))
    await update
    new_run_id = await world.reset(held.started_event_id + 1)
    await world.record_history(run_id=new_run_id)
    await record_stages(world, "accepted")
    task = await worker.poll_workflow_task()
    world.record_reply("task", task)
    await answer(worker, task, respond("update", "done again"))
    await world.record_call("done again", poll_update_request(world))
    await world.record_history(run_id=new_run_id)


@scenario()
async def update_completed_before(world: World) -> None:
    """An update that was completed before the reset point keeps its result in the new run."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await _accepted_and_completed(world, worker)
    await world.signal(name="go")
    held = await worker.poll_workflow_task()
    await worker.complete_workflow_task(held)
    new_run_id = await world.reset(held.started_event_id + 1)
    await world.record_call("polled in the new run", poll_update_request(world))
    await world.record_call("sent again", update_request(world, "update", 2))
    await world.record_history(run_id=new_run_id)
    await world.record_description("new run")


@scenario()
async def update_admitted(world: World) -> None:
    """An update that waits for a worker when its run is reset: the client hears that, and the update is gone."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    update = await send_update(world)
    new_run_id = await world.reset(FIRST_COMPLETED, run_id=run_id)
    await world.record_outcome("update", update)
    await world.record_call("polled", poll_update_request(world, stage="ACCEPTED"), timeout_seconds=2)
    await world.record_history(run_id=run_id)
    await world.record_history(run_id=new_run_id)


@scenario()
async def update_accepted_and_open(world: World) -> None:
    """An update that was accepted and is not complete when its run is reset to before it."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    new_run_id = await world.reset(FIRST_COMPLETED, run_id=run_id)
    await world.record_outcome("update", update)
    await world.record_history(run_id=new_run_id)
    task = await worker.poll_workflow_task()
    await answer(worker, task, _accept_again("update", FIRST_COMPLETED + 1), respond("update", "done"))
    await world.record_call("polled", poll_update_request(world))
    await world.record_history(run_id=new_run_id)


@scenario()
async def reapplied_update_reset_again(world: World) -> None:
    """An update that came again after one reset comes again after a second one, from its admitted event."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await _accepted_and_completed(world, worker)
    await world.reset(FIRST_COMPLETED)
    task = await worker.poll_workflow_task()
    await answer(worker, task, _accept_again("update", FIRST_COMPLETED + 1), respond("update", "done again"))
    await world.record_history()
    await world.reset(FIRST_COMPLETED, request_id="reset again")
    await world.record_history()
    task = await worker.poll_workflow_task()
    world.record_value("messages", len(task.messages))


@scenario()
async def reapplied_update_rejected(world: World) -> None:
    """A worker may reject an update that it accepted before the reset: nothing is written of it."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await _accepted_and_completed(world, worker)
    await world.reset(FIRST_COMPLETED)
    task = await worker.poll_workflow_task()
    await world.record_outcome("answer", answer(worker, task, _reject_again("update", FIRST_COMPLETED + 1)))
    await world.record_history()


@scenario()
async def later_runs_of_the_chain(world: World) -> None:
    """Signals and updates of the runs that the base run continued as come again too, in their order."""
    first = await world.start()
    worker = world.raw_worker()
    await world.signal("", "go", "before the point")
    await worker.next_workflow_task()
    await world.signal("", "go", "first run")
    await worker.next_workflow_task(CONTINUE_AS_NEW)
    await world.signal("", "go", "second run")
    second = await worker.poll_workflow_task()
    await worker.complete_workflow_task(second)
    await _accepted_and_completed(world, worker)
    await world.signal("", "go", "second run again")
    await worker.next_workflow_task(CONTINUE_AS_NEW)
    await world.signal("", "go", "third run")
    new_run_id = await world.reset(5, run_id=first)
    await world.record_history(run_id=new_run_id)
    await worker.next_workflow_task(complete_workflow())


@scenario()
async def later_runs_that_are_no_continuation(world: World) -> None:
    """Signals of a retry's next attempt, and of a run that was started anew, do not come again."""
    first = await world.start(retry_policy=retry_policy(initial=1))
    worker = world.raw_worker()
    await world.signal("", "go", "first attempt")
    await worker.next_workflow_task(fail_workflow(application_failure("again")))
    second = await worker.poll_workflow_task()
    await world.signal("", "go", "second attempt")
    await worker.fail_workflow_task(second)
    new_run_id = await world.reset(5, run_id=first)
    await world.record_history(run_id=second.workflow_execution.run_id)
    await world.record_history(run_id=new_run_id)


@scenario()
async def signals_around_the_point(world: World) -> None:
    """Signals before and within the workflow task of the reset point: each is in the new run once."""
    await world.start()
    await world.signal("", "go", "before")
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    await world.signal("", "go", "within")
    await worker.complete_workflow_task(task)
    held = await worker.poll_workflow_task()
    await world.signal("", "go", "in the second")
    await worker.complete_workflow_task(held)
    await worker.next_workflow_task()
    await world.record_history()
    for event_id in (5, held.started_event_id + 1):
        await world.reset(event_id, run_id=task.workflow_execution.run_id)
        await world.record_history()


@scenario()
async def options(world: World) -> None:
    """Options that were updated after the reset point are updated again, before those of the reset itself."""
    await world.start(priority=Priority(priority_key=5))
    worker = world.raw_worker()
    await worker.next_workflow_task()
    await world.call(
        UpdateWorkflowExecutionOptionsRequest(
            namespace=world.namespace,
            workflow_execution=world.execution(),
            workflow_execution_options=WorkflowExecutionOptions(priority=Priority(priority_key=2)),
            update_mask=FieldMask(paths=["priority"]),
            identity="updater",
        )
    )
    await world.signal()
    operation = PostResetOperation(
        update_workflow_options=PostResetOperation.UpdateWorkflowOptions(
            workflow_execution_options=WorkflowExecutionOptions(priority=Priority(priority_key=4)),
            update_mask=FieldMask(paths=["priority"]),
        )
    )
    new_run_id = await world.reset(FIRST_COMPLETED, post_reset_operations=[operation])
    await world.record_history(run_id=new_run_id)
    await world.record_description("new run")


@workflow.defn
class Sums:
    def __init__(self) -> None:
        self.total = 0
        self.done = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.done and workflow.all_handlers_finished())
        return self.total

    @workflow.update
    async def add(self, number: int) -> int:
        self.total += number
        return self.total

    @workflow.signal
    def finish(self) -> None:
        self.done = True


@scenario()
async def sdk_updates(world: World) -> None:
    """An SDK workflow handles its updates and signals again after a reset and comes to the same result."""
    async with world.worker([Sums]):
        handle = await world.client.start_workflow(Sums.run, id=world.workflow_id(), task_queue=world.task_queue)
        world.record_value("first", await handle.execute_update(Sums.add, 1, id="one"))
        world.record_value("second", await handle.execute_update(Sums.add, 2, id="two"))
        await handle.signal(Sums.finish)
        world.record_value("result", await handle.result())
        await world.reset(FIRST_COMPLETED, run_id=handle.first_execution_run_id or "")
        again = world.client.get_workflow_handle_for(Sums.run, world.workflow_id())
        world.record_value("result after the reset", await again.result())
        world.record_value("first again", await again.get_update_handle_for(Sums.add, "one").result())
    await world.record_history()
