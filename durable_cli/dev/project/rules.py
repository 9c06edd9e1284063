"""What must hold between the keys of a table of `dx.toml`.

A rule looks at the table as it was written, so that it finds its mistakes beside those of single values. It yields
the key that is at fault (an empty one means the table itself) and what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from durable_cli.dev.project.lines import KeyPath
from durable_cli.dev.project.model import SDK_OPTIONS

__all__ = ["IS_MISSING", "find_contradictions"]

IS_MISSING = "is missing"

PYTHON_KEYS = ("python", "data_converter", "interceptors", "plugins", *SDK_OPTIONS)
COMMAND_KEYS = ("build", "replay_command")

Fault = tuple[str, str]


def find_contradictions(document: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path and the text of every mistake that lies in how keys go together."""
    for kind, rule in _RULES.items():
        tables = document.get(kind)
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if isinstance(table, dict):
                for key, message in rule(table):
                    yield (kind, name, key) if key else (kind, name), message


def _check_worker(table: Mapping[str, Any]) -> Iterator[Fault]:
    modules = [key for key in ("workflows", "activities") if table.get(key)]
    if "command" in table:
        if modules:
            yield "command", f"is there beside `{modules[0]}`; a worker is either Python modules or a command"
            return
        for key in PYTHON_KEYS:
            if key in table:
                yield key, "is for a worker of Python modules; this one has a `command`"
        return
    if not modules:
        yield "", "needs `workflows` or `activities`, Python modules that dx runs, or a `command`"
        return
    if "task_queue" not in table:
        yield "task_queue", IS_MISSING
    for key in COMMAND_KEYS:
        if key in table:
            yield key, "is for a worker with a `command`; this one has Python modules"


def _check_schedule(table: Mapping[str, Any]) -> Iterator[Fault]:
    if not table.get("cron") and not table.get("every"):
        yield "", "needs `cron` or `every`, to say when it is due"
    elif "timezone" in table and not table.get("cron"):
        yield "timezone", "is for `cron`; an interval has none"


def _check_nexus_endpoint(table: Mapping[str, Any]) -> Iterator[Fault]:
    if "url" not in table and "task_queue" not in table:
        yield "", "needs a `task_queue`, or the `url` of an external endpoint"
    elif "url" in table:
        for key in ("task_queue", "namespace"):
            if key in table:
                yield key, "doesn't go together with `url`"


_RULES: dict[str, Callable[[Mapping[str, Any]], Iterator[Fault]]] = {
    "worker": _check_worker,
    "schedules": _check_schedule,
    "nexus_endpoints": _check_nexus_endpoint,
}
