"""The JSON schema of `dx.toml`, for editors: completion, help and mistakes while one types."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from durable_cli.dev.project.model import Project
from durable_cli.dev.project.rules import COMMAND_KEYS, PYTHON_KEYS

__all__ = ["SCHEMA_PATH", "make_schema", "write_schema"]

SCHEMA_PATH = Path(".dx", "dx.schema.json")
"""Where the schema is, beside `dx.toml`, whose first line names it: `#:schema .dx/dx.schema.json`."""

_ABSENT = False  # the schema that nothing satisfies

# What `rules.py` says of how keys go together.
_WORKER_RULES: dict[str, Any] = {
    "if": {"required": ["command"]},
    "then": {"properties": dict.fromkeys(("workflows", "activities", *PYTHON_KEYS), _ABSENT)},
    "else": {
        "required": ["task_queue"],
        "anyOf": [{"required": [key], "properties": {key: {"minItems": 1}}} for key in ("workflows", "activities")],
        "properties": dict.fromkeys(COMMAND_KEYS, _ABSENT),
    },
}
_SCHEDULE_RULES: dict[str, Any] = {
    "anyOf": [{"required": ["cron"]}, {"required": ["every"]}],
    "dependentRequired": {"timezone": ["cron"]},
}
_NEXUS_ENDPOINT_RULES: dict[str, Any] = {
    "if": {"required": ["url"]},
    "then": {"properties": dict.fromkeys(("task_queue", "namespace"), _ABSENT)},
    "else": {"required": ["task_queue"]},
}


class _Generator(GenerateJsonSchema):
    """Leave out what helps nobody in an editor: titles that repeat the key, empty defaults, and null."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default") in (None, "", [], {}):
            described.pop("default", None)
        return described

    def encode_default(self, dft: Any) -> Any:
        if not isinstance(dft, timedelta):
            return super().encode_default(dft)
        hours, rest = divmod(dft, timedelta(hours=1))
        return f"{dft.total_seconds():g}s" if rest else f"{hours}h"

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def make_schema() -> dict[str, Any]:
    """Return the schema, in JSON Schema 2020-12."""
    schema = Project.model_json_schema(schema_generator=_Generator)
    schema["$defs"]["Worker"] |= _WORKER_RULES
    schema["$defs"]["Schedule"] |= _SCHEDULE_RULES
    schema["$defs"]["NexusEndpoint"] |= _NEXUS_ENDPOINT_RULES
    for table in schema["$defs"].values():
        del table["title"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "dx.toml"}


def write_schema(folder: Path) -> Path:
    """Write the schema into the project's `.dx` folder, unless it is there as it is, and return its path."""
    path = folder / SCHEMA_PATH
    text = json.dumps(make_schema(), indent=1) + "\n"
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path
