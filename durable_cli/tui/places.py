"""The main screens, and the keys that go to them; each is a mode of the app, with a stack of screens of its own."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from durable_cli.tui.screens.base import BrowserScreen

__all__ = ["FIRST_PLACE", "PLACES", "PROJECT_PLACE", "Place", "find_place", "make_screen"]


class Place(NamedTuple):
    """A main screen: `screen` is its class, in the module of the place's name."""

    name: str
    key: str
    title: str
    screen: str

    @property
    def action(self) -> str:
        """What goes there."""
        return f"app.go_to_place({self.name!r})"


PLACES = (
    Place("workflows", "1", "workflows", "WorkflowsScreen"),
    Place("schedules", "2", "schedules", "SchedulesScreen"),
    Place("task_queues", "3", "task queues", "TaskQueuesScreen"),
    Place("workers", "4", "workers", "WorkersScreen"),
    Place("deployments", "5", "deployments", "DeploymentsScreen"),
    Place("batches", "6", "batches", "BatchesScreen"),
    Place("namespaces", "7", "namespaces", "NamespacesScreen"),
    Place("server", "8", "server", "ServerScreen"),
    Place("dev", "9", "dev", "DevScreen"),
)
FIRST_PLACE = PLACES[0].name
PROJECT_PLACE = PLACES[-1].name
"""Of interest in a project's folder alone."""


def find_place(name: str) -> Place:
    """Return the place with a name."""
    return next(place for place in PLACES if place.name == name)


def make_screen(place: Place) -> BrowserScreen:
    """Make a place's first screen; its module is loaded only now."""
    module = import_module(f"durable_cli.tui.screens.{place.name}")
    return cast("BrowserScreen", getattr(module, place.screen)())
