"""Move the clock of a local server: asked, confirmed, done, said. A clock never goes back, so there is no undo."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from durable_cli.tui.dialogs.asking import hold_keys
from durable_cli.tui.dialogs.confirm import ConfirmDialog
from durable_cli.tui.dialogs.form import Field, FormDialog
from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.feed.clock import (
    jump_when_idle,
    pause_clock,
    read_clock,
    resume_clock,
    skip_time,
    skip_to_next,
)
from durable_cli.tui.server_clock import ServerClock
from durable_cli.tui.times import short_span

if TYPE_CHECKING:
    from durable_cli.tui.screens.base import BrowserScreen, Change

__all__ = ["Move", "list_moves", "move_clock"]

SILENT_SECONDS = 1.0
NO_WAY_BACK = "What is due on the way happens at its time. The clock never goes back: there is no undo."


class Move(NamedTuple):
    """A way to move the clock."""

    name: str
    words: str


def list_moves(clock: ServerClock, *, is_skipping: bool = False) -> list[Move]:
    """Return what can be done to a clock now; while it skips time, that can be given up."""
    moves = [Move("skip", "skip a time…")]
    if is_skipping:
        waits = f", which waits for {clock.work_words}" if clock.work_words else ""
        moves.insert(0, Move("give up", f"give up the skip{waits}"))
    if clock.next_time_ns > clock.time_ns:
        left = short_span(clock.next_time_ns - clock.time_ns)
        moves.append(Move("next", f"skip {left} to what is due next: {clock.next_words}"))
    if clock.mode == "paused":
        moves.append(Move("resume", "let it go on"))
    else:
        moves.append(Move("pause", "let it stand: no timer, retry or timeout falls due"))
    if clock.mode == "auto":
        moves.append(Move("resume", "end the jumps: let it go on at its pace"))
    else:
        moves.append(Move("auto", "let it jump to what is due next, whenever nothing is in flight"))
    return moves


async def move_clock(screen: BrowserScreen) -> None:
    """Ask how the clock shall be moved, and move it."""
    if not screen.browser.is_reachable():
        return
    clock = await hold_keys(screen.app, read_clock(screen.browser.link))
    if clock is None:
        hint = "a local server of dx has one: `dx server start-dev` starts it"
        screen.notify(hint, title="this server has no clock of its own to move", severity="warning")
        return
    moves = list_moves(clock, is_skipping=screen.browser.skip is not None)
    title = f"The server's clock   {clock.now_words}"
    chosen = await screen.app.push_screen_wait(PickDialog(title, [(move.name, move.words) for move in moves]))
    if chosen is not None:
        await ASKED[chosen](screen, clock)
        screen.browser.follow_clock()


async def _skip(screen: BrowserScreen, clock: ServerClock) -> None:
    from durable_cli.parameters import parse_duration

    fields = (Field("duration", "how long", placeholder="30s, 5m, 1h30m, 7d", required=True, check=_find_problem),)
    values = await screen.app.push_screen_wait(FormDialog("Skip time", fields, verb="Skip", note=NO_WAY_BACK))
    if values is not None:
        duration = parse_duration(values["duration"])
        await _do_patiently(screen, lambda link: skip_time(link, duration))


def _find_problem(text: str) -> str:
    from datetime import timedelta

    from durable_cli.parameters import parse_duration

    try:
        return "" if parse_duration(text) > timedelta() else "the clock moves forward only"
    except (ValueError, OverflowError):
        return "write it with its unit, such as 30s, 5m, 1h30m or 7d"


async def _skip_to_next(screen: BrowserScreen, clock: ServerClock) -> None:
    left = short_span(clock.next_time_ns - clock.time_ns)
    question = f"Skip {left}, to {clock.next_words}?"
    if await screen.app.push_screen_wait(ConfirmDialog(question, NO_WAY_BACK, verb="Skip")):
        await _do_patiently(screen, skip_to_next)


async def _pause(screen: BrowserScreen, clock: ServerClock) -> None:
    await screen.do(pause_clock, undo=resume_clock)


async def _resume(screen: BrowserScreen, clock: ServerClock) -> None:
    await screen.do(resume_clock)


async def _jump(screen: BrowserScreen, clock: ServerClock) -> None:
    question = "Let the clock jump whenever nothing is in flight?"
    detail = f"Workflows that wait go through their days at once. {NO_WAY_BACK}"
    if await screen.app.push_screen_wait(ConfirmDialog(question, detail, verb="Jump")):
        await screen.do(jump_when_idle)


async def _give_up(screen: BrowserScreen, clock: ServerClock) -> None:
    if screen.browser.skip is not None:
        screen.browser.skip.cancel()


ASKED: dict[str, Callable[[BrowserScreen, ServerClock], Awaitable[None]]] = {
    "give up": _give_up,
    "skip": _skip,
    "next": _skip_to_next,
    "pause": _pause,
    "resume": _resume,
    "auto": _jump,
}


async def _do_patiently(screen: BrowserScreen, change: Change) -> None:
    """Skip; when that takes long, say what it waits for, and let it be given up."""
    browser = screen.browser
    doing = asyncio.ensure_future(screen.do(change))
    try:
        await asyncio.wait((doing,), timeout=SILENT_SECONDS)
        if not doing.done():
            browser.show_skip(doing)
            clock = await read_clock(browser.link)
            waits = f"it waits for {clock.work_words}; " if clock is not None and clock.work_words else ""
            screen.notify(f"{waits}T gives it up", title="the clock is skipping time")
        await asyncio.wait((doing,))
    finally:
        browser.show_skip(None)
        doing.cancel()  # nothing is left to do, or whoever asked for it has gone
    if doing.cancelled():
        screen.notify("the skip was given up; what was skipped before stays so")
    else:
        doing.result()  # what failed that should not have is heard of
