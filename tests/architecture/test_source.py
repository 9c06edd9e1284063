"""What holds for every shipped file: its size, its docstrings, and what it may not talk about."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from .source import (
    PROJECT_FOLDER,
    Definition,
    SourceFile,
    code_lines,
    functions,
    protocol_methods,
    public_definitions,
    shipped_files,
)

MAXIMUM_FILE_LINES = 400
MAXIMUM_FUNCTION_LINES = 70

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
# The shipped code does not know that it is tested, nor on which machine it was written.
OUT_OF_PLACE = re.compile(
    r"\bpytest\b|\bunittest\b|\bmock|\bDX_TEST|\btests?[./]|/home/|/root/|/work/|/Users/|\bissue #?\d"
)
# durable_cli/testing is made for the tests of users.
MAY_TALK_OF_TESTS = ("durable_cli/testing/",)
# One name there is one message or event of the protocol, which says what it is.
NAMED_AFTER_THE_PROTO = ("engine/core/events/", "engine/core/inputs.py")
MACHINE_PATH = re.compile(r"(?<![\w.$}>)\]-])/(?:home|root|work|Users|opt)/[a-z]")
TEXT_SUFFIXES = {".py", ".md", ".toml", ".txt", ".ts", ".json", ".svg", ".sh", ".yml", ""}

every_file = pytest.mark.parametrize("file", shipped_files(), ids=lambda file: file.name)


@every_file
def test_files_are_short(file: SourceFile) -> None:
    assert len(file.lines) <= MAXIMUM_FILE_LINES, "split it by job"


@every_file
def test_functions_are_short(file: SourceFile) -> None:
    long = {node.name: code_lines(node) for node in functions(file.tree) if code_lines(node) > MAXIMUM_FUNCTION_LINES}
    assert not long


@every_file
def test_nothing_is_left_unfinished(file: SourceFile) -> None:
    assert not [line for line in file.lines if UNFINISHED.search(line)]


@every_file
def test_code_does_not_know_tests_and_machines(file: SourceFile) -> None:
    if not file.name.startswith(MAY_TALK_OF_TESTS):
        assert not [line for line in file.lines if OUT_OF_PLACE.search(line)]


@every_file
def test_public_things_say_what_they_do(file: SourceFile) -> None:
    assert starts_with_a_sentence(ast.get_docstring(file.tree)) or not file.tree.body, "the module"
    if not file.name.startswith(NAMED_AFTER_THE_PROTO):
        assert not [
            f"{node.name} in line {node.lineno}"
            for node in public_definitions(file.tree)
            if not (starts_with_a_sentence(ast.get_docstring(node)) or explains_itself(node))
        ]


def starts_with_a_sentence(docstring: str | None) -> bool:
    """Say whether the text before the first blank line begins and ends like a sentence."""
    if not docstring:
        return False
    sentence = docstring.split("\n\n")[0].strip()
    first_word = sentence.split()[0]
    note = first_word[0].isalpha() and first_word == first_word.lower() and first_word not in ("dx", "durable_cli:")
    return not note and sentence[-1] in ".:!?)`"


def explains_itself(node: Definition) -> bool:
    """Say whether the name and the type are enough: a property, a single statement, an implemented protocol."""
    if isinstance(node, ast.ClassDef):
        return False
    is_property = any(ast.unparse(decorator) == "property" for decorator in node.decorator_list)
    return is_property or len(node.body) == 1 or node.name in protocol_methods()


def test_no_tracked_file_names_a_place_on_a_machine() -> None:
    found = []
    for path in tracked_files():
        if path.suffix in TEXT_SUFFIXES and path != Path(__file__):
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{path.relative_to(PROJECT_FOLDER)}: {hit.group()}" for hit in MACHINE_PATH.finditer(text)]
    assert not found


def tracked_files() -> list[Path]:
    """Return the files of the repository; outside one, all files that are not hidden."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT_FOLDER, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [path for name in listed.stdout.split("\0") if name and (path := PROJECT_FOLDER / name).is_file()]
    return [
        path
        for path in PROJECT_FOLDER.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(PROJECT_FOLDER).parts)
    ]


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Return a run.", True),
        ("`x` is y.", True),
        ("gRPC as it is.", True),
        ("Return a run", False),
        ("return a run.", False),
        ("", False),
        (None, False),
    ],
)
def test_a_sentence_is_told_from_a_note(docstring: str | None, expected: bool) -> None:
    assert starts_with_a_sentence(docstring) is expected
