"""The worker deployments of the namespace: which version gets new workflows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType

from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.feed.actions_deployments import delete_deployment
from durable_cli.tui.feed.deployments import watch_deployments
from durable_cli.tui.place_messages import DeploymentsListed
from durable_cli.tui.place_rows import DeploymentRow
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.deployment import DeploymentScreen
from durable_cli.tui.screens.place import ListScreen
from durable_cli.tui.times import now_ns, since
from durable_cli.tui.widgets.columns import Column

__all__ = ["DeploymentsScreen"]


class DeploymentsScreen(ListScreen[DeploymentRow]):
    """Deployments by their name."""

    NOUN = ("worker deployment", "worker deployments")
    COLUMNS = (
        Column("Deployment", 16, grow=2),
        Column("Current", 12, grow=2),
        Column("Since", 8),
        Column("Ramping", 16, grow=2),
        Column("Newest", 12, grow=1, rank=1),
        Column("Created", 8, rank=2),
    )
    EMPTY = (
        "A worker with a deployment name and a build id makes one when it first polls, in Python by",
        "$ Worker(…, deployment_config=WorkerDeploymentConfig(version=…, use_worker_versioning=True))",
    )
    MISSING = (
        "All workers of a task queue get its tasks alike.",
        "dx dev checks by replay whether new code still fits the runs that are open:",
        "$ dx dev",
    )
    ROW_ACTIONS = frozenset({"change_delete"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "change_delete", "Delete"),
    ]

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_deployments, self.browser.link, self.post_message)

    def on_deployments_listed(self, message: DeploymentsListed) -> None:
        self.take_rows(message.rows)

    def key(self, row: DeploymentRow) -> Hashable:
        return row.name

    def headline(self, rows: Sequence[DeploymentRow]) -> Iterator[tuple[str, str]]:
        ramping = sum(bool(row.ramping_build_id) for row in rows)
        if ramping:
            yield f"◐ {ramping:,} ramping", "primary"

    def cells(self, row: DeploymentRow) -> Sequence[Text | str]:
        quiet, now = self.palette["quiet"], now_ns()
        ramping = f"◐ {row.ramping_build_id} {row.ramping_percentage:g} %" if row.ramping_build_id else ""
        return (
            row.name,
            Text(f"● {row.current_build_id}", style=self.palette["success"])
            if row.current_build_id
            else Text("unversioned", style=quiet),
            since(row.current_since_ns, now) if row.current_since_ns > 0 else "",
            Text(ramping, style=self.palette["primary"]),
            row.latest_build_id,
            Text(since(row.create_time_ns, now), style=quiet),
        )

    async def open(self, row: DeploymentRow) -> None:
        await self.app.push_screen(DeploymentScreen(row.name))

    @work
    async def action_change_delete(self) -> None:
        """Delete the deployment."""
        row = self.table.cursor_row
        if row is None:
            return
        detail = "Its versions must be gone before: enter shows them."
        dialog = ConfirmDialog(f"Delete worker deployment {row.name}?", detail, verb="Delete it")
        if await self.app.push_screen_wait(dialog):
            await self.do(lambda link: delete_deployment(link, row.name))
