"""The paths of the official web UI, which SDKs and the official CLI print: what each one opens here, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote

__all__ = ["Place", "find_place", "write_path"]


class Place(NamedTuple):
    """Where a link leads; empty parts are not said by it."""

    namespace: str = ""
    workflow_id: str = ""
    run_id: str = ""
    screen: str = ""
    view: str = ""
    """Of the run."""

    def words(self) -> list[str]:
        """Return the words that make `dx tui` open this place."""
        words = []
        if self.namespace:
            words += ["--namespace", self.namespace]
        if self.workflow_id:
            words += ["--workflow-id", self.workflow_id]
        if self.run_id:
            words += ["--run-id", self.run_id]
        if self.screen:
            words += ["--place", self.screen]
        if self.view:
            words += ["--view", self.view]
        return words


# The pages of the official web UI, and the browser's places of the same; the last ones are the browser's own.
# Of several for one place, the last one is the address that is written.
_SCREENS = {
    "schedules": "schedules",
    "task-queues": "task_queues",
    "batch-operations": "batches",
    "workers": "workers",
    "deployments": "deployments",
    "worker-deployments": "deployments",
    "server": "server",
    "dev": "dev",
    "namespaces": "namespaces",
}
# The same of what is shown of a run.
_VIEWS = {
    "timeline": "timeline",
    "history": "history",
    "pending-activities": "pending",
    "relationships": "relations",
    "call-stack": "queries",
    "user-metadata": "queries",
    "query": "queries",
    "input-and-result": "values",
    "diff": "difference",
    "time-travel": "travel",
}
_PAGES = {screen: page for page, screen in _SCREENS.items()}
_ENDINGS = {view: ending for ending, view in _VIEWS.items()}


def find_place(raw_path: str) -> Place | None:
    """Return what a path (percent-encoded, as it stands in the request) opens; None when it is no such path."""
    parts = [unquote(part) for part in raw_path.removeprefix("/").removesuffix("/").split("/")]
    if any("\0" in part for part in parts):
        return None  # no id has one, and no command line can
    match parts:
        case [""]:
            return Place()
        case ["namespaces"]:
            return Place(screen="namespaces")
        case ["namespaces", namespace]:
            return Place(namespace)
        case ["namespaces", namespace, "workflows", *rest]:
            return _find_run(namespace, rest)
        case ["namespaces", namespace, page, *_] if page in _SCREENS:
            return Place(namespace, screen=_SCREENS[page])
        case _:
            return None


def _find_run(namespace: str, rest: Sequence[str]) -> Place:
    workflow_id, run_id, ending = (*rest[:3], "", "", "")[:3]
    if not workflow_id:
        return Place(namespace)
    return Place(namespace, workflow_id, run_id, view=_VIEWS.get(ending, "") if run_id else "")


def write_path(place: Place) -> str:
    """Return the path that opens a place of a namespace; empty when no path can."""
    parts = ["namespaces", place.namespace]
    if place.screen == "namespaces" and not place.namespace:
        parts = ["namespaces"]
    elif place.screen:
        parts.append(_PAGES[place.screen])
    else:
        parts.append("workflows")
        if place.workflow_id:
            parts.append(place.workflow_id)
        if place.workflow_id and place.run_id:
            parts.append(place.run_id)
            parts += [_ENDINGS[place.view]] if place.view else []
    # Web browsers take these for steps, however they are written.
    return "" if {".", ".."}.intersection(parts) else "".join(f"/{quote(part, safe='')}" for part in parts)
