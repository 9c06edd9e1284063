"""Find `dx.toml`, read it, and say everything that is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from durable_cli.dev.project.model import Project
from durable_cli.dev.project.nearest import FILENAME, find_nearest
from durable_cli.dev.project.problems import Problem, find_problems, locate_syntax_error
from durable_cli.errors import CliError

__all__ = ["FILENAME", "ProjectError", "find_project_file", "load_project", "parse_project"]


class ProjectError(CliError):
    """There is no `dx.toml`, or it is wrong: then `problems` has all mistakes, by line."""

    def __init__(self, message: str, hint: str = "", details: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, hint, details=details)
        self.problems = problems

    @classmethod
    def of_problems(cls, filename: str, problems: Sequence[Problem]) -> ProjectError:
        """Return the error that shows all mistakes with the text of their lines."""
        first, *others = problems
        if not others:
            return cls(first.describe(filename), details=f"    {first.source}", problems=problems)
        details = "\n".join(f"{problem.describe(filename)}\n    {problem.source}" for problem in problems)
        return cls(f"{filename} has {len(problems)} mistakes", details=details, problems=problems)


def load_project(path_or_folder: Path | str | None = None) -> Project:
    """Read a project's file: the one named, or the nearest one in the folder (the current one) and those above it.

    Raises:
        ProjectError: there is none, it can't be read, or something in it is wrong; it says all that is.
    """
    path = find_project_file(Path(path_or_folder or "."))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path} can't be read: {error}", "is it a text file that you may read?") from None
    return parse_project(text, path)


def find_project_file(path_or_folder: Path) -> Path:
    """Return the file itself, or the nearest `dx.toml` in the folder and those above it."""
    start = path_or_folder.absolute()
    if start.is_file():
        return start
    if not start.is_dir():
        raise ProjectError(f"there is no file or folder {path_or_folder}", "check the path")
    if (found := find_nearest(start)) is not None:
        return found
    raise ProjectError(f"there is no {FILENAME} in {start} or above it", "`dx new` makes a project with one")


def parse_project(text: str, path: Path) -> Project:
    """Make a project of the text of the file at `path`, an absolute one."""
    try:
        document: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectError.of_problems(path.name, [locate_syntax_error(text, error)]) from None
    project, errors = None, []
    try:
        project = Project.model_validate(document, context={"folder": path.parent})
    except ValidationError as error:
        errors = error.errors(include_url=False)
    problems = find_problems(text, document, errors)
    if problems or project is None:
        raise ProjectError.of_problems(path.name, problems)
    project._path = path
    return project
