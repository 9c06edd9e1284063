"""The namespaces of the server; going into one browses it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType

from durable_cli.errors import CliError
from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.feed.actions_namespaces import (
    ATTRIBUTE_TYPES,
    add_search_attribute,
    delete_namespace,
    register_namespace,
    remove_search_attribute,
    update_namespace,
)
from durable_cli.tui.feed.namespaces import watch_namespaces
from durable_cli.tui.feed.search_attributes import list_search_attributes
from durable_cli.tui.place_messages import NamespacesListed
from durable_cli.tui.place_rows import NamespaceRow
from durable_cli.tui.places import FIRST_PLACE
from durable_cli.tui.schedules.spec_words import exact_span
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.screens.place import ListScreen
from durable_cli.tui.widgets.columns import Column

__all__ = ["NamespacesScreen"]


class NamespacesScreen(ListScreen[NamespaceRow]):
    """Namespaces by their name; the one that is browsed has a mark."""

    NOUN = ("namespace", "namespaces")
    COLUMNS = (
        Column("", 1),
        Column("Namespace", 16, grow=2),
        Column("State", 12),
        Column("Retention", 9, right=True),
        Column("Description", 16, grow=3, rank=1),
        Column("Owner", 12, grow=1, rank=2),
    )
    MISSING = ("dx tui --namespace NAME browses one by its name.",)
    HAS_PANE = True
    ROW_ACTIONS = frozenset({"change_edit", "change_delete", "change_add_attribute", "change_remove_attribute"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "change_create", "Create", key_display="+"),
        Binding("e", "change_edit", "Edit"),
        Binding("d", "change_delete", "Delete", show=False),
        Binding("a", "change_add_attribute", "Add an attribute"),
        Binding("D", "change_remove_attribute", "Remove an attribute", show=False),
    ]

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_namespaces, self.browser.link, self.post_message)

    def on_namespaces_listed(self, message: NamespacesListed) -> None:
        self.take_rows(message.rows)

    def show_namespace(self) -> None:
        self.table.refresh()  # they are the same, whichever is browsed

    def key(self, row: NamespaceRow) -> Hashable:
        return row.name

    def headline(self, rows: Sequence[NamespaceRow]) -> Iterator[tuple[str, str]]:
        other = sum(row.state != "registered" for row in rows)
        if other:
            yield f"{other:,} not registered any more", "warning"

    def cells(self, row: NamespaceRow) -> Sequence[Text | str]:
        is_here = row.name == self.browser.link.namespace
        quiet, accent = self.palette["quiet"], self.palette["accent"]
        return (
            Text("▸" if is_here else "", style=accent),
            Text(row.name, style=f"bold {accent}" if is_here else ""),
            Text(row.state, style="" if row.state == "registered" else self.palette["warning"]),
            exact_span(row.retention_seconds) if row.retention_seconds else "",
            row.description,
            Text(row.owner_email, style=quiet),
        )

    def pane(self, row: NamespaceRow) -> RenderableType:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style=self.palette["quiet"], no_wrap=True)
        grid.add_column(overflow="fold")
        for label, value in row.fields:
            grid.add_row(label, value)
        return Group(Text(row.name, style="bold"), grid)

    async def open(self, row: NamespaceRow) -> None:
        if row.name != self.browser.link.namespace:
            await self.browser.change_namespace(row.name)
        await self.app.switch_mode(FIRST_PLACE)

    @work
    async def action_change_create(self) -> None:
        """Make a new namespace."""
        fields = (
            Field("name", "name", required=True),
            Field("retention", "closed runs are kept for", value="72h", required=True),
            Field("description", "description"),
        )
        await self.ask_and_do(
            FormDialog("New namespace", fields, verb="Create"),
            lambda values, link: register_namespace(link, values["name"], values["retention"], values["description"]),
        )

    @work
    async def action_change_edit(self) -> None:
        """Change how long runs are kept, and what is said of the namespace."""
        row = self.table.cursor_row
        if row is None:
            return
        fields = (
            Field("retention", "closed runs are kept for", exact_span(row.retention_seconds), required=True),
            Field("description", "description", row.description),
            Field("owner", "owner's address", row.owner_email),
        )
        await self.ask_and_do(
            FormDialog(f"Namespace {row.name}", fields, verb="Change"),
            lambda values, link: update_namespace(
                link, row.name, values["retention"], values["description"], values["owner"]
            ),
        )

    @work
    async def action_change_delete(self) -> None:
        """Delete a namespace; its name is typed, since everything in it goes with it."""
        row = self.table.cursor_row
        if row is None:
            return
        label = "its name, once more; all workflows in it are deleted with it, for good"
        dialog = FormDialog(f"Delete namespace {row.name}?", (Field("name", label, required=True),), verb="Delete it")
        values = await self.app.push_screen_wait(dialog)
        if values and values["name"] != row.name:
            self.notify(f"{values['name']} is not {row.name}: nothing is deleted", severity="warning")
        elif values:
            await self.do(lambda link: delete_namespace(link, row.name))

    @work
    async def action_change_add_attribute(self) -> None:
        """Let the namespace's runs have a further search attribute."""
        row = self.table.cursor_row
        if row is None:
            return
        fields = (
            Field("name", "name", required=True),
            Field("type", "type", choices=ATTRIBUTE_TYPES),
        )
        title = f"New search attribute of {row.name}"
        values = await self.app.push_screen_wait(FormDialog(title, fields, verb="Add"))
        if values:
            await self.do(lambda link: add_search_attribute(link, row.name, values["name"], values["type"]))

    @work
    async def action_change_remove_attribute(self) -> None:
        """Take a search attribute away from the namespace."""
        row = self.table.cursor_row
        if row is None or not self.browser.is_reachable():
            return
        try:
            known = await list_search_attributes(self.browser.link, row.name, only_own=True)
        except CliError as error:
            self.notify(error.hint, title=error.message, severity="error")
            return
        options = [(name, f"{name}   {type_name}") for name, type_name in sorted(known.items())]
        dialog = PickDialog(f"Remove from {row.name}", options, empty="it has no search attributes of its own")
        name = await self.app.push_screen_wait(dialog)
        if not name:
            return
        detail = f"Runs in {row.name} keep their values, but filters don't find them by it any more."
        if await self.app.push_screen_wait(ConfirmDialog(f"Remove {name}?", detail, verb="Remove it")):
            await self.do(lambda link: remove_search_attribute(link, row.name, name))
