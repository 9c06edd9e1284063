"""The language of list filters: what each finds, over a few runs with search attributes of every type."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from temporalio.api.common.v1 import SearchAttributes, WorkflowType
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.filter.v1 import StartTimeFilter, StatusFilter, WorkflowExecutionFilter, WorkflowTypeFilter
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    ListArchivedWorkflowExecutionsRequest,
    ListClosedWorkflowExecutionsRequest,
    ListOpenWorkflowExecutionsRequest,
    ListWorkflowExecutionsRequest,
    ScanWorkflowExecutionsRequest,
)

from tests.differential.raw_worker import (
    application_failure,
    command,
    complete_workflow,
    fail_workflow,
    payload,
    start_child,
)
from tests.differential.scenario import scenario
from tests.differential.world import World

_RUNS: dict[str, dict[str, Any]] = {
    "a": {
        "DiffKeyword": "red",
        "DiffText": "The quick brown fox",
        "DiffInt": 1,
        "DiffDouble": 1.5,
        "DiffBool": True,
        "DiffDatetime": "2024-01-02T03:04:05.5Z",
        "DiffKeywordList": ["x", "y"],
    },
    "b": {
        "DiffKeyword": "Red",
        "DiffText": "quick-brown Élan",
        "DiffInt": 2,
        "DiffDouble": 2,
        "DiffBool": False,
        "DiffDatetime": "2024-06-02T03:04:05.25+02:00",
        "DiffKeywordList": ["y z", "z"],
    },
    "c": {"DiffKeyword": "blue", "DiffInt": -3, "DiffKeywordList": ["X"]},
    "d": {"DiffKeyword": "it's 5%_!", "DiffText": "foxes don't", "DiffDouble": -0.25, "BuildIds": ["one", "two"]},
    "e": {},
}


async def _start(world: World, runs: dict[str, dict[str, Any]]) -> None:
    for name, attributes in runs.items():
        await world.start(
            world.workflow_id(name),
            workflow_type=WorkflowType(name=world.name),
            task_queue=TaskQueue(name=f"{world.task_queue}-{name}"),
            search_attributes=SearchAttributes(
                indexed_fields={attribute: payload(value) for attribute, value in attributes.items()}
            ),
        )


async def _find(world: World, query: str) -> list[str]:
    """Return the scenario's runs that match, by the last part of their ids."""
    query = f"WorkflowType = '{world.name}' AND ({query}\n)"
    reply = await world.call(ListWorkflowExecutionsRequest(namespace=world.namespace, query=query))
    return sorted(info.execution.workflow_id.removeprefix(f"{world.name}-") for info in reply.executions)


async def _wait_until_listed(world: World, query: str, *names: str) -> None:
    async def listed() -> bool:
        return await _find(world, query) == sorted(names)

    await world.eventually(listed)


async def _record_found(world: World, queries: Iterable[str]) -> None:
    for query in queries:
        world.record_value(query, await _find(world, query))


