"""Activities: everything that touches the outside world."""

from temporalio import activity


@activity.defn
async def send_message(recipient: str, text: str) -> None:
    """Write to somebody; here one would send an e-mail, or a chat message."""
    activity.logger.info("to %s: %s", recipient, text)
