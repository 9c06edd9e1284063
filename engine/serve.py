"""Run the local server: the entry that `dx server start-dev` calls.

Importing this module is cheap (no grpc, no temporalio): everything heavy is imported inside `serve`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["ServeError", "ServeInfo", "ServeOptions", "serve"]


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What to serve, where, and on which file.

    `db_filename` None means a private temporary file that is gone at exit. `port` 0 asks for a free one.
    `search_attributes` maps a name to its type's name (Keyword, Int, …), registered in every namespace of
    `namespaces` and in `default`. `dynamic_config` maps lower-case keys to JSON values; unknown keys are kept
    and ignored. `sqlite_pragmas` maps a pragma to its value; only durability and cache pragmas are accepted.
    `time_skipping_locks` makes it a test server, whose time skipping is locked so many times at the start.
    """

    ip: str = "127.0.0.1"
    port: int = 7233
    db_filename: Path | None = None
    namespaces: tuple[str, ...] = ()
    search_attributes: Mapping[str, str] = field(default_factory=dict)
    dynamic_config: Mapping[str, object] = field(default_factory=dict)
    sqlite_pragmas: Mapping[str, str] = field(default_factory=dict)
    log_level: str = "warn"
    log_format: str = "text"
    time_skipping_locks: int | None = None


@dataclass(frozen=True, slots=True)
class ServeInfo:
    """Where the server listens (host:port) and where it keeps its history (None: a private temporary file)."""

    address: str
    db_filename: Path | None


class ServeError(Exception):
    """The server can't start or go on; `message` is one line for the user, `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def serve(options: ServeOptions, *, on_ready: Callable[[ServeInfo], None]) -> None:
    """Serve until SIGINT or SIGTERM; call `on_ready` once the port answers.

    Raises:
        ServeError: port in use, database file unreadable, foreign, newer, or open in another server.
    """
    from engine.service import skip_sdk_import

    skip_sdk_import()

    from engine.service.server import run_server

    run_server(options, on_ready)
