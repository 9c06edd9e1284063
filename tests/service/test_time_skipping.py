"""Workflows of the SDK that skip time: months pass at once, as the worker and the history see it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig, TimeSkippingInfo, WorkflowExecution
from temporalio.api.common.v1 import WorkflowType as ProtoWorkflowType
from temporalio.api.enums.v1.time_skipping_pb2 import FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    PollWorkflowExecutionTimeSkippingRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import Replayer, Worker

from tests.support.server_process import ServerProcess

QUEUE = "time-skipping"
MONTH = timedelta(days=30)
PATIENCE_SECONDS = 20


class Bills:
    """An activity that fails twice before it succeeds."""

    def __init__(self) -> None:
        self.attempts = 0

    @activity.defn(name="send-bill")
    async def send(self) -> str:
        self.attempts += 1
        if self.attempts < 3:
            raise RuntimeError("not today")
        return "sent"


@workflow.defn(name="Trial", sandboxed=False)
class Trial:
    """A child: it waits for a week."""

    @workflow.run
    async def run(self) -> datetime:
        await workflow.sleep(timedelta(days=7))
        return workflow.now()


@workflow.defn(name="Subscription", sandboxed=False)
class Subscription:
    """A trial, a month, and a bill whose attempts are a day apart."""

    @workflow.run
    async def run(self) -> list[str]:
        began = workflow.now()
        trial_ended = await workflow.execute_child_workflow(Trial.run, id=f"{workflow.info().workflow_id}-trial")
        await workflow.sleep(MONTH)
        bill = await workflow.execute_activity(
            "send-bill",
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=timedelta(days=1), backoff_coefficient=1),
        )
        days = (workflow.now() - began) / timedelta(days=1)
        return [f"trial of {(trial_ended - began).days} days", str(bill), f"after {round(days)} days"]


@workflow.defn(name="Waits", sandboxed=False)
class Waits:
    """It waits for a signal, or for a month."""

    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: self.told, timeout=MONTH)
        except TimeoutError:
            return "a month has passed"
        return "told"

    @workflow.signal
    def tell(self) -> None:
        self.told = True


@pytest.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    """Connect to the server, with a worker beside."""
    client = await Client.connect(server.address)
    workflows = [Subscription, Trial, Waits]
    async with Worker(client, task_queue=QUEUE, workflows=workflows, activities=[Bills().send]):
        yield client


async def start(client: Client, workflow_type: str, config: TimeSkippingConfig | None) -> str:
    """Start a workflow by the bare request, which has the config; return its id."""
    workflow_id = f"{workflow_type}-{uuid.uuid4()}"
    await client.workflow_service.start_workflow_execution(
        StartWorkflowExecutionRequest(
            namespace="default",
            workflow_id=workflow_id,
            workflow_type=ProtoWorkflowType(name=workflow_type),
            task_queue=TaskQueue(name=QUEUE),
            request_id=workflow_id,
            time_skipping_config=config,
        )
    )
    return workflow_id


async def result(client: Client, workflow_id: str) -> object:
    return await asyncio.wait_for(client.get_workflow_handle(workflow_id).result(), PATIENCE_SECONDS)


async def describe(client: Client, workflow_id: str) -> TimeSkippingInfo:
    reply = await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace="default", execution=WorkflowExecution(workflow_id=workflow_id))
    )
    return reply.workflow_extended_info.time_skipping_info


async def test_a_subscription_of_a_month_ends_at_once(client: Client) -> None:
    workflow_id = await start(client, "Subscription", TimeSkippingConfig(enabled=True))
    assert await result(client, workflow_id) == ["trial of 7 days", "sent", "after 32 days"]
    description = await client.get_workflow_handle(workflow_id).describe()
    assert description.close_time is not None
    assert (description.close_time - description.start_time).days == 32
    trial = await client.get_workflow_handle(f"{workflow_id}-trial").describe()
    assert trial.close_time is not None
    assert (trial.close_time - trial.start_time).days == 7
    info = await describe(client, workflow_id)
    assert info.current_session_skip_count == 3
    assert info.effective_config.enabled


async def test_a_workflow_that_waits_is_switched_on(client: Client) -> None:
    workflow_id = await start(client, "Waits", None)
    assert not (await describe(client, workflow_id)).HasField("effective_config")
    request = UpdateWorkflowExecutionOptionsRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id=workflow_id),
        workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=TimeSkippingConfig(enabled=True)),
    )
    request.update_mask.paths.append("time_skipping_config")
    reply = await client.workflow_service.update_workflow_execution_options(request)
    assert reply.workflow_execution_options.time_skipping_config.max_session_skip_count == 200
    assert await result(client, workflow_id) == "a month has passed"


async def test_a_fast_forward_stops_before_the_month_is_over(client: Client) -> None:
    fast_forward = FastForwardConfig(id="ten days")
    fast_forward.duration.FromTimedelta(timedelta(days=10))
    config = TimeSkippingConfig(enabled=True, fast_forward_config=fast_forward)
    workflow_id = await start(client, "Waits", config)
    reply = await client.workflow_service.poll_workflow_execution_time_skipping(
        PollWorkflowExecutionTimeSkippingRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            fast_forward_id="ten days",
        )
    )
    assert reply.fast_forward_polling_result == FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED
    info = await describe(client, workflow_id)
    assert info.fast_forward_info == reply.fast_forward_info
    assert not info.effective_config.enabled
    handle = client.get_workflow_handle(workflow_id)
    began = (await handle.describe()).start_time
    assert (info.current_time.ToDatetime(tzinfo=began.tzinfo) - began).days == 10
    await handle.signal(Waits.tell)
    assert await result(client, workflow_id) == "told"
    closed = (await handle.describe()).close_time
    assert closed is not None
    assert (closed - began).days == 10


async def test_the_history_replays(client: Client) -> None:
    """The worker of another process sees the same times."""
    workflow_id = await start(client, "Subscription", TimeSkippingConfig(enabled=True))
    await result(client, workflow_id)
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    await Replayer(workflows=[Subscription, Trial]).replay_workflow(history)
