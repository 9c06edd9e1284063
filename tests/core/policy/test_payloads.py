"""Maps of payloads: a payload without a value takes its key away."""

from __future__ import annotations

import pytest
from temporalio.api.common.v1 import Memo, Payload

from engine.core.policy.payloads import is_unset, merge_payloads, remove_unset


def json_payload(data: bytes) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


ONE, TWO = json_payload(b"1"), json_payload(b"2")


@pytest.mark.parametrize(
    ("payload", "unset"),
    [
        (Payload(), True),
        (Payload(metadata={"encoding": b"binary/null"}), True),
        (json_payload(b"null"), True),
        (json_payload(b"[]"), True),
        (json_payload(b"{}"), False),
        (json_payload(b'""'), False),
        (json_payload(b"0"), False),
    ],
)
def test_is_unset(payload: Payload, unset: bool) -> None:
    assert is_unset(payload) is unset


def test_merge_sets_replaces_and_removes() -> None:
    current = {"kept": ONE, "replaced": ONE, "removed": ONE}
    changes = {"replaced": TWO, "removed": json_payload(b"null"), "added": TWO, "never there": Payload()}
    assert merge_payloads(current, changes) == {"kept": ONE, "replaced": TWO, "added": TWO}
    assert current == {"kept": ONE, "replaced": ONE, "removed": ONE}


def test_remove_unset_from_a_message() -> None:
    memo = Memo(fields={"a": ONE, "b": json_payload(b"[]"), "c": Payload()})
    remove_unset(memo.fields)
    assert memo == Memo(fields={"a": ONE})
