"""Finds the workflows and activities of the user's modules by their decorators.

A module's own: what is defined in it, what its package shows of its own parts, and the activity methods of the
instances that it makes. What it merely imports from elsewhere belongs to another module, which can be named, too.
The SDK keeps a definition in an attribute of what it decorates, and offers nothing else to find it by.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from . import snapshot
from .problems import LoadError, shorten

_WORKFLOW = "__temporal_workflow_definition"
_ACTIVITY = "__temporal_activity_definition"
_DYNAMIC = "(dynamic)"
_DEF = re.compile(r"\s*(async\s+)?def\s")


@dataclass(frozen=True)
class Found:
    """A definition: its name, what is handed to the SDK, and where it stands."""

    name: str
    value: Any
    is_async: bool
    file: str
    line: int

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "file": self.file, "line": self.line}


@dataclass
class Definitions:
    """All that a worker serves, and what its author may not have meant."""

    workflows: list[Found] = field(default_factory=list)
    activities: list[Found] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def load_definitions(workflow_modules: Sequence[str], activity_modules: Sequence[str]) -> Definitions:
    """Import the modules, each once, and find what they define.

    Raises:
        LoadError: a module is missing, defines nothing, or a name is defined twice.
        BaseException: whatever a module raises.
    """
    modules = {name: import_module(name) for name in dict.fromkeys((*workflow_modules, *activity_modules))}
    definitions = Definitions()
    for name in workflow_modules:
        _add_all(definitions.workflows, _find_workflows(modules[name]), "workflow", modules[name])
    for name in activity_modules:
        found = list(_find_activities(modules[name]))
        _add_all(definitions.activities, found, "activity", modules[name])
        definitions.notes += _classes_without_instance(modules[name], found)
    return definitions


def import_module(name: str) -> ModuleType:
    """Import a module that dx.toml names.

    Raises:
        LoadError: there is no such module; one that is missing further in raises ModuleNotFoundError itself.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise LoadError(
                "ModuleNotFoundError",
                f"no module {name!r} in {Path.cwd()} (looked for by {sys.executable})",
                "is the name in dx.toml right, and is `cwd` the folder that has it?",
            ) from None
        raise


def _find_workflows(module: ModuleType) -> Iterator[Found]:
    for value in _values(module):
        definition = getattr(value, _WORKFLOW, None) if isinstance(value, type) else None
        if definition is not None and definition.cls is value and _belongs(value, module):
            yield Found(definition.name or _DYNAMIC, value, True, *_place(value))


def _find_activities(module: ModuleType) -> Iterator[Found]:
    for value in _values(module):
        if isinstance(value, type | ModuleType):
            continue
        definition = inspect.getattr_static(value, _ACTIVITY, None)
        if definition is not None:
            if _belongs(value, module) or inspect.ismethod(value):
                yield _activity(definition, value)
        elif not callable(value) or not hasattr(value, "__name__"):
            for attribute, definition in _activity_methods(type(value)):
                yield _activity(definition, getattr(value, attribute))


def _activity(definition: Any, value: Callable[..., Any]) -> Found:
    return Found(definition.name or _DYNAMIC, value, definition.is_async, *_place(value))


def _activity_methods(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield the names and definitions of a class's activity methods."""
    if kind.__module__ == "builtins":
        return
    for attribute in dir(kind):
        member = inspect.getattr_static(kind, attribute, None)
        member = getattr(member, "__func__", member)
        definition = inspect.getattr_static(member, _ACTIVITY, None)
        if definition is not None:
            yield attribute, definition


def _classes_without_instance(module: ModuleType, found: Sequence[Found]) -> list[str]:
    instances = {type(entry.value.__self__) for entry in found if inspect.ismethod(entry.value)}
    return [
        f"the activities of class {value.__name__} ({shorten(_place(value)[0])}) are not served: "
        f"make an instance of it in module {module.__name__!r}"
        for value in _values(module)
        if isinstance(value, type) and _belongs(value, module) and any(_activity_methods(value))
        if not any(issubclass(kind, value) for kind in instances)
    ]


def _add_all(target: list[Found], found: Sequence[Found] | Iterator[Found], what: str, module: ModuleType) -> None:
    added = False
    known = {entry.name: entry for entry in target}
    for entry in found:
        added = True
        other = known.get(entry.name)
        if other is None:
            known[entry.name] = entry
            target.append(entry)
        elif other.value != entry.value:
            raise LoadError(
                "DuplicateName",
                f"two definitions of {what} {entry.name!r}: {shorten(other.file)}:{other.line} and "
                f"{shorten(entry.file)}:{entry.line}",
                "give one of them another name",
                entry.file,
                entry.line,
            )
    if not added:
        raise LoadError(
            "NothingFound",
            f"module {module.__name__!r} defines no {what}",
            _hint_for_empty(module, what),
            getattr(module, "__file__", None),
            1,
        )


def _hint_for_empty(module: ModuleType, what: str) -> str:
    attribute = _WORKFLOW if what == "workflow" else _ACTIVITY
    elsewhere = sorted(
        {
            value.__module__
            for value in _values(module)
            if inspect.getattr_static(value, attribute, None) is not None and hasattr(value, "__module__")
        }
    )
    if elsewhere:
        return f"it imports some from {', '.join(elsewhere)}: name that in dx.toml"
    return f"decorate one with @{what}.defn, or take the module out of dx.toml"


def _values(module: ModuleType) -> list[Any]:
    """Return the module's values, each once, however many names it has."""
    seen: dict[int, Any] = {id(value): value for value in list(vars(module).values())}
    return list(seen.values())


def _belongs(value: Any, module: ModuleType) -> bool:
    defined_in = getattr(value, "__module__", None) or ""
    is_package = hasattr(module, "__path__")
    return defined_in == module.__name__ or (is_package and defined_in.startswith(f"{module.__name__}."))


def run_place(workflow: type) -> tuple[str, int]:
    """Return the file and the line of a workflow's run method."""
    return _place(getattr(workflow, _WORKFLOW).run_fn)


def _place(value: Any) -> tuple[str, int]:
    """Return the file and the line where a class or a function is defined: that of its name, below decorators."""
    target = inspect.unwrap(getattr(value, "__func__", value))
    code = getattr(target, "__code__", None)
    if code is not None:
        return code.co_filename, snapshot.find_line(code.co_filename, _DEF, code.co_firstlineno)
    kind = target if isinstance(target, type) else type(target)
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    return file, snapshot.find_line(file, re.compile(rf"\s*class\s+{kind.__name__}\b"), 1)


def resolve(reference: str) -> Any:
    """Return what `module:attribute` names; a class is called without arguments.

    Raises:
        LoadError: there is no such module or attribute.
    """
    module_name, _, attribute = reference.partition(":")
    value: Any = import_module(module_name)
    for name in attribute.split("."):
        if not hasattr(value, name):
            raise LoadError(
                "AttributeError",
                f"module {module_name!r} has no attribute {attribute!r}",
                "dx.toml names it as module:attribute",
                getattr(sys.modules[module_name], "__file__", None),
                1,
            )
        value = getattr(value, name)
    return value() if isinstance(value, type) else value
