"""What both servers serve: namespaces, search attributes and starts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeNamespaceRequest,
    DescribeWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.service import RPCError

from durable_cli.dev.project.model import SearchAttributeType
from durable_cli.dev.provision.search_attributes import INDEXED_VALUE_TYPES
from durable_cli.dev.provision.step import Result
from durable_cli.errors import CliError

from .conftest import World

START = '[start.order-1]\nworkflow_type = "OrderWorkflow"\ntask_queue = "orders"\n'


async def test_a_namespace_is_made_once_and_kept_up_to_date(world: World) -> None:
    other = f"{world.namespace}-other"

    def declare(table: str) -> str:
        return f'[namespaces."{other}"]\n{table}'

    assert await world.provision_lines(declare('retention = "48h"\ndescription = "orders"\n')) == [
        f"namespace {other}: created"
    ]
    for table, line in [
        ('retention = "48h"\ndescription = "orders"\n', "unchanged"),
        ('retention = "3d"\ndescription = "orders"\n', "updated"),
        ("", "unchanged"),  # what is not declared is left as it is
        ('description = "parcels"\n', "updated"),
        ('retention = "72h"\ndescription = "parcels"\n', "unchanged"),
    ]:
        assert await world.provision_lines(declare(table)) == [f"namespace {other}: {line}"]
    client = world.connect()
    async with client.doing("look"):
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=other))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=3)
    assert described.namespace_info.description == "parcels"


async def test_every_namespace_that_is_named_is_made_before_its_contents(world: World) -> None:
    other = f"{world.namespace}-other"
    text = f'{START}namespace = "{other}"\n[search_attributes]\nCustomerId = "Keyword"\n'
    assert [outcome.line for outcome in await world.provision(text)] == [
        f"namespace {world.namespace}: created",
        f"namespace {other}: created",
        f"search attribute {world.namespace}/CustomerId: created",
        f"search attribute {other}/CustomerId: created",
        "workflow order-1: started",
    ]


async def test_a_namespace_can_be_used_at_once(world: World) -> None:
    """Also when the server has been asked for it before, and remembers that it was not there."""
    client = world.connect()
    request = CountWorkflowExecutionsRequest(namespace=world.namespace)
    async with client.doing("look"):
        with pytest.raises(RPCError, match="not found"):
            await client.workflow_service.count_workflow_executions(request)
        assert [outcome.result for outcome in await world.provision("")] == [Result.CREATED]
        await client.workflow_service.count_workflow_executions(request)


async def test_search_attributes_of_every_type_are_added_once(world: World) -> None:
    types: tuple[SearchAttributeType, ...] = SearchAttributeType.__args__
    text = "[search_attributes]\n" + "".join(f'My{name} = "{name}"\n' for name in types)
    assert await world.provision_lines(text) == [f"search attribute My{name}: created" for name in types]
    assert await world.provision_lines(text) == [f"search attribute My{name}: unchanged" for name in types]
    client = world.connect()
    async with client.doing("look"):
        request = ListSearchAttributesRequest(namespace=world.namespace)
        listed = (await client.operator_service.list_search_attributes(request)).custom_attributes
    assert {name: listed[f"My{name}"] for name in types} == INDEXED_VALUE_TYPES


async def test_a_search_attribute_of_another_type_is_said(world: World) -> None:
    await world.provision('[search_attributes]\nAmount = "Int"\n')
    outcomes = await world.provision(f'[search_attributes]\nAmount = "Double"\nOther = "Text"\n{START}')
    assert [(outcome.line, outcome.result) for outcome in outcomes[1:]] == [
        ("search attribute Amount: failed: the server has it as Int, dx.toml as Double", Result.FAILED),
        ("search attribute Other: created", Result.CREATED),
        ("workflow order-1: started", Result.STARTED),
    ]


def test_every_type_is_known() -> None:
    assert set(INDEXED_VALUE_TYPES) == set(SearchAttributeType.__args__)
    unspecified = IndexedValueType.INDEXED_VALUE_TYPE_UNSPECIFIED
    assert set(INDEXED_VALUE_TYPES.values()) == set(IndexedValueType.values()) - {unspecified}


async def test_a_workflow_is_started_with_what_is_declared(world: World) -> None:
    text = (
        f'{START}input = [{{ order_id = "1" }}, 2026-01-02, 3]\nmemo = {{ source = "seed" }}\n'
        'cron = "@every 1h"\nsearch_attributes = { CustomerId = "ann" }\n[search_attributes]\nCustomerId = "Keyword"\n'
    )
    assert "workflow order-1: started" in await world.provision_lines(text)
    client = world.connect()
    events = [event async for event in client.iterate_history("order-1", "")]
    started = events[0].workflow_execution_started_event_attributes
    assert started.workflow_type.name == "OrderWorkflow"
    assert started.task_queue.name == "orders"
    assert [payload.data for payload in started.input.payloads] == [b'{"order_id":"1"}', b'"2026-01-02"', b"3"]
    assert started.memo.fields["source"].data == b'"seed"'
    assert started.search_attributes.indexed_fields["CustomerId"].data == b'"ann"'
    assert started.cron_schedule == "@every 1h"
    assert started.identity == "tester"


async def test_a_workflow_is_started_once_even_when_it_has_closed(world: World) -> None:
    assert await world.provision_lines(START) == ["workflow order-1: started"]
    assert await world.provision_lines(START) == ["workflow order-1: was started before"]
    client = world.connect()
    execution = WorkflowExecution(workflow_id="order-1")
    async with client.doing("look"):
        describe = DescribeWorkflowExecutionRequest(namespace=world.namespace, execution=execution)
        run_id = (await client.workflow_service.describe_workflow_execution(describe)).workflow_execution_info.execution
        await client.workflow_service.terminate_workflow_execution(
            TerminateWorkflowExecutionRequest(namespace=world.namespace, workflow_execution=execution)
        )
        assert await world.provision_lines(START) == ["workflow order-1: was started before"]
        again = await client.workflow_service.describe_workflow_execution(describe)
    assert again.workflow_execution_info.execution == run_id


async def test_what_the_server_refuses_stops_nothing_else(world: World) -> None:
    """Here a memo that is larger than the limit."""
    big = f'[start.big]\nworkflow_type = "W"\ntask_queue = "q"\nmemo = {{ text = "{"x" * 2_200_000}" }}\n'
    outcomes = (await world.provision(big + START))[1:]
    assert [outcome.result for outcome in outcomes] == [Result.FAILED, Result.STARTED]
    assert outcomes[0].line.startswith("workflow big: failed: ")


async def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(CliError, match="nothing listens at"):
        await World("127.0.0.1:1").provision(START)


async def test_what_our_server_does_not_serve_is_said_once_for_each_kind(dx: World) -> None:
    """The only test of what is missing here: it goes when schedules and Nexus endpoints come."""
    schedule = '[schedules.{}]\nworkflow_type = "W"\ntask_queue = "q"\nevery = "1h"\n'
    text = START + "".join(map(schedule.format, "ab")) + '[nexus_endpoints.payments]\ntask_queue = "payments"\n'
    outcomes = (await dx.provision(text))[1:]
    assert [(outcome.line, outcome.result) for outcome in outcomes] == [
        ("Nexus endpoints: this server has none yet, so payments is left out", Result.NOT_SERVED),
        ("schedules: this server has none yet, so a and b are left out", Result.NOT_SERVED),
        ("workflow order-1: started", Result.STARTED),
    ]
