"""Search attributes: which exist, who may set them, and how an upsert changes them.

The server sets the system attributes itself. The predefined ones live beside a namespace's own in the
SearchAttributes map; some of them a user may set. A value is JSON; null and the empty list mean none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from temporalio.api.common.v1.message_pb2 import Payload, SearchAttributes
from temporalio.api.enums.v1.common_pb2 import IndexedValueType

from engine.core.errors import InvalidArgument, enum_shorthand
from engine.core.policy.limits import Limits
from engine.core.visibility.search_attribute_values import UndecodableValueError, decode_value, describe_bad_value

SearchAttributeTypes = Mapping[str, int]
"""Names, each with its IndexedValueType."""

_KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
_INT = IndexedValueType.INDEXED_VALUE_TYPE_INT
_BOOL = IndexedValueType.INDEXED_VALUE_TYPE_BOOL
_DATETIME = IndexedValueType.INDEXED_VALUE_TYPE_DATETIME
_KEYWORD_LIST = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST

SYSTEM_SEARCH_ATTRIBUTES: SearchAttributeTypes = MappingProxyType(
    {
        "WorkflowId": _KEYWORD,
        "RunId": _KEYWORD,
        "WorkflowType": _KEYWORD,
        "StartTime": _DATETIME,
        "ExecutionTime": _DATETIME,
        "CloseTime": _DATETIME,
        "ExecutionStatus": _KEYWORD,
        "TaskQueue": _KEYWORD,
        "HistoryLength": _INT,
        "ExecutionDuration": _INT,
        "StateTransitionCount": _INT,
        "HistorySizeBytes": _INT,
        "ParentWorkflowId": _KEYWORD,
        "ParentRunId": _KEYWORD,
        "RootWorkflowId": _KEYWORD,
        "RootRunId": _KEYWORD,
    }
)
"""The attributes that no SearchAttributes map holds: columns of their own."""

_SETTABLE_PREDEFINED: SearchAttributeTypes = {
    "TemporalChangeVersion": _KEYWORD_LIST,
    "BinaryChecksums": _KEYWORD_LIST,
    "BuildIds": _KEYWORD_LIST,
    "BatcherNamespace": _KEYWORD,
    "BatcherUser": _KEYWORD,
    "TemporalScheduledStartTime": _DATETIME,
    "TemporalScheduledById": _KEYWORD,
    "TemporalSchedulePaused": _BOOL,
    "TemporalNamespaceDivision": _KEYWORD,
    "TemporalPauseInfo": _KEYWORD_LIST,
    "TemporalReportedProblems": _KEYWORD_LIST,
}

PREDEFINED_SEARCH_ATTRIBUTES: SearchAttributeTypes = MappingProxyType(
    {
        **_SETTABLE_PREDEFINED,
        "TemporalWorkerDeploymentVersion": _KEYWORD,
        "TemporalWorkflowVersioningBehavior": _KEYWORD,
        "TemporalWorkerDeployment": _KEYWORD,
        "TemporalUsedWorkerDeploymentVersions": _KEYWORD_LIST,
        "TemporalExternalPayloadCount": _INT,
        "TemporalExternalPayloadSizeBytes": _INT,
    }
)
"""The attributes that every namespace has beside its own."""

_RESERVED_NAMES = ("NamespaceId", "MemoEncoding", "Memo", "VisibilityTaskKey")
_RESERVED_PREFIX = "Temporal"


def search_attribute_type(name: str, registered: SearchAttributeTypes) -> int | None:
    """Return the type of an attribute that a SearchAttributes map may hold, or None."""
    return registered.get(name) or PREDEFINED_SEARCH_ATTRIBUTES.get(name)


def check_search_attribute_names(
    search_attributes: SearchAttributes, registered: SearchAttributeTypes, *, namespace: str
) -> None:
    """Check that the namespace knows every attribute.

    Raises:
        InvalidArgument: an unknown name.
    """
    for name in search_attributes.indexed_fields:
        if name not in SYSTEM_SEARCH_ATTRIBUTES and search_attribute_type(name, registered) is None:
            raise InvalidArgument(f"Namespace {namespace} has no mapping defined for search attribute {name}")


def validate_search_attributes(
    search_attributes: SearchAttributes, registered: SearchAttributeTypes, limits: Limits, *, namespace: str
) -> None:
    """Check names, number and values of the attributes that a request or a command sets.

    Args:
        registered: the namespace's own attributes.
        namespace: its name.

    Raises:
        InvalidArgument: an unknown or reserved name, a value of the wrong type, too many of them.
    """
    check_search_attribute_names(search_attributes, registered, namespace=namespace)
    fields = search_attributes.indexed_fields
    if len(fields) > limits.search_attributes_number_of_keys:
        raise InvalidArgument(
            f"number of search attributes {len(fields)} exceeds limit {limits.search_attributes_number_of_keys}"
        )
    for name, payload in fields.items():
        if name not in registered and name not in _SETTABLE_PREDEFINED:
            raise InvalidArgument(f"{name} attribute can't be set in SearchAttributes")
        _check_value(name, payload, registered)


def _check_value(name: str, payload: Payload, registered: SearchAttributeTypes) -> None:
    value_type = search_attribute_type(name, registered)
    assert value_type is not None
    try:
        decode_value(payload, value_type)
    except UndecodableValueError:
        type_name = enum_shorthand(IndexedValueType.DESCRIPTOR, value_type)
        raise InvalidArgument(
            f"invalid value for search attribute {name} of type {type_name}: {describe_bad_value(payload)}"
        ) from None


def validate_total_size(fields: Mapping[str, Payload], limits: Limits) -> None:
    """Check the sizes of search attributes, each and together.

    Raises:
        InvalidArgument: over a limit; in an upsert this terminates the run.
    """
    for name, payload in fields.items():
        if len(payload.data) > limits.search_attributes_value_size_bytes:
            raise InvalidArgument(
                f"search attribute {name} value size {len(payload.data)}"
                f" exceeds size limit {limits.search_attributes_value_size_bytes}"
            )
    size_bytes = SearchAttributes(indexed_fields=fields).ByteSize()
    if size_bytes > limits.search_attributes_total_size_bytes:
        raise InvalidArgument(
            f"total size of search attributes {size_bytes}"
            f" exceeds size limit {limits.search_attributes_total_size_bytes}"
        )


def set_type_metadata(search_attributes: SearchAttributes, registered: SearchAttributeTypes) -> None:
    """Name each value's type in its payload's metadata, in place, as histories and descriptions show it.

    What a client says about the type is kept.
    """
    for name, payload in search_attributes.indexed_fields.items():
        value_type = search_attribute_type(name, registered)
        if value_type is not None and "type" not in payload.metadata:
            payload.metadata["type"] = enum_shorthand(IndexedValueType.DESCRIPTOR, value_type).encode()


def validate_new_search_attributes(new: SearchAttributeTypes) -> None:
    """Check the names and types that AddSearchAttributes is to register.

    Raises:
        InvalidArgument: nothing to add, a name that is the server's, no such type.
    """
    if not new:
        raise InvalidArgument("SearchAttributes are not set on request.")
    for name, value_type in new.items():
        taken = name in SYSTEM_SEARCH_ATTRIBUTES or name in PREDEFINED_SEARCH_ATTRIBUTES or name in _RESERVED_NAMES
        if taken or name.startswith(_RESERVED_PREFIX):
            raise InvalidArgument(f"Search attribute {name} is reserved by system.")
        if value_type not in IndexedValueType.values():
            raise InvalidArgument(f"Unknown search attribute type: {value_type}.")
        if value_type == IndexedValueType.INDEXED_VALUE_TYPE_UNSPECIFIED:
            raise InvalidArgument(
                "Unable to create search attributes: cannot have more than 0 search attribute of type Unspecified."
            )


def validate_removed_search_attributes(names: list[str]) -> None:
    """Check the names that RemoveSearchAttributes is to forget; one that is not registered is fine.

    Raises:
        InvalidArgument: nothing to remove, a name that is the server's.
    """
    if not names:
        raise InvalidArgument("SearchAttributes are not set on request.")
    for name in names:
        if name in SYSTEM_SEARCH_ATTRIBUTES or name in PREDEFINED_SEARCH_ATTRIBUTES:
            raise InvalidArgument(f"Unable to remove non-custom search attributes: {name}.")
