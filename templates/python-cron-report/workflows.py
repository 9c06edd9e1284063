"""Workflows: what happens in which order.

A workflow can be replayed from its history after any crash, and goes on where it was.
So it must do the same again: no I/O, no clock, no random numbers here. Those belong in
activities; `workflow.now()`, `workflow.sleep()` and `workflow.random()` are safe.
"""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow

# The sandbox loads this file anew for each workflow; what is harmless passes through.
with workflow.unsafe.imports_passed_through():
    from activities import count_sales, send_report


@dataclass
class Report:
    """The result of a run, which the next run gets to see."""

    number: int
    day: str
    sales: int
    sales_so_far: int


@workflow.defn
class DailyReportWorkflow:
    """Write one report.

    With a cron schedule the server starts it again and again: each run is a workflow of
    its own, under the same id. It is never started twice at once: when a run takes
    longer than the time to the next, that one is left out.
    """

    @workflow.run
    async def run(self, region: str) -> Report:
        """Count the sales of the day, add them up, and send the report."""
        # The result of the last run that succeeded; a failure in between loses nothing.
        last = workflow.get_last_completion_result(Report)
        # The time of the run, the same at every replay. `datetime.now()` would not be.
        day = workflow.now().date().isoformat()

        sales = await workflow.execute_activity(
            count_sales,
            args=[region, day],
            start_to_close_timeout=timedelta(minutes=1),
        )
        report = Report(
            number=last.number + 1 if last else 1,
            day=day,
            sales=sales,
            sales_so_far=sales + (last.sales_so_far if last else 0),
        )
        await workflow.execute_activity(
            send_report,
            f"{region}, {day}: {report.sales} sales, {report.sales_so_far} so far",
            start_to_close_timeout=timedelta(minutes=1),
        )
        return report
