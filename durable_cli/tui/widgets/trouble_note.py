"""A calm note: what is so, and what to do."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from durable_cli.tui.messages import Trouble

__all__ = ["TroubleNote"]


class TroubleNote(Static):
    """Says why there is nothing to show; hidden when all is well."""

    _trouble: Trouble | None = None

    def show(self, trouble: Trouble | None) -> None:
        """Show a trouble, or hide."""
        if trouble == self._trouble:
            return
        self._trouble = trouble
        self.set_class(trouble is not None, "-shown")
        if trouble is not None:
            hint = f"\n{trouble.hint}" if trouble.hint else ""
            self.update(Content.assemble((trouble.message, "bold"), (hint, "$quiet")))
