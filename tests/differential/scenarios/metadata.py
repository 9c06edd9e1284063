"""What travels beside the work: headers, links, summaries and details, versions of code."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from temporalio import workflow
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import (
    Header,
    Link,
    Memo,
    Payload,
    Payloads,
    SearchAttributes,
    WorkflowExecution,
    WorkflowType,
)
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import OnConflictOptions
from temporalio.api.workflowservice.v1 import (
    QueryWorkflowRequest,
    RequestCancelWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payload,
    retry_policy,
    schedule_activity,
    seconds,
    start_child,
    start_timer,
)
from tests.differential.scenario import scenario
from tests.differential.world import World

METADATA = UserMetadata(summary=payload("summary"), details=payload("details"))
RUN_ID = "11111111-2222-3333-4444-555555555555"


def _with_metadata(each: Command, word: str = "summary") -> Command:
    each.user_metadata.CopyFrom(UserMetadata(summary=payload(word), details=payload("details")))
    return each


def _header(word: str) -> Header:
    return Header(fields={"h": payload(word)})


def _link(workflow_id: str = "linked") -> Link:
    return Link(
        workflow_event=Link.WorkflowEvent(
            namespace="default",
            workflow_id=workflow_id,
            run_id=RUN_ID,
            event_ref=Link.WorkflowEvent.EventReference(
                event_id=7, event_type="EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED"
            ),
        )
    )


@scenario()
async def user_metadata_of_commands(world: World) -> None:
    """Summary and details of every kind of command are kept with its event."""
    await world.start(user_metadata=METADATA)
    worker = world.raw_worker()
    external = {"namespace": world.namespace, "execution": WorkflowExecution(workflow_id="metadata-nobody")}
    commands = {
        "timer": start_timer("t", 60),
        "cancelled timer": command("CANCEL_TIMER", timer_id="t"),
        "activity": schedule_activity("a", world.task_queue),
        "marker": command("RECORD_MARKER", marker_name="m"),
        "search attributes": command(
            "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
            search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload("k")}),
        ),
        "memo": command("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=Memo(fields={"m": payload("v")})),
        "signal": command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", signal_name="go", **external),
        "cancellation": command(
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", namespace=world.namespace, workflow_id="metadata-nobody"
        ),
        "result": complete_workflow("done"),
    }
    await worker.next_workflow_task(*(_with_metadata(each, name) for name, each in commands.items()))
    events = await world.history()
    for event in events:
        if event.HasField("user_metadata"):
            world.record_reply(event.WhichOneof("attributes") or "", event.user_metadata)


@scenario()
async def user_metadata_of_close_commands(world: World) -> None:
    """Summary and details of what ends a run."""
    closes = {
        "failed": fail_workflow(application_failure("broken")),
        "cancelled": command("CANCEL_WORKFLOW_EXECUTION"),
        "continued": command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION"),
        "cancelled activity": command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5),
    }
    for name, close in closes.items():
        workflow_id = world.workflow_id(name.replace(" ", "-"))
        queue = f"{workflow_id}-queue"
        run_id = await world.start(workflow_id, task_queue=TaskQueue(name=queue))
        worker = world.raw_worker(task_queue=queue)
        if name == "cancelled activity":
            await worker.next_workflow_task(schedule_activity("a", queue))
            await world.signal(workflow_id)
        await worker.next_workflow_task(_with_metadata(close))
        for event in await world.history(workflow_id, run_id):
            if event.HasField("user_metadata"):
                world.record_reply(f"{name}: {event.WhichOneof('attributes')}", event.user_metadata)
        if name in ("continued", "cancelled activity"):
            await world.terminate(workflow_id)


@scenario()
async def user_metadata_along_a_chain(world: World) -> None:
    """A continuation and a retry do not have the summary and details of the first run's start."""
    await world.start(user_metadata=METADATA)
    worker = world.raw_worker()
    continued = command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", backoff_start_interval=seconds(1))
    await worker.next_workflow_task(continued)
    task = await worker.poll_workflow_task()
    world.record_reply("continued: first event", task.history.events[0])
    await world.record_description("continued")
    await worker.complete_workflow_task(task, complete_workflow())
    await world.start(request_id="retried", user_metadata=METADATA, retry_policy=retry_policy(initial=1))
    await worker.next_workflow_task(fail_workflow(application_failure("again")))
    task = await worker.poll_workflow_task()
    world.record_reply("retried: first event", task.history.events[0])
    await world.record_description("retried")
    await world.terminate()


