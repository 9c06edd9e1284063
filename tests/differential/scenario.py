"""Register scenarios: one coroutine function each, one file per family under `scenarios/`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.differential.world import World

RECORDED_FOLDER = Path(__file__).with_name("recorded")

CRASHING_SERVER = "crashing"
"""The kind of server on which a scenario may call `world.crash_and_restart`."""

ScenarioFunction = Callable[["World"], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """One scenario: where it belongs, what it is called, what it does."""

    family: str
    name: str
    function: ScenarioFunction
    live_sample: bool
    server: str

    @property
    def full_name(self) -> str:
        return f"{self.family}/{self.name}"

    @property
    def description(self) -> str:
        return " ".join((self.function.__doc__ or "").split())

    @property
    def record_path(self) -> Path:
        return RECORDED_FOLDER / self.family / f"{self.name}.json"


_registered: dict[str, Scenario] = {}


def scenario(*, live_sample: bool = False, server: str = "standard") -> Callable[[ScenarioFunction], ScenarioFunction]:
    """Register the decorated coroutine function as a scenario named after it and its module.

    Args:
        live_sample: whether the tests also run it against the live reference server.
        server: the kind of server that it needs, a key of `run.SERVER_FLAGS`.
    """

    def register(function: ScenarioFunction) -> ScenarioFunction:
        family = function.__module__.rsplit(".", 1)[-1]
        entry = Scenario(family, function.__name__, function, live_sample, server)
        if entry.full_name in _registered:
            raise ValueError(f"scenario {entry.full_name} is defined twice")
        _registered[entry.full_name] = entry
        return function

    return register


def load_scenarios() -> list[Scenario]:
    """Import every family and return the scenarios in order of name."""
    from tests.differential import scenarios

    for module in pkgutil.iter_modules(scenarios.__path__):
        importlib.import_module(f"{scenarios.__name__}.{module.name}")
    return [_registered[name] for name in sorted(_registered)]
