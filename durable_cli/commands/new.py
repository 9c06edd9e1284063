"""`dx new`: a project that runs, made from a template."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from durable_cli.lazy import UsageError
from durable_cli.options import GlobalOptions, attach, command, option
from durable_cli.output.project import render_catalogue, render_next_steps
from durable_cli.parameters import parse_pairs
from durable_cli.scaffold.catalogue import TEMPLATES, Template, get_template

__all__ = ["command"]

MEANINGLESS_HERE = frozenset(GlobalOptions.__slots__) - {"output", "color"}


@click.argument("template", required=False)
@click.argument("directory", required=False, metavar="[DIR]")
@option("--list", "list_them", is_flag=True, help="List the templates.")
@option("--data", multiple=True, metavar="KEY=VALUE", help="Answer a question of the template. Repeatable.")
@option("--defaults", is_flag=True, help="Ask nothing: take the defaults.")
@option(
    "--from",
    "source",
    metavar="FOLDER_OR_GIT_URL",
    help="Use a copier template of your own, in place of TEMPLATE.",
)
@option("--trust", is_flag=True, help="Let the template of --from run commands and load extensions.")
@attach("global_options", GlobalOptions, hidden=MEANINGLESS_HERE)
def new(
    *,
    global_options: GlobalOptions,
    template: str | None,
    directory: str | None,
    list_them: bool,
    data: tuple[str, ...],
    defaults: bool,
    source: str | None,
    trust: bool,
) -> None:
    """Make a project from a template: workflows, a worker, tests, all of which run at once.

    On a terminal it asks for what is not given. Nothing is ever overwritten, and the network is not needed.

    \b
    dx new python-order
    dx new python-order my-shop --defaults --data task_queue=orders
    dx new --from ~/templates/ours my-service
    """
    if list_them:
        sys.stdout.write(render_catalogue(TEMPLATES, global_options.output, global_options.color))
        return
    if trust and not source:
        raise UsageError("--trust is for --from", "the templates of dx run nothing while a project is made")
    answers = parse_pairs(data, "--data")
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not defaults
    if source:
        if template and directory:
            raise UsageError(f"two templates were given: {template} and --from", "leave out one of them")
        name, folder = _make_from(source, directory or template, answers, ask=ask, trust=trust)
    else:
        chosen = _choose(template, global_options, ask=ask)
        name, folder = chosen.name, _make(chosen, directory, answers, ask=ask)
    if (folder / "dx.toml").is_file():
        from durable_cli.dev.project.schema import write_schema

        write_schema(folder)
    sys.stdout.write(render_next_steps(name, folder, global_options.output, global_options.color))


command = command(new)


def _choose(name: str | None, global_options: GlobalOptions, *, ask: bool) -> Template:
    """Return the template of that name; without a name ask for one, or say what there is."""
    if name:
        return get_template(name)
    if ask:
        from durable_cli.scaffold.questions import ask_template

        return get_template(ask_template(TEMPLATES))
    sys.stdout.write(render_catalogue(TEMPLATES, global_options.output, global_options.color))
    sys.stdout.flush()
    raise UsageError("which template? Give its name", f"for example: dx new {TEMPLATES[0].name}")


def _make(template: Template, directory: str | None, answers: dict[str, str], *, ask: bool) -> Path:
    from durable_cli.scaffold.render import check_answers, render_template

    check_answers(template, answers)
    folder = _find_folder(directory, template.name, ask=ask)
    render_template(template, folder, answers, ask=ask)
    return folder


def _make_from(
    source: str, directory: str | None, answers: dict[str, str], *, ask: bool, trust: bool
) -> tuple[str, Path]:
    from durable_cli.scaffold.render import find_source, render_foreign

    found = find_source(source)
    folder = _find_folder(directory, Path(urlsplit(found).path).stem or "project", ask=ask)
    render_foreign(found, folder, answers, ask=ask, trust=trust)
    return source, folder


def _find_folder(directory: str | None, default: str, *, ask: bool) -> Path:
    """Return where the project goes, absolute and free; without a word about it ask, or take the default."""
    from durable_cli.scaffold.target import check_is_free

    if directory is None and ask:
        from durable_cli.scaffold.questions import ask_folder

        directory = ask_folder(default)
    given = directory or default
    folder = Path(given).expanduser().resolve()
    check_is_free(folder, given)
    return folder
