"""The format of `dx.toml`: every table a class, every key an attribute of the same name.

The text below an attribute is what an editor shows for the key. Paths are resolved against the file's folder; what
a table leaves out and takes from elsewhere (a namespace, a schedule's workflow id) is filled in by `Project`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from durable_cli.dev.project.values import (
    Commandline,
    CronExpressions,
    Duration,
    Durations,
    JsonValue,
    ModuleAttribute,
    ModuleName,
    Name,
    OverlapPolicy,
    Pragma,
    ProjectPath,
    TimeZone,
)

__all__ = [
    "USUALLY_IGNORED",
    "Namespace",
    "NexusEndpoint",
    "Project",
    "Replay",
    "Schedule",
    "SearchAttributeType",
    "Server",
    "Setup",
    "Start",
    "Worker",
]

USUALLY_IGNORED = (
    ".git", ".hg", ".svn", ".dx", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".pytest_cache",
    ".ruff_cache", ".idea", ".vscode", ".DS_Store", "*.pyc", "*.pyo", "*.swp", "*.swx", "*~", ".#*", "4913",
)  # fmt: skip
"""Globs of file and folder names whose changes never matter."""

SDK_OPTIONS = (
    "max_cached_workflows",
    "max_concurrent_workflow_tasks",
    "max_concurrent_activities",
    "max_concurrent_local_activities",
    "max_concurrent_workflow_task_polls",
    "max_concurrent_activity_task_polls",
    "max_activities_per_second",
    "max_task_queue_activities_per_second",
)

SearchAttributeType = Literal["Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"]


class Table(BaseModel):
    """A table of `dx.toml`: no other keys than its own, and no value taken for one of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True, validate_default=True)


class Server(Table):
    """The local server of `dx dev`; not used with --address."""

    port: int = Field(default=7233, ge=0, le=65535)
    """Port for gRPC; 0 takes a free one."""
    ui_port: int | None = Field(default=None, ge=0, le=65535)
    """Port of the web page; 0 takes a free one. Default: port + 1000, and a free one when port is 0."""
    ip: str = "127.0.0.1"
    """Address to listen on."""
    db_filename: ProjectPath = Field(default=".dx/history.db")  # type: ignore[assignment]
    """SQLite file in which the history is kept."""
    sqlite_pragmas: dict[str, Pragma] = {}
    """SQLite pragmas, such as synchronous = "full"."""
    dynamic_config: dict[str, JsonValue] = {}
    """Dynamic configuration values of the server, by key."""
    log_level: Literal["debug", "info", "warn", "error", "never"] = "warn"
    """Log level of the server."""


class Namespace(Table):
    """A namespace that is created when it is missing."""

    retention: Duration = timedelta(hours=72)
    """How long closed runs are kept."""
    description: str = ""
    """What it is for."""


class Setup(Table):
    """A command that is run once, when what it creates is missing."""

    command: Commandline
    """The command, in the worker's `cwd`."""
    creates: str = Field(min_length=1)
    """File or folder that the command makes, relative to the worker's `cwd`; when it is there, nothing is run."""


