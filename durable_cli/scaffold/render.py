"""Rendering of templates by copier, which is imported here only, when it is needed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from durable_cli.errors import CliError
from durable_cli.exit_codes import ExitCode
from durable_cli.scaffold.catalogue import Template
from durable_cli.scaffold.requirement import find_requirement
from durable_cli.scaffold.target import check_is_free, clear, make_project_name

__all__ = ["check_answers", "find_source", "render_foreign", "render_template"]

# A URL, `user@host:path`, one of copier's abbreviations, or a bundle: all that can't be a folder's name.
REMOTE = re.compile(r"[a-z+]+://|[\w.-]+@[\w.-]+:|g[hl]:|git\+|.*\.git$|.*\.bundle$")

# How copier says that an answer is wrong, or missing.
NOT_ACCEPTED = re.compile(r"Validation error for question '(?P<name>\w+)': (?P<problem>.*)", re.DOTALL)
REQUIRED = re.compile(r'Question "(?P<name>\w+)" is required')


def check_answers(template: Template, answers: Mapping[str, str]) -> None:
    """Raise CliError when an answer is for a question that the template does not ask."""
    for name in answers:
        if name not in template.questions:
            raise CliError(
                f"{template.name} asks nothing about {name!r}",
                f"it asks: {', '.join(template.questions)}",
                ExitCode.USAGE,
            )


def render_template(template: Template, folder: Path, answers: Mapping[str, str], *, ask: bool) -> None:
    """Render one of dx's own templates into a free folder.

    Args:
        folder: absolute.
        answers: by the question's name, as text.
        ask: whether to ask the user what is not answered; otherwise the defaults are taken.

    Raises:
        CliError: the folder is not free, or an answer is not accepted. Nothing is left behind then.
    """
    check_answers(template, answers)
    name = make_project_name(folder)
    _render(
        str(template.folder),
        folder,
        {**answers, "dx_requirement": find_requirement()},
        defaults={"project_name": name} if name else {},
        ask=ask,
        trust=False,
        quiet=True,
    )


def find_source(source: str) -> str:
    """Return what copier is to take as the template: an absolute folder, or a URL as it is; CliError for neither."""
    folder = Path(source).expanduser()
    if folder.is_dir():
        return str(folder.resolve())
    if not REMOTE.match(source):
        raise CliError(f"there is no folder {source}", "--from takes a folder, or the URL of a git repository")
    if shutil.which("git") is None:
        raise CliError("git is not installed", "it fetches templates from URLs; a folder needs none")
    return source


def render_foreign(source: str, folder: Path, answers: Mapping[str, str], *, ask: bool, trust: bool) -> None:
    """Render a copier template of somebody else into a free folder.

    Args:
        source: as `find_source` returned it.
        folder: absolute.
        trust: whether the template may run commands and load extensions.

    Raises:
        CliError: the folder is not free, or the template can't be had, is not trusted, or does not render.
    """
    _render(source, folder, answers, defaults={}, ask=ask, trust=trust, quiet=False)


def _render(
    source: str,
    folder: Path,
    answers: Mapping[str, str],
    *,
    defaults: Mapping[str, str],
    ask: bool,
    trust: bool,
    quiet: bool,
) -> None:
    check_is_free(folder)
    existed = folder.exists()
    import copier
    from copier.errors import UnsafeTemplateError

    if not ask:
        # Without a terminal nobody can type the password of a repository.
        os.environ.setdefault("GIT_TERMINAL_PROMPT", "0")
    try:
        copier.run_copy(
            source,
            folder,
            data=dict(answers),
            user_defaults=dict(defaults),
            settings=copier.Settings(),  # the user's own settings of copier may trust more than was asked here
            defaults=not ask,
            quiet=quiet,
            unsafe=trust,
        )
    except UnsafeTemplateError as error:
        clear(folder, existed=existed)
        features = str(error).splitlines()[0].partition(": ")[2].rstrip(".")
        raise CliError(
            f"the template wants to run code of its own ({features})",
            "look at its copier.yml, and if you trust it, say --trust",
        ) from None
    except KeyboardInterrupt:  # before Exception: that of copier is both
        clear(folder, existed=existed)
        raise
    except Exception as error:
        clear(folder, existed=existed)
        raise _explain(error) from error


def _explain(error: Exception) -> CliError:
    """Return what to tell the user about an error of copier, or of what it uses."""
    from plumbum import ProcessExecutionError

    text = str(error)
    if isinstance(error, ProcessExecutionError):
        said = next((line for line in error.stderr.splitlines() if line.startswith("fatal: ")), text)
        return CliError(f"the template can't be had: {said.removeprefix('fatal: ')}", "is the URL right, and public?")
    answer = NOT_ACCEPTED.fullmatch(text) or REQUIRED.fullmatch(text)
    if isinstance(error, ValueError) and answer:
        name, problem = answer["name"], answer.groupdict().get("problem") or "there is no answer, and no default"
        return CliError(f"{name}: {problem}", f"answer it by --data {name}=…", ExitCode.USAGE)
    return CliError(f"the template can't be rendered: {text}")
