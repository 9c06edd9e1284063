"""Play one order while the worker and the server are killed: `python demo.py`, or `make demo`.

Everything is real: a `dx` server with its history in a file, a worker process, SIGKILL for both of them, and `dx`
commands as anybody would type them. It ends with a verdict, and with exit code 1 if that is not PASS.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from demo_checks import Check, Event, LedgerLine, check_all
from demo_stage import DemoError, Stage
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

WORKFLOW_ID = "order-1001"
ORDER = {
    "order_id": "1001",
    "user_id": "user-123",
    "amount": 99_000,
    "email": "user@example.com",
    "cancel_window_seconds": 3600,
}
CANCEL_REASON = "ordered twice"

console = Console(highlight=False)


class Demo:
    """Tells the story, one scene after the other."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.events_before_crash: list[Event] = []
        self.crashes: list[tuple[datetime, str]] = []
        self._lines_told = 0

    def play(self) -> list[Check]:
        """Play every scene and return what can be said at the end."""
        self._open()
        self._lose_the_worker()
        self._lose_the_server()
        self._cancel_the_order()
        return self._look_back()

    def _open(self) -> None:
        scene("1", "A server, a worker, an order")
        command(self.stage.server_command())
        say(f"server  pid {self.stage.start_server()}, its history is kept in {self.stage.database}")
        say(f"worker  pid {self.stage.start_worker()}, a process of its own")
        self._dx("workflow", "start", "--type", "OrderWorkflow", "--task-queue", "order-processing",
                 "--workflow-id", WORKFLOW_ID, "--input", json.dumps(ORDER))  # fmt: skip
        self._follow("the worker takes the order", lambda ledger: bool(ledger))
        self._query("processing", "charging")  # a slow machine may see it one step later

    def _lose_the_worker(self) -> None:
        scene("2", "The worker dies while it charges the card")
        self._follow("until the card is being charged", _is_at("charge_payment", "started"))
        time.sleep(0.5)
        self.stage.kill_worker()
        self._crash("the worker")
        say("The call to the payment gateway is gone with it. The order is not: it lives in the server.")
        say(f"worker  pid {self.stage.start_worker()} takes over")
        self._follow(
            "the server misses the heartbeat after 2 seconds, and tries the charge again 2 seconds later",
            _is_at("charge_payment", "completed"),
        )
        # The charge's result went to the queue of the worker that had the workflow in its cache. That one is dead;
        # the server waits up to 10 seconds for it before any worker may replay the history instead.
        self._follow(
            "the server hopes up to 10 seconds for the dead worker's cache, then the new worker replays the history",
            _is_at("send_confirmation_email", "started"),
        )

    def _lose_the_server(self) -> None:
        scene("3", "The server dies while the e-mail is sent")
        self.events_before_crash = self.stage.history(WORKFLOW_ID)
        self.stage.kill_server()
        self._crash("the server")
        say(f"It had written {len(self.events_before_crash)} events. The worker does not know, and goes on sending.")
        self._follow("the e-mail goes out, with nobody to report it to", _is_at("send_confirmation_email", "completed"))
        command(self.stage.server_command())
        say(f"server  pid {self.stage.start_server()}, on the same file; the worker delivers its result by itself")
        self._wait_for_status("confirmed")

    def _cancel_the_order(self) -> None:
        scene("4", "The customer cancels, and gets the money back")
        self._dx("workflow", "signal", "--workflow-id", WORKFLOW_ID, "--name", "cancel",
                 "--input", json.dumps({"reason": CANCEL_REASON}))  # fmt: skip
        self._follow("the refund", _is_at("update_order_status", "completed", ending="cancelled"))
        self._dx("workflow", "result", "--workflow-id", WORKFLOW_ID)

    def _look_back(self) -> list[Check]:
        scene("5", "What is left of it: the history")
        command(["workflow", "show", "--workflow-id", WORKFLOW_ID])
        events = self.stage.history(WORKFLOW_ID)
        console.print(_history_table(events, self.crashes))
        return check_all(
            self.stage.ledger(),
            self.events_before_crash,
            events,
            server_killed_time=self.crashes[-1][0],
            result=self.stage.result(WORKFLOW_ID),
            expected_result=f"cancelled: {CANCEL_REASON}",
        )

    def _dx(self, *words: str) -> str:
        command(words)
        output = self.stage.dx(*words)
        for line in output.rstrip().splitlines():
            console.print(f"    [dim]{escape(line)}[/dim]", soft_wrap=True)
        return output

    def _query(self, *expected: str) -> None:
        output = self._dx("workflow", "query", "--workflow-id", WORKFLOW_ID, "--name", "get_status")
        if not any(status in output for status in expected):
            raise DemoError(f"the status query should have said {' or '.join(expected)}")

    def _wait_for_status(self, expected: str) -> None:
        words = ["workflow", "query", "--workflow-id", WORKFLOW_ID, "--name", "get_status"]
        until = time.monotonic() + 30
        with console.status("the workflow goes on"):
            while expected not in self.stage.dx(*words):
                self.stage.check_alive()
                if time.monotonic() > until:
                    raise DemoError(f"the order did not become {expected!r} in 30 seconds")
        self._query(expected)

    def _crash(self, victim: str) -> None:
        self.crashes.append((datetime.now(UTC), f"{victim} was killed"))
        console.print(f"  [bold red]SIGKILL[/bold red]  {victim} is dead")

    def _follow(self, waiting_for: str, is_reached: Callable[[list[LedgerLine]], bool]) -> None:
        """Tell what the outside world sees until it has seen enough."""
        until = time.monotonic() + 40
        started_at = time.monotonic()
        say(f"[dim]… {waiting_for}[/dim]")
        with console.status(waiting_for):
            while True:
                reached = is_reached(self.stage.ledger())
                self._tell_news()
                if reached:
                    return
                self.stage.check_alive()
                if time.monotonic() > until:
                    raise DemoError(f"waited {time.monotonic() - started_at:.0f} seconds in vain: {waiting_for}")
                time.sleep(0.05)

    def _tell_news(self) -> None:
        ledger = self.stage.ledger()
        for line in ledger[self._lines_told :]:
            done = line["stage"] == "completed"
            mark, style = ("✓", "green") if done else ("→", "yellow")
            again = f", attempt {line['attempt']}" if line["attempt"] > 1 else ""
            console.print(
                f"    [{style}]{mark} {line['activity']:<24}[/{style}] {escape(line['subject'])}"
                f" [dim]({line['stage']} by worker {line['worker_pid']}{again})[/dim]",
                soft_wrap=True,
            )
        self._lines_told = len(ledger)


