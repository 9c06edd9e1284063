"""The messages of the workflows and their activities.

One dataclass for each message: a field that is added later gets a default, and the
workflows that are already running can still read what was sent to them.
"""

from dataclasses import dataclass


@dataclass
class Batch:
    """Items to be processed, in pages; `next_item` and `sum` say how far it is."""

    items: int
    items_per_page: int = 25
    pages_at_once: int = 4
    rounds_per_run: int = 2
    next_item: int = 0
    sum: int = 0


@dataclass
class Page:
    """The items from `first_item` up to, and without, `end_item`."""

    first_item: int
    end_item: int
