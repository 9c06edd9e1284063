"""Lists and counts by filter: what SQL finds is what the filter says, value by value."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.api.enums.v1 import IndexedValueType

from engine.core.visibility.list_filter import parse_list_filter
from engine.core.visibility.query_grammar import MAX_DEPTH
from engine.store.visibility import PageMark, count_groups
from tests.store.listed_runs import EPOCH, SECOND, TYPES, Lists, Run


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lists]:
    lists = Lists(tmp_path_factory.mktemp("lists") / "history.db")
    yield lists
    lists.close()


@pytest.fixture(autouse=True)
def _empty(lists: Lists) -> None:
    lists.clear()


# --- random filters: each strategy gives the text of a condition and what it is for a run: true, false or unknown


Truth = bool | None
Filter = tuple[str, Callable[[Run], Truth]]

WORDS = st.sampled_from(["", "a", "A", "ab", "b", "é", "it's", 'say "x"', "100%", "a_b", "x!", "♡", "--", "日本", "\\"])
NUMBERS = st.integers(-3, 3)
RATIOS = st.sampled_from([-1.5, -1, 0, 0.25, 1, 1.5, 2.0])
TIMES = st.integers(-2, 5).map(lambda seconds: EPOCH + timedelta(seconds=seconds, milliseconds=seconds * 100))
STATUSES = st.integers(1, 7)
NOTES = st.lists(st.sampled_from(["Quick", "quick", "brown", "fox", "Élan", "x-y", "-"]), max_size=4).map(" ".join)
TAGS = st.lists(st.sampled_from(["a", "A", "b", "a b", "É"]), min_size=1, max_size=3)
OPERATORS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "WorkflowId": WORDS,
    "WorkflowType": WORDS,
    "ExecutionStatus": STATUSES,
    "StartTime": TIMES,
    "CloseTime": TIMES,
    "ExecutionDuration": st.integers(-2, 5).map(lambda seconds: seconds * SECOND),
    "HistoryLength": NUMBERS,
    "ParentWorkflowId": WORDS,
    "RootWorkflowId": WORDS,
    "Word": WORDS,
    "Odd name": WORDS,
    "Number": st.one_of(NUMBERS, RATIOS),
    "Ratio": RATIOS,
    "Flag": st.booleans(),
    "Due": TIMES,
}
TEXTS = frozenset({"WorkflowId", "WorkflowType", "ParentWorkflowId", "RootWorkflowId", "Word", "Odd name"})


def _literal(value: object) -> str:
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "''")
        return f"'{escaped}'"
    return str(value)


def _comparable(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


@st.composite
def comparisons(draw: st.DrawFn) -> Filter:
    name = draw(st.sampled_from(sorted(VALUES)))
    sign = draw(st.sampled_from(sorted(OPERATORS)))
    wanted = draw(VALUES[name])

    def holds(run: Run) -> Truth:
        found = run.value(name)
        return None if found is None else OPERATORS[sign](_comparable(found), _comparable(wanted))

    return f"`{name}` {sign} {_literal(wanted)}", holds


@st.composite
def memberships(draw: st.DrawFn) -> Filter:
    name = draw(st.sampled_from(sorted(VALUES)))
    wanted = draw(st.lists(VALUES[name], min_size=1, max_size=3))
    negated = draw(st.booleans())

    def holds(run: Run) -> Truth:
        found = run.value(name)
        return None if found is None else (found in wanted) != negated

    return f"`{name}` {'NOT ' * negated}IN ({', '.join(map(_literal, wanted))})", holds


@st.composite
def ranges(draw: st.DrawFn) -> Filter:
    name = draw(st.sampled_from(sorted(VALUES.keys() - {"Flag"})))
    low, high = draw(VALUES[name]), draw(VALUES[name])
    negated = draw(st.booleans())

    def holds(run: Run) -> Truth:
        found = run.value(name)
        if found is None:
            return None
        return (_comparable(low) <= _comparable(found) <= _comparable(high)) != negated

    return f"`{name}` {'not ' * negated}between {_literal(low)} and {_literal(high)}", holds


@st.composite
def prefixes(draw: st.DrawFn) -> Filter:
    name = draw(st.sampled_from(sorted(TEXTS)))
    wanted = draw(WORDS)
    negated = draw(st.booleans())

    def holds(run: Run) -> Truth:
        found = run.value(name)
        return None if found is None else found.lower().startswith(wanted.lower()) != negated

    return f"`{name}` {'NOT ' * negated}STARTS_WITH {_literal(wanted)}", holds


@st.composite
def null_tests(draw: st.DrawFn) -> Filter:
    name = draw(st.sampled_from([*sorted(VALUES), "Note", "Tags"]))
    negated = draw(st.booleans())
    return f"`{name}` IS {'NOT ' * negated}NULL", lambda run: (run.value(name) is None) != negated


def _words(text: str) -> list[str]:
    return text.replace("-", " ").replace("É", "e").replace("é", "e").lower().split()


def _has_phrase(text: str, phrase: str) -> bool:
    words, wanted = _words(text), _words(phrase)
    return bool(wanted) and any(words[at : at + len(wanted)] == wanted for at in range(len(words)))


@st.composite
def texts(draw: st.DrawFn) -> Filter:
    wanted = draw(NOTES.filter(str.strip))
    negated = draw(st.booleans())

    def holds(run: Run) -> Truth:
        note = run.value("Note") or ""
        return any(_has_phrase(note, phrase) for phrase in wanted.split()) != negated

    return f"Note {'!=' if negated else '='} {_literal(wanted)}", holds


@st.composite
def keyword_lists(draw: st.DrawFn) -> Filter:
    wanted = draw(TAGS)
    negated = draw(st.booleans())

    def holds(run: Run) -> Truth:
        tags = [tag.lower() for tag in run.value("Tags") or []]
        return any(tag.lower() in tags for tag in wanted) != negated

    return f"Tags {'NOT ' * negated}IN ({', '.join(map(_literal, wanted))})", holds


def _not(inner: Filter) -> Filter:
    text, holds = inner

    def opposite(run: Run) -> Truth:
        truth = holds(run)
        return None if truth is None else not truth

    return f"NOT ({text})", opposite


def _and(left: Filter, right: Filter) -> Filter:
    def holds(run: Run) -> Truth:
        truths = (left[1](run), right[1](run))
        return False if False in truths else None if None in truths else True

    return f"({left[0]}) AND ({right[0]})", holds


def _or(left: Filter, right: Filter) -> Filter:
    def holds(run: Run) -> Truth:
        truths = (left[1](run), right[1](run))
        return True if True in truths else None if None in truths else False

    return f"({left[0]}) OR ({right[0]})", holds


FILTERS = st.recursive(
    st.one_of(comparisons(), memberships(), ranges(), prefixes(), null_tests(), texts(), keyword_lists()),
    lambda inner: st.one_of(inner.map(_not), st.builds(_and, inner, inner), st.builds(_or, inner, inner)),
    max_leaves=6,
)
ATTRIBUTES: dict[str, st.SearchStrategy[Any]] = {
    **{name: VALUES[name] for name in ("Word", "Odd name", "Flag", "Due")},
    "Number": NUMBERS,
    "Ratio": RATIOS,
    "Note": NOTES,
    "Tags": TAGS,
}


@st.composite
def stored_runs(draw: st.DrawFn) -> list[Run]:
    runs = []
    for key in range(draw(st.integers(1, 6))):
        started = draw(st.integers(0, 3))
        closed = draw(st.sampled_from([0, started + 1, started + 3]))
        names = draw(st.sets(st.sampled_from(sorted(ATTRIBUTES)), max_size=5))
        runs.append(
            Run(
                key + 1,
                draw(WORDS),
                draw(WORDS),
                draw(STATUSES),
                started,
                closed,
                tuple((name, draw(ATTRIBUTES[name])) for name in sorted(names)),
                draw(st.one_of(st.none(), st.sampled_from(["a", "it's"]))),
            )
        )
    return runs


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=stored_runs(), chosen=FILTERS)
def test_a_list_holds_what_the_filter_says(lists: Lists, runs: list[Run], chosen: Filter) -> None:
    lists.clear()
    lists.insert(*runs)
    query, holds = chosen
    expected = {run.key for run in runs if holds(run) is True}
    assert set(lists.find(query)) == expected
    assert lists.count(query) == len(expected)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=stored_runs(), chosen=FILTERS, size=st.integers(1, 3))
def test_pages_make_up_the_list(lists: Lists, runs: list[Run], chosen: Filter, size: int) -> None:
    lists.clear()
    lists.insert(*runs)
    order = sorted(runs, key=lambda run: (-(run.closed or math.inf), -run.started, -run.key))
    found: list[int] = []
    after: PageMark | None = None
    while page := lists.page(chosen[0], size, after):
        found += [key for key, _ in page]
        after = page[-1][1]
    assert found == [run.key for run in order if chosen[1](run) is True]


def test_runs_that_come_in_between_two_pages_move_nothing(lists: Lists) -> None:
    lists.insert(*(Run(key, started=key, attributes=(("Number", key % 2),)) for key in range(1, 8)))
    first = lists.page("Number = 1", 2, None)
    lists.insert(Run(8, started=8, attributes=(("Number", 1),)), Run(9, started=9, attributes=(("Number", 0),)))
    assert [key for key, _ in first] == [7, 5]
    assert lists.find("Number = 1", 10, first[-1][1]) == [3, 1]


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE runs; --",
        "' OR '1'='1",
        '" OR ""="',
        "\\' OR 1=1 --",
        "%",
        "_",
        "?",
        ":x",
        "$.x",
        '"), 1) OR ("',
        "\n",
    ],
)
def test_a_value_is_only_a_value(lists: Lists, text: str) -> None:
    this = (("Word", text), ("Note", f"{text} fox"), ("Tags", [text]))
    lists.insert(
        Run(1, workflow_id=text, attributes=this), Run(2, workflow_id="other", attributes=(("Word", "other"),))
    )
    literal = _literal(text)
    for query in (
        f"WorkflowId = {literal}",
        f"WorkflowId IN ({literal})",
        f"WorkflowId STARTS_WITH {literal}",
        f"WorkflowId BETWEEN {literal} AND {literal}",
        f"Word = {literal}",
        f"Tags = {literal}",
        f"Note = {_literal(text + ' fox')}",
    ):
        assert lists.find(query) == [1], query
    assert lists.count("") == 2


def test_a_name_is_only_a_name(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    name = """x" ') OR 1=1 --%"""
    monkeypatch.setitem(TYPES, name, IndexedValueType.INDEXED_VALUE_TYPE_INT)
    lists.insert(Run(1, attributes=((name, 1),)), Run(2, attributes=((name, 2),)), Run(3))
    assert lists.find(f"`{name}` = 1") == [1]
    assert lists.find(f"`{name}` IS NULL") == [3]


