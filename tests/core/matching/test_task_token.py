"""Task tokens: read back as written, and refused when they are anything else."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.errors import InvalidArgument
from engine.core.matching.task_token import ActivityTaskToken, QueryTaskToken, WorkflowTaskToken
from tests.core.support.env import START_NS, counted_id

TOKENS: list[Any] = [
    WorkflowTaskToken(7, counted_id(1), 5, 6, 3, START_NS),
    WorkflowTaskToken(2**40, "ffffffff-ffff-4fff-bfff-ffffffffffff", 50_000, 50_001, 2**31, 2**62),
    ActivityTaskToken(7, counted_id(1), 5, 3),
    QueryTaskToken(7, counted_id(2)),
]


@pytest.mark.parametrize("token", TOKENS)
def test_it_is_read_back_as_written(token: Any) -> None:
    assert type(token).decode(token.encode()) == token


@pytest.mark.parametrize("token_type", [WorkflowTaskToken, ActivityTaskToken, QueryTaskToken])
@pytest.mark.parametrize(
    "malformed",
    [
        b"",
        b"w",
        b"nonsense",
        b"w" + b"\xff" * (len(TOKENS[0].encode()) - 1),
        b"a" + b"\xff" * (len(TOKENS[2].encode()) - 1),
        b"q" + b"\xff" * (len(TOKENS[3].encode()) - 1),
        TOKENS[0].encode()[:-1],
        TOKENS[0].encode() + b"\0",
        b"x" + TOKENS[0].encode()[1:],
        b"x" + TOKENS[2].encode()[1:],
        b"x" + TOKENS[3].encode()[1:],
    ],
)
def test_a_malformed_one_is_refused(token_type: Any, malformed: bytes) -> None:
    with pytest.raises(InvalidArgument, match="Error deserializing task token"):
        token_type.decode(malformed)


@pytest.mark.parametrize("token", TOKENS)
def test_one_of_another_kind_is_refused(token: Any) -> None:
    for other in {WorkflowTaskToken, ActivityTaskToken, QueryTaskToken} - {type(token)}:
        with pytest.raises(InvalidArgument):
            other.decode(token.encode())
