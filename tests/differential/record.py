"""Record what the reference server answers: `python -m tests.differential.record [--check] [name…]`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.differential.run import Outcome, explain_difference, render_record, run_on_servers
from tests.differential.scenario import RECORDED_FOLDER, Scenario, load_scenarios
from tests.support.server_process import launch_reference


def main() -> int:
    """Run the chosen scenarios on fresh reference servers; write their records, or compare with `--check`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="words that a scenario's name must contain; all scenarios if none")
    parser.add_argument("--check", action="store_true", help="compare with the records and write nothing")
    arguments = parser.parse_args()
    everything = load_scenarios()
    chosen = [
        scenario
        for scenario in everything
        if not arguments.names or any(name in scenario.full_name for name in arguments.names)
    ]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = list(asyncio.run(run_on_servers(launch_reference, Path(folder), chosen)).values())
    failures = _check(outcomes) if arguments.check else _write(outcomes)
    if not arguments.check and not arguments.names:
        _remove_stale(everything)
    for failure in failures:
        print(failure, file=sys.stderr)  # noqa: T201
    seconds = time.monotonic() - started
    print(f"{len(outcomes) - len(failures)} of {len(outcomes)} scenarios in {seconds:.0f} s")  # noqa: T201
    return 1 if failures else 0


def _check(outcomes: list[Outcome]) -> list[str]:
    return [difference for outcome in outcomes if (difference := explain_difference(outcome))]


def _write(outcomes: list[Outcome]) -> list[str]:
    failures = []
    for outcome in outcomes:
        if outcome.error:
            failures.append(f"{outcome.scenario.full_name} failed:\n{outcome.error}")
            continue
        path = outcome.scenario.record_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_record(outcome), encoding="utf-8")
    return failures


def _remove_stale(scenarios: list[Scenario]) -> None:
    known = {scenario.record_path for scenario in scenarios}
    for path in RECORDED_FOLDER.glob("*/*.json"):
        if path not in known:
            path.unlink()


if __name__ == "__main__":
    sys.exit(main())