def scene(number: str, title: str) -> None:
    """Begin a scene."""
    console.print()
    console.rule(f"[bold]{number}. {title}[/bold]", align="left")


def say(text: str) -> None:
    """Tell one line of the story."""
    console.print(f"  {text}", soft_wrap=True)


def command(words: list[str] | tuple[str, ...]) -> None:
    """Show a command as one would type it."""
    console.print(f"  [bold cyan]$ {escape(shlex.join(['dx', *words]))}[/bold cyan]", soft_wrap=True)


def _is_at(activity: str, stage: str, ending: str = "") -> Callable[[list[LedgerLine]], bool]:
    return lambda ledger: any(
        line["activity"] == activity and line["stage"] == stage and line["subject"].endswith(ending) for line in ledger
    )


def _history_table(events: list[Event], crashes: list[tuple[datetime, str]]) -> Table:
    """Return the history as a table, with the crashes where they happened; they left no event."""
    table = Table(box=None, padding=(0, 2), header_style="bold")
    table.add_column("id", justify="right")
    table.add_column("after")
    table.add_column("event")
    first_time = datetime.fromisoformat(events[0]["eventTime"])
    rows = [
        (datetime.fromisoformat(event["eventTime"]), event["eventId"], _readable_type(event)) for event in events
    ] + [(crash_time, "", f"[bold red]{text}[/bold red]") for crash_time, text in crashes]
    # Events keep their order: one that is written later may carry an earlier time (ActivityTaskStarted does).
    for index, row in enumerate(rows):
        if row[1]:
            continue
        place = next((i for i, other in enumerate(rows) if other[1] and other[0] > row[0]), len(events))
        rows.insert(place, rows.pop(index))
    for row_time, event_id, text in rows:
        table.add_row(event_id, f"{(row_time - first_time).total_seconds():.1f} s", text)
    return table


def _readable_type(event: Event) -> str:
    return "".join(word.capitalize() for word in event["eventType"].removeprefix("EVENT_TYPE_").split("_"))


def _show_verdict(checks: list[Check], seconds: float) -> bool:
    scene("6", "The verdict")
    for check in checks:
        mark = "[green]✓[/green]" if check.holds else "[bold red]✗[/bold red]"
        console.print(f"  {mark} {check.claim} [dim]({escape(check.evidence)})[/dim]", soft_wrap=True)
    console.print()
    failed = [check.claim for check in checks if not check.holds]
    if failed:
        _verdict(f"FAIL: not so: {'; '.join(failed)}")
    else:
        _verdict(f"PASS: two crashes, no completed activity ran twice, nothing was lost ({seconds:.0f} s)")
    return not failed


def _verdict(text: str) -> None:
    style = "bold green" if text.startswith("PASS") else "bold red"
    console.print(f"VERDICT: {text}", style=style, markup=False, soft_wrap=True)


def main() -> int:
    """Play, judge, and return the exit code."""
    started_at = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="dx-demo-"))
    console.print(
        Panel.fit("An order, a worker that is killed, a server that is killed.\nWatch what is lost: nothing.")
    )
    stage = Stage(folder)
    try:
        checks = Demo(stage).play()
    except DemoError as error:
        console.print(f"\n{error}", style="red", markup=False, soft_wrap=True)
        console.print(f"\nhint: the logs are in {folder}\n", markup=False, soft_wrap=True)
        _verdict(f"FAIL: {str(error).splitlines()[0]}")
        return 1
    except KeyboardInterrupt:
        stage.close()
        shutil.rmtree(folder)
        return 130
    finally:
        stage.close()
    passed = _show_verdict(checks, time.monotonic() - started_at)
    if not passed:
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
