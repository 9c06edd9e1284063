"""A run that the new code does not repeat: its history at the event, beside the source line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from durable_cli.dev.host_events import Mismatch, ReplayFailure
from durable_cli.tui.actions.dev import MEANINGS, DevActionsScreen
from durable_cli.tui.attachment import Attachment
from durable_cli.tui.dev.report import caller_lines
from durable_cli.tui.dev.rows import BrokenRun, Member, Outcome, Phase
from durable_cli.tui.dev.source import find_excerpt, shorten_path
from durable_cli.tui.dev.words import say_check, say_count, say_files, say_seconds
from durable_cli.tui.lines import show_controls, trace_lines
from durable_cli.tui.messages import HistoryGrew
from durable_cli.tui.screens.workflow.screen import SHORT_HEIGHT, WorkflowScreen
from durable_cli.tui.source_text import draw_excerpt

__all__ = ["MismatchScreen"]

BESIDE_WIDTH = 110
SEEK_SECONDS = 0.05
MOST_CALLERS = 4
LONG_EXCERPT = (7, 9)
SHORT_EXCERPT = (2, 1)
"""How many lines of source are shown before the one that is meant, and after it."""


class MismatchScreen(WorkflowScreen, DevActionsScreen):
    """A run, and why the code as it is now does not repeat it; when that is mended, it says so."""

    SHOWS_MISMATCH = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("less_than_sign,greater_than_sign", "next_run", "Next run", key_display="< >"),
    ]
    DEFAULT_CSS = """
    MismatchScreen #mismatch { height: 1fr; layout: vertical; }
    MismatchScreen #mismatch #views { height: 1fr; }
    MismatchScreen #mismatch-pane { height: 60%; padding: 0 1; border-top: solid $line; scrollbar-size-vertical: 1; }
    MismatchScreen #mismatch.-beside { layout: horizontal; }
    MismatchScreen #mismatch.-beside #views { width: 1fr; }
    MismatchScreen #mismatch.-beside #mismatch-pane {
        width: 50%; height: 1fr; margin: 1 0 0 0; border-top: none; border-left: solid $line;
    }
    MismatchScreen #mismatch.-mended #mismatch-pane { height: auto; }
    MismatchScreen #mismatch.-mended.-beside #mismatch-pane { height: 1fr; width: 48; }
    MismatchScreen #mismatch-text { height: auto; }
    """

    def __init__(self, source: str, run: BrokenRun) -> None:
        super().__init__(run.workflow_id, run.run_id, view="history")
        self.source = source
        self.run = run
        self._is_sought = False
        self._is_short = False
        """Whether there is room for what matters most alone."""

    def compose_body(self) -> ComposeResult:
        with Container(id="mismatch"):
            yield Container(id="views")
            with VerticalScroll(id="mismatch-pane"):
                yield Static(id="mismatch-text")

    def on_mount(self) -> None:
        self.show_dev()
        self.call_after_refresh(self._seek)

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self.show_dev()

    def on_resize(self) -> None:
        if self.is_left:
            return
        was_short = self._is_short
        self._is_short = self.size.height < SHORT_HEIGHT and self.size.width < BESIDE_WIDTH
        self.query_one("#mismatch").set_class(self.size.width >= BESIDE_WIDTH, "-beside")
        if was_short != self._is_short:
            self.show_dev()

    def on_history_grew(self, message: HistoryGrew) -> None:
        if not self._is_sought:
            self.call_after_refresh(self._seek)

    async def _seek(self) -> None:
        """Go to the event once it is there."""
        event_id = self.run.event_id if isinstance(self.run, Mismatch) else None
        if self._is_sought or len(self.book.history.rows) < (event_id or 1):
            return
        if self.view is None or not self.view.is_mounted:
            self.set_timer(SEEK_SECONDS, self._seek)
            return
        self._is_sought = True
        await self.show_event(event_id or len(self.book.history.rows))

    # What dx does

    def shows_dev(self, source: str) -> bool:
        return source == self.source

    @property
    def _member(self) -> Member | None:
        return self._attached.book.members.get(self.source)

    @property
    def _attached(self) -> Attachment:
        assert self.attachment is not None
        return self.attachment

    def show_dev(self) -> None:
        """Show the mismatch as it is by now; another run of the same worker takes the place of one that is mended."""
        if not self.query("#mismatch-text"):
            return  # what was told before the screen is made is shown with it
        broken = self._broken
        same = next((run for run in broken if run.run_id == self.run.run_id), None)
        if same is not None:
            self._is_sought = self._is_sought and same == self.run
            self.run = same
            self.call_after_refresh(self._seek)
        elif broken and self.is_current:
            self.call_later(self._go_to, broken[0])
        self.query_one("#mismatch").set_class(same is None, "-mended")
        self.query_one("#mismatch-text", Static).update(self._draw(is_broken=same is not None))
        self.refresh_bindings()

    def show_theme(self) -> None:
        super().show_theme()
        self.show_dev()

    @property
    def _broken(self) -> Sequence[BrokenRun]:
        """The runs of the same worker that can be opened."""
        member = self._member
        return [run for run in member.broken if run.workflow_id] if member is not None else ()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a next run only where there are several."""
        if action == "next_run" and len(self._broken) < 2:
            return False
        return super().check_action(action, parameters)

    def action_next_run(self) -> None:
        """Go to the next run that does not repeat its history."""
        broken = self._broken
        if broken:
            place = next((index for index, run in enumerate(broken) if run.run_id == self.run.run_id), -1)
            self.call_later(self._go_to, broken[(place + 1) % len(broken)])

    def _go_to(self, run: BrokenRun) -> None:
        if self.is_current:
            self.app.switch_screen(MismatchScreen(self.source, run))

    # The pane

    def _draw(self, *, is_broken: bool) -> RenderableType:
        if not is_broken:
            return self._draw_mended()
        colors, run = self.palette, self.run
        gap = [] if self._is_short else [Text()]
        parts: list[RenderableType] = [self._title(), *gap, *self._draw_difference(), *gap]
        if self._is_short:
            parts += self._draw_choices()  # what can be done is never below the edge
        excerpt = find_excerpt(run, *(SHORT_EXCERPT if self._is_short else LONG_EXCERPT))
        if run.file is not None and excerpt is not None:
            place = f"{shorten_path(run.file, self._attached.folder)}:{run.line}"
            parts += [Text(place, colors["quiet"]), draw_excerpt(excerpt, run.file, colors)]
        callers = caller_lines(run, self._attached.folder)
        parts += [
            Text(line.text, colors["quiet"], no_wrap=True, overflow="ellipsis") for line in callers[:MOST_CALLERS]
        ]
        if isinstance(run, ReplayFailure) and run.traceback:
            parts += [Text(), *(Text(line.text, colors["quiet"]) for line in trace_lines(run.traceback))]
        return Group(*parts) if self._is_short else Group(*parts, *gap, *self._draw_choices())

    def _title(self) -> Text:
        broken = self._broken
        title = Text.assemble(("✗ ", self.palette["error"]), (self.source, "bold"), " does not repeat this run")
        if len(broken) > 1:
            place = next((index for index, run in enumerate(broken, 1) if run.run_id == self.run.run_id), 1)
            title.append(f"   {place} of {len(broken):,}", style=self.palette["quiet"])
        return title

    def _draw_difference(self) -> Iterator[RenderableType]:
        colors, run = self.palette, self.run
        if isinstance(run, ReplayFailure):
            yield Text.assemble((f"{run.error}: " if run.error else "", colors["error"]), show_controls(run.message))
            return
        if not run.event_type and not run.command_type:
            yield Text(show_controls(run.message))
            return
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style=colors["quiet"], no_wrap=True)
        grid.add_column(overflow="fold")
        has = f"event {run.event_id}" if run.event_id else "the history"
        grid.add_row(has, _say(run.event_type or "no such event", run.event_summary, colors["warning"]))
        grid.add_row("new code", _say(run.command_type or "no such command", run.command_summary, colors["error"]))
        yield grid

    def _draw_choices(self) -> Iterator[RenderableType]:
        colors, member, book = self.palette, self._member, self._attached.book
        if not book.is_running or member is None:
            yield Text("dx dev has ended", colors["warning"])
        elif not member.question:
            words = member.words or "the replay goes on"
            yield Text.assemble(("▲ ", colors["warning"]), f"{words}; save a fix to try again")
        elif self._is_short:
            yield Text.assemble(
                ("▲ dx dev waits for you", f"bold {colors['warning']}"),
                ": A answers ",
                (", ".join(member.choices), colors["quiet"]),
            )
        else:
            yield Text.assemble(
                ("▲ dx dev waits for you", f"bold {colors['warning']}"), ": A answers here, or in its window"
            )
            # The keys of its window mean other things here, so they are not shown.
            grid = Table.grid(padding=(0, 2))
            for choice in member.choices:
                grid.add_row(choice, MEANINGS.get(choice, ""))
            yield grid
        if isinstance(self.run, Mismatch):
            yield Text("W shows how to wrap the change for the old runs", colors["quiet"])

    def _draw_mended(self) -> RenderableType:
        colors, book, member = self.palette, self._attached.book, self._member
        if not book.is_running or member is None:
            return Text.assemble(("○ dx dev has ended", colors["warning"]), "; it goes on when it is started again")
        reload = book.last_reload(self.source)
        lines = [Text.assemble(("✓ ", colors["success"]), (self.source, "bold"), " repeats this run again")]
        if reload is None or (reload.checked is None and reload.outcome == Outcome.RUNNING):
            lines = [Text.assemble(("◌ ", colors["quiet"]), (self.source, "bold"), " has not replayed this run yet")]
        elif reload.broken:
            lines = [
                Text.assemble(("▲ ", colors["warning"]), (self.source, "bold"), " serves the new code all the same")
            ]
        if member.phase == Phase.FAILED:
            lines = [Text.assemble(("✗ ", colors["error"]), (self.source, "bold"), f" {member.words}")]
        if reload is not None:
            if reload.files:
                lines.append(Text(f"{say_files(reload.files)} saved", colors["quiet"]))
            if reload.checked is not None:
                lines.append(Text(f"replay: {say_check(reload.checked)}", colors["quiet"]))
            if reload.outcome == Outcome.SERVING and reload.seconds is not None:
                lines.append(Text(f"serving after {say_seconds(reload.seconds)}", colors["quiet"]))
        if self._broken:
            others = say_count(len(self._broken), "other run")
            lines.append(Text(f"{others} still {'differs' if len(self._broken) == 1 else 'differ'}", colors["warning"]))
        return Group(*lines)


def _say(kind: str, summary: str, style: str) -> Text:
    """Say an event or a command: its type, and what it is about."""
    about = summary.removeprefix(kind).strip()
    return Text.assemble((kind, style), f" {about}" if about else "")
