"""The server's clock: ahead of the system's, standing, kept in the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runtime.clock import Clock
from engine.store.clock import load_clock, save_clock
from engine.store.database import Database, open_database

DAY_NS = 86_400 * 1_000_000_000


class SystemTime:
    """A system clock that the test moves."""

    def __init__(self) -> None:
        self.ns = 1_000 * DAY_NS

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def system() -> SystemTime:
    return SystemTime()


@pytest.fixture
def clock(system: SystemTime) -> Clock:
    return Clock(system)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "history.db", {})
    yield database
    database.close()


def test_a_new_clock_is_the_systems(clock: Clock, system: SystemTime) -> None:
    assert (clock.now_ns(), clock.offset_ns, clock.stands) == (system.ns, 0, False)


def test_a_moved_clock_goes_on_from_there(clock: Clock, system: SystemTime) -> None:
    clock.set(clock.moved_to(1_003 * DAY_NS))
    system.ns += 5
    assert clock.now_ns() == 1_003 * DAY_NS + 5
    assert clock.offset_ns == 3 * DAY_NS
    assert clock.system_ns() == system.ns


def test_a_stopped_clock_stands_and_then_goes_on_from_there(clock: Clock, system: SystemTime) -> None:
    clock.set(clock.moved_to(1_003 * DAY_NS))
    clock.set(clock.stopped())
    system.ns += 10 * DAY_NS
    assert (clock.now_ns(), clock.stands) == (1_003 * DAY_NS, True)
    assert clock.offset_ns == -7 * DAY_NS
    clock.set(clock.running())
    system.ns += 5
    assert (clock.now_ns(), clock.stands) == (1_003 * DAY_NS + 5, False)


def test_a_stopped_clock_can_be_moved(clock: Clock, system: SystemTime) -> None:
    clock.set(clock.stopped())
    clock.set(clock.moved_to(1_001 * DAY_NS))
    system.ns += 5
    assert (clock.now_ns(), clock.stands) == (1_001 * DAY_NS, True)


@pytest.mark.parametrize("stands", [False, True])
def test_the_file_keeps_it(clock: Clock, system: SystemTime, database: Database, stands: bool) -> None:
    clock.set(clock.moved_to(1_003 * DAY_NS))
    if stands:
        clock.set(clock.stopped())
    save_clock(database.writer, clock.setting)
    again = Clock(system)
    again.set(load_clock(database.writer))
    system.ns += 2 * DAY_NS
    assert (again.now_ns(), again.stands) == (clock.now_ns(), stands)


def test_the_file_of_a_clock_that_was_never_moved_says_nothing(clock: Clock, database: Database) -> None:
    assert load_clock(database.writer) == clock.setting
