"""Set the results of both servers side by side, and say what is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from .results import Results, file_of
from .selection import reason_to_leave_out


@dataclass(frozen=True)
class Comparison:
    """The results of both servers (None: not run), without the tests that are left out.

    `left_out` says of each of those why; `to_pass` are the tests that pass on the reference, `missing` those of them
    that do not pass on ours.
    """

    reference: Results | None
    ours: Results | None
    left_out: dict[str, str]
    to_pass: list[str]
    missing: list[str]


def compare(reference: Results | None, ours: Results | None) -> Comparison:
    """Leave out what is not counted, going by what the tests called on either server, and compare the rest."""
    left_out = {}
    for test, result in [*(reference or {}).items(), *(ours or {}).items()]:
        if reason := reason_to_leave_out(test, result.rpcs):
            left_out[test] = reason
    counted_reference = _without(reference, left_out)
    counted_ours = _without(ours, left_out)
    to_pass = [test for test, result in (counted_reference or {}).items() if result.outcome == "passed"]
    missing = [test for test in to_pass if counted_ours is not None and not _passes(counted_ours, test)]
    return Comparison(counted_reference, counted_ours, left_out, to_pass, missing)


def _without(results: Results | None, left_out: Iterable[str]) -> Results | None:
    return None if results is None else {test: result for test, result in results.items() if test not in left_out}


def _passes(results: Results, test: str) -> bool:
    return test in results and results[test].outcome == "passed"


def print_report(comparison: Comparison, console: Console) -> None:
    """Print the files, the tests by name that are left out, fail or are missing, and last the share that passes."""
    console.print(file_table(comparison))
    _print_names(console, "left out", comparison.left_out)
    if comparison.reference is not None:
        failed = {test: r.reason for test, r in comparison.reference.items() if r.outcome == "failed"}
        _print_names(console, "fail on the reference server", failed)
    if comparison.ours is not None and comparison.reference is not None:
        reasons = {test: reason_of(comparison.ours, test) for test in comparison.missing}
        _print_names(console, "pass on the reference server and not on ours", reasons)
    elif comparison.ours is not None:
        failed = {test: r.reason for test, r in comparison.ours.items() if r.outcome == "failed"}
        _print_names(console, "fail on ours", failed)
    console.print(verdict(comparison), markup=False)


def reason_of(ours: Results, test: str) -> str:
    """Return why a test does not pass on ours."""
    if test not in ours:
        return "is not there"
    result = ours[test]
    return f"skipped: {result.reason}" if result.outcome == "skipped" else result.reason


def verdict(comparison: Comparison) -> str:
    """Return the last line."""
    if comparison.reference is None or comparison.ours is None:
        results = comparison.ours if comparison.reference is None else comparison.reference
        counts = Counter(result.outcome for result in (results or {}).values())
        return f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"
    wanted = len(comparison.to_pass)
    passed = wanted - len(comparison.missing)
    share = f"{100 * passed / wanted:.1f} %" if wanted else "nothing to compare"
    return f"{passed} of {wanted} tests that pass on the reference server pass on ours: {share}"


def file_table(comparison: Comparison) -> Table:
    """Return passed/failed/skipped per file for both servers, and how many of the reference's passes ours has."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("file", no_wrap=True)
    for title in ("reference", "ours", "both pass", "left out"):
        table.add_column(title, justify="right", no_wrap=True)
    left_out = Counter(map(file_of, comparison.left_out))
    wanted = Counter(map(file_of, comparison.to_pass))
    missing = Counter(map(file_of, comparison.missing))
    reference, ours = counts_by_file(comparison.reference), counts_by_file(comparison.ours)
    for file in dict.fromkeys([*reference, *ours, *left_out]):
        both = f"{wanted[file] - missing[file]} of {wanted[file]}" if file in reference and file in ours else ""
        cells = (_cell(reference, file), _cell(ours, file), both, str(left_out[file] or ""))
        table.add_row(file.removeprefix("tests/"), *cells)
    return table


def counts_by_file(results: Results | None) -> dict[str, Counter[str]]:
    """Return for each file how many tests passed, failed and were skipped."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for test, result in (results or {}).items():
        counts[file_of(test)][result.outcome] += 1
    return dict(counts)


def _cell(counts: dict[str, Counter[str]], file: str) -> str:
    if file not in counts:
        return ""
    return "/".join(str(counts[file][outcome]) for outcome in ("passed", "failed", "skipped"))


def _print_names(console: Console, title: str, reasons: dict[str, str]) -> None:
    if not reasons:
        return
    console.print(f"{len(reasons)} {title}:", markup=False)
    for test, reason in sorted(reasons.items()):
        console.print(f"  {test}: {reason[:160]}", markup=False, highlight=False, soft_wrap=True)
    console.print()
