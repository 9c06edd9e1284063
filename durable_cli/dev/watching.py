"""Watches the folders of all workers, and tells each worker what was saved, once for what belongs together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from watchfiles import Change, DefaultFilter, awatch

__all__ = ["Watcher", "Watching"]

QUIET_SECONDS = 0.04
LONGEST_WAIT_SECONDS = 0.5
STEP_MS = 20
DEBOUNCE_MS = 50
PYTHON_SUFFIXES = frozenset({".py", ".pyi"})


@dataclass
class Watching:
    """What one worker watches.

    Args:
        paths: files and folders; a file always counts.
        ignore: globs of names, of any part of a path below a folder, or of the whole of that part.
        suffixes: of the files in folders that count; all when it is empty.
        on_saved: called with the files, and with the time at which the first was seen.
    """

    paths: Sequence[Path]
    ignore: Sequence[str]
    suffixes: frozenset[str]
    on_saved: Callable[[Sequence[Path], float], None]
    _pending: set[Path] = field(default_factory=set)
    _first_seen_s: float = 0.0
    _timer: asyncio.TimerHandle | None = None

    def counts(self, path: Path) -> bool:
        """Whether a change of this file matters."""
        if path in self.paths:
            return True
        if self.suffixes and path.suffix not in self.suffixes:
            return False
        for folder in self.paths:
            if path.is_relative_to(folder):
                return not self._is_ignored(path.relative_to(folder))
        return False

    def _is_ignored(self, inside: PurePath) -> bool:
        text = inside.as_posix()
        parents = [parent.as_posix() for parent in inside.parents if parent.parts]
        for glob in self.ignore:
            pattern = glob.rstrip("/").removeprefix("./").removesuffix("/**")
            if any(fnmatchcase(name, pattern) for name in (*inside.parts, text, *parents)):
                return True
        return False

    def note(self, path: Path) -> None:
        """Remember a change, and tell it when nothing more comes for a moment."""
        loop = asyncio.get_running_loop()
        if not self._pending:
            self._first_seen_s = loop.time()
        self._pending.add(path)
        if self._timer is not None:
            self._timer.cancel()
        due_s = min(loop.time() + QUIET_SECONDS, self._first_seen_s + LONGEST_WAIT_SECONDS)
        self._timer = loop.call_at(due_s, self._tell)

    def _tell(self) -> None:
        files, self._pending = sorted(self._pending), set()
        self._timer = None
        # An editor's file that was there for a moment is no news beside the one that was saved.
        self.on_saved([file for file in files if file.exists()] or files, self._first_seen_s)


class Watcher:
    """Follows the file system for all workers at once."""

    def __init__(self, watchings: Sequence[Watching]) -> None:
        self._watchings = watchings

    async def run(self) -> None:
        """Watch until the task is cancelled.

        Raises:
            OSError: the system does not let so many folders be watched.
        """
        paths = {path for watching in self._watchings for path in watching.paths if path.exists()}
        roots = {path if path.is_dir() else path.parent for path in paths}
        roots = {root for root in roots if not any(other in root.parents for other in roots)}
        if not roots:
            return
        stop = asyncio.Event()
        try:
            changes = awatch(
                *roots,
                watch_filter=_OnlyFiles(),
                debounce=DEBOUNCE_MS,
                step=STEP_MS,
                stop_event=stop,
                rust_timeout=500,
                ignore_permission_denied=True,
            )
            async for batch in changes:
                for _, name in batch:
                    path = Path(name)
                    for watching in self._watchings:
                        if watching.counts(path):
                            watching.note(path)
        finally:
            stop.set()


class _OnlyFiles(DefaultFilter):
    """Lets everything through but folders; what is ignored is each worker's own."""

    def __init__(self) -> None:
        super().__init__(ignore_dirs=(), ignore_entity_patterns=(), ignore_paths=())

    def __call__(self, change: Change, path: str) -> bool:
        return change == Change.deleted or not os.path.isdir(path)
