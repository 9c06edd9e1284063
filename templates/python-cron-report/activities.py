"""Activities: everything that touches the outside world."""

from temporalio import activity


@activity.defn
async def count_sales(region: str, day: str) -> int:
    """Return how much was sold; here one would ask the shop's database."""
    activity.logger.info("counting the sales of %s on %s", region, day)
    return 100


@activity.defn
async def send_report(text: str) -> None:
    """Send the report. It may come twice: an attempt can get lost after that."""
    activity.logger.info("%s", text)
