"""Run the Python SDK's own tests on both servers: `python -m tests.conformance --help`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from .environment import (
    CannotRunError,
    check_suite,
    copy_suite,
    default_venv,
    installed_sdk,
    prepare_venv,
    requirements,
    server_version,
    suite_commit,
    write_launcher,
)
from .report import compare, print_report
from .results import Results, Versions, file_of, load, merge, save, select
from .run_file import Setting, run_file
from .selection import DEFAULT_FILES, LEFT_OUT_FILES

KINDS = ("reference", "ours")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--suite", type=Path, required=True, metavar="FOLDER", help="the Python SDK's repository")
    parser.add_argument("--files", nargs="+", metavar="FILE", help="tests/….py of the suite, instead of the usual ones")
    parser.add_argument(
        "-k", dest="keyword", default="", metavar="EXPRESSION", help="only tests that pytest's -k names"
    )
    parser.add_argument("--only", choices=KINDS, help="run on this server alone")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="how many files at a time (%(default)s)")
    parser.add_argument(
        "--reference-results",
        type=Path,
        metavar="FILE",
        help="take the reference server's results from this JSON file; files that it lacks are run and added",
    )
    parser.add_argument("--venv", type=Path, metavar="FOLDER", help="the suite's environment (default: in ~/.cache)")
    parser.add_argument(
        "--logs", type=Path, metavar="FOLDER", help="where failures and logs go (default: a new folder)"
    )
    parser.add_argument("--sdk", metavar="VERSION", help="the SDK's version (default: the one after the suite's)")
    parser.add_argument("--test-seconds", type=float, default=60, metavar="N", help="limit per test (%(default)s)")
    parser.add_argument("--file-seconds", type=float, default=1800, metavar="N", help="limit per file (%(default)s)")
    return parser.parse_args()


@dataclass(frozen=True)
class Bench:
    """The suite, copied and installed, and what was asked for."""

    arguments: argparse.Namespace
    folder: Path
    python: Path
    files: list[str]
    logs: Path

    def versions(self, kind: str) -> Versions:
        """Return what the results of this server depend on."""
        return Versions(suite_commit(self.arguments.suite), installed_sdk(self.python), server_version(kind))

    def setting(self, kind: str) -> Setting:
        """Make what the files need on this server."""
        launcher = self.folder / f"start-{kind}"
        write_launcher(kind, launcher)
        limits = (self.arguments.test_seconds, self.arguments.file_seconds)
        return Setting(self.python, self.folder, launcher, self.logs / kind, *limits, self.arguments.keyword)


def prepare(arguments: argparse.Namespace, folder: Path) -> Bench:
    """Install what the suite needs and copy its tests into `folder`."""
    check_suite(arguments.suite)
    files = arguments.files or [file for file in DEFAULT_FILES if (arguments.suite / file).is_file()]
    absent = [file for file in files if not (arguments.suite / file).is_file()]
    if absent:
        raise CannotRunError(f"{absent[0]} is not in {arguments.suite}")
    wanted = requirements(arguments.suite, arguments.sdk)
    python = prepare_venv((arguments.venv or default_venv(wanted)).absolute(), wanted)
    copy_suite(arguments.suite, folder)
    logs = arguments.logs or Path(tempfile.mkdtemp(prefix="dx-conformance-logs-"))
    return Bench(arguments, folder, python, files, logs.absolute())


async def run(bench: Bench, wanted: dict[str, list[str]], narration: Console) -> dict[str, Results]:
    """Run the wanted files of each server, some at a time, the largest first; return the results by server."""
    settings = {kind: bench.setting(kind) for kind, files in wanted.items() if files}
    queue = [(kind, file) for kind, files in wanted.items() for file in files]
    queue.sort(key=lambda job: -(bench.folder / job[1]).stat().st_size)
    free = asyncio.Semaphore(bench.arguments.jobs)

    async def run_one(kind: str, file: str) -> Results:
        async with free:
            started = time.monotonic()
            results = await run_file(file, settings[kind])
            passed = sum(result.outcome == "passed" for result in results.values())
            seconds = time.monotonic() - started
            narration.print(
                f"{kind}: {file}: {passed} of {len(results)} pass, {seconds:.0f} s", highlight=False, soft_wrap=True
            )
            return results

    run_all = asyncio.current_task()
    assert run_all
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, run_all.cancel)
    async with asyncio.TaskGroup() as group:
        tasks = [(kind, group.create_task(run_one(kind, file))) for kind, file in queue]
    found: dict[str, Results] = {kind: {} for kind in wanted}
    for kind, task in tasks:
        found[kind].update(task.result())
    return found


def known_results(bench: Bench) -> Results:
    """Return the reference server's results that an earlier run has saved."""
    path = bench.arguments.reference_results
    if path is None or not path.is_file():
        return {}
    versions, results = load(path)
    if versions != bench.versions("reference"):
        raise CannotRunError(f"{path} is of {versions}, not of {bench.versions('reference')}: remove it")
    return results


def files_to_run(bench: Bench, known: Results) -> dict[str, list[str]]:
    """Return the files to run on each server: on the reference what is not known, or all when it is asked for alone."""
    if bench.arguments.only:
        return {bench.arguments.only: bench.files}
    known_files = set(map(file_of, known))
    return {"reference": [file for file in bench.files if file not in known_files], "ours": bench.files}


def run_and_report(arguments: argparse.Namespace, folder: Path) -> int:
    """Run what is to be run, save what the reference did, print the report; return the exit code."""
    bench = prepare(arguments, folder)
    known = known_results(bench)
    found = asyncio.run(run(bench, files_to_run(bench, known), Console(stderr=True)))
    reference, ours = found.get("reference", {}), found.get("ours")
    if arguments.reference_results and reference:
        known = merge(known, reference, whole_files=not arguments.keyword)
        save(arguments.reference_results, bench.versions("reference"), known)
    ran = {**reference, **(ours or {})} if arguments.keyword else None
    comparison = compare(select(known, bench.files, ran) | reference or None, ours)
    console = Console(width=None if sys.stdout.isatty() else 120)
    print_report(comparison, console)
    console.print(f"[dim]failures and logs: {bench.logs}[/dim]", soft_wrap=True)
    if not arguments.files:
        for pattern, reason in LEFT_OUT_FILES.items():
            console.print(f"[dim]not run: {pattern}: {reason}[/dim]")
    return 1 if comparison.missing else 0


def main() -> int:
    arguments = parse_arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="dx-conformance-") as folder:
            return run_and_report(arguments, Path(folder))
    except CannotRunError as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 2
    except (asyncio.CancelledError, KeyboardInterrupt):
        return 130


if __name__ == "__main__":
    sys.exit(main())
