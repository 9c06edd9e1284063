"""Schedules: the list, and one of them."""

from __future__ import annotations

from collections.abc import Iterable

from durable_cli.errors import CliError
from durable_cli.tui.feed.link import Link, LostError, Post, seconds
from durable_cli.tui.feed.watch import repeat
from durable_cli.tui.place_messages import ScheduleDescribed, SchedulesListed
from durable_cli.tui.schedules.rows import ActionRow, ScheduleRow

__all__ = ["watch_schedule", "watch_schedules"]

LIST_SECONDS = 2.0
DESCRIBE_SECONDS = 1.0
PAGE_ROWS = 200
MOST_ROWS = 2_000
MOST_STATUSES = 50
RUNNING = 1


async def watch_schedules(link: Link, post: Post) -> None:
    """Tell of the schedules of the namespace, again and again."""
    closed = RunStatuses(link)

    async def ask() -> SchedulesListed:
        rows = await _list_schedules(link)
        newest = [row.actions[-1] for row in rows if row.actions]
        await closed.learn(newest)
        return SchedulesListed([row._replace(actions=closed.fill(row.actions)) for row in rows])

    await repeat(ask, post, LIST_SECONDS)


async def watch_schedule(link: Link, schedule_id: str, post: Post) -> None:
    """Tell of one schedule, again and again."""
    closed = RunStatuses(link)

    async def ask() -> ScheduleDescribed:
        async with link.asking(f"describe schedule {schedule_id!r}") as client:
            from temporalio.api.workflowservice.v1 import DescribeScheduleRequest

            from durable_cli.tui.feed.schedule_protos import schedule_detail

            description = await client.workflow_service.describe_schedule(
                DescribeScheduleRequest(namespace=link.namespace, schedule_id=schedule_id), timeout=seconds(10)
            )
        detail = schedule_detail(schedule_id, description)
        await closed.learn(detail.row.actions)
        return ScheduleDescribed(detail._replace(row=detail.row._replace(actions=closed.fill(detail.row.actions))))

    await repeat(ask, post, DESCRIBE_SECONDS)


async def _list_schedules(link: Link) -> list[ScheduleRow]:
    rows: list[ScheduleRow] = []
    token = b""
    while True:
        async with link.asking("list schedules") as client:
            from temporalio.api.workflowservice.v1 import ListSchedulesRequest

            from durable_cli.tui.feed.schedule_protos import schedule_row

            page = await client.workflow_service.list_schedules(
                ListSchedulesRequest(namespace=link.namespace, maximum_page_size=PAGE_ROWS, next_page_token=token),
                timeout=seconds(10),
            )
        rows += map(schedule_row, page.schedules)
        token = page.next_page_token
        if not token or len(rows) >= MOST_ROWS:
            return sorted(rows, key=lambda row: row.schedule_id)


class RunStatuses:
    """What became of the runs that schedules have started: a schedule hears of an end only at its next action."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._statuses: dict[str, int] = {}

    def fill(self, actions: Iterable[ActionRow]) -> tuple[ActionRow, ...]:
        """Return the actions with the statuses that are known."""
        return tuple(each._replace(status=self._statuses.get(each.run_id, each.status)) for each in actions)

    async def learn(self, actions: Iterable[ActionRow]) -> None:
        """Ask for those that may have changed."""
        open_runs = [each.run_id for each in actions if each.run_id and each.status <= RUNNING]
        asked = [run_id for run_id in open_runs if self._statuses.get(run_id, RUNNING) <= RUNNING][-MOST_STATUSES:]
        if not asked:
            return
        try:
            async with self._link.asking("list workflows") as client:
                from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest

                names = ", ".join(f"'{run_id}'" for run_id in asked)
                page = await client.workflow_service.list_workflow_executions(
                    ListWorkflowExecutionsRequest(
                        namespace=self._link.namespace, page_size=len(asked), query=f"RunId IN ({names})"
                    ),
                    timeout=seconds(10),
                )
        except LostError:
            raise
        except CliError:
            return  # the schedule's own word must do
        self._statuses.update((info.execution.run_id, info.status) for info in page.executions)
