"""A run that has scheduled one activity."""

from __future__ import annotations

from typing import Any

from tests.core.support.core import Core, Run
from tests.core.support.messages import retry_policy, schedule_activity

ONCE = retry_policy(attempts=1)


def with_activity(core: Core | None = None, **attributes: Any) -> Run:
    """Start a run that has scheduled activity `a` as event 5."""
    run = (core or Core()).start()
    run.complete(schedule_activity("a", **attributes))
    return run
