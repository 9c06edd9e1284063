"""The templates that come with dx, in the order in which they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from durable_cli.lazy import UsageError

__all__ = ["TEMPLATES", "Template", "get_template"]


@dataclass(frozen=True, slots=True)
class Template:
    """A template: its name is that of its folder, its summary fits on a line beside it, and what it asks."""

    name: str
    summary: str
    questions: tuple[str, ...] = ("project_name", "task_queue")

    @property
    def folder(self) -> Path:
        return _templates_folder() / self.name


TEMPLATES = (
    Template("minimal", "One workflow, one activity."),
    Template("python-order", "An order: retries, query, cancel signal, refund, report."),
    Template("typescript-order", "The same order in TypeScript."),
    Template("python-cron-report", "A report on a cron schedule.", ("project_name", "task_queue", "cron")),
    Template("python-saga", "A trip that is booked as a whole, or undone."),
    Template("python-approval", "A person's answer: signal, query, update, timeout."),
    Template("python-batch", "Many items: heartbeats, children, continue-as-new."),
    Template("python-versioning", "Changes under running workflows: patches, replays."),
    Template("observability", "Metrics, traces and logs of a worker."),
)


def get_template(name: str) -> Template:
    """Return the template of that name; UsageError when there is none."""
    for template in TEMPLATES:
        if template.name == name:
            return template
    from difflib import get_close_matches

    # `order` is meant for `python-order`, so the part after the dash counts as well as the whole.
    words = {
        word: template.name
        for template in reversed(TEMPLATES)
        for word in (template.name.split("-")[-1], template.name)
    }
    close = get_close_matches(name, words, n=1, cutoff=0.5)
    suggestion = f"did you mean `dx new {words[close[0]]}`? " if close else ""
    raise UsageError(
        f"there is no template {name!r}",
        f"{suggestion}`dx new --list` lists them; a template of your own is named by --from",
    )


def _templates_folder() -> Path:
    """Return the folder of templates, in the installed package or, in a source folder, beside it."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"
