"""Where a syntax error in a list filter is: counted in what was typed, whatever SQL the server makes of it."""

from __future__ import annotations

import pytest

from durable_cli.filter_place import count_from_filter
from engine.core.errors import InvalidArgument
from engine.core.visibility.filter_reader import read_list_filter
from tests.cli.conftest import Stage


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("WorkflowType == 'x'", "syntax error at position 15"),
        ("WorkflowType order", "syntax error at position 18"),
        ("GROUP BY BY", "syntax error at position 11 near 'by'"),
        ("order by by", "syntax error at position 11 near 'by'"),
    ],
)
def test_the_position_is_one_in_the_filter(query: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_list_filter(query, {})
    assert count_from_filter(str(refused.value), query).endswith(said)


def test_leading_space_counts() -> None:
    said = "malformed SQL query: syntax error at position 35 near 'order'"
    assert count_from_filter(said, "a order") == "malformed SQL query: syntax error at position 7 near 'order'"
    assert count_from_filter(said, "  a order").endswith("at position 9 near 'order'")


def test_other_words_stay() -> None:
    said = "invalid query: unable to convert 'at position 42'"
    assert count_from_filter(said, "x") == said


@pytest.mark.parametrize("command", ["list", "count"])
def test_the_command_line_counts_so(stage: Stage, command: str) -> None:
    refused = stage.dx("workflow", command, "--query", "WorkflowType == 'x'")
    assert refused.code == 1
    assert "syntax error at position 15\n" in refused.stderr
    assert "hint: write it like WorkflowType = " in refused.stderr
