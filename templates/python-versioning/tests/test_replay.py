"""The histories of open runs replay with the code as it is."""

from workflows import SubscriptionWorkflow


def test_committed_histories_replay(replay_histories) -> None:
    """One from before the receipts, one with them; a new version adds its own."""
    assert replay_histories("histories", workflows=[SubscriptionWorkflow]) == 2
