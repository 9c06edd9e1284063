"""The activity: messages to people. Here they go to the worker's log; elsewhere, to a mail server or a chat."""

from __future__ import annotations

from temporalio import activity


@activity.defn
async def send_message(recipient: str, text: str) -> None:
    """Tell somebody something."""
    activity.logger.info("to %s: %s", recipient, text)
