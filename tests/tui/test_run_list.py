"""The list of runs as pages: the order of the server, each run once, nothing lost between two pages."""

from __future__ import annotations

from durable_cli.tui.rows import RunRow
from durable_cli.tui.run_list import RunList


def run(number: int, status: int = 1) -> RunRow:
    return RunRow(f"order-{number}", f"run-{number}", "Order", status, number * 1_000_000_000, 0, "orders", 3)


def numbers(runs: RunList) -> list[int]:
    return [int(row.run_id.removeprefix("run-")) for row in runs.rows]


def filled() -> RunList:
    runs = RunList()
    runs.take(b"", [run(9), run(8), run(7)], b"after-7")
    runs.take(b"after-7", [run(6), run(5), run(4)], b"after-4")
    return runs


def test_pages_follow_each_other() -> None:
    runs = filled()
    assert numbers(runs) == [9, 8, 7, 6, 5, 4]
    assert runs.next_token == b"after-4"


def test_what_new_runs_push_out_of_the_first_page_stays() -> None:
    runs = filled()
    assert runs.take(b"", [run(11), run(10), run(9)], b"after-9")
    assert numbers(runs) == [11, 10, 9, 8, 7, 6, 5, 4]
    assert runs.next_token == b"after-4"


def test_the_only_page_is_what_the_server_says() -> None:
    runs = RunList()
    runs.take(b"", [run(2), run(1)], b"")
    assert runs.take(b"", [run(2)], b"")
    assert numbers(runs) == [2], "a run that was deleted is gone"


def test_a_status_changes_in_its_place() -> None:
    runs = filled()
    assert runs.take(b"after-7", [run(6), run(5, status=2), run(4)], b"after-4")
    assert numbers(runs) == [9, 8, 7, 6, 5, 4]
    assert [row.status for row in runs.rows] == [1, 1, 1, 1, 2, 1]


def test_the_same_page_again_changes_nothing() -> None:
    runs = filled()
    assert not runs.take(b"", [run(9), run(8), run(7)], b"after-7")


def test_a_run_that_moved_is_shown_once() -> None:
    # A server that lists closed runs by their close time moves a run when it closes.
    runs = filled()
    runs.take(b"", [run(5, status=2), run(9), run(8)], b"after-8")
    assert sorted(numbers(runs)) == [4, 5, 6, 7, 8, 9]
    assert runs.rows[0] == run(5, status=2)


def test_a_page_of_a_list_that_was_begun_anew_is_dropped() -> None:
    runs = RunList()
    runs.take(b"", [run(2)], b"after-2")
    assert not runs.take(b"after-40", [run(39)], b"after-39")
    assert numbers(runs) == [2]


def test_the_pages_on_the_screen_are_known() -> None:
    runs = filled()
    assert list(runs.tokens_between(0, 2)) == [b""]
    assert list(runs.tokens_between(2, 3)) == [b"", b"after-7"]
    assert list(runs.tokens_between(4, 9)) == [b"after-7"]


def test_a_page_of_a_list_that_was_begun_anew_is_not_taken() -> None:
    runs = RunList()
    assert not runs.take(b"after-7", [run(6), run(5)], b"")
    assert numbers(runs) == []
    assert runs.take(b"", [run(9)], b"")
    assert numbers(runs) == [9]
