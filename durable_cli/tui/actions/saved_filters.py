"""Filters with names, which are kept."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.screens.base import BrowserScreen

__all__ = ["SavedFiltersScreen"]


class SavedFiltersScreen(BrowserScreen):
    """A screen with a list filter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("F", "saved_filters", "Saved filters", show=False),
        Binding("ctrl+f", "save_filter", "Save the filter", show=False),
    ]

    @property
    def shown_filter(self) -> str:
        """The filter of what is shown."""
        return ""

    def take_filter(self, query: str) -> None:
        """Show what matches."""

    @work
    async def action_save_filter(self) -> None:
        """Save the filter that is shown under a name; saving an empty one takes the name away."""
        fields = (Field("name", "name", required=True), Field("query", "filter", value=self.shown_filter))
        values = await self.app.push_screen_wait(FormDialog("Save a filter", fields, verb="Save"))
        if values is None:
            return
        filters = self.browser.preferences.filters
        filters.pop(values["name"], None)
        if values["query"]:
            filters[values["name"]] = values["query"]
        self.browser.keep_preferences()
        self.notify(f"{'saved' if values['query'] else 'removed'}: {values['name']}")

    @work
    async def action_saved_filters(self) -> None:
        """Take one of the saved filters."""
        filters = self.browser.preferences.filters
        options = [(query, f"{name}   {query}") for name, query in sorted(filters.items())]
        dialog = PickDialog("Saved filters", [("", "all workflows"), *options], empty="none is saved; ^f saves one")
        chosen = await self.app.push_screen_wait(dialog)
        if chosen is not None:
            self.take_filter(chosen)
