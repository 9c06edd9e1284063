"""Search attributes, memo, markers: what is set at start and changed by commands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio import activity, workflow
from temporalio.api.common.v1 import Memo, Payload, SearchAttributes
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from tests.differential.raw_worker import command, complete_workflow, payload, payloads
from tests.differential.scenario import scenario
from tests.differential.world import World

KEYWORD = SearchAttributeKey.for_keyword("DiffKeyword")
INT = SearchAttributeKey.for_int("DiffInt")
LIST = SearchAttributeKey.for_keyword_list("DiffKeywordList")
WHEN = SearchAttributeKey.for_datetime("DiffDatetime")


@activity.defn
async def double(number: int) -> int:
    return number * 2


@workflow.defn
class ChangesProperties:
    @workflow.run
    async def run(self) -> int:
        workflow.upsert_search_attributes([KEYWORD.value_set("second"), INT.value_unset()])
        workflow.upsert_memo({"added": 1, "removed": None})
        if workflow.patched("the-patch"):
            number = await workflow.execute_local_activity(double, 21, start_to_close_timeout=timedelta(seconds=5))
        workflow.deprecate_patch("old-patch")
        return number


@scenario()
async def sdk_all(world: World) -> None:
    """An SDK workflow upserts search attributes and memo, takes a patch, and runs a local activity."""
    async with world.worker([ChangesProperties], [double]):
        handle = await world.client.start_workflow(
            ChangesProperties.run,
            id=world.workflow_id(),
            task_queue=world.task_queue,
            memo={"removed": "soon", "kept": True},
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(KEYWORD, "first"),
                    SearchAttributePair(INT, 7),
                    SearchAttributePair(LIST, ["b", "a"]),
                    SearchAttributePair(WHEN, datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
                ]
            ),
            static_summary="summary",
            static_details="details",
        )
        world.record_value("result", await handle.result())
    await world.record_description("closed")
    await world.record_history()


@scenario()
async def upserts(world: World) -> None:
    """Upserts add, change and remove; the description shows the sum of them."""
    await world.start(
        memo=Memo(fields={"a": payload(1), "b": payload(2)}),
        search_attributes=SearchAttributes(indexed_fields={"DiffKeyword": payload("k"), "DiffInt": payload(1)}),
    )
    await world.record_description("started")
    worker = world.raw_worker()
    null = Payload(metadata={"encoding": b"binary/null"})
    await worker.next_workflow_task(
        command(
            "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
            search_attributes=SearchAttributes(
                indexed_fields={"DiffKeyword": payload("changed"), "DiffInt": null, "DiffBool": payload(True)}
            ),
        ),
        command("MODIFY_WORKFLOW_PROPERTIES", upserted_memo=Memo(fields={"a": null, "c": payload(3)})),
    )
    await world.record_description("changed")
    await world.signal()
    await worker.next_workflow_task(complete_workflow())
    await world.record_history()


@scenario()
async def markers(world: World) -> None:
    """Markers with details, a header and a failure are kept as they are."""
    await world.start()
    worker = world.raw_worker()
    await worker.next_workflow_task(
        command("RECORD_MARKER", marker_name="plain"),
        command(
            "RECORD_MARKER",
            marker_name="SideEffect",
            details={"data": payloads(1), "more": payloads("x", "y")},
            header={"fields": {"h": payload("v")}},
            failure={"message": "why", "source": "RawSDK"},
        ),
        complete_workflow(),
    )
    await world.record_history()
