"""A year on a real server, which starts with the tests; and the histories of before."""

from activities import charge, send_receipt
from workflows import SubscriptionWorkflow


async def test_a_year(dx_client, dx_worker, dx_time) -> None:
    # At its end, `dx_worker` replays what it has run: code that is not deterministic
    # fails its test.
    async with (
        dx_worker(
            workflows=[SubscriptionWorkflow], activities=[charge, send_receipt]
        ) as worker,
        dx_time.auto(),
    ):
        paid = await dx_client.execute_workflow(
            SubscriptionWorkflow.run,
            args=["ann", 12],
            id="subscription-1",
            task_queue=worker.task_queue,
        )
    assert paid == 120


def test_what_has_begun_before_can_go_on(replay_histories) -> None:
    """One history from before the receipts, one with them."""
    assert replay_histories("histories", workflows=[SubscriptionWorkflow]) == 2
