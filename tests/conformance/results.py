"""What became of each test: as events while a file runs, as a JSON file between runs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """How one test went: `outcome` is passed, failed or skipped; `rpcs` are what its own clients called."""

    outcome: str
    seconds: float = 0.0
    reason: str = ""
    rpcs: tuple[str, ...] = ()


Results = dict[str, Result]


@dataclass(frozen=True)
class Versions:
    """What the results of a run depend on."""

    suite: str
    sdk: str
    server: str


def read_events(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return the events of a file's processes; a last line that was cut off is none."""
    events = []
    for line in lines:
        if line.endswith("\n"):
            events.append(json.loads(line))
    return events


def unstarted(events: list[dict[str, Any]]) -> list[str]:
    """Return the tests that were collected and not begun yet, in order."""
    begun = {event["test"] for event in events if event["event"] == "started"}
    collected = [test for event in events if event["event"] == "collected" for test in event["tests"]]
    return [test for test in dict.fromkeys(collected) if test not in begun]


def results_of(file: str, events: list[dict[str, Any]], why_unstarted: str) -> Results:
    """Return the result of every test of a file; what was begun and did not finish has failed, and so has the rest."""
    results: Results = {}
    for event in events:
        if event["event"] == "uncollectable":
            results[file] = Result("failed", reason=event["reason"])
        elif event["event"] == "started":
            results[event["test"]] = Result("failed", reason="its process ended")
        elif event["event"] == "finished":
            results[event["test"]] = Result(event["outcome"], event["seconds"], event["reason"], tuple(event["rpcs"]))
    for test in unstarted(events):
        results[test] = Result("failed", reason=why_unstarted)
    return results or {file: Result("failed", reason="no test was collected")}


def file_of(test: str) -> str:
    """Return the file that a test is in."""
    return test.partition("::")[0]


def merge(known: Results, found: Results, *, whole_files: bool) -> Results:
    """Return `known` with what was found now.

    Args:
        known: The results of whole files.
        found: The results of a run.
        whole_files: Whether the run was of whole files; if not, files that are not known stay so.
    """
    files = set(map(file_of, found if whole_files else known))
    kept = {test: result for test, result in known.items() if not whole_files or file_of(test) not in files}
    return kept | {test: result for test, result in found.items() if file_of(test) in files}


def select(results: Results, files: Collection[str], tests: Collection[str] | None) -> Results:
    """Return the results of these files, and if `tests` is given, only of those."""
    return {
        test: result for test, result in results.items() if file_of(test) in files and (tests is None or test in tests)
    }


def save(path: Path, versions: Versions, results: Results) -> None:
    """Write the results of a run for later ones."""
    tests = {test: asdict(result) for test, result in sorted(results.items())}
    path.write_text(json.dumps({"versions": asdict(versions), "tests": tests}, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> tuple[Versions, Results]:
    """Read what `save` wrote."""
    document = json.loads(path.read_text(encoding="utf-8"))
    results = {test: Result(**{**fields, "rpcs": tuple(fields["rpcs"])}) for test, fields in document["tests"].items()}
    return Versions(**document["versions"]), results