@scenario()
async def user_metadata_of_signal_with_start(world: World) -> None:
    """The summary and details of signal-with-start are the start's; its header and links are those of both events."""
    request = SignalWithStartWorkflowExecutionRequest(
        namespace=world.namespace,
        workflow_id=world.workflow_id(),
        workflow_type=WorkflowType(name="RawWorkflow"),
        task_queue=TaskQueue(name=world.task_queue),
        request_id="sws",
        signal_name="go",
        header=_header("both"),
        links=[_link()],
        user_metadata=METADATA,
    )
    await world.record_call("first", request)
    request.request_id = "again"
    request.links[0].workflow_event.workflow_id = "linked-again"
    await world.record_call("again", request)
    await world.record_history()
    await world.record_description("running")


@scenario()
async def empty_messages(world: World) -> None:
    """What a client or a worker sets without saying anything in it: some of it stands in the events, some does not."""
    empty: dict[str, Any] = {"header": Header(), "memo": Memo(), "search_attributes": SearchAttributes()}
    empty |= {"input": Payloads()}
    run_id = await world.start(**empty)
    null = Payload(metadata={"encoding": b"binary/null"})
    for name, memo in (("null", {"a": null}), ("nulls", {"a": null, "b": payload([]), "c": payload(1)})):
        await world.start(
            world.workflow_id(name),
            task_queue=TaskQueue(name=world.child_queue),
            memo=Memo(fields=memo),
            search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": null}),
        )
    for request in (
        SignalWithStartWorkflowExecutionRequest(
            namespace=world.namespace,
            workflow_id=world.workflow_id("signalled"),
            workflow_type=WorkflowType(name="RawWorkflow"),
            task_queue=TaskQueue(name=world.task_queue + "-signalled"),
            request_id="sws",
            signal_name="go",
            signal_input=Payloads(),
            **empty,
        ),
        SignalWorkflowExecutionRequest(
            namespace=world.namespace,
            workflow_execution=world.execution(),
            signal_name="go",
            header=Header(),
            input=Payloads(),
        ),
    ):
        await world.call(request)
    worker = world.raw_worker()
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, header=Header(), input=Payloads()),
        start_child(world.child_id, world.child_queue, **empty),
    )
    await world.wait_for_events(8)
    await world.wait_for_events(2, world.child_id)
    await world.age()
    await worker.next_workflow_task(command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", **empty))
    await world.wait_for_events(3, world.child_id)
    await world.record_history(run_id=run_id)
    for workflow_id in ("", world.child_id, *map(world.workflow_id, ("signalled", "null", "nulls"))):
        await world.record_history(workflow_id)


@scenario()
async def headers(world: World) -> None:
    """Headers of the start, of signals, of an activity and of a marker reach those that they are for, and no others."""
    await world.start(header=_header("start"))
    worker = world.raw_worker()
    await world.call(
        SignalWorkflowExecutionRequest(
            namespace=world.namespace,
            workflow_execution=world.execution(),
            signal_name="go",
            header=_header("signal"),
        )
    )
    await worker.next_workflow_task(
        schedule_activity("a", world.task_queue, header=_header("activity")),
        schedule_activity("b", f"{world.task_queue}-other"),
        command("RECORD_MARKER", marker_name="m", header=_header("marker")),
    )
    world.record_reply("activity with a header", await worker.poll_activity_task())
    other = world.raw_worker(task_queue=f"{world.task_queue}-other")
    world.record_reply("activity without", await other.poll_activity_task())
    await world.record_history()


@scenario()
async def links(world: World) -> None:
    """Links of starts, signals, cancel requests and terminations are kept with their events."""
    await world.start(links=[_link("of-the-start"), _link("another")])
    fields: dict[str, Any] = {"namespace": world.namespace, "workflow_execution": world.execution()}
    await world.record_call("signal", SignalWorkflowExecutionRequest(signal_name="go", links=[_link("s")], **fields))
    await world.record_call("cancel", RequestCancelWorkflowExecutionRequest(links=[_link("c")], **fields))
    await world.record_call("terminate", TerminateWorkflowExecutionRequest(links=[_link("t")], **fields))
    await world.record_history()


@scenario()
async def links_of_buffered_signals(world: World) -> None:
    """Links of signals that wait in the buffer are kept."""
    await world.start()
    worker = world.raw_worker()
    held = await worker.poll_workflow_task()
    await world.call(
        SignalWorkflowExecutionRequest(
            namespace=world.namespace, workflow_execution=world.execution(), signal_name="go", links=[_link("s")]
        )
    )
    await worker.complete_workflow_task(held)
    await world.record_history()


@scenario()
async def links_attached_to_a_running_workflow(world: World) -> None:
    """A start that uses the existing run can attach its request id and its links to it."""
    await world.start()
    policy = {"workflow_id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING"}
    cases: dict[str, OnConflictOptions | None] = {
        "nothing": None,
        "request-id": OnConflictOptions(attach_request_id=True),
        "links": OnConflictOptions(attach_request_id=True, attach_links=True),
        "links-without-request-id": OnConflictOptions(attach_links=True),
        "callbacks-without-request-id": OnConflictOptions(attach_completion_callbacks=True),
    }
    for name, options in cases.items():
        request = world.start_request(request_id=name, links=[_link(name)], on_conflict_options=options, **policy)
        await world.record_call(name, request)
        await world.record_call(f"{name} again", request)
    await world.record_history()
    await world.record_description("after")


@scenario()
async def bad_links(world: World) -> None:
    """Links that are too many, too big, or without what they must name."""
    await world.start()
    event = Link.WorkflowEvent
    reference = event.EventReference
    cases: dict[str, list[Link]] = {
        "ten": [_link(f"{number}") for number in range(10)],
        "eleven": [_link(f"{number}") for number in range(11)],
        "too big": [_link("w" * 4000)],
        "empty": [Link()],
        "no namespace": [Link(workflow_event=event(workflow_id="w", run_id=RUN_ID))],
        "no workflow id": [Link(workflow_event=event(namespace="default", run_id=RUN_ID))],
        "no run id": [Link(workflow_event=event(namespace="default", workflow_id="w"))],
        "no event": [Link(workflow_event=event(namespace="default", workflow_id="w", run_id=RUN_ID))],
        "event without a type": [
            Link(
                workflow_event=event(
                    namespace="default", workflow_id="w", run_id=RUN_ID, event_ref=reference(event_id=7)
                )
            )
        ],
        "no batch job": [Link(batch_job=Link.BatchJob())],
        "batch job": [Link(batch_job=Link.BatchJob(job_id="job"))],
    }
    for name, several in cases.items():
        signal = SignalWorkflowExecutionRequest(
            namespace=world.namespace, workflow_execution=world.execution(), signal_name=name, links=several
        )
        await world.record_call(name, signal)
    requests: dict[str, Message] = {
        "start": world.start_request(world.workflow_id("other"), links=[Link(batch_job=Link.BatchJob())]),
        "terminate": TerminateWorkflowExecutionRequest(
            namespace=world.namespace, workflow_execution=world.execution(), links=[Link(batch_job=Link.BatchJob())]
        ),
        "cancel": RequestCancelWorkflowExecutionRequest(
            namespace=world.namespace, workflow_execution=world.execution(), links=[Link(batch_job=Link.BatchJob())]
        ),
    }
    for name, request in requests.items():
        await world.record_call(name, request)
    await world.record_history()


@workflow.defn
class ShowsDetails:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> str:
        workflow.set_current_details("waiting for the signal")
        await workflow.wait_condition(lambda: self.done)
        workflow.set_current_details("done")
        return workflow.get_current_details()

    @workflow.signal(description="ends the workflow")
    def finish(self) -> None:
        self.done = True

    @workflow.query(description="whether it is done")
    def is_done(self) -> bool:
        return self.done


@scenario()
async def sdk_current_details(world: World) -> None:
    """The query of an SDK for a workflow's metadata answers with its handlers and its current details."""
    query = QueryWorkflowRequest(
        namespace=world.namespace,
        execution=world.execution(),
        query=WorkflowQuery(query_type="__temporal_workflow_metadata"),
    )
    async with world.worker([ShowsDetails]):
        handle = await world.client.start_workflow(
            ShowsDetails.run,
            id=world.workflow_id(),
            task_queue=world.task_queue,
            static_summary="summary",
            static_details="details",
        )
        await world.record_call("waiting", query)
        await handle.signal(ShowsDetails.finish)
        world.record_value("result", await handle.result())
        await world.record_call("done", query)
    await world.record_history()
    await world.record_description("closed")
