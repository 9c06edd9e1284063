"""A server that is killed in the middle: nothing that it acknowledged is lost, nothing happens twice."""

from __future__ import annotations

from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.client import WorkflowUpdateStage

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    retry_policy,
    schedule_activity,
    seconds,
    start_child,
    start_timer,
)
from tests.differential.scenario import CRASHING_SERVER, scenario
from tests.differential.world import World


@scenario(server=CRASHING_SERVER)
async def child_completes_after_a_crash(world: World) -> None:
    """A child starts, the server crashes, the child completes, and its parent sees it."""
    await world.start()
    await world.raw_worker().next_workflow_task(start_child(world.child_id, world.child_queue))
    await world.wait_for_events(7)
    await world.crash_and_restart()
    await world.record_description("parent")
    await world.record_description("child", world.child_id)
    await world.child_worker().next_workflow_task(complete_workflow("out"))
    await world.wait_for_events(8)
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_history(world.child_id)


@scenario(server=CRASHING_SERVER)
async def children_are_started_once(world: World) -> None:
    """The server crashes as soon as it has acknowledged the task that starts children: all start, each once."""
    await world.start()
    ids = [world.workflow_id(f"{number}") for number in range(5)]
    await world.raw_worker().next_workflow_task(*(start_child(child_id, world.child_queue) for child_id in ids))
    await world.crash_and_restart()
    await world.wait_for_events(4 + 5 + 5 + 1)
    child = world.child_worker()
    for _ in ids:
        await child.next_workflow_task(complete_workflow())
    await world.wait_for_events(4 + 5 + 5 + 1 + 5)
    await world.record_events_by_child()


@scenario(server=CRASHING_SERVER)
async def close_of_a_child_is_not_lost(world: World) -> None:
    """The server crashes as soon as it has acknowledged a child's failure: the parent hears of it, once."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    await world.wait_for_events(7)
    await child.next_workflow_task(fail_workflow(application_failure("failed")))
    await world.crash_and_restart()
    await world.wait_for_events(8)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario(server=CRASHING_SERVER)
async def parent_close_policies_are_applied(world: World) -> None:
    """The server crashes as soon as it has acknowledged the parent's end: its children and theirs are dealt with."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    policies = ("TERMINATE", "REQUEST_CANCEL", "ABANDON")
    await parent.next_workflow_task(
        *(
            start_child(
                world.workflow_id(policy),
                child.task_queue if policy == "TERMINATE" else f"{child.task_queue}-other",
                parent_close_policy=f"PARENT_CLOSE_POLICY_{policy}",
            )
            for policy in policies
        )
    )
    await child.next_workflow_task(start_child(world.workflow_id("grandchild"), child.task_queue))
    await world.wait_for_events(7, world.workflow_id("TERMINATE"))
    await world.wait_for_events(4 + 3 + 3 + 1)
    await parent.next_workflow_task(complete_workflow())
    await world.crash_and_restart()
    await world.wait_closed(world.workflow_id("TERMINATE"))
    await world.wait_closed(world.workflow_id("grandchild"))
    await world.wait_for_events(3, world.workflow_id("REQUEST_CANCEL"))
    for name in (*policies, "grandchild"):
        await world.record_history(world.workflow_id(name))


@scenario(server=CRASHING_SERVER)
async def signals_and_cancels_arrive_once(world: World) -> None:
    """The server crashes as soon as it has acknowledged a signal and a cancel request to other workflows."""
    targets = [world.workflow_id("signalled"), world.workflow_id("cancelled")]
    for target_id in targets:
        await world.start(target_id, task_queue=TaskQueue(name=f"{world.task_queue}-target"))
    cases = {
        "signals": command(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
            execution=WorkflowExecution(workflow_id=targets[0]),
            signal_name="go",
        ),
        "cancels": command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", workflow_id=targets[1], reason="crash"),
    }
    for name, given in cases.items():
        worker = world.raw_worker(task_queue=f"{world.task_queue}-{name}")
        await world.start(world.workflow_id(name), task_queue=TaskQueue(name=worker.task_queue))
        await worker.next_workflow_task(given)
    await world.crash_and_restart()
    for name, target_id in zip(cases, targets, strict=True):
        await world.wait_for_events(7, world.workflow_id(name))
        await world.record_history(world.workflow_id(name))
        await world.record_history(target_id)


