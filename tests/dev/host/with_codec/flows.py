"""A workflow with two activities."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def charge(word: str) -> str:
    return word


@activity.defn
async def ship(word: str) -> str:
    return word


@workflow.defn
class Order:
    @workflow.run
    async def run(self, word: str) -> None:
        answer = await workflow.execute_activity(charge, word, start_to_close_timeout=timedelta(seconds=9))
        assert answer == "word", answer
        await workflow.execute_activity(ship, word, start_to_close_timeout=timedelta(seconds=9))
        await workflow.wait_condition(lambda: False)
