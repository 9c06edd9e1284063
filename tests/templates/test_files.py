"""What holds for the files of every template, as they stand and as they are rendered."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
import yaml

from durable_cli.dev.project.load import load_project
from durable_cli.scaffold.catalogue import TEMPLATES, Template
from durable_cli.scaffold.render import render_template
from tests.support.server_process import PROJECT_FOLDER
from tests.templates import test_templates
from tests.templates.conftest import AT_ONCE, choose_templates

every_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)

ANSWERS = {"project_name": "my-shop", "task_queue": "my-queue", "cron": "5 4 * * 1"}
MARKUP = re.compile(r"\{\{|\{%|\{#")
SCREEN_LINES = 50
EXACT_PYTHON = re.compile(r"[a-z-]+(\[[a-z]+\])?==[\d.]+")
EXACT_NPM = re.compile(r"\d+\.\d+\.\d+")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """All templates, rendered; their answers differ from the defaults."""
    folders = {}
    for template in TEMPLATES:
        folders[template.name] = tmp_path_factory.mktemp("rendered") / "project"
        answers = {name: ANSWERS[name] for name in template.questions}
        render_template(template, folders[template.name], answers, ask=False)
    return folders


@cache
def read_questions(template: Template) -> dict[str, dict[str, str]]:
    return dict(yaml.safe_load((template.folder / "copier.yml").read_text()))


def find_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_the_catalogue_has_every_template() -> None:
    folders = {path.name for path in (PROJECT_FOLDER / "templates").iterdir() if path.is_dir()}
    assert {template.name for template in TEMPLATES} == folders


def test_every_template_has_its_turn() -> None:
    turns = [choose_templates(turn) for turn in range(3, 6)]
    assert set().union(*turns) == {template.name for template in TEMPLATES}
    assert {len(chosen) for chosen in turns} == {AT_ONCE}


def test_every_template_is_run() -> None:
    marks = [
        mark for test in vars(test_templates).values() if callable(test) for mark in getattr(test, "pytestmark", ())
    ]
    run = [mark.args[0] for mark in marks if mark.name == "template"]
    assert set(run) == {template.name for template in TEMPLATES}


@every_template
def test_questions(template: Template) -> None:
    questions = read_questions(template)
    # Nothing but questions: no tasks, no extensions, no migrations.
    assert tuple(questions) == template.questions
    for name, question in questions.items():
        assert set(question) == {"type", "help", "default", "qmark", "validator"}, name
        assert len(question["help"]) <= 30


@every_template
def test_code_is_readable_as_it_stands(template: Template) -> None:
    marked = {path.name for path in find_files(template.folder) if MARKUP.search(path.read_text())}
    assert marked <= {
        "README.md.jinja",
        "copier.yml",
        "dx.toml.jinja",
        "package-lock.json.jinja",
        "package.json.jinja",
        "pyproject.toml.jinja",
        "task-queue.ts.jinja",
    }


@every_template
def test_nothing_is_left_of_the_markup(template: Template, rendered: Mapping[str, Path]) -> None:
    for path in find_files(rendered[template.name]):
        assert path.suffix != ".jinja"
        assert not MARKUP.search(path.read_text()), path
        assert path.name != "copier.yml"


@every_template
def test_answers_are_used(template: Template, rendered: Mapping[str, Path]) -> None:
    texts = [path.read_text() for path in find_files(rendered[template.name])]
    for name in template.questions:
        assert any(ANSWERS[name] in text for text in texts), name
        default = f'"{read_questions(template)[name]["default"]}"'
        assert not [text for text in texts if f"task_queue = {default}" in text]


@every_template
def test_readme_fits_on_a_screen(template: Template, rendered: Mapping[str, Path]) -> None:
    readme = (rendered[template.name] / "README.md").read_text()
    assert readme.startswith("# my-shop\n")
    assert "dx dev" in readme
    assert "dx workflow" in readme
    assert len(readme.splitlines()) <= SCREEN_LINES


@every_template
def test_readme_names_the_files(template: Template, rendered: Mapping[str, Path]) -> None:
    folder = rendered[template.name]
    readme = (folder / "README.md").read_text()
    for path in re.findall(r"`((?:src/|tests/)?[\w-]+\.(?:py|ts|toml))`", readme):
        assert (folder / path).is_file(), path


@every_template
def test_project_file(template: Template, rendered: Mapping[str, Path]) -> None:
    folder = rendered[template.name]
    project = load_project(folder / "dx.toml")
    (worker,) = project.worker.values()
    assert worker.task_queue == "my-queue"
    assert project.start
    assert {start.task_queue for start in project.start.values()} == {"my-queue"}
    assert (folder / "dx.toml").read_text().startswith("#:schema .dx/dx.schema.json\n")
    assert {".dx/"} < set((folder / ".gitignore").read_text().splitlines())


@every_template
def test_dependencies_are_pinned(template: Template, rendered: Mapping[str, Path]) -> None:
    folder = rendered[template.name]
    if (folder / "package.json").exists():
        package = json.loads((folder / "package.json").read_text())
        wanted = {**package["dependencies"], **package["devDependencies"]}
        assert [version for version in wanted.values() if not EXACT_NPM.fullmatch(version)] == []
        lock = json.loads((folder / "package-lock.json").read_text())["packages"]
        assert {name: lock[f"node_modules/{name}"]["version"] for name in wanted} == wanted
        assert not [
            name for name, locked in lock.items() if "resolved" in locked or (name and "integrity" not in locked)
        ]
    else:
        project = tomllib.loads((folder / "pyproject.toml").read_text())
        wanted_by_tests = list(project["project"]["optional-dependencies"]["test"])
        assert wanted_by_tests.pop(0).startswith("durable-dx")
        pins = [*project["project"]["dependencies"], *wanted_by_tests, *project["build-system"]["requires"]]
        assert [pin for pin in pins if not EXACT_PYTHON.fullmatch(pin)] == []
        modules = {path.stem for path in folder.glob("*.py")}
        assert set(project["tool"]["setuptools"]["py-modules"]) == modules


def test_pins_agree(rendered: Mapping[str, Path]) -> None:
    """A package has one version in all templates, and the SDK's is that of dx, which runs them without a venv."""
    versions: dict[str, set[str]] = {}
    for folder in rendered.values():
        text = (folder / "pyproject.toml").read_text() if (folder / "pyproject.toml").exists() else ""
        for name, version in re.findall(r'"([a-z-]+)(?:\[[a-z]+\])?==([\d.]+)"', text):
            versions.setdefault(name, set()).add(version)
    assert [name for name, found in versions.items() if len(found) > 1] == []
    constraints = (PROJECT_FOLDER / "constraints.txt").read_text()
    (version,) = versions["temporalio"]
    assert f"\ntemporalio=={version}\n" in constraints


def test_rendered_code_passes_ruff_by_its_defaults(rendered: Mapping[str, Path], tmp_path: Path) -> None:
    """Also the order of imports, where the modules of a project are its own."""
    ruff = Path(sys.executable).with_name("ruff")
    for folder in rendered.values():
        for words in (["check", "--extend-select", "I"], ["format", "--check"]):
            command = [ruff, *words, "--no-cache", "--isolated", "."]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


def test_histories_are_of_one_workflow_before_and_after(rendered: Mapping[str, Path]) -> None:
    """What python-versioning replays: one run without the patch's marker, one with it."""
    folder = rendered["python-versioning"] / "tests" / "histories"
    types = {
        path.stem: [event["eventType"] for event in json.loads(path.read_text())["events"]]
        for path in folder.glob("*.json")
    }
    assert {name: "EVENT_TYPE_MARKER_RECORDED" in found for name, found in types.items()} == {
        "before-receipts": False,
        "with-receipts": True,
    }
