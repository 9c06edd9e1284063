"""What becomes of updates when their workflow closes, goes on as a new run, or is closed from outside."""

from __future__ import annotations

import asyncio

from temporalio.api.common.v1 import WorkflowType

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    retry_policy,
    seconds,
)
from tests.differential.scenario import scenario
from tests.differential.update_worker import (
    accept,
    answer,
    finish_first_task,
    poll_update_request,
    record_stages,
    record_task,
    reject,
    respond,
    send_update,
    update_request,
)
from tests.differential.world import World

# A run that lives shorter is followed by one that waits for the rest of it.
SHORTEST_RUN_SECONDS = 1.1

GO_ON = command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", workflow_type=WorkflowType(name="RawWorkflow"))


@scenario()
async def completed_with_the_workflow(world: World) -> None:
    """An update completes in the workflow task that completes the workflow."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"), commands=(complete_workflow(),))
    world.record_reply("update", await update)
    await world.record_call("poll", poll_update_request(world))
    await world.record_history()


@scenario()
async def accepted_and_closed(world: World) -> None:
    """An update is accepted in the workflow task that completes the workflow, and never completed."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    second = await send_update(world, "second", stage="ACCEPTED")
    task = await worker.poll_workflow_task()
    await answer(worker, task, *(accept(message) for message in task.messages), commands=(complete_workflow(),))
    await world.record_outcome("first", first)
    await world.record_outcome("second, ACCEPTED", second)
    await record_stages(world, "poll", "first")
    await world.record_call("again", update_request(world, "first"))
    await world.record_history()


@scenario()
async def accepted_before_the_close(world: World) -> None:
    """An update that was accepted long before its workflow completes."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    await world.signal()
    await worker.next_workflow_task(complete_workflow("done"))
    await world.record_outcome("update", update)
    await record_stages(world, "poll")
    await world.record_call("again, ACCEPTED", update_request(world, stage="ACCEPTED"))
    await world.record_history()


@scenario()
async def unanswered_at_the_close(world: World) -> None:
    """The worker completes the workflow without a word about the update that it was given."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    await worker.next_workflow_task(complete_workflow())
    await world.record_outcome("update", update)
    await world.record_history()


@scenario()
async def rejected_at_the_close(world: World) -> None:
    """A rejection beside the command that completes the workflow."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, reject(task.messages[0]), commands=(complete_workflow(),))
    await world.record_outcome("update", update)
    await world.record_history()


@scenario()
async def messages_after_the_close(world: World) -> None:
    """Messages that take effect after the command that completes the workflow come too late."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    second = await send_update(world, "second")
    task = await worker.poll_workflow_task()
    messages = [accept(task.messages[0]), respond("first", 1), reject(task.messages[1])]
    await world.record_outcome("answer", worker.complete_workflow_task(task, complete_workflow(), messages=messages))
    await world.record_outcome("first", first)
    await world.record_outcome("second", second)
    await world.record_history()


@scenario()
async def close_between_acceptance_and_result(world: World) -> None:
    """The command that completes the workflow stands between those of an update's acceptance and its result."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    messages = [accept(task.messages[0]), respond("update", 1)]
    commands = (command("PROTOCOL_MESSAGE", message_id=messages[0].id), complete_workflow())
    await world.record_outcome("answer", worker.complete_workflow_task(task, *commands, messages=messages))
    await world.record_outcome("update", update)
    await world.record_history()


@scenario()
async def admitted_while_closing(world: World) -> None:
    """An update that comes during the workflow task that completes the workflow."""
    await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    update = await send_update(world)
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_outcome("update", update)
    await world.record_history()


@scenario()
async def failed_workflow(world: World) -> None:
    """Accepted and admitted updates of a workflow that fails."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    second = await send_update(world, "second")
    await worker.next_workflow_task(fail_workflow(application_failure("no more")))
    await world.record_outcome("accepted", first)
    await world.record_outcome("sent", second)
    await world.record_history()


