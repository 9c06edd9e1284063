"""The journal of `dx dev` as a state: the server and the workers as they are now, the reloads, what dx has said."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from durable_cli.dev import host_events
from durable_cli.dev.host_events import Checked, LoadFailed
from durable_cli.tui.dev.rows import BrokenRun, DevEvent, Member, Notice, Outcome, Phase, Reload, Severity, StoryLine
from durable_cli.tui.dev.words import say_check, say_count, say_files, say_run, say_seconds, say_unchecked

__all__ = ["HANDLERS", "OLD_GOES_ON", "DevBook"]

KEPT_RELOADS = 500
KEPT_STORY = 1000
OLD_GOES_ON = "the old worker goes on"
ENDED = (Outcome.SERVING, Outcome.HELD, Outcome.FAILED, Outcome.CRASHED, Outcome.REPLACED, Outcome.CHECKED)
LEVELS = {"info": ("·", "quiet"), "warn": ("▲", "warning"), "error": ("✗", "error")}


class DevBook:
    """Everything that is known of one `dx dev`, by its journal.

    Attributes:
        pid: of dx itself; 0 while no journal was read.
        namespaces: of the workers, by their names.
        is_running: whether that process is there.
        told: how many lines of the story there were, with those that are no longer kept.
    """

    def __init__(self) -> None:
        self.pid = 0
        self.since = ""
        self.namespaces: dict[str, str] = {}
        self.is_running = False
        self.members: dict[str, Member] = {}
        self.reloads: deque[Reload] = deque(maxlen=KEPT_RELOADS)
        self.story: deque[StoryLine] = deque(maxlen=KEPT_STORY)
        self.told = 0
        self._numbers = 0
        self._told_until_ns = 0
        self._notices: list[Notice] = []
        self._is_catching_up = False

    @property
    def workers(self) -> Sequence[Member]:
        """The workers, in the order of their file."""
        return [member for member in self.members.values() if member.name not in ("dx", "server")]

    @property
    def address(self) -> str:
        """Where the server listens that dx works with."""
        return next((member.address for member in self.members.values() if member.address), "")

    @property
    def broken(self) -> Sequence[tuple[str, BrokenRun]]:
        """The runs that the code as it is now does not repeat, each with its worker."""
        members = self.members.values() if self.is_running else ()
        return [(member.name, run) for member in members for run in member.broken]

    @property
    def asking(self) -> Member | None:
        """The first worker that waits for an answer, while there is someone to take it."""
        waiting = (member for member in self.members.values() if member.question)
        return next(waiting, None) if self.is_running else None

    def story_since(self, told: int) -> Sequence[StoryLine]:
        """Return what dx has said since there were so many lines."""
        count = min(self.told - told, len(self.story))
        return list(self.story)[len(self.story) - count :] if count > 0 else ()

    def last_reload(self, source: str) -> Reload | None:
        """Return the newest reload of a worker."""
        return next((one for one in reversed(self.reloads) if one.source == source), None)

    def take(self, events: Iterable[DevEvent]) -> Sequence[Notice]:
        """Take further lines of the journal, and return what is worth a word."""
        self._notices, self._is_catching_up = [], False
        for event in events:
            handle = HANDLERS.get(event.name)
            if handle is not None:
                self._take(handle, event)
        return self._notices

    def _take(self, handle: Callable[[DevBook, Member, DevEvent], None], event: DevEvent) -> None:
        member = self.members.setdefault(event.source, Member(event.source))
        try:
            handle(self, member, event)
        except (KeyError, TypeError, ValueError):
            # Another version of dx may write other fields.
            return

    def _tell(self, event: DevEvent, sign: str, variable: str, text: str) -> None:
        if event.time_ns <= self._told_until_ns:
            return  # the journal was shortened, and begins anew with what was told already
        self._told_until_ns = event.time_ns
        self.story.append(StoryLine(event.time_ns, event.source, sign, variable, text))
        self.told += 1

    def _notice(
        self, event: DevEvent, text: str, severity: Severity = "information", *, is_mismatch: bool = False
    ) -> None:
        if not self._is_catching_up:
            self._notices.append(Notice(event.source, text, severity, is_mismatch))

    # Reloads

    def _open_reload(self, event: DevEvent, kind: str, files: Sequence[str] = ()) -> Reload:
        before = self.last_reload(event.source)
        if before is not None and before.outcome not in ENDED:
            before.outcome = Outcome.REPLACED
        self._numbers += 1
        reload = Reload(self._numbers, event.source, event.time_ns, kind, files)
        self.reloads.append(reload)
        return reload

    def _reload(self, event: DevEvent, kind: str = "start") -> Reload:
        """Return the reload that is under way; what dx does without one is a new one."""
        last = self.last_reload(event.source)
        return last if last is not None and last.outcome not in ENDED else self._open_reload(event, kind)

    def _end_reload(self, event: DevEvent, outcome: Outcome, words: str) -> Reload:
        reload = self._reload(event)
        reload.outcome, reload.words = outcome, words
        return reload

    # Events

    def _begun(self, member: Member, event: DevEvent) -> None:
        # Whatever was there before belongs to another file; and what this one has already is no news.
        self.pid, self.since = int(event.fields["pid"]), str(event.fields["since"])
        self.namespaces = dict(event.fields["workers"])
        self.members = {name: Member(name) for name in self.namespaces}
        self.reloads.clear()
        self._is_catching_up = True

    def _note(self, member: Member, event: DevEvent) -> None:
        self._tell(event, *LEVELS[event.fields["level"]], event.fields["text"])

    def _starting(self, member: Member, event: DevEvent) -> None:
        member.phase, member.words = Phase.STARTING, ""
        member.question, member.choices = "", ()
        if member.name != "server":
            self._open_reload(event, "start")
        self._tell(event, "◌", "quiet", "starting")

    def _server_ready(self, member: Member, event: DevEvent) -> None:
        member.phase, member.words = Phase.SERVING, ""
        member.address, member.ui_port = event.fields["address"], event.fields.get("ui_port") or 0
        member.served_since_ns = event.time_ns
        self._tell(event, "●", "success", f"ready at {member.address}")

    def _setting_up(self, member: Member, event: DevEvent) -> None:
        member.words = f"setting up: {event.fields['command']}"
        self._tell(event, "◌", "quiet", member.words)

    def _building(self, member: Member, event: DevEvent) -> None:
        member.words = f"building: {event.fields['command']}"
        self._tell(event, "◌", "quiet", member.words)

    def _changed(self, member: Member, event: DevEvent) -> None:
        files = event.fields["files"]
        member.phase, member.words = Phase.RELOADING, say_files(files)
        member.question, member.choices = "", ()
        self._open_reload(event, "save", files)
        self._tell(event, "↻", "accent", f"{say_files(files)} saved")

    def _build_failed(self, member: Member, event: DevEvent) -> None:
        words = f"`{event.fields['command']}` failed with exit code {event.fields['exit_code']}"
        self._fail(member, event, words)

    def _load_failed(self, member: Member, event: DevEvent) -> None:
        problem = host_events.parse({**event.fields["problem"], "event": "load_failed"})
        assert isinstance(problem, LoadFailed)
        words = f"{problem.error}: {problem.message}" if problem.message else problem.error
        self._fail(member, event, words).problem = problem

    def _fail(self, member: Member, event: DevEvent, words: str) -> Reload:
        member.phase, member.words = Phase.FAILED, words
        if not event.fields["old_goes_on"]:
            member.served_since_ns = 0
        self._tell(event, "✗", "error", words)
        self._notice(event, words, "error")
        return self._end_reload(event, Outcome.FAILED, words)

    def _checked(self, member: Member, event: DevEvent) -> None:
        checked = host_events.parse({**event.fields, "event": "checked"})
        assert isinstance(checked, Checked)
        was_broken = bool(member.broken)
        member.broken = [*checked.mismatches, *checked.failures]
        reload = self._reload(event, "check")
        reload.checked = checked
        reload.load_seconds = max(0.0, (event.time_ns - reload.time_ns) / 1e9 - checked.seconds)
        if reload.kind == "check":
            reload.outcome, reload.load_seconds = Outcome.CHECKED, None
        else:
            member.phase, member.words = Phase.CHECKED, say_check(checked)
        sign, variable = ("✗", "error") if member.broken else ("✓", "success")
        if not member.broken and say_unchecked(checked):
            sign, variable = "▲", "warning"
        self._tell(event, sign, variable, f"replay: {say_check(checked)}")
        if member.broken:
            more = len(member.broken) - 1
            text = say_run(member.broken[0]) + (f", and {say_count(more, 'more run')}" if more else "")
            self._notice(event, text, "warning", is_mismatch=True)
        elif was_broken:
            self._notice(event, "the runs repeat their history again")

    def _check_failed(self, member: Member, event: DevEvent) -> None:
        words = f"the replay check could not be done: {event.fields['message']}"
        member.phase, member.words = Phase.FAILED, words
        self._end_reload(event, Outcome.FAILED, words)
        self._tell(event, "▲", "warning", words)
        self._notice(event, words, "warning")

    def _held(self, member: Member, event: DevEvent) -> None:
        is_asked = event.fields["is_asked"]
        member.phase = Phase.ASKING if is_asked else Phase.HELD
        member.words = OLD_GOES_ON if event.fields["old_goes_on"] else "no worker runs"
        member.question, member.choices = event.fields.get("question", ""), event.fields.get("choices", ())
        if not event.fields["old_goes_on"]:
            member.served_since_ns = 0
        self._end_reload(event, Outcome.ASKING if is_asked else Outcome.HELD, member.words)
        what = "waits for you" if is_asked else "is not served"
        self._tell(event, "▲", "warning", f"the new code {what}; {member.words}")

    def _ready(self, member: Member, event: DevEvent) -> None:
        member.phase, member.words = Phase.SERVING, ""
        member.question, member.choices, member.broken = "", (), ()
        member.served_since_ns = event.time_ns
        member.generation += 1
        member.pid, member.task_queue = event.fields.get("pid", 0), event.fields["task_queue"]
        if event.fields["workflows"] or event.fields["activities"]:
            member.workflows, member.activities = len(event.fields["workflows"]), len(event.fields["activities"])
        seconds = float(event.fields["seconds"])
        reload = self._end_reload(event, Outcome.SERVING, "")
        reload.seconds = seconds
        is_new_code = event.fields["is_new_code"]
        words = f"serving the new code after {say_seconds(seconds)}" if is_new_code else "serving"
        self._tell(event, "●", "success", words)
        if is_new_code:
            unchecked = say_unchecked(reload.checked) if reload.checked else ""
            self._notice(event, f"reloaded in {say_seconds(seconds)}" + (f"; {unchecked}" if unchecked else ""))
        elif member.generation > 1:
            self._notice(event, "serves again")

    def _drained(self, member: Member, event: DevEvent) -> None:
        seconds, is_clean = float(event.fields["seconds"]), event.fields["is_clean"]
        last = self.last_reload(event.source)
        if last is not None:
            last.drained_seconds = seconds
        words = "the old worker has drained in" if is_clean else "the old worker was ended after"
        self._tell(
            event, "·" if is_clean else "▲", "quiet" if is_clean else "warning", f"{words} {say_seconds(seconds)}"
        )

    def _crashed(self, member: Member, event: DevEvent) -> None:
        code = event.fields["exit_code"]
        words = f"killed by signal {-code}" if code < 0 else f"crashed with exit code {code}"
        if event.fields["message"]:
            words += f": {event.fields['message']}"
        last = self.last_reload(event.source)
        # What crashes while it serves leaves a reload alone that is under way.
        if last is not None and last.outcome == Outcome.RUNNING and not member.served_since_ns:
            self._end_reload(event, Outcome.CRASHED, words)
        member.phase, member.words, member.served_since_ns = Phase.CRASHED, words, 0
        self._tell(event, "✗", "error", words)
        self._notice(event, words, "error")

    def _stopping(self, member: Member, event: DevEvent) -> None:
        member.phase, member.words = Phase.STOPPING, ""
        self._tell(event, "◌", "quiet", "stopping")

    def _stopped(self, member: Member, event: DevEvent) -> None:
        member.phase, member.words, member.served_since_ns = Phase.STOPPED, "", 0
        member.question, member.choices = "", ()
        self._tell(event, "■", "quiet", "stopped")


HANDLERS: Mapping[str, Callable[[DevBook, Member, DevEvent], None]] = {
    "begun": DevBook._begun,
    "note": DevBook._note,
    "starting": DevBook._starting,
    "server_ready": DevBook._server_ready,
    "setting_up": DevBook._setting_up,
    "changed": DevBook._changed,
    "building": DevBook._building,
    "build_failed": DevBook._build_failed,
    "load_failed": DevBook._load_failed,
    "checked": DevBook._checked,
    "check_failed": DevBook._check_failed,
    "held": DevBook._held,
    "ready": DevBook._ready,
    "drained": DevBook._drained,
    "crashed": DevBook._crashed,
    "stopping": DevBook._stopping,
    "stopped": DevBook._stopped,
}
"""What each event of the journal does."""
