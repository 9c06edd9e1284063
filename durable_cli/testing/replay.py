"""Replay histories against workflow code: those of a test's own runs, and those that are kept in files."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.json_format import ParseError
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Interceptor, Plugin, Replayer

from durable_cli.testing.errors import DxError

if TYPE_CHECKING:
    from durable_cli.testing.connection import ClientOptions
    from durable_cli.testing.portal import Portal

__all__ = [
    "ReplayHistories",
    "describe_history",
    "describe_mismatch",
    "fetch_histories",
    "find_mismatches",
    "replayer_options",
]

_CORE_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
_HOW_TO_RECORD = "`dx workflow show WORKFLOW_ID -o json > FILE.json` makes one, of any Temporal server"


class ReplayHistories:
    """The fixture `replay_histories`: replays the histories in JSON files against workflow code."""

    def __init__(self, portal: Portal, folder: Path, root: Path, client_options: ClientOptions) -> None:
        self._portal = portal
        self._folder = folder
        self._root = root
        self._client_options = client_options

    def __call__(
        self, path: str | Path, *, workflows: Sequence[type], workflow_runner: Any = None, **options: Any
    ) -> int:
        """Replay every history that `path` names, and fail the test if one does not match; return how many there are.

        Args:
            path: a file, a folder with its subfolders, or a glob, seen from the folder of the test's file. The files
                are as `dx workflow show -o json` and the official CLI write them.
            workflows: the workflow classes.
            workflow_runner: the runner, if it is not the sandboxed one.
            options: further arguments of `temporalio.worker.Replayer`; the data converter, interceptors and plugins
                are those of `dx_client_options` unless told.
        """
        histories = self._load(path)
        values = {**replayer_options(self._client_options), **options, "workflows": workflows}
        if workflow_runner is not None:
            values["workflow_runner"] = workflow_runner
        mismatches = self._portal.run(find_mismatches(list(histories.values()), values))
        failures = [
            f"{self._shown(file)}: {describe_history(history)}\n    {describe_mismatch(mismatches[place])}"
            for place, (file, history) in enumerate(histories.items())
            if place in mismatches
        ]
        if failures:
            what = "\n\n".join([f"{len(failures)} of {len(histories)} histories do not replay", *failures])
            pytest.fail(what, pytrace=False)
        return len(histories)

    def _load(self, path: str | Path) -> dict[Path, WorkflowHistory]:
        """Return the histories by file.

        Raises:
            DxError: there are none, or a file is none.
        """
        pattern = self._folder / path
        if pattern.is_dir():
            files = sorted(pattern.rglob("*.json"))
        else:
            files = sorted(Path(each) for each in glob.glob(str(pattern), recursive=True))
        if not files:
            raise DxError(f"no histories in {self._shown(pattern)}\n\nhint: {_HOW_TO_RECORD}")
        return {file: self._load_file(file) for file in files}

    def _load_file(self, file: Path) -> WorkflowHistory:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            events = content["events"]
            started = events[0]["workflowExecutionStartedEventAttributes"]
            history = WorkflowHistory.from_json(started.get("workflowId", file.stem), content)
        except (ValueError, KeyError, IndexError, TypeError, ParseError) as error:
            raise DxError(
                f"{self._shown(file)} is not the history of a workflow ({type(error).__name__}: {error})\n\n"
                f"hint: {_HOW_TO_RECORD}"
            ) from None
        if not _has_run(history):
            raise DxError(
                f"{self._shown(file)} has nothing to replay: its workflow had not begun to run\n\n"
                f"hint: {_HOW_TO_RECORD}; take one that has done something"
            )
        return history

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self._root) if path.is_relative_to(self._root) else path)


async def find_mismatches(histories: Sequence[WorkflowHistory], options: Mapping[str, Any]) -> dict[int, Exception]:
    """Replay histories; return what does not match, by place in the sequence."""

    async def each() -> AsyncIterator[WorkflowHistory]:
        for history in histories:
            yield history

    mismatches = {}
    async with Replayer(**options).workflow_replay_iterator(each()) as results:
        index = 0
        async for result in results:
            if result.replay_failure is not None:
                mismatches[index] = result.replay_failure
            index += 1
    return mismatches


def replayer_options(client_options: ClientOptions) -> dict[str, Any]:
    """Return what a replayer takes of the options of a client, as a worker of that client would."""
    options: dict[str, Any] = {
        "interceptors": [each for each in client_options.get("interceptors", ()) if isinstance(each, Interceptor)],
        "plugins": [each for each in client_options.get("plugins", ()) if isinstance(each, Plugin)],
    }
    for name in ("data_converter", "header_codec_behavior"):
        if name in client_options:
            options[name] = client_options[name]
    return options


async def fetch_histories(client: Client, task_queue: str, limit: int) -> list[WorkflowHistory]:
    """Return the histories of the newest runs on a task queue, without those that wait for their beginning."""
    histories = []
    async for run in client.list_workflows(f'TaskQueue = "{task_queue}"', limit=limit):
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        if _has_run(history):
            histories.append(history)
    return histories


def _has_run(history: WorkflowHistory) -> bool:
    """Say whether a workflow task was ever completed; the SDK's replayer waits for ever for the result of no task."""
    return any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in history.events)


def describe_mismatch(mismatch: Exception) -> str:
    """Return what the SDK's core says of a mismatch, without the structure around it."""
    text = str(mismatch)
    inner = _CORE_MESSAGE.search(text) if text.startswith("Workflow activation completion failed") else None
    return inner[1].replace('\\"', '"') if inner else text


def describe_history(history: WorkflowHistory) -> str:
    """Return the type and the id of a history's workflow."""
    started = history.events[0].workflow_execution_started_event_attributes
    return f"{started.workflow_type.name} {history.workflow_id}"
