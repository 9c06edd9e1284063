"""Every mistake in a file is said with its line, all of them at once."""

from __future__ import annotations

import random
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from durable_cli.dev.project.lines import Lines
from durable_cli.dev.project.load import ProjectError, parse_project
from tests.dev.project.everything import EVERYTHING

# Blocks with an empty line between them: a file, and after ! what is said about it.
CASES = [block.rpartition("\n! ") for block in Path(__file__).with_name("mistakes.txt").read_text().split("\n\n")]


def find_mistakes(text: str) -> list[str]:
    with pytest.raises(ProjectError) as caught:
        parse_project(text, Path("/shop/dx.toml"))
    return [problem.describe("dx.toml") for problem in caught.value.problems]


@pytest.mark.parametrize(("text", "mistake"), [(text, mistake.strip()) for text, _, mistake in CASES])
def test_a_mistake_is_said_with_its_line(text: str, mistake: str) -> None:
    assert find_mistakes(text) == [mistake]


def test_a_damaged_file_is_a_mistake_too() -> None:
    """Whatever one types, and however far: what is wrong is said, with a line that is there."""
    seeded = random.Random(1)
    found = 0
    for _ in range(400):
        damaged = list(EVERYTHING)
        for place in seeded.sample(range(len(damaged)), 3):
            damaged[place] = seeded.choice("\"'[]{}=#\n,.a1 ")
        text = "".join(damaged[: seeded.randrange(len(damaged))])
        try:
            parse_project(text, Path("/shop/dx.toml"))
        except ProjectError as error:
            found += 1
            for problem in error.problems:
                assert text.split("\n")[problem.line - 1].strip() == problem.source
    assert found > 300


def test_all_mistakes_are_said_at_once() -> None:
    text = '# a comment\n[server]\nport = "1"\n\n[worker.a]\ncommand = "x"\nworkflows = ["w"]\ncwd = 1\n\n[wroker.b]\n'
    assert [line.split(":")[1:3] for line in find_mistakes(text)] == [
        ["3", " server.port"],
        ["6", " worker.a.command"],
        ["8", " worker.a.cwd"],
        ["10", " wroker"],
    ]


def test_a_command_shows_mistakes_with_their_lines(tmp_path: Path) -> None:
    """As the user sees them: by the one place where errors become text."""
    script = (
        "from durable_cli.dev.project.load import load_project\n"
        "from durable_cli.errors import CliError, print_error\n"
        "try:\n    load_project()\n"
        "except CliError as error:\n    print_error(error.message, error.hint, error.details)\n"
    )

    def show(text: str) -> str:
        (tmp_path / "dx.toml").write_text(text)
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True)
        return done.stderr

    assert show("namespace = 3  # three\n") == (
        "error: dx.toml:1: namespace: must be text, not 3\n\n    namespace = 3  # three\n"
    )
    assert show("namespace = 3\n\n[sever]\n") == (
        "error: dx.toml has 2 mistakes\n\n"
        "dx.toml:1: namespace: must be text, not 3\n    namespace = 3\n"
        "dx.toml:3: sever: unknown key; did you mean server?\n    [sever]\n"
    )


ODD_TOML = '''\
# a comment with [brackets] and "quotes"
"quoted key" = 1
plain.dotted . 'key' = "a # no comment"

[table]   # comment
text = """
[no.table]
a = "b" \\"""
"""
literal = \'\'\'
it's [x]
\'\'\'
list = [ # comment ]
  1,
  { a = [
    "x", "]"
  ], b = 2 },
]
inline = { a.b = 1, "c.d" = { e = 2 } }
when = 1979-05-27 07:32:00

[[table.rows]]
n = 1
[table.rows.sub]
m = 1
[[table.rows]]
n = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("quoted key",), 2),
        (("plain", "dotted", "key"), 3),
        (("table",), 5),
        (("table", "text"), 6),
        (("table", "literal"), 10),
        (("table", "list", 0), 14),
        (("table", "list", 1), 15),
        (("table", "list", 1, "a", 0), 16),
        (("table", "list", 1, "b"), 17),
        (("table", "inline", "a", "b"), 19),
        (("table", "inline", "c.d", "e"), 19),
        (("table", "when"), 20),
        (("table", "rows"), 22),
        (("table", "rows", 0, "n"), 23),
        (("table", "rows", 0, "sub", "m"), 25),
        (("table", "rows", 1, "n"), 27),
        (("table", "missing"), 5),
        (("nowhere",), 1),
    ],
)
def test_lines_are_found_in_odd_toml(path: tuple[str | int, ...], line: int) -> None:
    assert tomllib.loads(ODD_TOML)
    assert Lines(ODD_TOML).find(path) == line
    assert Lines(ODD_TOML.replace("\n", "\r\n")).find(path) == line
