"""What is no list filter, and how it is refused."""

from __future__ import annotations

from collections.abc import Iterable

from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest

from tests.differential.scenario import scenario
from tests.differential.world import World


async def _record_refused(world: World, queries: Iterable[str]) -> None:
    for query in queries:
        await world.record_call(query[:100], ListWorkflowExecutionsRequest(namespace=world.namespace, query=query))


@scenario()
async def values(world: World) -> None:
    """What an attribute cannot be compared with, and attributes that are not there."""
    await _record_refused(
        world,
        [
            *("Nobody = 'x'", "workflowid = 'x'", "a.b = 'x'", "NamespaceId = 'x'", "Memo = 'x'", "Status = 'x'"),
            *("TemporalDiffKeyword = 'x'", "DiffKeyword = 5", "DiffKeyword = true", "DiffKeyword = 1234567.0"),
            *("DiffKeyword = red", "DiffKeyword = `a b`", "DiffKeyword IN ('a', red)", "DiffKeyword IN ('a', 5)"),
            *("DiffKeyword LIKE 'r%'", "DiffKeyword REGEXP 'r'", "DiffKeyword <=> 'r'", "DiffKeyword NOT LIKE 'r'"),
            *("DiffKeyword STARTS_WITH 5", "DiffKeyword STARTS_WITH ('a', 'b')", "ExecutionStatus STARTS_WITH 'R'"),
            *("DiffInt = 'x'", "DiffInt = '1'", "DiffInt = true", "DiffInt = 0x1", "DiffInt STARTS_WITH 1"),
            *("DiffInt = NULL", "DiffInt = (1)", "DiffInt = 1 + 1", "DiffInt = -'3'", "DiffInt = ~1", "DiffInt = ?"),
            *("DiffInt = 1e999", "DiffDouble = '1'", "DiffBool = 1", "DiffBool = 'true'", "DiffBool LIKE true"),
            *("DiffBool BETWEEN false AND true", "DiffInt IS TRUE", "DiffInt IS NOT FALSE"),
            *("DiffText > 'fox'", "DiffText IN ('fox')", "DiffText = ''", "DiffText = 5", "DiffText = ('a', 'b')"),
            *("DiffText BETWEEN 'a' AND 'b'", "DiffKeywordList > 'x'", "DiffKeywordList BETWEEN 'a' AND 'b'"),
            *("DiffKeywordList = ('a', 'b')", "DiffKeywordList IN ('a', 5)", "DiffKeywordList STARTS_WITH 'x'"),
            *("StartTime > '2020-01-01'", "StartTime > '2020-01-01 00:00:00'", "StartTime > '2020-02-30T00:00:00Z'"),
            *("StartTime > '2020-01-01T00:00:00'", "StartTime > 1.5", "StartTime = true", "StartTime > ''"),
            *("ExecutionStatus = 99", "ExecutionStatus = 'running'", "ExecutionStatus = 1.5", "ExecutionStatus = true"),
            *("ExecutionDuration > 'x'", "ExecutionDuration > '1h-5m'", "ExecutionDuration > '01:60:00'"),
            *("ExecutionDuration > 1.5", "ExecutionDuration > ''", "ExecutionDuration STARTS_WITH '1h'"),
        ],
    )


@scenario()
async def queries(world: World) -> None:
    """What is no filter: unfinished, misspelt, or SQL that asks for something else."""
    await _record_refused(
        world,
        [
            *("WorkflowId", "WorkflowId =", "= 'x'", "WorkflowId = 'x", "'x' = WorkflowId", "5 = 5", "1", "'x'"),
            *("NULL", "true", "NOT true", "DEFAULT", "now()", "now() = 1", "count(*)", "StartTime > now() - 5"),
            *("StartTime > now()", "lower(WorkflowId) = 'x'", "DiffInt & 1", "DiffInt + 1 = 2", "-DiffInt = 1"),
            *("! DiffInt = 1", "(DiffInt) = 1", "(DiffInt, DiffBool) = (1, 2)", "DiffInt = 1 IS NULL"),
            *("WorkflowId = 'x' AND", "WorkflowId = 'x' WorkflowId = 'y'", "(WorkflowId = 'x'", "WorkflowId = 'x')"),
            *("AND", "NOT", "WorkflowId IS", "WorkflowId IS NOT", "WorkflowId NOT 'x'", "WorkflowId == 'x'"),
            *("WorkflowId BETWEEN 'a'", "WorkflowId BETWEEN 'a' OR 'b'", "WorkflowId IN ()", "WorkflowId IN ('a',)"),
            *("WorkflowId IN 'x'", "WorkflowId = 'x' = 'y'", "DiffInt = 5x", "DiffInt = --3", "$x = 1", "DiffInt é"),
            *("`WorkflowId = 'x'", "`` = 'x'", "WorkflowId = 'x' /* open", "WorkflowId = 'x'; x", "desc = 1"),
            *("where WorkflowId = 'x'", "select", "-- nothing", ";", "LIMIT 5", "ORDER WorkflowId", "group   by x"),
            *("ORDER BY StartTime", "order by StartTime DESC, CloseTime", "order by DiffText", "order by Nobody"),
            *("WorkflowId = 'x' ORDER BY StartTime", "WorkflowId = 'x' limit 5", "order by StartTime limit 5, 6"),
            *("GROUP BY ExecutionStatus WHERE DiffInt = 1", "WorkflowId = 'x' GROUP BY"),
            *("(" * 200 + "DiffInt = 1" + ")" * 200, "NOT " * 200 + "DiffInt = 1"),
            "DiffInt = 1" + " AND DiffInt = 1" * 1100,
        ],
    )
