"""`python -m tests.sim`: run many seeds and say which fail."""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from tests.sim.simulation import simulate


def main() -> int:
    """Run the seeds; exit 1 when one fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--verbose", action="store_true", help="print a line per seed, and tracebacks")
    arguments = parser.parse_args()
    started = time.perf_counter()
    failed: list[int] = []
    runs = events = steps = crashes = 0
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        try:
            outcome = simulate(seed)
        except Exception as error:
            failed.append(seed)
            print(f"seed {seed}: {type(error).__name__}: {error}"[:1000])  # noqa: T201
            if arguments.verbose:
                traceback.print_exception(error)
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
