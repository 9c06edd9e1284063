"""`dx new`: what it makes, what it refuses, and that it leaves nothing behind where it fails."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from durable_cli.main import run
from durable_cli.scaffold.catalogue import TEMPLATES
from tests.cli.conftest import Result

NAMES = [template.name for template in TEMPLATES]


@dataclass
class Dx:
    """`dx` in a folder, without a terminal; in this process, since most of its time would be imports."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Result:
        code = run(words)
        return Result(code, *self.capture.readouterr())


@pytest.fixture
def dx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Dx:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Dx(folder, capfd)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A copier template of the user's own."""
    folder = tmp_path / "templates" / "service"
    folder.mkdir(parents=True)
    (folder / "copier.yml").write_text(
        "_subdirectory: files\n"
        "owner:\n  type: str\n  default: nobody\n"
        'size:\n  type: int\n  default: 3\n  validator: "{% if size < 1 %}make it at least 1{% endif %}"\n'
    )
    (folder / "files").mkdir()
    (folder / "files" / "owner.txt.jinja").write_text("{{ owner }} {{ size }}\n")
    return folder


def refused(result: Result, code: int, said: str, hint: str) -> None:
    """Assert that a command has failed with one line and a hint, and printed no data."""
    assert result.code == code
    message, _, hinted = result.stderr.partition("\n\nhint: ")
    assert message == f"error: {said}"
    assert hint in hinted


def test_the_list(dx: Dx) -> None:
    listed = dx("new", "--list").ok()
    assert [line.split()[0] for line in listed.stdout.splitlines()] == NAMES
    assert max(map(len, listed.stdout.splitlines())) <= 80
    assert [row["name"] for row in dx("new", "--list", "-o", "json").ok().json] == NAMES


def test_without_a_template(dx: Dx) -> None:
    result = dx("new")
    refused(result, 2, "which template? Give its name", "dx new minimal")
    assert [line.split()[0] for line in result.stdout.splitlines()] == NAMES


def test_a_project_is_made(dx: Dx) -> None:
    made = dx("new", "minimal").ok()
    folder = dx.folder / "minimal"
    assert made.stdout == (
        "\n✓ made minimal from the template minimal\n\n"
        "  cd minimal\n"
        "  dx dev   # a server and the worker, reloaded when you save\n\n"
        "README.md tells the rest.\n"
    )
    assert made.stderr == ""
    assert (folder / ".dx" / "dx.schema.json").is_file()
    assert ".dx/" in (folder / ".gitignore").read_text().splitlines()


def test_answers(dx: Dx) -> None:
    made = dx("new", "minimal", "My Shop!", "--data", "task_queue=sales", "-o", "json").ok()
    folder = dx.folder / "My Shop!"
    assert made.json == {"template": "minimal", "folder": str(folder.resolve())}
    assert 'task_queue = "sales"' in (folder / "dx.toml").read_text()
    # The folder's name is the project's, as far as it can be.
    assert '\nname = "my-shop"\n' in (folder / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("order", "python-order"),
        ("python_order", "python-order"),
        ("saga", "python-saga"),
        ("minimum", "minimal"),
        ("typescript", "typescript-order"),
        ("observe", "observability"),
    ],
)
def test_a_mistyped_template(dx: Dx, typed: str, meant: str) -> None:
    refused(dx("new", typed), 2, f"there is no template {typed!r}", f"did you mean `dx new {meant}`?")


def test_a_template_that_is_nothing_like_one(dx: Dx) -> None:
    result = dx("new", "zzzz")
    refused(result, 2, "there is no template 'zzzz'", "`dx new --list` lists them")
    assert "did you mean" not in result.stderr


@pytest.mark.parametrize(
    ("data", "code", "said", "hint"),
    [
        ("colour=red", 2, "minimal asks nothing about 'colour'", "it asks: project_name, task_queue"),
        ("colour", 2, "--data 'colour' has no '='", "--data KEY=VALUE"),
        (
            "project_name=A b",
            2,
            "project_name: use a-z, 0-9 and dashes",
            "answer it by --data project_name=…",
        ),
        ("task_queue=a b", 2, "task_queue: use letters, digits, _ . / and -", "answer it by --data task_queue=…"),
    ],
)
def test_answers_that_are_not_accepted(dx: Dx, data: str, code: int, said: str, hint: str) -> None:
    refused(dx("new", "minimal", "--data", data), code, said, hint)
    assert list(dx.folder.iterdir()) == []


