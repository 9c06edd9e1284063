"""Reading history: pages, backwards, only the close event, long polls."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
)

from tests.differential.raw_worker import application_failure, command, complete_workflow, fail_workflow, start_timer
from tests.differential.scenario import scenario
from tests.differential.world import World

CLOSE_EVENT = "HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT"


async def _read_pages(world: World, request_type: Any, **fields: Any) -> list[list[int]]:
    pages = []
    token = b""
    while True:
        reply = await world.call(
            request_type(namespace=world.namespace, execution=world.execution(), next_page_token=token, **fields)
        )
        pages.append([event.event_id for event in reply.history.events])
        token = reply.next_page_token
        if not token:
            return pages


@scenario()
async def pages(world: World) -> None:
    """A page holds whole batches of events that were committed together, at least as many as asked for."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(*(start_timer(f"t{number}", 60) for number in range(5)))
    await world.signal()
    await worker.next_workflow_task(complete_workflow())
    for size in (100, 1):
        reply = await world.call(
            GetWorkflowExecutionHistoryRequest(
                namespace=world.namespace, execution=world.execution(), maximum_page_size=size
            )
        )
        world.record_value(f"all events after pages of {size}", bool(reply.next_page_token))
    forward = await _read_pages(world, GetWorkflowExecutionHistoryRequest, maximum_page_size=2)
    world.record_value("forward", [event_id for page in forward for event_id in page])
    backward = await _read_pages(world, GetWorkflowExecutionHistoryReverseRequest, maximum_page_size=2)
    world.record_value("backward", [event_id for page in backward for event_id in page])


@scenario()
async def close_event_of_a_chain(world: World) -> None:
    """A run that is followed by another closes by continuing as new, to clients that don't follow by themselves."""
    follows = (("supported-features", "follows-next-run-id"),)
    run_id = await world.start(cron_schedule="@every 1s")
    worker = world.raw_worker()
    await worker.next_workflow_task(complete_workflow("done"))
    await worker.next_workflow_task(fail_workflow(application_failure("broken")))
    for number in range(2):
        request = GetWorkflowExecutionHistoryRequest(
            namespace=world.namespace,
            execution=world.execution(run_id=run_id),
            history_event_filter_type=CLOSE_EVENT,
            wait_new_event=True,
        )
        world.record_reply(f"run {number}", await world.call(request))
        reply = await world.call(request, metadata=follows)
        world.record_reply(f"run {number}, to a client that follows", reply)
        (event,) = reply.history.events
        run_id = getattr(event, event.WhichOneof("attributes")).new_execution_run_id
    await world.terminate()


@scenario()
async def close_event(world: World) -> None:
    """The close-event filter gives the last event of a closed run, and the newest of an open one."""
    run_id = await world.start()
    worker = world.raw_worker()
    fields = {"namespace": world.namespace, "history_event_filter_type": CLOSE_EVENT}
    await world.record_call("open", GetWorkflowExecutionHistoryRequest(execution=world.execution(), **fields))
    await world.record_call(
        "open, waiting",
        GetWorkflowExecutionHistoryRequest(execution=world.execution(), wait_new_event=True, **fields),
        timeout_seconds=3,
    )
    waiting = asyncio.ensure_future(world.wait_closed(run_id=run_id))
    await worker.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"))
    world.record_reply("close event of the first run", await waiting)
    await worker.next_workflow_task(complete_workflow("done"))
    await world.record_call(
        "closed first run", GetWorkflowExecutionHistoryRequest(execution=world.execution(run_id=run_id), **fields)
    )
    await world.record_call("closed", GetWorkflowExecutionHistoryRequest(execution=world.execution(), **fields))
    await world.record_call(
        "closed, waiting",
        GetWorkflowExecutionHistoryRequest(execution=world.execution(), wait_new_event=True, **fields),
    )


@scenario()
async def long_poll(world: World) -> None:
    """A long poll gives what is there, then waits for what comes next, and ends with the run."""
    await world.start()
    worker = world.raw_worker()
    fields = {"namespace": world.namespace, "execution": world.execution(), "wait_new_event": True}
    reply = await world.call(GetWorkflowExecutionHistoryRequest(**fields))
    world.record_reply("first", reply)
    waiting = asyncio.ensure_future(
        world.call(GetWorkflowExecutionHistoryRequest(next_page_token=reply.next_page_token, **fields))
    )
    await asyncio.sleep(0.3)
    world.record_value("waits", not waiting.done())
    await world.signal()
    reply = await waiting
    world.record_reply("second", reply)
    task = await worker.poll_workflow_task()
    await worker.complete_workflow_task(task, complete_workflow())
    seen = []
    while reply.next_page_token:
        reply = await world.call(GetWorkflowExecutionHistoryRequest(next_page_token=reply.next_page_token, **fields))
        seen += [event.event_id for event in reply.history.events]
    world.record_value("the rest", seen)


@scenario()
async def long_poll_without_news(world: World) -> None:
    """A long poll that nothing happens during returns an empty page and a token before its deadline."""
    await world.start()
    fields = {"namespace": world.namespace, "execution": world.execution(), "wait_new_event": True}
    reply = await world.call(GetWorkflowExecutionHistoryRequest(**fields))
    await world.record_call(
        "nothing new",
        GetWorkflowExecutionHistoryRequest(next_page_token=reply.next_page_token, **fields),
        timeout_seconds=4,
    )


@scenario()
async def while_transient(world: World) -> None:
    """The history of a run whose workflow task failed, while the next attempt waits and while it runs."""
    await world.start()
    worker = world.raw_worker()
    await worker.fail_workflow_task(await worker.poll_workflow_task())
    await world.record_history()
    await worker.poll_workflow_task()
    await world.record_history()
    world.record_value(
        "backward", await _read_pages(world, GetWorkflowExecutionHistoryReverseRequest, maximum_page_size=100)
    )
