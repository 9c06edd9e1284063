"""The schema and the page that describe `dx.toml` say what the model does."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from durable_cli.dev.project import model
from durable_cli.dev.project.load import parse_project
from durable_cli.dev.project.schema import SCHEMA_PATH, make_schema, write_schema
from tests.dev.project.everything import EVERYTHING
from tests.dev.project.test_mistakes import CASES
from tests.support.server_process import PROJECT_FOLDER

PAGE = PROJECT_FOLDER / "durable_cli" / "dev" / "project" / "README.md"
PROJECT_FILES = [
    path
    for folder in ("examples", "templates")
    for path in sorted((PROJECT_FOLDER / folder).rglob("dx.toml"))
    if "node_modules" not in path.parts and ".venv" not in path.parts
]

# What only the loader knows: a schema has no word for it, or would repeat long lists.
BEYOND_THE_SCHEMA = re.compile(
    r"cron expression|time zone|split into words|no shell|can't be said in JSON|longer than nothing|not TOML"
)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = make_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def validate(validator: Draft202012Validator, text: str) -> list[str]:
    # TOML has dates, which JSON and its schemas know as text.
    document = json.loads(json.dumps(tomllib.loads(text), default=str))
    return [error.message for error in validator.iter_errors(document)]


def find_tables(kind: type[BaseModel] = model.Project) -> list[type[BaseModel]]:
    return [kind, *(table for table in model.Table.__subclasses__() if table is not kind)]


def test_every_key_that_there_is_validates(validator: Draft202012Validator) -> None:
    assert validate(validator, EVERYTHING) == []
    project = parse_project(EVERYTHING, Path("/shop/dx.toml"))
    given = {
        type(table).__name__: set().union(*(each.model_fields_set for each in tables))
        for tables in _group_tables(project)
        for table in tables
    }
    for table in find_tables():
        assert given[table.__name__] == set(table.model_fields)


def _group_tables(project: model.Project) -> list[list[BaseModel]]:
    return [
        [project],
        [project.server],
        [project.replay],
        [*project.namespaces.values()],
        [*project.worker.values()],
        [worker.setup for worker in project.worker.values() if worker.setup],
        [*project.schedules.values()],
        [*project.nexus_endpoints.values()],
        [*project.start.values()],
    ]


@pytest.mark.parametrize("path", PROJECT_FILES, ids=lambda path: path.parent.name)
def test_the_projects_own_files_validate(path: Path, validator: Draft202012Validator) -> None:
    assert validate(validator, path.read_text()) == []
    assert path.read_text().startswith(f"#:schema {SCHEMA_PATH.as_posix()}\n")
    assert parse_project(path.read_text(), path).worker


@pytest.mark.parametrize(
    ("text", "mistake"),
    [(text, mistake.strip()) for text, _, mistake in CASES if not BEYOND_THE_SCHEMA.search(mistake)],
)
def test_an_editor_shows_the_same_mistakes(text: str, mistake: str, validator: Draft202012Validator) -> None:
    assert validate(validator, text), mistake


def test_every_key_has_a_description() -> None:
    schema = make_schema()
    for table in (schema, *schema["$defs"].values()):
        assert all(key.get("description") for key in table["properties"].values() if key)


def test_the_schema_is_written_once(tmp_path: Path) -> None:
    path = write_schema(tmp_path)
    assert path == tmp_path / ".dx" / "dx.schema.json"
    assert json.loads(path.read_text()) == make_schema()
    before = path.stat().st_mtime_ns
    assert write_schema(tmp_path).stat().st_mtime_ns == before
    path.write_text("{}")
    assert json.loads(write_schema(tmp_path).read_text()) == make_schema()


def read_page() -> dict[str, dict[str, str]]:
    """Return the keys of each section of the page, with their defaults; the keys that must be there say so."""
    sections: dict[str, dict[str, str]] = {}
    for part in PAGE.read_text().split("\n## ")[1:]:
        heading = part.split("\n", 1)[0]
        rows = re.findall(r"^\| (\*\*)?`(\w+)`(?:\*\*)? \| (.*?) ?\| .+ \|$", part, re.MULTILINE)
        sections[heading] = {key: "(must be there)" if bold else default for bold, key, default in rows}
    return sections


SECTIONS: dict[str, type[BaseModel]] = {
    "[server]": model.Server,
    "[namespaces.NAME]": model.Namespace,
    "[worker.NAME]": model.Worker,
    "[replay]": model.Replay,
    "[schedules.ID]": model.Schedule,
    "[nexus_endpoints.NAME]": model.NexusEndpoint,
    "[start.WORKFLOW_ID]": model.Start,
}


@pytest.mark.parametrize(("heading", "table"), SECTIONS.items(), ids=SECTIONS)
def test_the_page_has_every_key_with_its_default(heading: str, table: type[BaseModel]) -> None:
    documented = read_page()[heading]
    assert set(documented) == set(table.model_fields)
    properties: dict[str, Any] = make_schema()["$defs"][table.__name__]["properties"]
    for key, default in documented.items():
        assert (default == "(must be there)") == table.model_fields[key].is_required()
        if "default" in properties[key]:
            said = tomllib.loads(f"value = {default.strip('`')}")["value"]
            expected = properties[key]["default"]
            assert said == (expected.lower() if key == "overlap" else expected), key


def test_the_page_names_every_table_and_its_example_is_right(validator: Draft202012Validator) -> None:
    page = PAGE.read_text()
    for key in model.Project.model_fields:
        assert f"`{key}`" in page or f"[{key}" in page
    for kind in model.SearchAttributeType.__args__:
        assert f"`{kind}`" in page
    example = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0]
    assert validate(validator, example) == []
    assert parse_project(example, Path("/shop/dx.toml")).schedules
