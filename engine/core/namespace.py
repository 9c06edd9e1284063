"""A namespace as the core sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from temporalio.api.workflowservice.v1 import DescribeNamespaceResponse

__all__ = ["Namespace"]


@dataclass(slots=True)
class Namespace:
    """A registered namespace.

    `namespace_key` is its integer in the database file (0: not stored yet), `description` what DescribeNamespace
    answers, `custom_search_attributes` maps a name to its IndexedValueType.
    """

    namespace_key: int
    namespace_id: str
    name: str
    description: DescribeNamespaceResponse = field(default_factory=DescribeNamespaceResponse)
    custom_search_attributes: dict[str, int] = field(default_factory=dict)
