"""A calm note: what is so, and what to do."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from durable_cli.tui.messages import Trouble

__all__ = ["TroubleNote"]


class TroubleNote(Static):
    """Says why there is nothing to show; hidden when all is well."""

    _trouble: Trouble | None = None

    def on_mount(self) -> None:
        self.watch(self.app, "theme", self._draw, init=False)

    def show(self, trouble: Trouble | None) -> None:
        """Show a trouble, or hide."""
        if trouble != self._trouble:
            self._trouble = trouble
            self.set_class(trouble is not None, "-shown")
            self._draw()

    def _draw(self) -> None:
        if self._trouble is not None:
            hint = f"\n{self._trouble.hint}" if self._trouble.hint else ""
            self.update(Text.assemble((self._trouble.message, "bold"), (hint, self.app.theme_variables["quiet"])))