class Worker(Table):
    """A worker: Python modules that dx runs with the official SDK, or any command."""

    task_queue: str = Field(default="", min_length=1, validate_default=False)
    """Task queue that it polls. A worker with a command may leave it out; dx then can't see when it is ready."""
    workflows: list[ModuleName] = []
    """Python modules; every class in them with @workflow.defn is served."""
    activities: list[ModuleName] = []
    """Python modules; every function in them with @activity.defn is served, and such methods of their instances."""
    command: Commandline | None = None
    """Command that runs a worker in any language; it gets TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE."""
    namespace: str = Field(default="", min_length=1, validate_default=False)
    """Namespace of its task queue. Default: the project's."""
    cwd: ProjectPath = Field(default=".")  # type: ignore[assignment]
    """Folder in which it runs. Default: the folder of dx.toml."""
    env: dict[str, str] = {}
    """Environment variables that it gets beside those of dx."""
    watch: list[ProjectPath] = Field(default_factory=lambda data: [data["cwd"]])
    """Files and folders whose changes reload it; in a Python worker's folders, those of .py files. Default: `cwd`."""
    ignore: list[str] = []
    """Globs of names that don't count as changes, beside the usual ones (.git, .venv, node_modules, *.pyc, …)."""
    setup: Setup | None = None
    """A command that is run once before the first start."""
    on_nondeterminism: Literal["ask", "keep", "reload"] = "ask"
    """What to do when open runs don't replay with the new code; without a terminal, ask means keep."""
    graceful_shutdown_timeout: Duration = timedelta(seconds=10)
    """How long activities in flight may go on at a swap and at the end."""

    python: ProjectPath | None = None
    """Python interpreter. Default: the project's .venv, then $VIRTUAL_ENV, then the one of dx."""
    data_converter: ModuleAttribute | None = None
    """A data converter, as module:attribute."""
    interceptors: list[ModuleAttribute] = []
    """Interceptors of the worker, as module:attribute."""
    plugins: list[ModuleAttribute] = []
    """Plugins of the SDK, as module:attribute."""
    max_cached_workflows: int | None = Field(default=None, ge=0)
    """Workflows that are kept in memory between their tasks. Passed to the SDK."""
    max_concurrent_workflow_tasks: int | None = Field(default=None, ge=1)
    """Workflow tasks at the same time. Passed to the SDK."""
    max_concurrent_activities: int | None = Field(default=None, ge=1)
    """Activities at the same time. Passed to the SDK."""
    max_concurrent_local_activities: int | None = Field(default=None, ge=1)
    """Local activities at the same time. Passed to the SDK."""
    max_concurrent_workflow_task_polls: int | None = Field(default=None, ge=1)
    """Polls for workflow tasks at the same time. Passed to the SDK."""
    max_concurrent_activity_task_polls: int | None = Field(default=None, ge=1)
    """Polls for activity tasks at the same time. Passed to the SDK."""
    max_activities_per_second: float | None = Field(default=None, gt=0)
    """Activities that this worker starts each second. Passed to the SDK."""
    max_task_queue_activities_per_second: float | None = Field(default=None, gt=0)
    """Activities that all workers of the task queue start each second. Passed to the SDK."""

    build: Commandline | None = None
    """Command that is run before each start of a worker with a command; when it fails, the old worker stays."""
    replay_command: Commandline | None = None
    """Command that replays the history files in the folder $DX_HISTORIES; exit code 0 means that all replay."""

    @field_validator("ignore")
    @classmethod
    def _add_usual(cls, globs: list[str]) -> list[str]:
        return [*USUALLY_IGNORED, *globs]

    @property
    def is_python(self) -> bool:
        """Whether dx runs the official SDK's worker for it."""
        return self.command is None

    @property
    def sdk_options(self) -> dict[str, Any]:
        """The options of the SDK's worker that were given, by the SDK's names."""
        values = {name: getattr(self, name) for name in SDK_OPTIONS}
        return {name: value for name, value in values.items() if value is not None}


class Replay(Table):
    """How many runs are replayed with the new code before a worker is swapped."""

    closed_runs: int = Field(default=10, ge=0)
    """Newest closed runs of each workflow type."""
    open_runs: int = Field(default=200, ge=0)
    """Open runs of the worker's task queue, newest first."""


class Schedule(Table):
    """A schedule that starts workflows; created when missing, updated when it differs."""

    workflow_type: str = Field(min_length=1)
    """Type of the workflow that is started."""
    task_queue: str = Field(min_length=1)
    """Task queue of its workers."""
    cron: CronExpressions = []
    """A cron expression, such as "0 3 * * *" or "@daily", or a list of them."""
    every: Durations = []
    """An interval, such as "10m", or a list of them."""
    timezone: TimeZone | None = None
    """Time zone of the cron expressions, such as "Europe/Berlin". Default: UTC."""
    workflow_id: str = Field(default="", min_length=1, validate_default=False)
    """Workflow id, to which the server adds the time of the start. Default: the schedule's id."""
    input: list[JsonValue] = []
    """Arguments of the workflow."""
    overlap: OverlapPolicy = "Skip"
    """What to do when the workflow still runs when the next is due."""
    paused: bool = False
    """Whether it waits to be unpaused."""
    note: str = ""
    """A remark that is shown with it."""
    namespace: str = Field(default="", min_length=1, validate_default=False)
    """Namespace of the schedule. Default: the project's."""