@pytest.mark.parametrize("word", ["AND", "OR"])
def test_a_filter_as_long_as_it_may_be(lists: Lists, word: str) -> None:
    lists.insert(Run(1, attributes=(("Note", "fox"),)))
    conditions = ["NOT (Note != 'fox' AND NOT Note = 'cat dog')"] * (MAX_DEPTH - 4)
    page = lists.page(f" {word} ".join(conditions), 1, None)
    assert [key for key, _ in page] == [1]
    assert lists.find(f" {word} ".join(conditions), 1, page[0][1]) == []


def test_as_many_values_as_one_likes(lists: Lists) -> None:
    lists.insert(Run(1, "w7", attributes=(("Tags", ["w8"]), ("Note", "w9"), ("Number", 7))), Run(2))
    words = [f"w{number}" for number in range(40_000)]
    many = ", ".join(f"'{word}'" for word in words)
    assert lists.find(f"WorkflowId IN ({many})") == [1]
    assert lists.find(f"Tags IN ({many})") == [1]
    assert lists.find(f"Note = '{' '.join(words)}'") == [1]
    assert lists.find(f"WorkflowId STARTS_WITH '{'!é' * 40_000}'") == []
    assert lists.find(f"WorkflowId NOT STARTS_WITH '{'%é' * 40_000}'") == [2, 1]
    assert lists.find(f"Number IN ({', '.join(map(str, range(40_000)))})") == [1]