@scenario(live_sample=True)
async def custom_attributes(world: World) -> None:
    """Every operator on search attributes of every type."""
    await _start(world, _RUNS)
    await _wait_until_listed(world, "DiffKeyword IS NULL OR DiffKeyword IS NOT NULL", *_RUNS)
    await _record_found(
        world,
        [
            *("DiffKeyword = 'red'", 'DiffKeyword != "red"', "DiffKeyword <> 'red'", "DiffKeyword > 'blue'"),
            *("DiffKeyword <= 'blue'", "DiffKeyword IN ('red', 'blue')", "DiffKeyword NOT IN ('red', 'blue')"),
            *("DiffKeyword BETWEEN 'a' AND 'c'", "DiffKeyword NOT BETWEEN 'a' AND 'c'"),
            *("DiffKeyword STARTS_WITH 'R'", "DiffKeyword NOT STARTS_WITH 'r'", "DiffKeyword starts_with ''"),
            *('DiffKeyword STARTS_WITH "it\'s 5%"', "DiffKeyword STARTS_WITH 'it_s'", "DiffKeyword IS NULL"),
            *("DiffKeyword = 'it''s 5%_!'", r"DiffKeyword = 'it\'s 5%_!'", "DiffKeyword is not null"),
            *("DiffInt = 1", "DiffInt = 1.0", "DiffInt > 1.5", "DiffInt != 1", "DiffInt = -3", "DiffInt = - -2"),
            *("DiffInt IN (1, -3)", "DiffInt NOT IN (1)", "DiffInt BETWEEN -5 AND 1", "DiffInt IS NULL"),
            *("DiffInt < 99999999999999999999", "DiffInt = 1e0", "DiffInt = +1"),
            *("DiffDouble = 1.5", "DiffDouble = 2", "DiffDouble < 0", "DiffDouble BETWEEN -.25 AND 1.5"),
            *("DiffBool = true", "DiffBool != TRUE", "DiffBool IN (true, false)", "DiffBool > false"),
            *("DiffDatetime > '2024-02-01T00:00:00Z'", "DiffDatetime < '2024-06-02T04:04:05.5+03:00'"),
            *("DiffDatetime BETWEEN '2024-01-01T00:00:00Z' AND '2024-12-31T00:00:00Z'", "DiffDatetime IS NULL"),
            "DiffDatetime > 1706745600000000000",
        ],
    )


@scenario()
async def texts_and_keyword_lists(world: World) -> None:
    """A text is found by its words, a keyword list by any of its keywords; what has none is not equal."""
    await _start(world, _RUNS)
    await _wait_until_listed(world, "DiffKeyword IS NULL OR DiffKeyword IS NOT NULL", *_RUNS)
    await _record_found(
        world,
        [
            *("DiffText = 'fox'", "DiffText = 'FOX'", "DiffText = 'fox cat'", "DiffText = 'qui'", "DiffText = 'foxes'"),
            *("DiffText = 'quick-brown'", "DiffText = 'brown-quick'", "DiffText = 'elan'", "DiffText = 'ÉLAN'"),
            *('DiffText = "don\'t"', "DiffText = 't'", "DiffText = '-'", "DiffText != '-'", "DiffText = 'fox.'"),
            *("DiffText != 'fox'", "NOT DiffText = 'fox'", "DiffText IS NULL", "DiffText IS NOT NULL"),
            *("DiffKeywordList = 'x'", "DiffKeywordList = 'X'", "DiffKeywordList = 'y'", "DiffKeywordList = 'y z'"),
            *("DiffKeywordList = ''", "DiffKeywordList != 'x'", "NOT DiffKeywordList = 'x'"),
            *("DiffKeywordList IN ('x', 'z')", "DiffKeywordList NOT IN ('x', 'z')", "DiffKeywordList IS NULL"),
            *("BuildIds = 'two'", "TemporalBuildIds IN ('one', 'three')", "BuildIds IS NULL"),
        ],
    )


@scenario()
async def logic(world: World) -> None:
    """AND binds tighter than OR, NOT tighter than both; what is not there is neither equal nor different."""
    await _start(world, _RUNS)
    await _wait_until_listed(world, "DiffKeyword IS NULL OR DiffKeyword IS NOT NULL", *_RUNS)
    await _record_found(
        world,
        [
            "DiffKeyword = 'red' OR DiffInt = 2 AND DiffBool = true",
            "(DiffKeyword = 'red' OR DiffInt = 2) AND DiffBool = false",
            "NOT DiffKeyword = 'red' AND DiffInt = 2",
            "NOT (DiffKeyword = 'red' OR DiffKeyword = 'blue')",
            "NOT NOT DiffKeyword = 'red'",
            "NOT DiffBool = true",
            "NOT DiffInt IS NULL",
            "DiffInt > 1 OR NOT DiffInt > 1",
            "DiffKeyword = 'red' && DiffInt = 1",
            "DiffKeyword = 'red' || DiffInt = 2",
            "((((DiffInt = 1))))",
            "DiffKeyword IN ('red') AND NOT DiffText != 'fox' OR DiffDouble BETWEEN -1 AND 0 AND DiffText = 'foxes'",
            "`DiffKeyword` = 'red' -- a comment",
            "DiffKeyword /* a comment */ = 'red' # another\n",
        ],
    )


