"""Choose one thing of several, or several of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input, OptionList, SelectionList, Static
from textual.widgets.option_list import Option
from textual.widgets.selection_list import Selection

from durable_cli.tui.widgets.dialog_title import DialogTitle, shorten_names
from durable_cli.tui.widgets.line_input import LineInput

__all__ = ["PickDialog", "PickSeveralDialog"]


class PickDialog(ModalScreen[str]):
    """Answers with the value that was chosen, or with None; typing narrows the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("down", "step(1)", "Down", show=False, priority=True),
        Binding("up", "step(-1)", "Up", show=False, priority=True),
    ]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], *, empty: str = "nothing here") -> None:
        """Offer `options`, each a value and how it is shown; `empty` is said when there are none."""
        super().__init__()
        self._title = title
        self._options = options
        self._empty = empty

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield DialogTitle(self._title)
            yield LineInput(placeholder="type to narrow", id="narrow", compact=True)
            yield OptionList(id="options", compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._show("")
        self.query_one(Input).focus()

    def _show(self, words: str) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        found = [(value, label) for value, label in self._options if words.lower() in label.lower()]
        # A label may begin with the action's key: who presses it in the menu gets that action with enter.
        # So are the first letters of a choice's name.
        found.sort(key=lambda option: (not option[1].startswith(words), not _begins(option, words)))
        options.add_options(
            [Option(Text(shorten_names(label)), id=str(index)) for index, (_, label) in enumerate(found)]
        )
        if not found:
            empty = "nothing like that" if self._options else self._empty
            options.add_option(Option(Text(empty, style="italic"), disabled=True))
        self._found = [value for value, _ in found]
        options.highlighted = 0 if found else None

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        """Show only what has the typed words in it."""
        self._show(event.value.strip())

    @on(Input.Submitted)
    def take_highlighted(self) -> None:
        """Answer with what is highlighted."""
        highlighted = self.query_one(OptionList).highlighted
        if self._found and highlighted is not None:
            self.dismiss(self._found[highlighted])

    @on(OptionList.OptionSelected)
    def take_clicked(self, event: OptionList.OptionSelected) -> None:
        """Answer with what was clicked."""
        self.dismiss(self._found[event.option_index])

    def action_step(self, by: int) -> None:
        options = self.query_one(OptionList)
        if self._found:
            options.highlighted = ((options.highlighted or 0) + by) % len(self._found)

    def action_leave(self) -> None:
        self.dismiss(None)


def _begins(option: tuple[str, str], words: str) -> bool:
    return any(name.lower().startswith(words.lower()) for name in option)


class TickList(SelectionList[str]):
    """A list in which the chosen lines have a tick, which is seen without colour."""

    def render_line(self, y: int) -> Strip:
        line = super(SelectionList, self).render_line(y)
        index = self.scroll_offset.y + y
        if index >= self.option_count:
            return line
        is_ticked = self.get_option_at_index(index).value in self.selected
        style = next(iter(line)).style or self.rich_style
        sign = Style(color=self.app.theme_variables["accent" if is_ticked else "quiet"], meta={"option": index})
        return Strip([Segment(" ✓ " if is_ticked else " · ", style + sign), *line])

    def action_select(self) -> None:
        # Textual ticks what is highlighted once a message has come, and another key may have come by then.
        if self.highlighted is not None:
            self.toggle(self.get_option_at_index(self.highlighted))

    def _get_left_gutter_width(self) -> int:
        return 3


class PickSeveralDialog(ModalScreen[list[str]]):
    """Answers with the values that are ticked, in the order of the list, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take", priority=True),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], ticked: Iterable[str]) -> None:
        super().__init__()
        self._title = title
        self._options = options
        self._ticked = set(ticked)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield DialogTitle(self._title)
            yield TickList(
                *(Selection(Text(label), value, value in self._ticked) for value, label in self._options), compact=True
            )
            yield Static("space ticks, enter takes, esc leaves", classes="quiet dialog-foot")

    def action_take(self) -> None:
        ticked = set(self.query_one(SelectionList).selected)
        self.dismiss([value for value, _ in self._options if value in ticked])

    def action_leave(self) -> None:
        self.dismiss(None)
