"""What is said in passing, over the foot of a screen: for as long as it takes to read, and little of it at once."""

from __future__ import annotations

from time import time
from typing import Literal, NamedTuple

from textual import events
from textual.app import App
from textual.notifications import Notification, Notify

__all__ = ["NoticesApp", "Severity", "reading_seconds"]

Severity = Literal["information", "warning", "error"]
SHORT_HEIGHT = 30
MOST, MOST_IN_SHORT = 4, 2
CHARACTERS_PER_SECOND = 16
SEEN_SECONDS = 1.0
"""So long a notice is shown at least: what comes while one types is not gone before it was there."""


class _Patience(NamedTuple):
    """How many seconds something is shown before reading begins, and at most."""

    first: float
    most: float


PATIENCE: dict[Severity, _Patience] = {
    "information": _Patience(1.5, 6),
    "warning": _Patience(3, 12),
    "error": _Patience(5, 20),
}


def reading_seconds(severity: Severity, title: str, message: str) -> float:
    """Return for how long something has to be shown so that it can be read; trouble is noticed late."""
    first, most = PATIENCE[severity]
    return min(most, first + len(f"{title} {message}".strip()) / CHARACTERS_PER_SECOND)


class NoticesApp(App[None]):
    """An app whose notices go with the next key, trouble only with escape, and all when there was time to read them."""

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: Severity = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say something in passing, as plain text: what servers and people have written is no markup."""
        seconds = reading_seconds(severity, title, message) if timeout is None else timeout
        self.post_message(Notify(Notification(message, title, severity, seconds)))

    def on_notify(self, event: Notify) -> None:
        """Make room: the same is not shown twice, the oldest goes first, and trouble for other trouble alone."""
        new, shown = event.notification, list(self._notifications)
        same = [each for each in shown if (each.title, each.message) == (new.title, new.message)]
        rest = sorted((each for each in shown if each not in same), key=_is_trouble)
        most = MOST_IN_SHORT if self.size.height < SHORT_HEIGHT else MOST
        spare = [each for each in rest[: max(0, len(rest) + 1 - most)] if _is_trouble(new) or not _is_trouble(each)]
        for each in (*same, *spare):
            self._unnotify(each, refresh=False)

    def action_help_quit(self) -> None:
        self.notify("q quits; what is typed is left with esc")

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._forget_notices(with_trouble=event.key == "escape")
        await super().on_event(event)

    def _forget_notices(self, *, with_trouble: bool) -> None:
        seen = time() - SEEN_SECONDS
        gone = [
            each for each in self._notifications if with_trouble or (not _is_trouble(each) and each.raised_at <= seen)
        ]
        for each in gone:
            self._unnotify(each, refresh=each is gone[-1])


def _is_trouble(notification: Notification) -> bool:
    return notification.severity != "information"