def test_groups_come_the_largest_first(lists: Lists) -> None:
    lists.insert(*(Run(key, status=status) for key, status in enumerate([3, 2, 2, 1, 3, 3], start=1)))
    query = parse_list_filter("WorkflowId != 'x' GROUP BY ExecutionStatus", TYPES)
    assert query.group_by is not None
    assert count_groups(lists.reader, 1, query, query.group_by) == [(3, 3), (2, 2), (1, 1)]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "runs_in_list_order (namespace_key=?)"),
        ("ExecutionStatus = 'Failed'", "runs_in_list_order (namespace_key=?)"),
        ("WorkflowType = 'x' AND Number > 1", "runs_in_list_order (namespace_key=?)"),
        ("WorkflowId = 'x'", "runs_by_workflow_id (namespace_key=? AND workflow_id=?)"),
        ("WorkflowId IN ('x', 'y') AND Number = 1", "runs_by_workflow_id (namespace_key=? AND workflow_id=?)"),
        ("RunId = 'x'", "runs_by_run_id (run_id=?)"),
    ],
)
def test_a_list_uses_an_index(lists: Lists, query: str, index: str) -> None:
    assert f"USING INDEX {index}" in lists.plan(query)
    assert ("TEMP B-TREE" in lists.plan(query)) == ("workflow_id" in index)
