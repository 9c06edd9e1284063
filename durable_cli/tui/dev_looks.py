"""How the workers and the reloads of `dx dev` look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from durable_cli.tui.dev.book import OLD_GOES_ON
from durable_cli.tui.dev.report import say_kind
from durable_cli.tui.dev.rows import Member, Outcome, Phase, Reload
from durable_cli.tui.dev.words import say_check, say_count, say_seconds, say_unchecked, say_where
from durable_cli.tui.times import clock, rough_span, since
from durable_cli.tui.widgets.columns import Column

if TYPE_CHECKING:
    from durable_cli.tui.attachment import Attachment

__all__ = ["OUTCOMES", "PHASES", "RELOAD_COLUMNS", "draw_members", "reload_cells"]

PHASES = {
    Phase.STARTING: ("◌", "quiet"),
    Phase.SERVING: ("●", "success"),
    Phase.RELOADING: ("↻", "accent"),
    Phase.CHECKED: ("↻", "accent"),
    Phase.ASKING: ("▲", "warning"),
    Phase.HELD: ("▲", "warning"),
    Phase.FAILED: ("✗", "error"),
    Phase.CRASHED: ("✗", "error"),
    Phase.STOPPING: ("◌", "quiet"),
    Phase.STOPPED: ("■", "quiet"),
}
OUTCOMES = {
    Outcome.RUNNING: ("↻", "accent"),
    Outcome.SERVING: ("●", "success"),
    Outcome.ASKING: ("▲", "warning"),
    Outcome.HELD: ("▲", "warning"),
    Outcome.FAILED: ("✗", "error"),
    Outcome.CRASHED: ("✗", "error"),
    Outcome.REPLACED: ("·", "quiet"),
    Outcome.CHECKED: ("✓", "quiet"),
}
RELOAD_COLUMNS = (
    Column("", 1),
    Column("Time", 8),
    Column("Worker", 8, grow=1, rank=1),
    Column("Saved", 14, grow=2),
    Column("Load", 7, right=True, rank=3),
    Column("Replay", 22, grow=1),
    Column("Result", 12, grow=5),
    Column("Took", 7, right=True, rank=2),
)
MOST_MEMBERS = 8
NANOSECONDS = 1_000_000_000


def draw_members(attachment: Attachment, now: int, width: int, colors: Mapping[str, str]) -> Text:
    """Draw a line about dx itself, and one for each of its members."""
    book, quiet = attachment.book, colors["quiet"]
    text = Text.assemble((attachment.folder.name, "bold"), "  dx dev ", no_wrap=True, overflow="ellipsis")
    if book.is_running:
        text.append(f" pid {book.pid}", style=quiet)
    else:
        text.append(" has ended", style=colors["warning"])
        text.append("; what it did is below, and it goes on when dx dev is started again", style=quiet)
    if book.is_running and attachment.other_address:
        words = f"▲ {attachment.say_elsewhere()}"
        if cell_len(words) > width:
            words = words.replace("; ", ";\n  ", 1)
        text.append(f"\n{words}", style=colors["warning"])
    members = [member for member in book.members.values() if member.name != "dx"]
    members.sort(key=lambda member: member.name != "server")
    names = max((len(member.name) for member in members), default=0)
    for member in members[:MOST_MEMBERS]:
        text.append("\n").append_text(_draw_member(member, now, names, width, colors, is_running=book.is_running))
    if len(members) > MOST_MEMBERS:
        text.append(f"\nand {len(members) - MOST_MEMBERS} more", style=quiet)
    return text


def _draw_member(
    member: Member, now: int, name_width: int, width: int, colors: Mapping[str, str], *, is_running: bool
) -> Text:
    quiet = colors["quiet"]
    sign, variable = PHASES[member.phase] if is_running else ("○", "quiet")
    line = Text.assemble((f"{sign} ", colors[variable]), (f"{member.name:<{name_width}}  ", "bold"))
    if not is_running:
        line.append("not running", style=quiet)
        return line
    words = f"{member.phase.value}: {member.words}" if member.words else member.phase.value
    if member.phase == Phase.SERVING:
        line.append(words, style=colors[variable]).append(f" {_since(member.served_since_ns, now)}", style=quiet)
    else:
        line.append(words, style=colors[variable] if variable != "quiet" else "")
        if member.served_since_ns:
            old = "" if member.words == OLD_GOES_ON else "; the old code serves"
            line.append(f"{old} {_since(member.served_since_ns, now)}", style=quiet)
    for part in _facts(member):
        line.append(f"   {part}", style=quiet)
    line.truncate(width, overflow="ellipsis")
    return line


def _facts(member: Member) -> Sequence[str]:
    facts = []
    if member.address:
        facts.append(member.address)
    if member.ui_port:
        facts.append(f"web page http://localhost:{member.ui_port}")
    if member.generation > 1:
        facts.append(f"code {member.generation}")
    if member.pid and member.served_since_ns:
        facts.append(f"pid {member.pid}")
    if member.task_queue:
        facts.append(f"queue {member.task_queue}")
    if member.workflows or member.activities:
        activities = f"{member.activities} {'activity' if member.activities == 1 else 'activities'}"
        facts.append(f"{say_count(member.workflows, 'workflow')}, {activities}")
    return facts


def _since(time_ns: int, now: int) -> str:
    """Say for how long: by the second only in the beginning, so that the line stands still."""
    passed = now - time_ns
    return (
        f"for {rough_span(passed)}" if passed < 60 * NANOSECONDS else f"for {since(time_ns, now).removesuffix(' ago')}"
    )


def reload_cells(reload: Reload, colors: Mapping[str, str]) -> Sequence[Text | str]:
    """Make the cells of a reload."""
    quiet = colors["quiet"]
    sign, variable = OUTCOMES[reload.outcome]
    result = Text(reload.words or reload.outcome.value)
    if reload.broken and reload.outcome in (Outcome.ASKING, Outcome.HELD, Outcome.CHECKED):
        result = Text(say_where(reload.broken[0]), style=colors[variable])
    elif reload.outcome != Outcome.SERVING:
        result.stylize(colors[variable])
    replay = Text()
    if reload.checked is not None:
        bad = "error" if reload.broken else "warning" if say_unchecked(reload.checked) else "quiet"
        mark = {"error": "✗ ", "warning": "▲ ", "quiet": "✓ "}[bad]
        replay = Text.assemble((mark, colors["success" if bad == "quiet" else bad]), (say_check(reload.checked), quiet))
    return (
        Text(sign, style=colors[variable]),
        Text(clock(reload.time_ns)[:8], style=quiet),
        reload.source,
        say_kind(reload).removesuffix(" saved"),
        Text(say_seconds(reload.load_seconds), style=quiet) if reload.load_seconds is not None else "",
        replay,
        result,
        say_seconds(reload.seconds) if reload.seconds is not None else "",
    )