def test_nothing_is_overwritten(dx: Dx) -> None:
    folder = dx.folder / "shop"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    result = dx("new", "minimal", "shop")
    refused(result, 1, "the folder shop is not empty: it holds notes.txt", "dx new TEMPLATE DIR")
    (dx.folder / "file").write_text("mine")
    refused(dx("new", "minimal", "file"), 1, "file is a file", "dx new TEMPLATE DIR")
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    assert (folder / "notes.txt").read_text() == (dx.folder / "file").read_text() == "mine"


def test_a_repository_without_files_is_free(dx: Dx, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "--quiet", dx.folder / "shop"], check=True)
    monkeypatch.chdir(dx.folder / "shop")
    assert dx("new", "minimal", ".").ok().stdout.splitlines()[3].startswith("  dx dev")
    assert (dx.folder / "shop" / ".git" / "HEAD").is_file()
    assert (dx.folder / "shop" / "dx.toml").is_file()


def test_an_answer_that_is_wrong_leaves_an_empty_folder_empty(dx: Dx) -> None:
    (dx.folder / "shop").mkdir()
    assert dx("new", "minimal", "shop", "--data", "task_queue=a b").code == 2
    assert list((dx.folder / "shop").iterdir()) == []


def test_a_template_of_ones_own(dx: Dx, foreign: Path) -> None:
    made = dx("new", "--from", str(foreign), "--data", "owner=ann", "--data", "size=7").ok()
    assert (dx.folder / "service" / "owner.txt").read_text() == "ann 7\n"
    assert "  cd service\n" in made.stdout
    assert "dx dev" not in made.stdout
    dx("new", "--from", str(foreign), "elsewhere").ok()
    assert (dx.folder / "elsewhere" / "owner.txt").read_text() == "nobody 3\n"


def test_a_template_in_a_git_repository(dx: Dx, foreign: Path) -> None:
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.com", "-C", str(foreign)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "first"], check=True)
    dx("new", "--from", f"git+file://{foreign}", "cloned").ok()
    assert (dx.folder / "cloned" / "owner.txt").read_text() == "nobody 3\n"


def test_unsafe_features_need_trust(dx: Dx, foreign: Path) -> None:
    with (foreign / "copier.yml").open("a") as file:
        file.write("_tasks:\n  - touch done.txt\n")
    refused(
        dx("new", "--from", str(foreign), "shop"),
        1,
        "the template wants to run code of its own (tasks)",
        "look at its copier.yml, and if you trust it, say --trust",
    )
    assert not (dx.folder / "shop").exists()
    dx("new", "--from", str(foreign), "shop", "--trust").ok()
    assert (dx.folder / "shop" / "done.txt").exists()


def test_a_task_that_fails_leaves_nothing(dx: Dx, foreign: Path) -> None:
    with (foreign / "copier.yml").open("a") as file:
        file.write("_tasks:\n  - exit 3\n")
    result = dx("new", "--from", str(foreign), "shop", "--trust")
    assert result.code == 1
    assert "the template can't be rendered: " in result.stderr
    assert not (dx.folder / "shop").exists()


def test_a_foreign_template_that_does_not_render(dx: Dx, foreign: Path) -> None:
    (foreign / "files" / "broken.txt.jinja").write_text("{% if %}\n")
    result = dx("new", "--from", str(foreign), "shop")
    assert result.code == 1
    assert "the template can't be rendered: " in result.stderr
    assert not (dx.folder / "shop").exists()


@pytest.mark.parametrize(
    ("words", "code", "said", "hint"),
    [
        (("--from", "nowhere"), 1, "there is no folder nowhere", "the URL of a git repository"),
        (("--from", ".", "a", "b"), 2, "two templates were given: a and --from", "leave out one of them"),
        (("minimal", "--trust"), 2, "--trust is for --from", "run nothing"),
    ],
)
def test_wrong_words(dx: Dx, words: tuple[str, ...], code: int, said: str, hint: str) -> None:
    refused(dx("new", *words), code, said, hint)


def test_a_repository_that_is_not_there(dx: Dx) -> None:
    result = dx("new", "--from", f"git+file://{dx.folder}/nowhere", "shop")
    assert result.code == 1
    assert result.stderr.startswith("error: the template can't be had")
    assert "nowhere" in result.stderr
    assert not (dx.folder / "shop").exists()


def test_json_of_nothing(dx: Dx) -> None:
    assert json.loads(dx("new", "minimal", "-o", "json").ok().stdout)["template"] == "minimal"
    assert dx("new", "minimal", "other", "-o", "none").ok().stdout == ""
