"""Activities: everything that touches the outside world."""

from temporalio import activity


@activity.defn
async def compose_greeting(name: str) -> str:
    """Return a greeting; here one would ask a database, or another service."""
    activity.logger.info("greeting %s", name)
    return f"Hello, {name}!"
