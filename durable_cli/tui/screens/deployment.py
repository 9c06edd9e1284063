"""One worker deployment: its versions, which of them gets new workflows, which still has old ones."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.feed.actions_deployments import (
    delete_version,
    restore_routing,
    set_current_version,
    set_ramping_version,
)
from durable_cli.tui.feed.deployments import watch_deployment, watch_version
from durable_cli.tui.place_messages import DeploymentDescribed, VersionDescribed
from durable_cli.tui.place_rows import DeploymentRow, VersionDetail, VersionRow
from durable_cli.tui.plots import progress_bar
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.place import ListScreen
from durable_cli.tui.times import now_ns, rough_span, since
from durable_cli.tui.widgets.columns import Column
from durable_cli.tui.widgets.fixed_text import FixedText
from durable_cli.tui.widgets.virtual_table import VirtualTable

__all__ = ["DeploymentScreen"]

STATUSES = {
    "Current": ("●", "success", "gets new workflows"),
    "Ramping": ("◐", "primary", "gets a share of new workflows"),
    "Draining": ("◔", "warning", "still has open workflows"),
    "Drained": ("○", "quiet", "has no open workflow any more"),
    "Inactive": ("◌", "quiet", "never got a workflow"),
    "Created": ("◌", "quiet", "made, without workers so far"),
}
LEAST_BAR_WIDTH, BAR_WIDTH = 10, 30


class DeploymentScreen(ListScreen[VersionRow]):
    """A deployment of the namespace."""

    NOUN = ("version", "versions")
    COLUMNS = (
        Column("Version", 14, grow=2),
        Column("Status", 16),
        Column("For", 8),
        Column("It", 24, grow=2, rank=2),
        Column("Created", 8, rank=1),
        Column("Drainage checked", 16, rank=3),
    )
    EMPTY = ("Workers make versions when they first poll.",)
    HAS_PANE = True
    ROW_ACTIONS = frozenset({"change_current", "change_ramp", "change_delete", "workflows"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("m", "change_current", "Make current"),
        Binding("percent_sign", "change_ramp", "Ramp", key_display="%"),
        Binding("d", "change_delete", "Delete"),
        Binding("w", "workflows", "Runs"),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.deployment_name = name
        self._row: DeploymentRow | None = None
        self._version = VersionDetail("", (), "")

    def detail(self) -> str:
        return self.deployment_name

    def compose_head(self) -> Iterator[Widget]:
        yield Static(id="head")
        yield FixedText(id="counts")

    def make_watches(self) -> Iterable[Watch]:
        link, name = self.browser.link, self.deployment_name
        yield partial(watch_deployment, link, name, self.post_message)
        yield partial(watch_version, link, name, self._chosen, self.post_message)

    def _chosen(self) -> str:
        row = self.table.cursor_row
        return row.build_id if row else ""

    def on_deployment_described(self, message: DeploymentDescribed) -> None:
        self._row = message.row
        self._show_head()
        self.take_rows(message.versions)

    def _show_head(self) -> None:
        if self._row is not None:
            self.query_one("#head", Static).update(self._head(self._row))

    def show_theme(self) -> None:
        self._show_head()
        super().show_theme()

    def on_resize(self) -> None:
        self._show_head()

    def on_version_described(self, message: VersionDescribed) -> None:
        self._version = message.detail
        self.show_pane()

    @on(VirtualTable.CursorMoved)
    def ask_for_version(self) -> None:
        """Ask at once for the version under the cursor, when it is another one."""
        chosen = self._chosen()
        if chosen and chosen != self._version.build_id:
            self.restart_watches()

    def _head(self, row: DeploymentRow) -> Text:
        quiet, success, primary = self.palette["quiet"], self.palette["success"], self.palette["primary"]
        current = row.current_build_id or "unversioned workers"
        share = round(row.ramping_percentage) if row.ramping_build_id else 0
        text = Text.assemble(("new workflows   ", quiet), (f"● {current} {100 - share} %  ", success))
        ramping = f"  ◐ {row.ramping_build_id} {row.ramping_percentage:g} %" if row.ramping_build_id else ""
        room = self.size.width - 2 - text.cell_len - cell_len(ramping)
        ramped, rest = progress_bar(share, 100, max(LEAST_BAR_WIDTH, min(BAR_WIDTH, room)))
        text.append("━" * len(rest), style=success).append("╍" * len(ramped), style=primary)
        text.append(ramping, style=primary)
        text.append("\n")
        for index, (label, value) in enumerate(row.fields):
            text.append("   " if index else "").append(f"{label} ", style=quiet).append(value)
        text.no_wrap, text.overflow = True, "ellipsis"
        return text

    def key(self, row: VersionRow) -> Hashable:
        return row.build_id

    def headline(self, rows: Sequence[VersionRow]) -> Iterator[tuple[str, str]]:
        draining = sum(row.status == "Draining" for row in rows)
        if draining:
            yield f"◔ {draining:,} draining", "warning"

    def cells(self, row: VersionRow) -> Sequence[Text | str]:
        quiet, now = self.palette["quiet"], now_ns()
        sign, variable, meaning = STATUSES.get(row.status, ("?", "quiet", ""))
        share = f" {row.ramping_percentage:g} %" if row.status == "Ramping" else ""
        return (
            row.build_id,
            Text(f"{sign} {row.status}{share}", style=self.palette[variable]),
            since(row.since_ns, now).removesuffix(" ago") if row.since_ns > 0 else "",
            Text(meaning, style=quiet),
            Text(since(row.create_time_ns, now), style=quiet),
            Text(since(row.drainage_checked_ns, now), style=quiet) if row.drainage_checked_ns > 0 else "",
        )

    def pane(self, row: VersionRow) -> RenderableType:
        quiet = self.palette["quiet"]
        text = Text.assemble((f"{self.deployment_name}:{row.build_id}", "bold"))
        if self._version.build_id != row.build_id:
            return text
        for name, kind, backlog, age_ns in self._version.task_queues:
            waiting = f"{backlog:,} waiting" + (f", the oldest for {rough_span(age_ns)}" if age_ns else "")
            style = self.palette["warning"] if backlog else self.palette["foreground"]
            text.append(f"\n{kind:<9}", style=quiet).append(f"{name}   ").append(waiting, style=style)
        if self._version.metadata:
            text.append("\nmetadata ", style=quiet).append(self._version.metadata)
        return text

    async def open(self, row: VersionRow) -> None:
        await self.action_workflows()

    async def action_workflows(self) -> None:
        """Show the runs of the version."""
        version = f"{self.deployment_name}:{self._chosen()}"
        await self.browser.show_runs(f"TemporalWorkerDeploymentVersion = '{version}'")

    @work
    async def action_change_current(self) -> None:
        """Give new workflows to this version."""
        before, build_id = self._row, self._chosen()
        if before is None or not build_id:
            return
        name = self.deployment_name
        detail = f"New workflows go to it, and no more to {before.current_build_id or 'unversioned workers'}."
        dialog = ConfirmDialog(f"Make {build_id} the current version of {name}?", detail, verb="Make it current")
        if await self.app.push_screen_wait(dialog):
            old = (before.current_build_id, before.ramping_build_id, before.ramping_percentage)
            await self.do(
                lambda link: set_current_version(link, name, build_id),
                undo=lambda link: restore_routing(link, name, *old),
            )

    @work
    async def action_change_ramp(self) -> None:
        """Give a share of new workflows to this version."""
        before, build_id = self._row, self._chosen()
        if before is None or not build_id:
            return
        name = self.deployment_name
        fields = (Field("percentage", "percent of new workflows; 0 ends the ramp", value="10", required=True),)
        values = await self.app.push_screen_wait(FormDialog(f"Ramp {build_id} of {name}", fields, verb="Ramp"))
        if values is None:
            return
        try:
            percentage = float(values["percentage"])
        except ValueError:
            self.notify("write a number of 0 to 100", title="no percentage", severity="error")
            return
        old = (before.ramping_build_id, before.ramping_percentage)
        await self.do(
            lambda link: set_ramping_version(link, name, build_id if percentage else "", percentage),
            undo=lambda link: set_ramping_version(link, name, *old),
        )

    @work
    async def action_change_delete(self) -> None:
        """Delete this version."""
        build_id, name = self._chosen(), self.deployment_name
        if not build_id:
            return
        detail = "It must have no pollers and no open workflows, and neither be current nor ramp."
        dialog = ConfirmDialog(f"Delete version {build_id} of {name}?", detail, verb="Delete it")
        if await self.app.push_screen_wait(dialog):
            await self.do(lambda link: delete_version(link, name, build_id))
