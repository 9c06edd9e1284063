"""Reports on a real server, which starts with the tests and keeps nothing."""

import asyncio

from temporalio import activity

from activities import count_sales, send_report
from workflows import DailyReportWorkflow, Report


async def test_one_report(dx_client, dx_worker) -> None:
    async with dx_worker(
        workflows=[DailyReportWorkflow], activities=[count_sales, send_report]
    ) as worker:
        report = await dx_client.execute_workflow(
            DailyReportWorkflow.run, "asia", id="report", task_queue=worker.task_queue
        )
    assert report == Report(number=1, day=report.day, sales=100, sales_so_far=100)


async def test_each_run_goes_on_from_the_one_before(
    dx_client, dx_worker, dx_time
) -> None:
    sent = asyncio.Queue[str]()

    # In place of the real activity: the server knows activities by their names.
    @activity.defn(name="send_report")
    async def note_report(text: str) -> None:
        await sent.put(text)

    async with dx_worker(
        workflows=[DailyReportWorkflow], activities=[count_sales, note_report]
    ) as worker:
        await dx_client.start_workflow(
            DailyReportWorkflow.run,
            "europe",
            id="daily-report",
            task_queue=worker.task_queue,
            cron_schedule="0 9 * * *",
        )
        # `handle.result()` would follow the schedule from run to run, for ever.
        for sales_so_far in (100, 200, 300):
            await dx_time.skip("1d")
            assert (await sent.get()).endswith(f"100 sales, {sales_so_far} so far")
