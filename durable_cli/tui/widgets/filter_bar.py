"""The bar in which a list filter is typed, and the line below it that shows what may come next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import SuggestionReady
from textual.widgets import Input, Static

from durable_cli.tui.filter.completion import Choice, complete
from durable_cli.tui.widgets.entry_bar import EntryBar

__all__ = ["ChoiceLine", "FilterBar"]

SHOWN_BEFORE = 2
GAP = 2


class FilterBar(EntryBar):
    """Completes what is typed: tab takes the choice that is picked, down and up pick another one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "take", "Complete"),
        Binding("enter", "submit", "Filter"),
        Binding("escape", "leave", "Leave"),
        Binding("down", "pick(1)", "Next choice", show=False),
        Binding("up", "pick(-1)", "Choice before", show=False),
    ]

    @dataclass
    class ChoicesChanged(Message):
        """Something else may come next, or another choice is picked."""

        choices: Sequence[Choice]
        picked: int

    def __init__(
        self,
        find_choices: Callable[[str], Sequence[Choice]],
        take: Callable[[str], None],
        leave: Callable[[], None],
        *,
        id: str,
        placeholder: str,
    ) -> None:
        super().__init__(take, leave, id=id, placeholder=placeholder)
        self._find_choices = find_choices
        self._choices: Sequence[Choice] = ()
        self._picked = 0
        self._seen_value = ""

    @on(Input.Changed)
    def look_again(self) -> None:
        """See what may come next now."""
        self._seen_value = self.value
        self._choices, self._picked = self._find_choices(self.value) if self.screen.focused is self else (), 0
        self._show()

    def correct(self, position: int | None) -> None:
        """Go on where the text went wrong, or at its end."""
        self.open()
        if position is not None:
            self.cursor_position = position

    def on_focus(self) -> None:
        self.look_again()

    def on_blur(self) -> None:
        self._choices = ()
        self._show()

    def _show(self) -> None:
        self.post_message(self.ChoicesChanged(self._choices, self._picked))
        if self.value and self._choices and (self.value[-1].isspace() or self._is_begun()):
            self.post_message(SuggestionReady(self.value, complete(self.value, self._choices[self._picked])))

    def _is_begun(self) -> bool:
        """Whether the choice goes on from what is typed, so that it can stand behind the cursor."""
        return complete(self.value, self._choices[self._picked]).startswith(self.value)

    def action_pick(self, by: int) -> None:
        """Pick another choice."""
        self._catch_up()
        if self._choices:
            self._picked = (self._picked + by) % len(self._choices)
            self._show()

    def action_take(self) -> None:
        """Write the choice that is picked."""
        self._catch_up()
        if self._choices:
            self.take(self._picked)

    def _catch_up(self) -> None:
        """See what was typed so quickly before that it was not looked at yet."""
        if self._seen_value != self.value:
            self.look_again()

    def take(self, index: int) -> None:
        """Write a choice."""
        if index < len(self._choices):
            self.value = complete(self.value, self._choices[index])
            self.cursor_position = len(self.value)


class ChoiceLine(Static):
    """Shows what may come next in one line; a click takes it."""

    auto_links = False
    DEFAULT_CSS = "ChoiceLine { display: none; height: 1; padding: 0 1; margin: 0 1; }"

    _shown: tuple[Sequence[Choice], int] = ((), 0)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.show(*self._shown))

    def show(self, choices: Sequence[Choice], picked: int) -> None:
        """Show choices from shortly before the one that is picked, or hide."""
        self._shown = choices, picked
        self.display = bool(choices)
        colors = self.app.theme_variables
        line = Text(no_wrap=True, overflow="ellipsis")
        room = self.app.size.width - 4
        for index in range(max(0, picked - SHOWN_BEFORE), len(choices)):
            choice = choices[index]
            variable = "accent" if index == picked else "foreground"
            style = Style(color=colors[variable], bold=index == picked, meta={"@click": f"screen.take_choice({index})"})
            words = choice.text.strip().strip("'\"")
            if line and cell_len(line.plain) + GAP + cell_len(words) + 1 > room:
                line.append("  …", style=colors["quiet"])
                break
            line.append(" " * GAP if line else "").append(words, style=style)
            if choice.meaning and index == picked:
                line.append(f" {choice.meaning}", style=colors["quiet"])
        self.update(line)
