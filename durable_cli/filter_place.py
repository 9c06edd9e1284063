"""Where in a list filter a syntax error is: a server counts from the start of the SQL that it makes of it."""

from __future__ import annotations

import re

__all__ = ["FILTER_EXAMPLE", "count_from_filter"]

FILTER_EXAMPLE = (
    "write it like WorkflowType = 'Order' AND ExecutionStatus = 'Running': names as they are, text in quotes"
)
_SELECT, _WHERE = "select * from table1 ", "where "
_PLACE = re.compile(r"(?<= at position )\d+")
_CLAUSE = re.compile(r"\s*(?:group|order)\s+by\b", re.IGNORECASE)


def count_from_filter(message: str, query: str) -> str:
    """Let the position in a syntax error be one in the filter as it was written: where what is wrong ends."""
    if "malformed SQL query" not in message:
        return message
    # A server takes the space at the start away, and says which character follows.
    hidden = len(_SELECT if _CLAUSE.match(query) else _SELECT + _WHERE) + 1 - (len(query) - len(query.lstrip()))
    return _PLACE.sub(lambda match: str(min(max(1, int(match[0]) - hidden), len(query))), message)