@scenario()
async def terminated(world: World) -> None:
    """Accepted and admitted updates of a workflow that is terminated."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    accepted = await send_update(world, "first", stage="ACCEPTED")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    await accepted
    second = await send_update(world, "second")
    await world.terminate()
    await world.record_outcome("accepted", first)
    await world.record_outcome("admitted", second)
    await record_stages(world, "poll of the accepted", "first")
    await world.record_history()


@scenario()
async def timed_out(world: World) -> None:
    """Accepted and admitted updates of a workflow that times out."""
    await finish_first_task(world, worker := world.raw_worker(), workflow_run_timeout=seconds(4))
    first = await send_update(world, "first")
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    second = await send_update(world, "second")
    await world.record_outcome("accepted", first)
    await world.record_outcome("admitted", second)
    await record_stages(world, "poll of the accepted", "first")
    await world.record_history()


@scenario()
async def cancelled(world: World) -> None:
    """An accepted update of a workflow that accepts its cancellation."""
    await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    await world.cancel()
    await worker.next_workflow_task(command("CANCEL_WORKFLOW_EXECUTION"))
    await world.record_outcome("update", update)
    await world.record_history()


@scenario()
async def continued_after_acceptance(world: World) -> None:
    """An update that was accepted fails when its run continues as a new one; the new run does not know it."""
    run_id = await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await asyncio.sleep(SHORTEST_RUN_SECONDS)
    await answer(worker, task, accept(task.messages[0]), commands=(GO_ON,))
    await world.record_outcome("update", update)
    await record_stages(world, "poll of the new run")
    await world.record_call("poll of the old run", poll_update_request(world, stage="", run_id=run_id))
    await world.terminate()
    await world.record_chain(run_id, 2)


@scenario()
async def admitted_while_continuing(world: World) -> None:
    """An update that comes while a run continues as a new one is refused for now; sent again it reaches the new run."""
    run_id = await world.start()
    worker = world.raw_worker()
    task = await worker.poll_workflow_task()
    update = await send_update(world)
    of_the_run = await send_update(world, "of the run", run_id=run_id)
    await asyncio.sleep(SHORTEST_RUN_SECONDS)
    await worker.complete_workflow_task(task, GO_ON)
    await world.record_outcome("update", update)
    await world.record_outcome("update of the run", of_the_run)
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]), respond("update", "done"), commands=(complete_workflow(),))
    world.record_reply("sent again", await update)
    await world.record_chain(run_id, 2)


@scenario()
async def completed_while_continuing(world: World) -> None:
    """An update completes in the task in which its run continues as a new one; its id is free in the new run."""
    run_id = await finish_first_task(world, worker := world.raw_worker())
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await asyncio.sleep(SHORTEST_RUN_SECONDS)
    await answer(worker, task, accept(task.messages[0]), respond("update", "old"), commands=(GO_ON,))
    world.record_reply("update", await update)
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    record_task(world, "task of the new run", task)
    await answer(worker, task, accept(task.messages[0]), respond("update", "new"), commands=(complete_workflow(),))
    world.record_reply("update of the new run", await update)
    await world.record_call("again, old run", update_request(world, run_id=run_id))
    await world.record_call("again, of the chain", update_request(world, first_execution_run_id=run_id))
    await world.record_chain(run_id, 2)


@scenario()
async def retried_workflow(world: World) -> None:
    """An accepted update of a run that fails and is retried."""
    run_id = await finish_first_task(
        world, worker := world.raw_worker(), retry_policy=retry_policy(initial=1, attempts=2)
    )
    update = await send_update(world)
    task = await worker.poll_workflow_task()
    await answer(worker, task, accept(task.messages[0]))
    await world.signal()
    await worker.next_workflow_task(fail_workflow(application_failure("again")))
    await world.record_outcome("update", update)
    await worker.next_workflow_task(complete_workflow())
    await world.record_chain(run_id, 2)


@scenario()
async def buffered_at_the_close(world: World) -> None:
    """A close that fails because of a buffered signal: its update fails too, and new ones are refused meanwhile."""
    await finish_first_task(world, worker := world.raw_worker())
    first = await send_update(world, "first")
    task = await worker.poll_workflow_task()
    await world.signal()
    reply = answer(worker, task, accept(task.messages[0]), respond("first", 1), commands=(complete_workflow(),))
    await world.record_outcome("answer", reply)
    await world.record_outcome("first", first)
    task = await worker.poll_workflow_task()
    record_task(world, "next task", task)
    await world.record_call("while closing", update_request(world, "second"))
    await worker.complete_workflow_task(task, complete_workflow())
    await world.record_history()
