"""What StartWorkflowExecution refuses, and what it silently corrects."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from temporalio.api.common.v1 import Memo, RetryPolicy, SearchAttributes, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, SignalWorkflowExecutionRequest

from tests.differential.raw_worker import payload, payloads, retry_policy, seconds
from tests.differential.scenario import scenario
from tests.differential.world import World


async def _record_starts(world: World, cases: dict[str, dict[str, Any]]) -> None:
    for name, fields in cases.items():
        await world.record_call(name, world.start_request(world.workflow_id(name.replace(" ", "-")), **fields))


@scenario()
async def missing_fields(world: World) -> None:
    """Starting without a workflow id, a type, a task queue, a request id."""
    cases: dict[str, dict[str, Any]] = {
        "no type": {"workflow_type": None},
        "empty type": {"workflow_type": WorkflowType()},
        "no task queue": {"task_queue": None},
        "empty task queue": {"task_queue": TaskQueue()},
        "no request id": {"request_id": None},
    }
    await _record_starts(world, cases)
    request = world.start_request()
    request.workflow_id = ""
    await world.record_call("no workflow id", request)
    await world.record_history(world.workflow_id("no-request-id"))


@scenario()
async def too_long_ids(world: World) -> None:
    """Names of 1,000 bytes are accepted, longer ones refused."""
    cases: dict[str, dict[str, Any]] = {
        "type of 1000": {"workflow_type": WorkflowType(name="t" * 1000)},
        "type of 1001": {"workflow_type": WorkflowType(name="t" * 1001)},
        "task queue of 1000": {"task_queue": TaskQueue(name="q" * 1000)},
        "task queue of 1001": {"task_queue": TaskQueue(name="q" * 1001)},
        "request id of 1000": {"request_id": "r" * 1000},
        "request id of 1001": {"request_id": "r" * 1001},
        "identity of 1001": {"identity": "i" * 1001},
        "cron of 1001": {"cron_schedule": "c" * 1001},
    }
    await _record_starts(world, cases)
    for length in (1000, 1001):
        await world.record_call(f"workflow id of {length}", world.start_request("w" * length, request_id="r"))
    await world.record_call(
        "describe with a workflow id of 1001",
        DescribeWorkflowExecutionRequest(namespace="default", execution=world.execution("w" * 1001)),
    )
    await world.record_call(
        "signal name of 1001",
        SignalWorkflowExecutionRequest(
            namespace="default", workflow_execution=world.execution("w" * 1000), signal_name="s" * 1001
        ),
    )


@scenario()
async def bad_timeouts(world: World) -> None:
    """Negative timeouts are refused; what is too long is cut down silently."""
    corrected = {
        "task timeout over the maximum": {"workflow_task_timeout": seconds(3600)},
        "run timeout over execution timeout": {
            "workflow_run_timeout": seconds(100),
            "workflow_execution_timeout": seconds(50),
        },
        "task timeout over run timeout": {"workflow_run_timeout": seconds(5), "workflow_task_timeout": seconds(50)},
        "execution timeout alone": {"workflow_execution_timeout": seconds(60)},
    }
    refused: dict[str, dict[str, Any]] = {
        "negative execution timeout": {"workflow_execution_timeout": seconds(-1)},
        "negative run timeout": {"workflow_run_timeout": seconds(-1)},
        "negative task timeout": {"workflow_task_timeout": seconds(-1)},
        "negative start delay": {"workflow_start_delay": seconds(-1)},
        "start delay with cron": {"workflow_start_delay": seconds(1), "cron_schedule": "@every 1h"},
    }
    await _record_starts(world, refused | corrected)
    for name in corrected:
        await world.record_history(world.workflow_id(name.replace(" ", "-")))


@scenario()
async def bad_cron(world: World) -> None:
    """Cron schedules that do not parse."""
    specs = {
        "word": "nonsense",
        "four fields": "* * * *",
        "six fields": "* * * * * *",
        "minute 60": "60 * * * *",
        "every nothing": "@every",
        "every of no duration": "@every soon",
        "unknown zone": "CRON_TZ=Nowhere/Land * * * * *",
        "reboot": "@reboot",
        "blank": " ",
    }
    await _record_starts(world, {name: {"cron_schedule": spec} for name, spec in specs.items()})


@scenario()
async def good_cron(world: World) -> None:
    """Cron schedules of every accepted form."""
    specs = {
        "yearly": "0 0 1 1 *",
        "names": "0 0 * JAN MON-FRI",
        "descriptor": "@daily",
        "every": "@every 1h30m",
        "zone": "CRON_TZ=Europe/Berlin 0 4 1 1 *",
        "zone short": "TZ=Europe/Berlin 0 4 1 1 *",
        "question mark": "0 0 1 1 ?",
        "steps": "*/15 0-6/2 1,15 * *",
    }
    await _record_starts(world, {name: {"cron_schedule": spec} for name, spec in specs.items()})


@scenario()
async def bad_retry_policy(world: World) -> None:
    """Retry policies that make no sense, and the defaults that fill an empty one."""
    policies = {
        "negative initial": RetryPolicy(initial_interval=seconds(-1)),
        "coefficient below 1": retry_policy(coefficient=0.5),
        "negative maximum": RetryPolicy(maximum_interval=seconds(-1)),
        "maximum below initial": retry_policy(initial=10, maximum=5),
        "negative attempts": retry_policy(attempts=-1),
        "bad timeout type": retry_policy(non_retryable=("TemporalTimeout:Nonsense",)),
        "good timeout type": retry_policy(non_retryable=("TemporalTimeout:StartToClose",)),
        "empty": RetryPolicy(),
    }
    await _record_starts(world, {name: {"retry_policy": policy} for name, policy in policies.items()})
    await world.record_history(world.workflow_id("empty"))
    await world.record_history(world.workflow_id("good-timeout-type"))


@scenario(live_sample=True)
async def bad_search_attributes(world: World) -> None:
    """Search attributes that are unknown, reserved, or of the wrong type."""

    def one(name: str, value: Any, type_name: str = "") -> dict[str, Any]:
        attribute = payload(value)
        if type_name:
            attribute.metadata["type"] = type_name.encode()
        return {"search_attributes": SearchAttributes(indexed_fields={name: attribute})}

    await _record_starts(
        world,
        {
            "unknown": one("Nobody", "x"),
            "reserved": one("WorkflowId", "x"),
            "reserved status": one("ExecutionStatus", "Running"),
            "text for int": one("DiffInt", "x"),
            "int for keyword": one("DiffKeyword", 5),
            "text for bool": one("DiffBool", "yes"),
            "text for datetime": one("DiffDatetime", "yesterday"),
            "number for datetime": one("DiffDatetime", 5),
            "text for double": one("DiffDouble", "x"),
            "int for double": one("DiffDouble", 5),
            "text for keyword list": one("DiffKeywordList", "one"),
            "list for keyword": one("DiffKeyword", ["one"]),
            "two for keyword": one("DiffKeyword", ["one", "two"]),
            "wrong type said": one("DiffKeyword", "x", "Int"),
            "null": one("DiffInt", None),
            "empty list": one("DiffInt", []),
            "one of two unknown": {
                "search_attributes": SearchAttributes(indexed_fields={"DiffInt": payload(1), "Nobody": payload(1)})
            },
        },
    )
    await world.record_history(world.workflow_id("wrong-type-said"))
    await world.record_history(world.workflow_id("null"))


@scenario()
async def bad_policies(world: World) -> None:
    """Combinations of workflow-id policies that are refused."""
    await _record_starts(
        world,
        {
            "terminate-if-running with conflict policy": {
                "workflow_id_reuse_policy": "WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING",
                "workflow_id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_FAIL",
            },
            "reject with terminate-existing": {
                "workflow_id_reuse_policy": "WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE",
                "workflow_id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING",
            },
        },
    )


@scenario()
async def bad_task_queue(world: World) -> None:
    """Task queue names that the server keeps for itself, and sticky queues."""
    await _record_starts(
        world,
        {
            "reserved prefix": {"task_queue": TaskQueue(name="/_sys/mine/1")},
            "sticky": {"task_queue": TaskQueue(name="s", kind="TASK_QUEUE_KIND_STICKY", normal_name=world.task_queue)},
            "spaces": {"task_queue": TaskQueue(name="a queue with spaces")},
        },
    )
    await world.record_history(world.workflow_id("sticky"))


@scenario()
async def oversize(world: World) -> None:
    """Inputs, memos and search attributes over the size limits."""
    two_megabytes = "x" * (2 * 1024 * 1024)
    await _record_starts(
        world,
        {
            "input": {"input": payloads(two_megabytes)},
            "memo": {"memo": Memo(fields={"m": payload(two_megabytes)})},
            "search attribute value": {
                "search_attributes": SearchAttributes(indexed_fields={"DiffKeyword": payload("x" * 3000)})
            },
        },
    )


@scenario()
async def over_the_limit_of_the_transport(world: World) -> None:
    """A message of more than 4 MiB is refused by gRPC itself, in its own words."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await world.start(input=payloads("x" * (5 * 1024 * 1024)))
    world.record_value("status", refused.value.code().name)
