"""The paths of the official web UI, which SDKs and the official CLI print: what each one opens here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

__all__ = ["Place", "find_place"]


class Place(NamedTuple):
    """Where a link leads; empty parts are not said by it."""

    namespace: str = ""
    workflow_id: str = ""
    run_id: str = ""
    screen: str = ""

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
        return words


# The pages of the official web UI, and the browser's places of the same.
_SCREENS = {
    "schedules": "schedules",
    "task-queues": "task_queues",
    "batch-operations": "batches",
    "workers": "workers",
    "deployments": "deployments",
    "worker-deployments": "deployments",
}


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
    workflow_id, run_id = (*rest[:2], "", "")[:2]
    return Place(namespace, workflow_id, run_id if workflow_id else "")