@scenario(server=CRASHING_SERVER)
async def chain_goes_on(world: World) -> None:
    """The server crashes after a child's continue-as-new and after its end: the parent gets the last run's result."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    await parent.next_workflow_task(start_child(world.child_id, child.task_queue))
    events = await world.wait_for_events(7)
    run_id = events[5].child_workflow_execution_started_event_attributes.workflow_execution.run_id
    await child.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", backoff_start_interval=seconds(1)))
    await world.crash_and_restart()
    await child.next_workflow_task(complete_workflow("last"))
    await world.crash_and_restart()
    await world.wait_for_events(8)
    await parent.next_workflow_task(complete_workflow())
    await world.record_history()
    await world.record_chain(run_id, 2, world.child_id)


@scenario(server=CRASHING_SERVER)
async def deadlines_that_pass_meanwhile(world: World) -> None:
    """A child's run timeout, another's retry backoff and a timer are due while the server is down or just back."""
    await world.start()
    parent, child = world.raw_worker(), world.child_worker()
    times_out, is_retried = world.workflow_id("times-out"), world.workflow_id("is-retried")
    await parent.next_workflow_task(
        start_child(is_retried, child.task_queue, retry_policy=retry_policy(initial=2, coefficient=1, attempts=2))
    )
    await world.wait_for_events(7)
    await parent.next_workflow_task(
        start_child(times_out, f"{child.task_queue}-nobody", workflow_run_timeout=seconds(3)), start_timer("t", 3)
    )
    await world.wait_for_events(13)
    await child.next_workflow_task(fail_workflow(application_failure("first")))
    await world.crash_and_restart()
    await child.next_workflow_task(complete_workflow("second"))
    await world.wait_for_events(16)
    await world.record_events_by_child()
    await world.record_history(times_out)
    await world.record_history(is_retried)


@scenario(server=CRASHING_SERVER)
async def tasks_taken_before_are_answered_after(world: World) -> None:
    """A workflow task and an activity task that were taken before the crash are answered after it."""
    await world.start(workflow_task_timeout=seconds(60))
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, start_to_close_timeout=seconds(30)), start_timer("t", 60)
    )
    activity = await worker.poll_activity_task()
    await worker.heartbeat(activity, "alive")
    await world.signal(name="one")
    task = await worker.poll_workflow_task()
    await world.signal(name="buffered")
    await world.crash_and_restart()
    await world.record_description("after the crash")
    await worker.complete_workflow_task(task)
    await worker.complete_activity(activity, "done")
    await world.wait_for_events(13)
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario(server=CRASHING_SERVER)
async def requests_sent_again(world: World) -> None:
    """Signals are kept in their order, and a start that is sent again after the crash is recognised."""
    run_id = await world.start()
    again = world.start_request()
    for number in range(10):
        await world.signal(name=f"signal {number}")
    await world.crash_and_restart()
    reply = await world.record_call("the same start", again)
    world.record_value("the same run", reply.run_id == run_id)
    await world.record_call("another start", world.start_request(request_id="another"))
    await world.record_history()


@workflow.defn
class Register:
    def __init__(self) -> None:
        self.is_open = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.is_open)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return "closed"

    @workflow.update
    async def enter(self, name: str) -> str:
        await workflow.wait_condition(lambda: self.is_open)
        return f"Hello, {name}"

    @workflow.signal
    def open(self) -> None:
        self.is_open = True


@workflow.defn
class Greets:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    def greet(self, name: str) -> str:
        return f"Hello, {name}"


@scenario(server=CRASHING_SERVER)
async def update_accepted_before(world: World) -> None:
    """An update is accepted, the server crashes, and the update completes."""
    handle = await world.client.start_workflow(Register.run, id=world.workflow_id(), task_queue=world.task_queue)
    async with world.worker([Register], max_cached_workflows=0):
        await world.wait_for_events(4)
        update = await handle.start_update(
            Register.enter, "Ada", id="update-1", wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        await world.crash_and_restart()
        await handle.signal(Register.open)
        world.record_value("result", await update.result())
        world.record_value("workflow's result", await handle.result())
    await world.record_history()


@scenario(server=CRASHING_SERVER)
async def update_completed_before(world: World) -> None:
    """An update completes, the server crashes: its outcome is still there, and the same update is not done again."""
    handle = await world.client.start_workflow(Greets.run, id=world.workflow_id(), task_queue=world.task_queue)
    async with world.worker([Greets], max_cached_workflows=0):
        await world.wait_for_events(4)
        world.record_value("result", await handle.execute_update(Greets.greet, "Ada", id="update-1"))
        await world.crash_and_restart()
        world.record_value("asked again", await handle.get_update_handle("update-1", result_type=str).result())
        world.record_value("sent again", await handle.execute_update(Greets.greet, "Bob", id="update-1"))
        world.record_value("another", await handle.execute_update(Greets.greet, "Bob", id="update-2"))
    await world.record_history()


@scenario(server=CRASHING_SERVER)
async def reset_before(world: World) -> None:
    """The server crashes as soon as it has acknowledged a reset: the new run's task is delivered."""
    run_id = await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(start_timer("t", 60))
    await world.signal()
    await worker.next_workflow_task(complete_workflow("first end"))
    new_run_id = await world.reset(4, run_id=run_id)
    await world.crash_and_restart()
    await worker.next_workflow_task(complete_workflow("second end"))
    await world.record_history(run_id=new_run_id)
    await world.record_history(run_id=run_id)
