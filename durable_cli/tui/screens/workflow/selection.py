"""What can be done with a selected group or event: read it whole, copy it, save the history."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.history.groups import Group, History
from durable_cli.tui.lines import Line
from durable_cli.tui.screens.workflow.run_view import RunView

__all__ = ["SelectionView", "expand_home", "selection_lines"]


def selection_lines(history: History, group: Group | None, event_id: int, *, is_whole: bool = False) -> list[Line]:
    """Return a group, or one event, as lines to read."""
    from durable_cli.tui.feed.documents import event_lines, group_lines

    if event_id:
        return event_lines(history.row(event_id).serialized, is_whole=is_whole)
    if group is None:
        return []
    return group_lines((history.row(each).serialized for each in group.event_ids), is_whole=is_whole)


class SelectionView(RunView):
    """A view that has a group or an event under its cursor, to read, copy and save."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "open_whole", "Read it whole", show=False),
        Binding("y", "copy_value", "Copy its values", show=False),
        Binding("Y", "copy_event", "Copy its events as JSON", show=False),
        Binding("e", "export", "Export the history", show=False),
    ]

    def _selected_events(self) -> Sequence[bytes]:
        history, group = self.book.history, self.selected_group()
        event_id = 0 if group is not None and self.selects_group() else self.selected_event_id()
        if event_id:
            return [history.row(event_id).serialized]
        return [history.row(each).serialized for each in group.event_ids] if group else []

    def selects_group(self) -> bool:
        """Return whether it is a whole group that is under the cursor, not one event."""
        return True

    def action_open_whole(self) -> None:
        """Open what is under the cursor on the whole screen, uncut."""
        from durable_cli.tui.screens.reader import ReaderScreen

        group, history = self.selected_group(), self.book.history
        event_id = 0 if self.selects_group() else self.selected_event_id() or 0
        if group is None:
            return
        name = history.row(event_id).name if event_id else group.title
        title = f"{self.run_screen.workflow_id}: {name}"
        self.app.push_screen(ReaderScreen(title, lambda: selection_lines(history, group, event_id, is_whole=True)))

    def action_copy_value(self) -> None:
        """Copy the decoded values of what is under the cursor."""
        from durable_cli.tui.feed.documents import values_text

        self._copy(values_text(self._selected_events()), "values")

    def action_copy_event(self) -> None:
        """Copy the events under the cursor in their official JSON form."""
        from durable_cli.tui.feed.documents import event_json

        texts = [event_json(serialized) for serialized in self._selected_events()]
        self._copy(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]" if texts else "", "JSON")

    def _copy(self, text: str, what: str) -> None:
        if not text:
            self.notify("there is nothing to copy")
            return
        self.app.copy_to_clipboard(text)
        self.notify(f"copied {what}, {len(text):,} characters")

    @work
    async def action_export(self) -> None:
        """Write the history to a file that replayers read."""
        from durable_cli.tui.feed.documents import history_json

        rows = list(self.book.history.rows)
        if not rows:
            return
        pieces = history_json(row.serialized for row in rows)
        name = f"{safe_name(self.run_screen.workflow_id)}_history.json"
        if self.app.is_web:
            from io import StringIO

            self.app.deliver_text(StringIO("".join(pieces)), save_filename=name, mime_type="application/json")
            return
        fields = (Field("path", "file", value=name, required=True),)
        values = await self.app.push_screen_wait(FormDialog(f"Export {len(rows):,} events", fields, verb="Save"))
        if not values:
            return
        path = expand_home(values["path"])
        if await asyncio.to_thread(path.exists):
            question = ConfirmDialog(f"Replace {path.name}?", f"{path} exists.", verb="Replace it")
            if not await self.app.push_screen_wait(question):
                return
        try:
            await asyncio.to_thread(_write, path, pieces)
        except OSError as error:
            self.notify(str(error.strerror), title=f"can't write {path}", severity="error")
            return
        self.notify(f"{len(rows):,} events are in {path}")


def _write(path: Path, pieces: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(pieces)


def expand_home(path: str) -> Path:
    """Return a path that may begin with `~`; of nobody's home it stays as it is."""
    return Path(os.path.expanduser(path))


def safe_name(workflow_id: str) -> str:
    """Return a workflow's id as a part of a file name."""
    return "".join(char if char.isalnum() or char in "-_." else "_" for char in workflow_id)[:80]