@scenario()
async def system_attributes(world: World) -> None:
    """The attributes that every run has; some are known only once it is closed."""
    await _start(world, _RUNS)
    await world.raw_worker(task_queue=f"{world.task_queue}-a").next_workflow_task(complete_workflow())
    await world.raw_worker(task_queue=f"{world.task_queue}-b").next_workflow_task(
        fail_workflow(application_failure("on purpose"))
    )
    await world.terminate(world.workflow_id("c"))
    await _wait_until_listed(world, "ExecutionStatus != 'Running'", "a", "b", "c")
    await _wait_until_listed(world, "ExecutionStatus = 'Running'", "d", "e")
    await _record_found(
        world,
        [
            *("ExecutionStatus = 'Completed'", "ExecutionStatus = 2", "ExecutionStatus IN ('Failed', 'Terminated')"),
            *("ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_FAILED'", "ExecutionStatus > 'Running'"),
            *("ExecutionStatus BETWEEN 'Completed' AND 3", "ExecutionStatus IS NULL", "TemporalExecutionStatus = 1"),
            *("CloseTime IS NULL", "CloseTime IS NOT NULL", "CloseTime > '2020-01-01T00:00:00Z'"),
            *("CloseTime < '2020-01-01T00:00:00Z'", "NOT CloseTime < '2020-01-01T00:00:00Z'"),
            *("StartTime > '2020-01-01T00:00:00,5Z'", "StartTime > -5", "StartTime < '2020-01-01T00:00:00+02:00'"),
            *("ExecutionTime BETWEEN '2020-01-01T00:00:00Z' AND '2199-01-01T00:00:00Z'", "StartTime IS NULL"),
            *("HistoryLength = 5", "HistoryLength > 1", "HistoryLength IS NULL", "HistorySizeBytes > 10"),
            *("StateTransitionCount >= 1", "StateTransitionCount IS NULL", "HistorySizeBytes IS NOT NULL"),
            *("ExecutionDuration < '1h'", "ExecutionDuration > '1d2h3m'", "ExecutionDuration < '01:00:00'"),
            *("ExecutionDuration >= 0", "ExecutionDuration IS NULL", "ExecutionDuration BETWEEN '0s' AND '1.5h'"),
            f"WorkflowId = '{world.workflow_id('d')}'",
            f"WorkflowId STARTS_WITH '{world.name}'",
            f"ScheduleId IN ('{world.workflow_id('a')}', '{world.workflow_id('d')}', 'nobody')",
            f"TaskQueue = '{world.task_queue}-e'",
            *("ParentWorkflowId IS NULL", "RootWorkflowId IS NULL", "RunId = 'x'", "WorkflowType != 'x'"),
            f"RootWorkflowId = '{world.workflow_id('e')}'",
            *("TemporalScheduledById IS NULL", "SchedulePaused = true", "TemporalChangeVersion = 'x'"),
            *("BatcherUser = 'x'", "TemporalPauseInfo = 'x'", "TemporalReportedProblems IN ('a', 'b')"),
            *("BinaryChecksums = 'x'", "TemporalWorkerDeployment = 'x'", "TemporalWorkerDeploymentVersion = 'x'"),
            *("TemporalWorkflowVersioningBehavior = 'Pinned'", "TemporalUsedWorkerDeploymentVersions = 'x'"),
            *("TemporalExternalPayloadCount > 0", "ScheduledStartTime > '2020-01-01T00:00:00Z'"),
        ],
    )


