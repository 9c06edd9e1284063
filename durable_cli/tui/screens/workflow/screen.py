"""The screen of one workflow: it follows the run, and shows one of its views."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.worker import Worker

from durable_cli.errors import CliError
from durable_cli.tui.actions.activity import ActivityActionsScreen
from durable_cli.tui.actions.one_run import TargetRun
from durable_cli.tui.feed.run import STREAM_EVENTS, HistoryWatch, load_history, watch_run
from durable_cli.tui.history.groups import Group
from durable_cli.tui.history.kinds import Kind
from durable_cli.tui.history.pending import list_pending
from durable_cli.tui.history.reset_points import ResetPoint, find_reset_point
from durable_cli.tui.history.run_book import RunBook
from durable_cli.tui.messages import CodecChanged, Connection, ConnectionChanged, HistoryGrew, HistoryRead, RunDescribed
from durable_cli.tui.screens.base import WATCHES, Watch
from durable_cli.tui.screens.workflow.header import RunHeader
from durable_cli.tui.screens.workflow.run_view import RunView
from durable_cli.tui.times import now_ns
from durable_cli.tui.widgets.key_bar import KeyBar
from durable_cli.tui.widgets.tab_strip import Tab, TabStrip
from durable_cli.tui.widgets.top_bar import TopBar
from durable_cli.tui.widgets.trouble_note import TroubleNote

if TYPE_CHECKING:
    from durable_cli.tui.feed.history_file import FileWatch

__all__ = ["WorkflowScreen"]

TABS = (
    Tab("timeline", "1", "Timeline", "Timeline"),
    Tab("history", "2", "History", "History"),
    Tab("values", "3", "Input & result", "Result"),
    Tab("pending", "4", "Pending", "Pending"),
    Tab("relations", "5", "Relations", "Related"),
    Tab("queries", "6", "Queries", "Queries"),
    Tab("difference", "7", "Diff", "Diff"),
    Tab("travel", "8", "Time travel", "Travel"),
)
# Module and class of each view; one is imported when it is first looked at.
VIEWS = {
    "timeline": ("timeline", "TimelineView"),
    "history": ("history", "HistoryView"),
    "values": ("values", "ValuesView"),
    "pending": ("pending", "PendingView"),
    "relations": ("relations", "RelationsView"),
    "queries": ("queries", "QueriesView"),
    "difference": ("difference", "DifferenceView"),
    "travel": ("travel", "TravelView"),
}
# What a run can be told, by the names that its metadata has for it.
NAMED_KINDS = {"signals": Kind.SIGNAL, "updates": Kind.UPDATE}
TICK_SECONDS = 1.0
"""So often durations go on, and what comes in a stream is shown."""
UNATTENDED_SECONDS = 3.0
"""So often while a stream comes and nobody has touched the browser for a while."""
SHORT_HEIGHT = 30
"""Below so many lines there is no room for empty ones."""


class WorkflowScreen(ActivityActionsScreen):
    """One run; without a run id, the latest one of the workflow."""

    HAS_PLACE_KEYS = False
    HAS_PAYLOADS = True
    BINDING_GROUP_TITLE = "This workflow"
    RUN_ACTIONS = ActivityActionsScreen.RUN_ACTIONS | {"open_related", "travel"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        # At once, before the next key is looked up: it is one of that view.
        *(Binding(tab.key, f"show_view('{tab.name}')", tab.title, show=False, priority=True) for tab in TABS),
        Binding("I", "copy_ids", "Copy its ids", show=False),
        Binding("o", "open_related", "Open its run", show=False),
        Binding(
            "left_square_bracket,right_square_bracket", "travel", "Travel from here", key_display="[ ]", show=False
        ),
    ]
    DEFAULT_CSS = "WorkflowScreen #views { height: 1fr; }"

    def __init__(self, workflow_id: str, run_id: str, view: str = "timeline") -> None:
        super().__init__()
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.book = RunBook()
        self._history_watch: HistoryWatch | FileWatch | None = None
        # What has come and is not shown yet.
        self._changed: set[Group] = set()
        self._has_events = self._has_summary = self._is_stream = False
        self._new_events = 0
        self._shown_time = 0.0
        self._decodings = 0
        self._views: dict[str, RunView] = {}
        self._shown = view

    def compose(self) -> ComposeResult:
        yield TopBar(self.workflow_id)
        yield RunHeader()
        yield TabStrip(TABS)
        yield TroubleNote(id="trouble")
        yield from self.compose_body()
        yield KeyBar()

    def compose_body(self) -> ComposeResult:
        """Make what holds the views."""
        yield Container(id="views")

    def on_mount(self) -> None:
        self._decodings = self.browser.decodings
        self.set_interval(TICK_SECONDS, self._tick)
        self.call_after_refresh(self._show_first_view)

    # Following the run

    def make_watches(self) -> Iterable[Watch]:
        yield partial(watch_run, self.browser.link, self.workflow_id, self.run_id, self.post_message)
        if self._history_watch is not None:
            yield self._history_watch.run

    def on_run_described(self, message: RunDescribed) -> None:
        before = self.book.summary
        if message.summary == before:
            return
        self.book.take_summary(message.summary)
        self.run_id = message.summary.row.run_id
        if self._history_watch is None and not self.is_left:
            # Only now is the run known, where it was asked for without its id.
            self._history_watch = HistoryWatch(
                self.browser.link, self.workflow_id, self.run_id, self.post_message, lambda: self.pace
            )
            _: Worker[None] = self.run_worker(self._history_watch.run, group=WATCHES)
        self._has_summary = True
        if before is None:
            self.browser.show_address()
        if before is None or before.row.status != message.summary.row.status:
            self.offer_what_it_takes()
            self._show_news()

    def on_history_grew(self, message: HistoryGrew) -> None:
        self._changed.update(self.book.take_events(message.events, message.steps, now_ns()))
        self._has_events = True
        self._new_events += len(message.events)
        # What comes alone is seen at once; what comes in a stream waits for the next tick.
        if monotonic() - self._shown_time > self.pace or not self.book.is_open:
            self._show_news()

    def on_history_read(self, message: HistoryRead) -> None:
        self._has_events = True
        self._show_news()

    def _show_news(self) -> None:
        """Show what has come since it was done last."""
        if self.is_left:
            return
        self._shown_time = monotonic()
        changed, has_events, has_summary = self._changed, self._has_events, self._has_summary
        self._changed, self._has_events, self._has_summary = set(), False, False
        self._is_stream, self._new_events = self._new_events > STREAM_EVENTS, 0
        self._show_header()
        if self.view is None:
            return
        if has_events:
            self.view.show_events(changed)
        if has_summary:
            self.view.show_summary()
        elif not has_events:
            self.view.tick()

    @property
    def pace(self) -> float:
        """The seconds from one look at what has come to the next."""
        return UNATTENDED_SECONDS if self._is_stream and self.browser.is_unattended else TICK_SECONDS

    def _tick(self) -> None:
        # Half a tick of play: a timer is never exactly on time.
        is_due = monotonic() - self._shown_time > self.pace - TICK_SECONDS / 2
        if self.is_current and is_due and (self.book.is_open or self._has_events):
            self._show_news()

    def on_resize(self) -> None:
        self.set_class(self.size.height < SHORT_HEIGHT, "-short")
        self._show_header()

    def _show_header(self) -> None:
        if self.is_left:
            return
        self.query_one(RunHeader).show_book(self.book)
        count = 0
        if self.book.is_open and self.book.history.run is not None:
            count = len([line for line in list_pending(self.book, now_ns()) if line.group is not None])
        self.query_one(TabStrip).set_badge("pending", str(count) if count else "")

    def show_theme(self) -> None:
        self._show_header()
        for view in self._views.values():
            view.show_theme()

    def show_connection(self, message: ConnectionChanged) -> None:
        super().show_connection(message)
        if message.connection is Connection.CONNECTED:
            for view in self._views.values():
                view.try_again()

    def show_codec(self, message: CodecChanged) -> None:
        super().show_codec(message)
        self._read_decoded()

    def on_screen_resume(self) -> None:
        self._read_decoded()

    def _read_decoded(self) -> None:
        """Read again what was read while the codec server was away."""
        if self._decodings != self.browser.decodings:
            self._decodings = self.browser.decodings
            self.restart_watches()
            _: Worker[None] = self.run_worker(self._load_decoded, group="decoded", exclusive=True)

    async def _load_decoded(self) -> None:
        try:
            history = await load_history(self.browser.link, self.workflow_id, self.run_id)
        except CliError:
            return  # what is wrong is said by the watches
        changed = self.book.history.take_words(history)
        self._show_header()
        for view in self._views.values():
            view.show_decoded(changed)

    # Views

    @property
    def view(self) -> RunView | None:
        """The view that is shown; None while it is being made, or the run is being left."""
        view = self._views.get(self._shown)
        return view if view is not None and view.is_mounted and view.children and not self.is_left else None

    async def _show_first_view(self) -> None:
        await self.open_view(self._shown)

    async def action_show_view(self, name: str) -> None:
        """Show another view."""
        await self.open_view(name)

    async def open_view(self, name: str) -> RunView | None:
        """Show a view, which is made where it was not looked at yet, and return it; None when the run was left.

        The last key counts: of one that comes before the screen is made, or while another view is being made, too.
        """
        self._shown = name
        if name not in self._views:
            if self.is_left or not self.query("#views"):
                return None
            module_name, class_name = VIEWS[name]
            view_class = getattr(import_module(f"durable_cli.tui.screens.workflow.{module_name}"), class_name)
            self._views[name] = cast(RunView, view_class(id=f"view-{name}"))
            self._views[name].display = False  # until the one before is hidden
            await self.query_one("#views").mount(self._views[name])
        if self.is_left or self._shown != name or not self._views[name].children:
            return None
        for each, view in self._views.items():
            view.display = each == name
        self.query_one(TabStrip).show(name)
        self.browser.show_address()
        view = self._views[name]
        view.show_run()
        if view.main_widget.display:
            self.set_focus(view.main_widget)  # at once, too
        else:
            self.set_focus(None)  # there is nothing for keys, and none of it is offered
        return view

    @on(TabStrip.Chosen)
    async def choose_tab(self, message: TabStrip.Chosen) -> None:
        """Show the view whose name was clicked."""
        await self.open_view(message.name)

    # What is selected, for the actions

    def opened_run(self) -> tuple[str, str, str]:
        return self.workflow_id, self.run_id, self._shown

    def target_runs(self) -> list[tuple[str, str]]:
        target = self.target_run()
        return [target[:2]] if target is not None else []

    def target_run(self) -> TargetRun | None:
        if self.book.summary is None and self.is_refused:
            return None
        status = self.book.summary.row.status if self.book.summary else 0
        return TargetRun(self.workflow_id, self.run_id, status)

    def seen_names(self, kind: str) -> Sequence[str]:
        groups = self.book.history.groups
        return list(dict.fromkeys(group.name for group in groups if group.kind is NAMED_KINDS[kind]))

    def reset_point(self) -> ResetPoint | None:
        history = self.book.history
        return find_reset_point(history, self.selected_event_id() or len(history.rows))

    async def action_query(self) -> None:
        """Show what the code can be asked, and ask it."""
        view = await self.open_view("queries")
        from durable_cli.tui.screens.workflow.queries import QueriesView

        if isinstance(view, QueriesView):
            view.action_ask_other()

    def selected_group(self) -> Group | None:
        """Return what is under the cursor of the view."""
        return self.view.selected_group() if self.view else None

    def selected_event_id(self) -> int | None:
        """Return the event under the cursor of the view."""
        return self.view.selected_event_id() if self.view else None

    async def show_event(self, event_id: int) -> None:
        """Show one event in the history, among all events."""
        view = await self.open_view("history")
        from durable_cli.tui.screens.workflow.history import HistoryView

        if isinstance(view, HistoryView):
            view.show_event(event_id)

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_copy_ids(self) -> None:
        """Copy the workflow id and the run id."""
        self.app.copy_to_clipboard(f"{self.workflow_id} {self.run_id}".strip())
        self.notify("copied the workflow id and the run id")

    def action_open_related(self) -> None:
        """Open the run that the group under the cursor is about."""
        group = self.selected_group()
        if group is not None and group.next_run_id:
            self.open_run(self.workflow_id, group.next_run_id)
        elif group is not None and group.workflow_id:
            self.open_run(group.workflow_id, group.run_id)
        else:
            self.notify("it is about no other run")

    async def action_travel(self) -> None:
        """Go to the moment of the event under the cursor, to step from there."""
        event_id = self.selected_event_id()
        view = await self.open_view("travel")
        from durable_cli.tui.screens.workflow.travel import TravelView

        if isinstance(view, TravelView) and event_id is not None:
            view.go_to(event_id)
