"""How a change is wrapped so that old runs repeat their history: the lines of Python for one mismatch."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

from durable_cli.dev.host_events import Mismatch

__all__ = ["explain_patched"]

_CALLS = {
    "ActivityTaskScheduled": "await workflow.execute_activity(…)",
    "TimerStarted": "await workflow.sleep(…)",
    "StartChildWorkflowExecutionInitiated": "await workflow.execute_child_workflow(…)",
    "SignalExternalWorkflowExecutionInitiated": "await handle.signal(…)",
    "RequestCancelExternalWorkflowExecutionInitiated": "await handle.cancel()",
    "UpsertWorkflowSearchAttributes": "workflow.upsert_search_attributes(…)",
    "WorkflowPropertiesModified": "workflow.upsert_memo(…)",
    "WorkflowExecutionContinuedAsNew": "workflow.continue_as_new(…)",
    "WorkflowExecutionCompleted": "return …",
    "WorkflowExecutionFailed": "raise …",
    "NexusOperationScheduled": "await nexus_client.execute_operation(…)",
}
"""What in a workflow makes each event."""


def explain_patched(mismatch: Mismatch) -> str:
    """Return the Python that keeps both ways: the new one for new runs, the one of the history for old ones."""
    patch = _name_patch(mismatch)
    new = _find_new_line(mismatch)
    old = _CALLS.get(mismatch.event_type)
    old_summary = _about(mismatch.event_type, mismatch.event_summary) or mismatch.event_type
    lines = []
    if new and old:
        lines = [f'if workflow.patched("{patch}"):', f"    {new}", "else:", f"    {old}  # as before: {old_summary}"]
    elif new:
        lines = [f'if workflow.patched("{patch}"):', f"    {new}"]
    elif old:
        lines = [f'if not workflow.patched("{patch}"):', f"    {old}  # as before: {old_summary}"]
    else:
        lines = [f'if workflow.patched("{patch}"):', "    …  # what is new", "else:", "    …  # what was there before"]
    return "\n".join(
        [
            *lines,
            "",
            "# Later, when no run from before is open, this takes the place of the condition,",
            "# and at last goes, too:",
            f'workflow.deprecate_patch("{patch}")',
        ]
    )


def _find_new_line(mismatch: Mismatch) -> str:
    """Return the statement at which the new code gives its command."""
    if not mismatch.command_type or mismatch.line is None:
        return ""
    return next((text.strip() for number, text in mismatch.source if number == mismatch.line), "")


def _name_patch(mismatch: Mismatch) -> str:
    """Name the patch after what is new, else after what was there."""
    new = _about(mismatch.command_type, mismatch.command_summary)
    summary = new or _about(mismatch.event_type, mismatch.event_summary) or mismatch.workflow_type
    if summary[:1].isdecimal():  # a timer's duration
        summary = f"sleep {summary}"
    words = re.findall(r"[A-Za-z0-9_]+", summary)
    name = "-".join(words[:3]).lower() or "my-change"
    taken = _find_patches(mismatch)
    return next(one for one in chain([name], (f"{name}-{number}" for number in count(2))) if one not in taken)


def _find_patches(mismatch: Mismatch) -> set[str]:
    """Return the ids of the patches that the source has already, as far as they stand there as text."""
    text = "\n".join(line for _, line in mismatch.source)
    if mismatch.file is not None:
        with suppress(OSError, ValueError):
            text = Path(mismatch.file).read_text(encoding="utf-8")
    return set(re.findall(r"""(?:patched|deprecate_patch)\(\s*["']([^"']+)["']""", text))


def _about(kind: str, summary: str) -> str:
    """Return what an event or a command is about, without its type."""
    return summary.removeprefix(kind).strip()
