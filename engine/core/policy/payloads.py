"""Maps of payloads (memo, search attributes): a payload without a value takes its key away.

Unset are: no data at all, JSON null, and the empty JSON list.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from temporalio.api.common.v1.message_pb2 import Payload

_UNSET_DATA = (b"", b"null", b"[]")


def is_unset(payload: Payload) -> bool:
    """Tell whether the payload stands for no value."""
    return payload.data in _UNSET_DATA


def merge_payloads(current: Mapping[str, Payload], changes: Mapping[str, Payload]) -> dict[str, Payload]:
    """Return `current` with the changes applied: set where they hold a value, removed where they don't."""
    merged = dict(current)
    for key, payload in changes.items():
        if is_unset(payload):
            merged.pop(key, None)
        else:
            merged[key] = payload
    return merged


def remove_unset(payloads: MutableMapping[str, Payload]) -> None:
    """Remove, in place, the keys that hold no value: a started event does not keep them."""
    for key in [key for key, payload in payloads.items() if is_unset(payload)]:
        del payloads[key]
