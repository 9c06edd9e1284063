"""What can be done to the run under the cursor alone: started again, asked, updated, paused, reset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on, work
from textual.binding import ActiveBinding, Binding, BindingType

from durable_cli.errors import CliError
from durable_cli.tui.dialogs.asking import hold_keys
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.feed.actions import pause_workflow, unpause_workflow
from durable_cli.tui.feed.link import Link
from durable_cli.tui.history.reset_points import ResetPoint
from durable_cli.tui.screens.base import CHANGE_PREFIX, BrowserScreen
from durable_cli.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from durable_cli.tui.feed.actions_start import Model

__all__ = ["OneRunActionsScreen", "TargetRun"]

RUNNING, PAUSED = 1, 8
"""Statuses by number."""
ARGUMENTS = "arguments (JSON; several with commas between)"


class TargetRun(NamedTuple):
    """The run to act on; a status of 0 is not known yet."""

    workflow_id: str
    run_id: str
    status: int

    @property
    def is_over(self) -> bool:
        """Whether it is known to be closed."""
        return self.status not in (0, RUNNING, PAUSED)


ACTIVITY_ACTIONS = frozenset(
    {
        *("change_complete_activity", "change_fail_activity", "change_pause_activity"),
        *("change_reset_activity", "change_activity_options"),
    }
)
# What nothing is left to be done by when the run is over; their keys say so.
ONLY_OF_OPEN_RUNS = ACTIVITY_ACTIONS | {
    *("change_signal", "change_cancel", "change_terminate", "change_update", "change_pause")
}
# What every screen offers, and the menu itself.
NOT_OF_A_RUN = frozenset({"change_by_menu", "change_time", "change_undo"})


class OneRunActionsScreen(BrowserScreen):
    """A screen with a run under its cursor."""

    RUN_ACTIONS: ClassVar[frozenset[str]] = frozenset(
        {*("change_by_menu", "change_start_like", "change_update", "change_pause", "change_reset"), "query"}
    )
    """What takes the run under the cursor, and is not offered where there is none."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("full_stop", "change_by_menu", "Actions", key_display="."),
        Binding("S", "change_start_like", "Start like this one", show=False),
        Binding("U", "change_update", "Update", show=False),
        Binding("Q", "query", "Query", show=False),
        Binding("p", "change_pause", "Pause or unpause the workflow", show=False),
        Binding("R", "change_reset", "Reset / fork from here", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._acts_on_closed_run = False

    def target_run(self) -> TargetRun | None:
        """Return the run under the cursor."""
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing for a run where there is none."""
        if action in self.RUN_ACTIONS and self.lacks(self.target_run):
            return False
        return super().check_action(action, parameters)

    def acts_on_closed_run(self) -> bool:
        """Whether what is acted on is one run that is known to be closed."""
        target = self.target_run()
        return target is not None and target.is_over

    @on(VirtualTable.CursorMoved)
    def offer_what_it_takes(self) -> None:
        """Offer by the keys at the foot what the run under the cursor takes."""
        if self._acts_on_closed_run != self.acts_on_closed_run():
            self._acts_on_closed_run = not self._acts_on_closed_run
            self.refresh_bindings()

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """What keys and menus offer here: of a run that is closed, nothing that only an open one takes."""
        active = super().active_bindings
        if not self.acts_on_closed_run():
            return active
        return {key: each for key, each in active.items() if each.binding.action not in ONLY_OF_OPEN_RUNS}

    def says_over(self, target: TargetRun, verb: str) -> bool:
        """Say that a run is closed, where it is known to be, before anything is typed for it."""
        if target.is_over:
            self.notify(f"{target.workflow_id} is over: there is nothing to {verb}", severity="warning")
        return target.is_over

    def seen_names(self, kind: str) -> Sequence[str]:
        """Return the names of signals or updates (`kind`) that the run is known to have taken."""
        return ()

    def reset_point(self) -> ResetPoint | None:
        """Return the point nearest to what is under the cursor, where there is one."""
        return None

    def open_run(self, workflow_id: str, run_id: str, view: str = "timeline") -> None:
        """Open a run on top of this screen."""
        from durable_cli.tui.screens.workflow import WorkflowScreen

        self.app.push_screen(WorkflowScreen(workflow_id, run_id, view))

    @work
    async def action_change_by_menu(self) -> None:
        """Choose one of all actions."""
        actions: dict[str, str] = {}
        for active in self.active_bindings.values():
            binding = active.binding
            is_change = binding.action.startswith(CHANGE_PREFIX) and binding.action not in NOT_OF_A_RUN
            if active.enabled and (is_change or binding.action == "query"):
                label = f"{self.app.get_key_display(binding):<3} {binding.description}"
                actions.setdefault(binding.action, label)
        target = self.target_run()
        title = f"What to do with {target.workflow_id}" if target else "What to do"
        chosen = await self.app.push_screen_wait(PickDialog(title, list(actions.items())))
        if chosen:
            await self.run_action(chosen)

    # Starting

    @work
    async def action_change_start_like(self) -> None:
        """Start another workflow like this one."""
        target = self.target_run()
        await self.ask_and_start(target)

    async def ask_and_start(self, like: TargetRun | None) -> None:
        """Ask what is to be started, as `like` was or from nothing; start it and open its run."""
        from durable_cli.tui.feed.actions_start import Model, StartedRun, read_model, start_workflow

        model = Model()
        if like is not None:
            try:
                model = await hold_keys(self.app, read_model(self.browser.link, like.workflow_id, like.run_id))
            except CliError as error:
                self.notify(error.hint, title=error.message, severity="error")
                return
        started: list[StartedRun] = []

        async def start(values: Mapping[str, str], link: Link) -> str:
            run = await start_workflow(link, model, values)
            started.append(run)
            return f"started {run.workflow_id}" if run.is_new else f"{run.workflow_id} was running already"

        draft = self.draft("start", *(like[:2] if like else ()))
        if await self.fill_in(_start_form(model, draft, like), lambda values: partial(start, values)):
            self.open_run(started[0].workflow_id, started[0].run_id)

    # Telling and asking

    @contextmanager
    def suggesting_names(self, dialog: FormDialog, target: TargetRun | None, kind: str) -> Iterator[None]:
        """While a form is open whose field `name` is a signal or an update, suggest those that the code takes."""

        async def learn(target: TargetRun) -> None:
            from durable_cli.tui.feed.queries import METADATA_QUERY, ask_query

            try:
                answer = await ask_query(self.browser.link, target.workflow_id, target.run_id, METADATA_QUERY, "")
            except CliError:
                return  # no worker, or code that can't be asked: what the history has seen is suggested all the same
            dialog.add_suggestions("name", [each.name for each in getattr(answer, kind)])

        if target is not None and target.status in (0, RUNNING):
            self.run_worker(learn(target), group="handlers", exclusive=True)
        try:
            yield
        finally:
            self.workers.cancel_group(self, "handlers")

    @work
    async def action_change_update(self) -> None:
        """Send an update, and show what comes of it."""
        target = self.target_run()
        if target is None or self.says_over(target, "update"):
            return
        waits = {"until it is over": True, "until it is accepted": False}
        fields = (
            Field("name", "update", required=True, suggestions=self.seen_names("updates")),
            Field("arguments", ARGUMENTS, is_arguments=True),
            Field("wait", "wait", choices=list(waits)),
        )
        draft, problem = self.draft("update", *target[:2]), ""
        while True:
            dialog = FormDialog(f"Update {target.workflow_id}", fields, verb="Send", draft=draft, problem=problem)
            with self.suggesting_names(dialog, target, "updates"):
                values = await self.app.push_screen_wait(dialog)
            if not values:
                return
            from durable_cli.tui.dialogs.answer import AnswerDialog
            from durable_cli.tui.feed.actions_update import UpdateOrder, send_update

            order = UpdateOrder(*target[:2], values["name"], values["arguments"], waits[values["wait"]])
            answer = AnswerDialog(
                f"Update {order.name} of {order.workflow_id}",
                partial(send_update, self.browser.link, order),
                leaving="esc waits no longer; the update that was sent stays sent",
            )
            problem = await self.app.push_screen_wait(answer) or ""
            self.restart_watches()
            if not problem:
                return
            draft.update(values)  # nothing has happened: what was typed can be put right

    async def action_query(self) -> None:
        """Show what the code can be asked, and ask it."""
        target = self.target_run()
        if target is not None:
            self.open_run(target.workflow_id, target.run_id, "queries")

    # Pausing and resetting

    @work
    async def action_change_pause(self) -> None:
        """Let the run rest, or let it go on."""
        target = self.target_run()
        if target is None or self.says_over(target, "pause"):
            return
        workflow_id, run_id, status = target
        is_paused = status == PAUSED
        verb = "Unpause" if is_paused else "Pause"
        note = "" if is_paused else "Its workers get no tasks of it until it is unpaused; signals and timers wait."
        draft = self.draft(verb, workflow_id, run_id)
        form = FormDialog(f"{verb} {workflow_id}", (Field("reason", "reason"),), verb=verb, note=note, draft=draft)
        change, back = (unpause_workflow, pause_workflow) if is_paused else (pause_workflow, unpause_workflow)
        await self.fill_in(
            form,
            lambda values: lambda link: change(link, workflow_id, run_id, values["reason"]),
            undo=lambda _: lambda link: back(link, workflow_id, run_id, "taken back"),
            needs="pausing of workflows",
        )

    @work
    async def action_change_reset(self) -> None:
        """Go on anew from an earlier point, as another run."""
        target = self.target_run()
        if target is None:
            return
        from durable_cli.tui.feed.actions_reset import POINT_TYPES, REAPPLIED, ResetOrder, reset_workflow

        point = self.reset_point()
        words = [point.words] if point else []
        fields = (
            Field("point", "go on from", choices=[*words, *POINT_TYPES]),
            Field("reapplied", "signals and updates that came after it", choices=list(REAPPLIED)),
            Field("reason", "reason", placeholder="from dx tui"),
        )
        title = f"Reset {target.workflow_id}, or fork it, from an event"
        ends = "A run of it that is open" if target.is_over else "This run"
        note = f"A new run keeps what was before that event, and does it and the rest anew. {ends} is terminated."
        new_run_ids: list[str] = []

        async def reset(values: Mapping[str, str], link: Link) -> str:
            event_id = point.event_id if point and values["point"] == point.words else 0
            reason = values["reason"] or "from dx tui"
            order = ResetOrder(*target[:2], event_id, values["point"], values["reapplied"], reason)
            run_id, event_id = await reset_workflow(link, order)
            new_run_ids.append(run_id)
            return f"{order.workflow_id} goes on from event {event_id} as run {run_id}"

        draft = self.draft("reset", *target[:2])
        form = FormDialog(title, fields, verb="Reset", note=note, draft=draft)
        if await self.fill_in(form, lambda values: partial(reset, values)):
            self.open_run(target.workflow_id, new_run_ids[0])


def _start_form(model: Model, draft: dict[str, str], like: TargetRun | None) -> FormDialog:
    """Make the form of a start."""
    from durable_cli.tui.feed.actions_start import CONFLICTS, REUSES
    from durable_cli.tui.field_checks import check_duration

    fields = [
        Field("workflow_type", "workflow type", model.workflow_type, required=True),
        Field("task_queue", "task queue", model.task_queue, required=True),
        Field("workflow_id", "workflow id", model.workflow_id, required=True),
        Field("arguments", ARGUMENTS, model.arguments or "", is_arguments=True),
        Field("execution_timeout", "time limit of all runs", model.execution_timeout, "none", check=check_duration),
        Field("run_timeout", "time limit of one run", model.run_timeout, "none", check=check_duration),
        Field("conflict", "when a run with this id is open", choices=list(CONFLICTS)),
        Field("reuse", "when a run with this id is closed", choices=list(REUSES)),
    ]
    if model.arguments is None:
        del fields[3]
    if model.cron_schedule:
        fields.append(Field("cron_schedule", "cron schedule", model.cron_schedule))
    notes = [f"Its arguments: {model.argument_note}."] if model.argument_note else []
    notes += [f"It takes over: {', '.join(model.also)}."] if model.also else []
    title = f"Start a workflow like {like.workflow_id}" if like else "Start a workflow"
    return FormDialog(title, fields, verb="Start", note=" ".join(notes), draft=draft)
