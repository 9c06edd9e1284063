"""Limits: the defaults that matter, and how dynamic config changes them."""

from __future__ import annotations

from dataclasses import fields

import pytest

from engine.core.policy.limits import Limits


def test_defaults() -> None:
    limits = Limits()
    assert limits.max_id_length == 1000
    assert limits.blob_size_error_bytes == 2 * 1024 * 1024
    assert limits.history_count_error == 51_200
    assert limits.history_count_suggest_continue_as_new == 4096
    assert limits.history_size_suggest_continue_as_new_bytes == 4 * 1024 * 1024
    assert limits.pending_activities_error == 2000
    assert limits.signals_per_execution == 10_000
    assert limits.updates_in_flight == 10
    assert limits.updates_total == 2000


def test_every_limit_has_its_own_lower_case_key() -> None:
    keys = [each.metadata["key"] for each in fields(Limits)]
    assert len(set(keys)) == len(keys)
    assert keys == [key.lower() for key in keys]


@pytest.mark.parametrize(
    ("key", "value", "name", "expected"),
    [
        ("limit.maxIDLength", 20, "max_id_length", 20),
        ("LIMIT.MAXIDLENGTH", 20.0, "max_id_length", 20),
        ("limit.maxidlength", "20", "max_id_length", 1000),
        ("limit.maxidlength", True, "max_id_length", 1000),
        ("limit.maxidlength", 20.5, "max_id_length", 1000),
        ("history.longPollExpirationInterval", "2s", "history_long_poll_interval_ns", 2 * 10**9),
        ("history.longPollExpirationInterval", "2", "history_long_poll_interval_ns", 2 * 10**9),
        ("history.longPollExpirationInterval", 0.5, "history_long_poll_interval_ns", 5 * 10**8),
        ("history.longPollExpirationInterval", "soon", "history_long_poll_interval_ns", 20 * 10**9),
        ("system.enableActivityEagerExecution", False, "eager_activities", False),
        ("system.enableActivityEagerExecution", 0, "eager_activities", True),
        ("history.maxTotalUpdates.suggestContinueAsNewThreshold", 0.5, "updates_suggest_continue_as_new_share", 0.5),
        ("history.maxTotalUpdates.suggestContinueAsNewThreshold", 1, "updates_suggest_continue_as_new_share", 1.0),
        ("history.maxTotalUpdates.suggestContinueAsNewThreshold", "1", "updates_suggest_continue_as_new_share", 0.9),
        ("history.maxTotalUpdates.suggestContinueAsNewThreshold", True, "updates_suggest_continue_as_new_share", 0.9),
        ("some.unknownKey", 1, "max_id_length", 1000),
    ],
)
def test_from_dynamic_config(key: str, value: object, name: str, expected: float) -> None:
    limits = Limits.from_dynamic_config({key: value})
    assert getattr(limits, name) == expected
    others = [each.name for each in fields(Limits) if each.name != name]
    assert all(getattr(limits, each) == getattr(Limits(), each) for each in others)
