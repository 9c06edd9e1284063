"""What stands where a list would be: nothing is there yet, or the server has no such thing."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

__all__ = ["NothingNote", "nothing_words"]


class NothingNote(Static):
    """Says what is so, and below what to do; hidden when there is something."""

    DEFAULT_CSS = """
    NothingNote { display: none; height: 1fr; padding: 1 2; }
    NothingNote.-shown { display: block; }
    """

    _said: tuple[str, Sequence[str]] = ("", ())

    def say(self, title: str, advice: Sequence[str]) -> None:
        """Show a title and lines of advice; a line that begins with a $ is a command."""
        if self._said != (title, advice):
            self._said = title, advice
            parts: list[str | tuple[str, str]] = [(title, "bold"), "\n"]
            for line in advice:
                is_command = line.startswith("$ ")
                parts += ["\n", (f"  {line[2:]}", "$accent") if is_command else (line, "$quiet")]
            self.update(Content.assemble(*parts))
        self.add_class("-shown")

    def hide(self) -> None:
        """Make room for the list."""
        self.remove_class("-shown")


def nothing_words(address: str, namespace: str, query: str, *, is_read_only: bool) -> tuple[str, Sequence[str]]:
    """Say that there are no workflows, or none that match, and what to do."""
    if query:
        return f"No workflow in namespace {namespace} matches", ("/ changes the filter; an empty one shows all.",)
    words = "" if address in ("", "localhost:7233", "127.0.0.1:7233") else f" --address {address}"
    words += "" if namespace in ("", "default") else f" --namespace {namespace}"
    how = "This starts one" if is_read_only else "+ starts one, and so does this"
    return f"No workflows in namespace {namespace} yet", (
        f"{how}; a worker that polls the task queue runs it:",
        "",
        f"$ dx workflow start --type MyWorkflow --task-queue my-queue{words}",
        "",
        "A project with a worker, to begin with:",
        "",
        "$ dx new my-project",
    )
