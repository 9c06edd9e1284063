"""Spans as they are shown."""

from __future__ import annotations

import pytest

from durable_cli.tui.times import coarse_span, short_span


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        (-5, "0ms"),
        (999_400_000, "999ms"),
        (999_700_000, "1.00s"),
        (59_990_000_000, "59.99s"),
        (59_996_000_000, "1m00s"),
        (3_599_600_000_000, "1h00m"),
    ],
)
def test_a_span_is_rounded_into_the_next_unit(nanoseconds: int, words: str) -> None:
    assert short_span(nanoseconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (7_300, "2h"), (200_000, "2d")],
)
def test_a_span_that_goes_on_changes_no_oftener_than_its_unit(seconds: int, words: str) -> None:
    assert coarse_span(seconds * 1_000_000_000) == words
