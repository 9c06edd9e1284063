"""The `dx dev` of the project here: its workers, their reloads as they happen, and below them the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from time import monotonic
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from durable_cli.tui.actions.dev import DevActionsScreen
from durable_cli.tui.dev.log_lines import LEVELS, LogBook, LogFilter, LogLine, RawLine
from durable_cli.tui.dev.rows import BrokenRun, Reload, StoryLine
from durable_cli.tui.dev.words import say_count
from durable_cli.tui.dev_looks import RELOAD_COLUMNS, draw_members, reload_cells
from durable_cli.tui.feed.dev import watch_log
from durable_cli.tui.messages import ConnectionChanged
from durable_cli.tui.place_messages import LogRead
from durable_cli.tui.screens.base import Watch
from durable_cli.tui.times import here_ns
from durable_cli.tui.widgets.fixed_text import FixedText
from durable_cli.tui.widgets.key_bar import KeyBar
from durable_cli.tui.widgets.log_view import LogView
from durable_cli.tui.widgets.nothing_note import NothingNote
from durable_cli.tui.widgets.top_bar import TopBar
from durable_cli.tui.widgets.trouble_note import TroubleNote
from durable_cli.tui.widgets.virtual_table import VirtualTable
from durable_cli.tui.widgets.words_bar import WordsBar

__all__ = ["DevScreen"]

TICK_SECONDS = 1.0
"""So often durations go on, and what comes in a stream is shown."""
GATHER_SECONDS = 0.4
LOG_ACTIONS = ("search", "follow", "pause", "next_worker", "next_level", "copy")
NO_PROJECT: tuple[str, Sequence[str]] = (
    "No project here",
    (
        "A project has a dx.toml in its folder; there is none in this one or above it.",
        "",
        "$ dx new",
        "",
        "makes one, and in its folder the workers run with",
        "",
        "$ dx dev",
    ),
)


class DevScreen(DevActionsScreen):
    """What `dx dev` does."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search the log", key_display="/", priority=True),
        Binding("f", "follow", "Follow"),
        Binding("space", "pause", "Pause", key_display="space"),
        Binding("w", "next_worker", "Worker"),
        Binding("l", "next_level", "Level"),
        Binding("escape", "leave", "Back", show=False),
        Binding("y", "copy", "Copy the log that is shown", show=False),
    ]
    DEFAULT_CSS = """
    DevScreen #dev-body { width: 100%; height: 1fr; }
    DevScreen #log-note { height: 1; padding: 0 1; margin: 1 0 0 0; color: $quiet; }
    DevScreen #log { margin: 0 1; }
    DevScreen.-short #head, DevScreen.-short #reloads, DevScreen.-short #log-note { margin: 0; }
    DevScreen.-short #reloads { margin: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._log = LogBook()
        self._filter = LogFilter()
        self._is_paused = False
        self._gathered: list[RawLine] = []
        self._shown_time = 0.0
        self._waiting: list[LogLine] = []
        """What came while it was paused."""
        self._told = 0
        self._opened: set[tuple[str, str, int | None]] = set()
        """The mismatches that were opened, each once until it is mended."""
        self._head = ""

    def compose(self) -> ComposeResult:
        yield TopBar()
        yield TroubleNote(id="trouble")
        yield NothingNote(id="nothing")
        with Vertical(id="dev-body"):
            yield Static(id="head")
            yield VirtualTable[Reload](RELOAD_COLUMNS, self._cells, lambda reload: reload.number, id="reloads")
            yield FixedText(id="log-note")
            yield WordsBar(self.show_words, lambda: self.set_focus(self._view))
            yield LogView(id="log")
        yield KeyBar()

    def on_mount(self) -> None:
        self.set_interval(TICK_SECONDS, self._tick)
        self.query_one("#dev-body").display = False
        self.call_after_refresh(self.show_dev)

    def make_watches(self) -> Iterable[Watch]:
        if self.attachment is not None:
            yield partial(watch_log, self.attachment.log, self.post_message)

    def on_screen_resume(self) -> None:
        self.show_dev()

    def _fit(self) -> None:
        """Give the reloads the lines that they need, and the log the rest, which is most of it."""
        if self.is_left:
            return
        table = self.query_one("#reloads", VirtualTable)
        table.styles.height = 1 + max(1, min(len(table.rows), self.size.height // 4))

    def on_resize(self) -> None:
        self.set_class(self.size.height < 30, "-short")
        self._fit()
        self._head = ""
        self._show_head()

    @property
    def _view(self) -> LogView:
        return self.query_one(LogView)

    # What dx does

    def show_dev(self) -> None:
        attachment = self.attachment
        if not self.is_mounted or self.is_left:
            return
        if attachment is None or not attachment.book.pid:
            self._show_nothing()
            return
        # What is mended, and breaks again, is new.
        self._opened &= {_mismatch_key(source, run) for source, run in attachment.book.broken}
        if not self._is_watching:
            self.restart_watches()
        if not self.query_one("#dev-body").display:
            self.query_one(NothingNote).hide()
            self.query_one("#dev-body").display = True
            self.query_one("#reloads").focus()
        self._show_head()
        table = self.query_one("#reloads", VirtualTable)
        table.set_rows(list(reversed(attachment.book.reloads)))
        self._fit()
        self._tell_story(attachment.book.story_since(self._told), attachment.book.told)
        self.refresh_bindings()
        if self.is_current and not isinstance(self.focused, Input):
            self.call_later(self._open_news)

    def show_connection(self, message: ConnectionChanged) -> None:
        """Show also what could not be said before the address of the server was known."""
        super().show_connection(message)
        self.show_dev()

    def show_theme(self) -> None:
        self._head = ""
        self._show_head()
        self._show_note()

    def _show_nothing(self) -> None:
        if self.attachment is None:
            title, advice = NO_PROJECT
        else:
            title, advice = f"dx dev has not run yet in {self.attachment.folder.name}", ("$ dx dev",)
        self.query_one(NothingNote).say(title, advice)
        self.refresh_bindings()

    def _show_head(self) -> None:
        if self.attachment is None or not self.is_attached or self.is_left:
            return
        width = max(20, self.size.width - 2)
        drawn = draw_members(self.attachment, here_ns(), width, self.palette)
        if drawn.markup != self._head:
            self._head = drawn.markup
            self.query_one("#head", Static).update(drawn)

    def _tick(self) -> None:
        if self.is_current:
            self._show_head()

    def _cells(self, reload: Reload) -> Sequence[Text | str]:
        return reload_cells(reload, self.palette)

    async def _open_news(self) -> None:
        """Open a mismatch that is new, at the event, beside the source line."""
        attachment = self.attachment
        if attachment is None or not self.is_current or not attachment.book.broken:
            return
        if attachment.other_address or not attachment.browsed_address:
            return  # it is not known yet whether the run is there
        source, run = attachment.book.broken[0]
        key = _mismatch_key(source, run)
        if key not in self._opened and attachment.book.last_reload(source) is not None:
            self._opened.add(key)
            await attachment.open_run(source, run)

    @on(VirtualTable.Activated)
    async def open_reload(self, message: VirtualTable.Activated) -> None:
        """Open the run that is in the way of a reload, or what is known of it."""
        reload: Reload = message.row
        if self.attachment is None:
            return
        current = [run for _, run in self.attachment.book.broken]
        broken = next((run for run in reload.broken if run in current), None)
        if broken is not None and broken.workflow_id and self.attachment.is_same_server():
            await self.attachment.open_run(reload.source, broken)
        else:
            await self.attachment.open_report(reload)

    # The log

    def _tell_story(self, lines: Sequence[StoryLine], told: int) -> None:
        self._told = told
        self._gather([RawLine(line.time_ns, line.source, line.text, line.sign, line.variable) for line in lines])

    def on_log_read(self, message: LogRead) -> None:
        if not message.is_first:
            self._gather(message.lines)
            return
        self._log, self._gathered = LogBook(), []
        story = self.attachment.book.story if self.attachment is not None else ()
        told = [RawLine(line.time_ns, line.source, line.text, line.sign, line.variable) for line in story]
        self._log.take(sorted([*message.lines, *told], key=lambda line: line.time_ns))
        self._show_all()

    def _gather(self, lines: Sequence[RawLine]) -> None:
        """Let lines wait for those that come from the other file, so that they are shown in their order."""
        if lines and not self._gathered:
            is_stream = monotonic() - self._shown_time < TICK_SECONDS
            self.set_timer(TICK_SECONDS if is_stream else GATHER_SECONDS, self._take_gathered)
        self._gathered.extend(lines)

    def _take_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        self._shown_time = monotonic()
        chosen = self._filter.choose(self._log.take(sorted(gathered, key=lambda line: line.time_ns)))
        if self._is_paused:
            self._waiting = [*self._waiting, *chosen][-5_000:]
        else:
            self._view.grow_lines(chosen)
        self._show_note()

    def _show_all(self) -> None:
        """Choose anew which lines are shown; a log that stands still goes on standing still."""
        self._waiting = []
        self._filter = LogFilter(self._filter.source, self._filter.least_level, self._filter.words)
        self._view.words = self._filter.words.split()
        self._view.set_lines(self._filter.choose(self._log.lines))
        self._show_note()

    @on(LogView.EndSeen)
    def _show_note(self) -> None:
        chosen, accent, quiet = self._filter, self.palette["accent"], self.palette["quiet"]
        note = Text("Log", style="bold", no_wrap=True, overflow="ellipsis")
        note.append(f"   {say_count(len(self._view.lines), 'line')}", style=quiet)
        if self._is_paused:
            note.append(f"   ‖ paused, {len(self._waiting):,} more", style=self.palette["warning"])
        elif self._view.is_at_end:
            note.append("   following", style=quiet)
        else:
            note.append("   f follows", style=quiet)
        note.append(f"   {chosen.source or 'all workers'}", style=accent if chosen.source else quiet)
        level = f"{LEVELS[chosen.least_level]} and above" if chosen.least_level else "all levels"
        note.append(f"   {level}", style=accent if chosen.least_level else quiet)
        if chosen.words:
            note.append(f"   /{chosen.words}", style=accent)
        self.query_one("#log-note", FixedText).show(note)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing where there is no log; in the bar of words, its key is a character like the others."""
        if action in LOG_ACTIONS and not (self.is_mounted and self.query_one("#dev-body").display):
            return False
        if action == "search" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_search(self) -> None:
        """Show only the lines that have some words."""
        self.query_one(WordsBar).open()

    def show_words(self, words: str) -> None:
        """Show only the lines that have these words."""
        if words != self._filter.words:
            self._filter.words = words
            self._show_all()

    def action_leave(self) -> None:
        """Show all lines again, or let the log go on."""
        bar = self.query_one(WordsBar)
        if bar.display:
            bar.show_all()
        elif self._is_paused:
            self.action_pause()

    def action_follow(self) -> None:
        """Go to the newest line, and stay there."""
        if self._is_paused:
            self.action_pause()
        self._view.action_move_to_end(True)
        self._show_note()

    def action_pause(self) -> None:
        """Let the log stand still, or go on with what came meanwhile."""
        self._is_paused = not self._is_paused
        if not self._is_paused:
            waiting, self._waiting = self._waiting, []
            self._view.grow_lines(waiting)
        self._show_note()

    def action_next_worker(self) -> None:
        """Show the lines of the next worker alone, and after the last those of all."""
        choices = ["", *self._log.sources]
        place = choices.index(self._filter.source) if self._filter.source in choices else 0
        self._filter.source = choices[(place + 1) % len(choices)]
        self._show_all()

    def action_next_level(self) -> None:
        """Show the lines from the next level on."""
        self._filter.least_level = (self._filter.least_level + 1) % len(LEVELS)
        self._show_all()

    def action_copy(self) -> None:
        """Copy the lines that are shown."""
        self.app.copy_to_clipboard("\n".join(f"{line.source}\t{line.text}" for line in self._view.lines))
        self.notify(f"copied {len(self._view.lines):,} lines")


def _mismatch_key(source: str, run: BrokenRun) -> tuple[str, str, int | None]:
    return source, run.run_id, getattr(run, "event_id", None)
