"""Run a worker: `python worker.py` serves both task queues, `--task-queue` only the named ones."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
from contextlib import AsyncExitStack

import activities
import workflows
from connection import ADDRESS, connect
from shared import ORDER_TASK_QUEUE, REPORT_TASK_QUEUE
from temporalio import activity
from temporalio.worker import Worker


async def run(task_queues: list[str]) -> None:
    """Work until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    client = await connect()
    async with AsyncExitStack() as workers:
        for task_queue in task_queues:
            worker = Worker(
                client,
                task_queue=task_queue,
                workflows=[workflows.OrderWorkflow, workflows.DailyReportWorkflow, workflows.DatasetWorkflow],
                activities=[
                    activities.charge_payment,
                    activities.refund_payment,
                    activities.send_confirmation_email,
                    activities.update_order_status,
                    activities.write_daily_report,
                    activities.process_large_dataset,
                ],
                max_concurrent_activities=10,
                max_concurrent_workflow_tasks=20,
            )
            await workers.enter_async_context(worker)
        logging.getLogger(__name__).info("polling %s on %s", " and ".join(task_queues), ADDRESS)
        await stopped.wait()


class _ShortFormatter(logging.Formatter):
    """Show an exception as its last line: here failures are part of the lesson."""

    def formatException(self, ei: object) -> str:  # noqa: N802 (the name is logging's)
        return "    " + super().formatException(ei).strip().splitlines()[-1]


def main() -> None:
    """Parse the command line, set logging up, run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task-queue", action="append", help="may be given more than once")
    arguments = parser.parse_args()

    handler = logging.StreamHandler()
    handler.setFormatter(_ShortFormatter(f"[worker {os.getpid()}] %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    activity.logger.activity_info_on_message = False
    asyncio.run(run(arguments.task_queue or [ORDER_TASK_QUEUE, REPORT_TASK_QUEUE]))


if __name__ == "__main__":
    main()