@scenario()
async def groups_and_divisions(world: World) -> None:
    """Counts by group; runs of a namespace division are there for who asks for divisions."""
    division = {"TemporalNamespaceDivision": "north"}
    await _start(world, {"a": {}, "b": {}, "c": {"DiffInt": 1}, "n": {"DiffInt": 1, **division}, "m": division})
    await world.terminate(world.workflow_id("a"))
    await _wait_until_listed(world, "ExecutionStatus = 'Terminated'", "a")
    await _wait_until_listed(world, "NamespaceDivision IS NULL OR NamespaceDivision = 'north'", *"abcmn")
    await _record_found(
        world,
        [
            *("WorkflowId != 'x'", "TemporalNamespaceDivision = 'north'", "TemporalNamespaceDivision IS NULL"),
            *("DiffInt = 1", "DiffInt = 1 AND NamespaceDivision IS NOT NULL"),
        ],
    )
    this = f"WorkflowType = '{world.name}'"
    for query in (
        this,
        f"{this} GROUP BY ExecutionStatus",
        f"{this} group by `TemporalNamespaceDivision`",
        f"{this} AND WorkflowId = 'nobody' GROUP BY ExecutionStatus",
        f"{this} AND TemporalNamespaceDivision = 'north' GROUP BY ExecutionStatus",
        "GROUP BY WorkflowType",
        "GROUP BY DiffKeyword",
        "GROUP BY ExecutionStatus, WorkflowType",
        "GROUP BY Nobody",
        "GROUP BY 1",
        f"{this} GROUP BY ExecutionStatus ORDER BY StartTime",
    ):
        await world.record_call(query, CountWorkflowExecutionsRequest(namespace=world.namespace, query=query))
    reply = await world.call(
        ListWorkflowExecutionsRequest(namespace=world.namespace, query=f"{this} GROUP BY ExecutionStatus")
    )
    world.record_value("listed", len(reply.executions))


@scenario()
async def relatives(world: World) -> None:
    """A child is found by its parent and by its root, and the list shows both."""
    await world.start(workflow_type=WorkflowType(name=world.name))
    worker, child_worker = world.raw_worker(), world.child_worker()
    child = start_child(world.child_id, child_worker.task_queue)
    child.start_child_workflow_execution_command_attributes.workflow_type.name = world.name
    await worker.next_workflow_task(child)
    await child_worker.next_workflow_task(complete_workflow())
    await _wait_until_listed(world, "ExecutionStatus = 'Completed'", "child")
    root = world.workflow_id()
    await _record_found(
        world,
        [
            *(f"ParentWorkflowId = '{root}'", f"RootWorkflowId = '{root}'", "ParentWorkflowId IS NOT NULL"),
            *("ParentRunId IS NULL", f"RootWorkflowId = '{world.child_id}'", f"ParentWorkflowId != '{root}'"),
        ],
    )
    query = f"WorkflowId = '{world.child_id}'"
    world.record_reply("child", await world.call(ListWorkflowExecutionsRequest(namespace=world.namespace, query=query)))


@scenario()
async def changed_attributes(world: World) -> None:
    """What a workflow upserts, and what it hands to its next run, is what is found."""
    await world.start(
        workflow_type=WorkflowType(name=world.name),
        search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload("old"), "DiffInt": payload(1)}),
    )
    changed = SearchAttributes(
        indexed_fields={"DiffKeyword": payload("new"), "DiffInt": payload(None), "DiffKeywordList": payload(["k"])}
    )
    worker = world.raw_worker()
    await worker.next_workflow_task(command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=changed))
    await _wait_until_listed(world, "DiffKeyword = 'new'", world.name)
    await _record_found(world, ["DiffKeyword = 'old'", "DiffInt IS NULL", "DiffKeywordList = 'K'", "DiffInt = 1"])
    await world.age()
    await world.signal()
    await worker.next_workflow_task(
        command(
            "CONTINUE_AS_NEW_WORKFLOW_EXECUTION",
            workflow_type=WorkflowType(name=world.name),
            task_queue=TaskQueue(name=world.task_queue),
            search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload("next")}),
        )
    )
    await _wait_until_listed(world, "DiffKeyword = 'next'", world.name)
    await _wait_until_listed(world, "ExecutionStatus = 'ContinuedAsNew'", world.name)
    await _record_found(
        world,
        [
            *("DiffKeyword = 'new'", "DiffKeyword = 'next' AND ExecutionStatus = 'Running'", "DiffKeywordList = 'k'"),
            "DiffKeyword IN ('new', 'next')",
        ],
    )


