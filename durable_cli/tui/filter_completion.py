"""What may come next in a list filter: pure, so that it is tried out with plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = ["ATTRIBUTES", "complete"]

# The attributes that every server has, by their types.
ATTRIBUTES = {
    "WorkflowId": "Keyword",
    "WorkflowType": "Keyword",
    "ExecutionStatus": "Status",
    "TaskQueue": "Keyword",
    "RunId": "Keyword",
    "StartTime": "Datetime",
    "CloseTime": "Datetime",
    "ExecutionTime": "Datetime",
    "ExecutionDuration": "Int",
    "HistoryLength": "Int",
    "HistorySizeBytes": "Int",
    "StateTransitionCount": "Int",
    "ParentWorkflowId": "Keyword",
    "RootWorkflowId": "Keyword",
    "BuildIds": "KeywordList",
}
STATUSES = ("Running", "Completed", "Failed", "Canceled", "Terminated", "ContinuedAsNew", "TimedOut")
JOINS = ("AND", "OR")
_QUOTED = re.compile(
    r"""(?P<name>[A-Za-z]\w*)\s*(?:=|!=|STARTS_WITH|IN\s*\((?:[^()]*,)?)\s*(?P<quote>['"])(?P<begun>[^'"]*)$"""
)
_WORD = re.compile(r"(?P<word>\w*)$")
_AFTER_VALUE = re.compile(r"""(['")]|\d)\s+\w*$""")


def complete(text: str, attributes: Mapping[str, str], values: Mapping[str, Sequence[str]]) -> str | None:
    """Return `text` with its last word completed, or None when nothing is known that begins so.

    Args:
        attributes: types by name, beside those that every server has.
        values: values that were seen, by attribute, such as workflow types.
    """
    known = {**ATTRIBUTES, **attributes}
    quoted = _QUOTED.search(text)
    if quoted is not None:
        name = next((each for each in known if each.lower() == quoted["name"].lower()), "")
        choices = STATUSES if name == "ExecutionStatus" else values.get(name, ())
        return _finish(text, quoted["begun"], choices, quoted["quote"])
    if text.count("'") % 2 or text.count('"') % 2:
        return None
    match = _WORD.search(text)
    word = match["word"] if match else ""
    if not word:
        return None
    if _AFTER_VALUE.search(text):
        return _finish(text, word, JOINS, " ")
    return _finish(text, word, list(known), " ")


def _finish(text: str, begun: str, choices: Sequence[str], end: str) -> str | None:
    found = next((choice for choice in choices if choice.lower().startswith(begun.lower()) and choice != begun), None)
    return f"{text[: len(text) - len(begun)]}{found}{end}" if found else None
