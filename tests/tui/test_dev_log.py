"""The log of `dx dev`: levels, what belongs together, what is shown; and the files, however they change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from durable_cli.dev.host_events import Mismatch
from durable_cli.tui.dev.log_lines import LEVELS, LogBook, LogFilter, RawLine, find_level
from durable_cli.tui.dev.source import find_excerpt, read_line
from durable_cli.tui.feed.dev import Tail

LOG = """\
INFO begin
2026-11-26 05:01:07 WARNING shop: slow
ERROR first try failed
Traceback (most recent call last):
  File "shop.py", line 3, in pay
    raise ValueError("no money")
ValueError: no money

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "shop.py", line 5, in pay
KeyError: 'card'
plain words
    with more below""".splitlines()


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("plain", "info"),
        ("DEBUG:shop:asked", "debug"),
        ("[WARN] slow", "warn"),
        ("2026-11-26 CRITICAL gone", "error"),
        ('{"level": "error", "msg": "x"}', "error"),
        ("time=1 level=warning msg=x", "warn"),
        ("ERRORS: none", "info"),
        ("shop.ERROR.count 0", "info"),
        (f"{'x' * 200} ERROR", "info"),
    ],
)
def test_the_level_is_what_a_line_says(text: str, level: str) -> None:
    assert LEVELS[find_level(text)] == level


def take(lines: Sequence[str], source: str = "orders") -> LogBook:
    book = LogBook()
    book.take(RawLine(number, source, text) for number, text in enumerate(lines))
    return book


def test_a_traceback_belongs_to_the_line_above_it() -> None:
    lines = list(take(LOG).lines)
    assert [line.head for line in lines] == [0, 1, *[2] * 11, 13, 13]
    assert [LEVELS[line.level] for line in lines] == ["info", "warn", *["error"] * 11, "info", "info"]


def test_a_traceback_alone_is_an_error() -> None:
    lines = list(take(["all is well", *LOG[3:7], "goes on"]).lines)
    assert [line.head for line in lines] == [0, 1, 1, 1, 1, 5]
    assert [LEVELS[line.level] for line in lines] == ["info", *["error"] * 4, "info"]


def test_each_source_goes_on_with_its_own() -> None:
    book = LogBook()
    book.take([RawLine(0, "orders", LOG[3]), RawLine(1, "billing", "INFO paid"), RawLine(2, "orders", LOG[4])])
    assert [line.head for line in book.lines] == [0, 1, 0]


@pytest.mark.parametrize(
    ("shown", "numbers"),
    [
        (LogFilter(), list(range(15))),
        (LogFilter(least_level=2), list(range(1, 13))),
        (LogFilter(least_level=3), list(range(2, 13))),
        (LogFilter(source="billing"), []),
        (LogFilter(words="FIRST failed"), list(range(2, 13))),
        (LogFilter(words="plain"), [13, 14]),
        (LogFilter(words="more below"), [14]),
    ],
)
def test_what_is_shown(shown: LogFilter, numbers: list[int]) -> None:
    assert [line.number for line in shown.choose(take(LOG).lines)] == numbers


def test_what_dx_says_has_a_level_too() -> None:
    book = LogBook()
    book.take([RawLine(0, "orders", "killed", "✗", "error"), RawLine(1, "orders", "ready", "●", "success")])
    assert [line.number for line in LogFilter(least_level=3).choose(book.lines)] == [0]


# Files


def test_a_file_may_come_later_and_is_read_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "dev.log"
    tail = Tail(path)
    assert tail.read() == []
    path.write_bytes(b"one\ntw")
    assert tail.read() == [b"one"]
    with path.open("ab") as file:
        file.write(b"o\n\nthree\n")
    assert tail.read() == [b"two", b"", b"three"]
    assert tail.read() == []
    tail.close()


def test_a_file_that_is_begun_anew_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    path.write_bytes(b"first session\none\n")
    tail = Tail(path)
    assert tail.read() == [b"first session", b"one"]
    path.write_bytes(b"second session, longer than the first one was\n")
    assert tail.read() == [b"second session, longer than the first one was"]
    path.write_bytes(b"")
    assert tail.read() == []
    path.write_bytes(b"third\n")
    assert tail.read() == [b"third"]
    tail.close()


def test_of_a_file_that_is_replaced_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "dev.log"
    path.write_bytes(b"one\n")
    tail = Tail(path)
    assert tail.read() == [b"one"]
    with path.open("ab") as file:
        file.write(b"two\n")
    path.replace(tmp_path / "dev.log.1")
    assert tail.read() == [b"two"]
    path.write_bytes(b"three\n")
    assert tail.read() == [b"three"]
    path.unlink()
    assert tail.read() == []
    tail.close()


def test_of_much_at_once_only_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dev.log"
    path.write_bytes(b"".join(b"%d\n" % number for number in range(1000, 2000)))
    tail = Tail(path, 50)
    lines = tail.read()
    assert lines == [b"%d" % number for number in range(1991, 2000)]
    assert tail.was_cut
    with path.open("ab") as file:
        file.write(b"2000\n")
    assert tail.read() == [b"2000"]
    assert not tail.was_cut
    tail.close()


# Source


def mismatch_at(file: Path, line: int, *source: tuple[int, str]) -> Mismatch:
    return Mismatch(
        "nondeterminism", "order-1", "run", "Order", True, "differs", file=str(file), line=line, source=list(source)
    )


def test_the_source_around_a_line(tmp_path: Path) -> None:
    file = tmp_path / "workflows.py"
    file.write_text("".join(f"line {number}\n" for number in range(1, 21)))
    excerpt = find_excerpt(mismatch_at(file, 10, (10, "line 10")), 2, 1)
    assert excerpt is not None
    assert (excerpt.first, excerpt.first_shown, excerpt.line) == (1, 8, 10)
    assert excerpt.lines[-1] == "line 11"
    assert read_line(str(file), 3) == "line 3"
    assert read_line(str(file), 99) == ""


def test_the_source_as_the_replay_has_seen_it(tmp_path: Path) -> None:
    file = tmp_path / "workflows.py"
    file.write_text("changed meanwhile\n" * 20)
    excerpt = find_excerpt(mismatch_at(file, 10, (9, "before"), (10, "meant"), (11, "after")), 5, 5)
    assert excerpt is not None
    assert (list(excerpt.lines), excerpt.first, excerpt.first_shown) == (["before", "meant", "after"], 9, 9)
    assert find_excerpt(mismatch_at(tmp_path / "gone.py", 10), 2, 2) is None