@scenario()
async def pages(world: World) -> None:
    """A filtered list is paged in the order of lists, and a scan is as well."""
    await _start(world, {str(number): {"DiffInt": number} for number in range(7)})
    for number in (5, 1):
        await world.terminate(world.workflow_id(str(number)))
        await asyncio.sleep(0.05)
    await _wait_until_listed(world, "ExecutionStatus = 'Terminated'", "1", "5")
    await _wait_until_listed(world, "ExecutionStatus = 'Running'", *"02346")
    query = f"WorkflowType = '{world.name}' AND DiffInt > 0"
    for name, request_type in (("list", ListWorkflowExecutionsRequest), ("scan", ScanWorkflowExecutionsRequest)):
        found: list[list[str]] = []
        token = b""
        while not found or token:
            reply = await world.call(
                request_type(namespace=world.namespace, query=query, page_size=4, next_page_token=token)
            )
            found.append([info.execution.workflow_id for info in reply.executions])
            token = reply.next_page_token
        world.record_value(name, found)


@scenario()
async def open_and_closed(world: World) -> None:
    """The older lists: of open and of closed runs, by time, id, type and status; there is no archive."""
    await _start(world, {"a": {}, "b": {}, "c": {}})
    await world.terminate(world.workflow_id("a"))
    await _wait_until_listed(world, "ExecutionStatus = 'Terminated'", "a")
    await _wait_until_listed(world, "ExecutionStatus = 'Running'", "b", "c")
    this = WorkflowTypeFilter(name=world.name)
    early, late = StartTimeFilter(), StartTimeFilter()
    early.latest_time.FromJsonString("2020-01-01T00:00:00Z")
    late.earliest_time.FromJsonString("2020-01-01T00:00:00Z")
    swapped = StartTimeFilter(earliest_time=late.earliest_time, latest_time={"seconds": 5})
    terminated = StatusFilter(status=WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED)
    running = StatusFilter(status=WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING)
    for name, request_type in (
        ("open", ListOpenWorkflowExecutionsRequest),
        ("closed", ListClosedWorkflowExecutionsRequest),
    ):
        for what, fields in (
            ("of the type", {"type_filter": this}),
            ("early", {"type_filter": this, "start_time_filter": early}),
            ("late", {"type_filter": this, "start_time_filter": late}),
        ):
            reply = await world.call(request_type(namespace=world.namespace, **fields))
            world.record_value(f"{name} {what}", [info.execution.workflow_id for info in reply.executions])
        swapped_request = request_type(namespace=world.namespace, start_time_filter=swapped)
        await world.record_call(f"{name} the wrong way round", swapped_request)
        await world.record_call(f"{name} of nowhere", request_type(namespace="nowhere"))
    one = WorkflowExecutionFilter(workflow_id=world.workflow_id("a"))
    for name, fields in (
        ("of an id", {"execution_filter": one}),
        ("of a status and a time", {"status_filter": terminated, "start_time_filter": early}),
        ("of a wrong status", {"status_filter": running}),
    ):
        await world.record_call(name, ListClosedWorkflowExecutionsRequest(namespace=world.namespace, **fields))
    for name, fields in (("archived", {}), ("too many", {"page_size": 10_001})):
        await world.record_call(name, ListArchivedWorkflowExecutionsRequest(namespace=world.namespace, **fields))
