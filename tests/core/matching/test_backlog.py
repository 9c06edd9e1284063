"""The order in which waiting tasks are handed out."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from temporalio.api.common.v1 import Priority

from engine.core.matching.backlog import Backlog, TaskRef


def task(number: int, priority_key: int = 0, fairness_key: str = "", fairness_weight: float = 0.0) -> TaskRef:
    priority = Priority(priority_key=priority_key, fairness_key=fairness_key, fairness_weight=fairness_weight)
    return TaskRef(number, 5, 1, priority=priority if priority.ByteSize() else None)


def filled(*tasks: TaskRef) -> Backlog:
    backlog = Backlog()
    for each in tasks:
        backlog.add(each)
    return backlog


def take_all(backlog: Backlog) -> list[int]:
    order = [each.run_key for each in backlog]
    taken = []
    while (each := backlog.take()) is not None:
        taken.append(each.run_key)
    assert taken == order
    return taken


def test_tasks_of_one_priority_leave_in_the_order_of_their_coming() -> None:
    assert take_all(filled(*(task(number) for number in range(5)))) == [0, 1, 2, 3, 4]


def test_a_lower_priority_key_goes_first_and_none_is_the_middle() -> None:
    assert take_all(filled(task(1, 5), task(2), task(3, 1), task(4, 3), task(5, 4), task(6, 2))) == [3, 6, 2, 4, 5, 1]


def test_a_key_beyond_the_lowest_counts_as_the_lowest() -> None:
    assert take_all(filled(task(1, 9), task(2, 5), task(3, 7))) == [1, 2, 3]


def test_fairness_keys_take_turns() -> None:
    many = [task(number, fairness_key="many") for number in range(4)]
    few = [task(10 + number, fairness_key="few") for number in range(2)]
    assert take_all(filled(*many, *few)) == [0, 10, 1, 11, 2, 3]


def test_a_weight_of_three_gets_three_turns_of_four() -> None:
    light = [task(number, fairness_key="light", fairness_weight=1) for number in range(40)]
    heavy = [task(100 + number, fairness_key="heavy", fairness_weight=3) for number in range(40)]
    backlog = filled(*light, *heavy)
    taken = Counter(
        each.priority.fairness_key for each in (backlog.take() for _ in range(40)) if each and each.priority
    )
    assert taken == {"heavy": 30, "light": 10}


def test_without_fairness_the_order_of_coming_is_all() -> None:
    backlog = Backlog(fairness=False)
    for number, fairness_key in enumerate(("a", "a", "b", "b")):
        backlog.add(task(number, fairness_key=fairness_key, fairness_weight=number + 1))
    assert take_all(backlog) == [0, 1, 2, 3]


def test_priority_comes_before_fairness() -> None:
    assert take_all(filled(task(1, 3, "a"), task(2, 1, "b"), task(3, 1, "b"), task(4, 3, "b"))) == [2, 3, 1, 4]


def test_a_key_that_was_idle_has_no_claim_to_make_up_for_it() -> None:
    backlog = filled(*(task(number, fairness_key="busy") for number in range(6)))
    for _ in range(4):
        backlog.take()
    for number in range(10, 13):
        backlog.add(task(number, fairness_key="late"))
    assert take_all(backlog) == [4, 10, 5, 11, 12]


def test_an_empty_backlog_gives_nothing_and_starts_afresh() -> None:
    backlog = filled(task(1, fairness_key="a"))
    assert len(backlog) == 1
    assert take_all(backlog) == [1]
    assert backlog.take() is None
    assert len(backlog) == 0
    backlog.add(task(2, fairness_key="a"))
    backlog.clear()
    assert backlog.take() is None


@pytest.mark.parametrize("weight", [math.nan, math.inf, 1e-30])
def test_no_weight_brings_the_order_into_disorder(weight: float) -> None:
    odd = [task(number, fairness_key="odd", fairness_weight=weight) for number in range(3)]
    even = [task(10 + number, fairness_key="even") for number in range(2000)]
    taken = take_all(filled(*odd, *even))
    assert [number for number in taken if number < 10] == [0, 1, 2]
    assert [number for number in taken if number >= 10] == [10 + number for number in range(2000)]


def test_a_fairness_key_without_waiting_tasks_takes_no_memory() -> None:
    backlog = filled(task(0, fairness_key="stays"), task(1, fairness_key="stays"))
    for number in range(100):
        backlog.add(task(number, fairness_key=f"key-{number}"))
        backlog.take()
    assert sum(len(level.passes) for level in backlog._levels.values()) <= len(backlog)
