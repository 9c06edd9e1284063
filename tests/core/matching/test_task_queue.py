"""Pairing of tasks and pollers."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from engine.core.matching.backlog import TaskRef
from engine.core.matching.task_queue import (
    POLLER_MEMORY_NS,
    STICKY_ALIVE_NS,
    PollerRecord,
    TaskQueues,
    WaitingPoller,
)
from tests.core.support.env import SECOND_NS, START_NS

KEY = ("namespace-id", "queue", False)
ACTIVITIES = ("namespace-id", "queue", True)
STICKY = ("namespace-id", "sticky-queue", False)


def poller(name: str, key: tuple[str, str, bool] = KEY) -> WaitingPoller:
    return WaitingPoller(key, name, sticky=key == STICKY, waiter=Future())


@dataclass(eq=False)
class Query:
    gone: bool = False


def go_away(waiting: WaitingPoller) -> None:
    waiter: Any = waiting.waiter
    waiter.cancel()


def task(number: int) -> TaskRef:
    return TaskRef(run_key=number, scheduled_event_id=2, attempt=1)


def seen(queues: TaskQueues, identity: str, time_ns: int = START_NS, key: tuple[str, str, bool] = KEY) -> None:
    queues.note_poll(key, PollerRecord(identity, time_ns))


def test_tasks_leave_in_the_order_of_their_coming() -> None:
    queues = TaskQueues()
    for number in range(3):
        queues.add_task(KEY, task(number))
    assert queues.backlog(KEY) == 3
    assert [queues.next_task(KEY) for _ in range(4)] == [task(0), task(1), task(2), None]
    assert queues.backlog(KEY) == 0


def test_pollers_are_served_in_the_order_of_their_coming() -> None:
    queues = TaskQueues()
    waiting = [poller(name) for name in ("first", "second")]
    for each in waiting:
        queues.add_poller(each)
    assert [queues.next_poller(KEY) for _ in range(3)] == [*waiting, None]


def test_a_poller_that_went_away_is_passed_over() -> None:
    queues = TaskQueues()
    gone, here = poller("gone"), poller("here")
    queues.add_poller(gone)
    queues.add_poller(here)
    go_away(gone)
    assert queues.next_poller(KEY) is here
    assert queues.next_poller(KEY) is None


def test_a_poller_that_got_nothing_is_the_next_again() -> None:
    queues = TaskQueues()
    first, second = poller("first"), poller("second")
    queues.add_poller(first)
    queues.add_poller(second)
    taken = queues.next_poller(KEY)
    assert taken is not None
    queues.put_back_poller(taken)
    assert queues.next_poller(KEY) is first


def test_queues_are_apart_by_namespace_name_and_kind() -> None:
    queues = TaskQueues()
    queues.add_task(KEY, task(1))
    for other in (ACTIVITIES, STICKY, ("other", "queue", False)):
        assert queues.next_task(other) is None
        assert queues.next_poller(other) is None
        assert queues.backlog(other) == 0
    assert queues.next_task(KEY) == task(1)


def test_gone_pollers_are_forgotten() -> None:
    queues = TaskQueues()
    waiting = [poller(str(number)) for number in range(5)]
    for each in waiting:
        queues.add_poller(each)
    for each in waiting[:4]:
        go_away(each)
    queues.forget_gone(KEY)
    assert queues.take_pollers(KEY) == waiting[4:]
    assert queues.take_pollers(KEY) == []
    queues.forget_gone(KEY)


def test_a_sticky_queue_lives_while_somebody_polls_it() -> None:
    queues = TaskQueues()
    assert not queues.sticky_alive(STICKY, START_NS)
    seen(queues, "worker", START_NS, STICKY)
    assert queues.sticky_alive(STICKY, START_NS + STICKY_ALIVE_NS - 1)
    assert not queues.sticky_alive(STICKY, START_NS + STICKY_ALIVE_NS)
    waiting = poller("worker", STICKY)
    queues.add_poller(waiting)
    assert queues.sticky_alive(STICKY, START_NS + 10 * STICKY_ALIVE_NS)
    go_away(waiting)
    assert not queues.sticky_alive(STICKY, START_NS + 10 * STICKY_ALIVE_NS)


def test_a_sticky_queue_that_is_given_up_hands_its_tasks_over() -> None:
    queues = TaskQueues()
    seen(queues, "worker", START_NS, STICKY)
    queues.add_task(STICKY, task(1))
    queues.add_task(STICKY, task(2))
    assert queues.mark_sticky_dead(STICKY) == [task(1), task(2)]
    assert queues.backlog(STICKY) == 0
    assert not queues.sticky_alive(STICKY, START_NS)
    seen(queues, "worker", START_NS, STICKY)
    assert queues.sticky_alive(STICKY, START_NS)


def test_records_tell_who_polled_lately() -> None:
    queues = TaskQueues()
    assert queues.records(KEY, START_NS) == []
    seen(queues, "old", START_NS)
    seen(queues, "new", START_NS + SECOND_NS)
    seen(queues, "old again", START_NS - POLLER_MEMORY_NS)
    assert [record.identity for record in queues.records(KEY, START_NS + SECOND_NS)] == ["new", "old"]
    seen(queues, "old", START_NS + 2 * SECOND_NS)
    assert [record.identity for record in queues.records(KEY, START_NS + 2 * SECOND_NS)] == ["old", "new"]


def test_the_last_poll_is_now_while_one_waits() -> None:
    queues = TaskQueues()
    assert queues.last_poll_time_ns(KEY, START_NS) == 0
    seen(queues, "worker", START_NS)
    assert queues.last_poll_time_ns(KEY, START_NS + 5) == START_NS
    queues.add_poller(poller("worker"))
    assert queues.last_poll_time_ns(KEY, START_NS + 5) == START_NS + 5


def test_queries_have_a_line_of_their_own() -> None:
    queues = TaskQueues()
    queues.add_task(KEY, task(1))
    one, given_up, two = Query(), Query(gone=True), Query()
    for query in (one, given_up, two):
        queues.add_query(KEY, query)
    assert [queues.next_query(KEY) for _ in range(3)] == [one, two, None]
    assert queues.next_query(ACTIVITIES) is None
    assert queues.next_task(KEY) == task(1)


def test_clearing_leaves_the_pollers() -> None:
    queues = TaskQueues()
    queues.add_task(KEY, task(1))
    waiting = poller("worker", ACTIVITIES)
    queues.add_poller(waiting)
    queues.clear_tasks()
    assert queues.backlog(KEY) == 0
    assert queues.next_poller(ACTIVITIES) is waiting
    assert list(queues) == [KEY, ACTIVITIES]


def test_idle_queues_are_forgotten() -> None:
    queues = TaskQueues()
    seen(queues, "worker", START_NS)
    queues.add_query(STICKY, Query(gone=True))
    queues.add_poller(poller("worker", ACTIVITIES))
    assert queues.forget_idle(START_NS + POLLER_MEMORY_NS - 1) == []
    assert list(queues) == [KEY, ACTIVITIES]
    assert queues.forget_idle(START_NS + POLLER_MEMORY_NS) == []
    assert list(queues) == [ACTIVITIES]
    waiting = queues.next_poller(ACTIVITIES)
    assert waiting is not None
    go_away(waiting)
    queues.forget_idle(START_NS)
    assert list(queues) == []


def test_what_still_waits_is_never_forgotten() -> None:
    queues = TaskQueues()
    queues.add_task(KEY, task(1))
    queues.add_query(ACTIVITIES, Query())
    assert queues.forget_idle(START_NS) == []
    assert list(queues) == [KEY, ACTIVITIES]


def test_the_tasks_of_a_forgotten_sticky_queue_go_to_their_normal_queue() -> None:
    queues = TaskQueues()
    sticky_task = TaskRef(1, 5, 1, sticky=True, normal_task_queue=KEY[1])
    seen(queues, "worker", START_NS, STICKY)
    queues.add_task(STICKY, sticky_task)
    assert queues.forget_idle(START_NS + 1) == []
    assert queues.forget_idle(START_NS + POLLER_MEMORY_NS) == [(KEY, sticky_task)]
    assert list(queues) == []


def test_only_pollers_that_came_lately_are_remembered() -> None:
    queues = TaskQueues()
    seen(queues, "old", START_NS)
    seen(queues, "new", START_NS + SECOND_NS)
    queues.forget_idle(START_NS + POLLER_MEMORY_NS)
    assert [record.identity for record in queues.records(KEY, START_NS)] == ["new"]
