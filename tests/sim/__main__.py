"""`python -m tests.sim`: run many seeds and say which fail."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import traceback

from tests.sim.simulation import Outcome, simulate


def _try(seed: int) -> tuple[int, Outcome | str]:
    """Return what a seed came to, or the traceback of its failure."""
    try:
        return seed, simulate(seed)
    except Exception as error:
        return seed, "".join(traceback.format_exception(error))


def main() -> int:
    """Run the seeds; exit 1 when one fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--verbose", action="store_true", help="print a line per seed, and tracebacks")
    arguments = parser.parse_args()
    started = time.perf_counter()
    failed: list[int] = []
    runs = events = steps = crashes = 0
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    with multiprocessing.Pool(arguments.jobs) as pool:
        for seed, outcome in pool.imap(_try, seeds):
            if isinstance(outcome, str):
                failed.append(seed)
                lines = outcome.strip().splitlines()
                print(f"seed {seed}: {outcome if arguments.verbose else lines[-1][:1000]}")  # noqa: T201
                continue
            runs, events, steps = runs + outcome.runs, events + outcome.events, steps + outcome.steps
            crashes += outcome.crashes
            if arguments.verbose:
                print(outcome)  # noqa: T201
    print(  # noqa: T201
        f"{arguments.seeds} seeds in {time.perf_counter() - started:.1f} s: {runs} runs, {events} events, "
        f"{steps} steps, {crashes} crashes, {len(failed)} seeds failed"
    )
    if failed:
        print(f"failed: {' '.join(map(str, failed))}")  # noqa: T201
        print(f"replay one: python -m tests.sim --verbose --seeds 1 --first {failed[0]}")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
