"""What is measured, one function per section; each starts the servers that it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.bench.measure import Bench
from tests.bench.sections.browser import browser
from tests.bench.sections.children import children
from tests.bench.sections.messages import signals, updates
from tests.bench.sections.one_run import events, long_run, sequence, timer
from tests.bench.sections.orders import footprint, growth, idle, ready, throughput
from tests.bench.sections.reload import reload

SECTIONS: dict[str, Callable[[Bench], Awaitable[None]]] = {
    "throughput": throughput,
    "footprint": footprint,
    "ready": ready,
    "idle": idle,
    "growth": growth,
    "long-run": long_run,
    "events": events,
    "sequence": sequence,
    "timer": timer,
    "signals": signals,
    "updates": updates,
    "children": children,
    "reload": reload,
    "browser": browser,
}