class NexusEndpoint(Table):
    """A Nexus endpoint: a task queue of workers that serve it, or a URL."""

    task_queue: str = Field(default="", min_length=1, validate_default=False)
    """Task queue of the workers that serve it."""
    namespace: str = Field(default="", min_length=1, validate_default=False)
    """Namespace of the task queue. Default: the project's."""
    url: str = Field(default="", min_length=1, validate_default=False)
    """URL of an external endpoint, instead of a task queue."""
    description: str = ""
    """What it is for."""


class Start(Table):
    """A workflow that is started once, when there is no run with its id, open or closed."""

    workflow_type: str = Field(min_length=1)
    """Type of the workflow."""
    task_queue: str = Field(min_length=1)
    """Task queue of its workers."""
    input: list[JsonValue] = []
    """Arguments of the workflow."""
    cron: str = ""
    """A cron expression (UTC), such as "0 9 * * *" or "@every 1h": the server runs it again and again."""
    memo: dict[str, JsonValue] = {}
    """Memo fields."""
    search_attributes: dict[str, JsonValue] = {}
    """Search attributes."""
    namespace: str = Field(default="", min_length=1, validate_default=False)
    """Namespace of the workflow. Default: the project's."""


class Project(Table):
    """What `dx.toml` declares."""

    namespace: str = Field(default="default", min_length=1)
    """Namespace of everything that names none."""
    server: Server = Field(default_factory=dict, validate_default=True)
    """How the local server of `dx dev` runs."""
    namespaces: dict[Name, Namespace] = {}
    """Namespaces that are created when missing, beside `default`; the key is the name."""
    search_attributes: dict[Name, SearchAttributeType] = {}
    """Search attributes of the project's namespaces: name = type."""
    worker: dict[Name, Worker] = {}
    """Workers; the key is the name in the log."""
    replay: Replay = Replay()
    """The replay check before a worker is swapped."""
    schedules: dict[Name, Schedule] = {}
    """Schedules; the key is the schedule's id."""
    nexus_endpoints: dict[Name, NexusEndpoint] = {}
    """Nexus endpoints; the key is the name."""
    start: dict[Name, Start] = {}
    """Workflows that are started once; the key is the workflow id."""

    _path: Path = PrivateAttr(default=Path("dx.toml"))

    @model_validator(mode="after")
    def _fill_in(self) -> Project:
        tables: tuple[Mapping[str, Worker | Schedule | NexusEndpoint | Start], ...] = (
            self.worker,
            self.schedules,
            self.nexus_endpoints,
            self.start,
        )
        for table in chain.from_iterable(tables_of_kind.values() for tables_of_kind in tables):
            table.namespace = table.namespace or self.namespace
        for schedule_id, schedule in self.schedules.items():
            schedule.workflow_id = schedule.workflow_id or schedule_id
        return self

    @property
    def path(self) -> Path:
        """The file that it was read from."""
        return self._path

    @property
    def folder(self) -> Path:
        """The folder of the file, against which its paths are resolved."""
        return self._path.parent

    @property
    def all_namespaces(self) -> list[str]:
        """Every namespace that the file names, the project's first."""
        named: list[str] = [table.namespace for table in self.worker.values()]
        named += [table.namespace for table in self.schedules.values()]
        named += [table.namespace for table in self.start.values()]
        named += [table.namespace for table in self.nexus_endpoints.values() if table.task_queue]
        return list(dict.fromkeys([self.namespace, *self.namespaces, *named]))
