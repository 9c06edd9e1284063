"""The questions that come before those of a template; they look like copier's, which asks with the same library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from durable_cli.scaffold.catalogue import Template
from durable_cli.scaffold.target import find_obstacle

__all__ = ["ask_folder", "ask_template"]


def ask_template(templates: Sequence[Template]) -> str:
    """Return the name of the template that the user picks; KeyboardInterrupt when none is."""
    import questionary

    width = max(len(template.name) for template in templates)
    choices = [
        questionary.Choice(f"{template.name:<{width}}  {template.summary}", template.name) for template in templates
    ]
    question = "Which template?"
    # The list goes away with the answer, and leaves two lines, as the other questions do.
    name = str(questionary.select(question, choices, qmark="?", instruction=" ", erase_when_done=True).unsafe_ask())
    questionary.print(f"? {question}\n   {name}", style="bold")
    return name


def ask_folder(default: str) -> str:
    """Return the folder that the user names, which is free; KeyboardInterrupt when none is."""
    import questionary

    def validate(answer: str) -> str | bool:
        return (find_obstacle(Path(answer).expanduser().resolve(), answer) or True) if answer else "Name a folder"

    return str(questionary.text("Folder\n  ", default, validate=validate, qmark="?").unsafe_ask())
