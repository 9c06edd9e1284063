"""Ask for a few values: one line, several lines of JSON, or a choice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Select, Static, TextArea

from durable_cli.tui.field_checks import check_arguments, check_json
from durable_cli.tui.widgets.dialog_title import DialogTitle, shorten_names
from durable_cli.tui.widgets.line_input import LineInput

__all__ = ["Field", "FormDialog"]

SHORT_HEIGHT = 30
"""Below so many lines there is no room for empty ones."""
TEXT_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Field:
    """One value to ask for.

    Args:
        is_json: several lines, checked to be one JSON value (empty is fine unless required).
        is_arguments: the same of JSON values with commas between.
        choices: it is one of these.
        suggestions: it is likely one of these; more may become known while the form is open.
        check: says what is wrong with a value that is not empty.
    """

    name: str
    label: str
    value: str = ""
    placeholder: str = ""
    is_json: bool = False
    is_arguments: bool = False
    choices: Sequence[str] = ()
    suggestions: Sequence[str] = ()
    required: bool = False
    check: Callable[[str], str] | None = None

    def find_problem(self, value: str) -> str:
        """Return what is wrong with a value, or nothing."""
        if not value:
            return "this is needed" if self.required else ""
        check = check_json if self.is_json else check_arguments if self.is_arguments else self.check
        return check(value) if check else ""


class FormDialog(ModalScreen[dict[str, str]]):
    """Answers with the text of each field by its name, or with None."""

    send: Callable[[dict[str, str]], Awaitable[str]] | None = None
    """Does something with the values before the form goes, and says why it was not done, if so: then the form stays."""

    AUTO_FOCUS = ""  # it would scroll the first label away
    BINDINGS: ClassVar[list[BindingType]] = [
        # Not before its turn: what was typed quickly before it belongs to the answer.
        Binding("ctrl+s", "submit", "Send"),
        Binding("escape", "leave", "Leave"),
        # At once, before the next key is handed to what has the focus now.
        Binding("tab", "app.focus_next", "Next field", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Field before", show=False, priority=True),
        Binding("down", "step_suggestion(1)", "Next suggestion", show=False),
        Binding("up", "step_suggestion(-1)", "Suggestion before", show=False),
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        verb: str,
        note: str = "",
        draft: dict[str, str] | None = None,
        problem: str = "",
    ) -> None:
        """Ask for `fields`.

        Args:
            note: what will come of it.
            draft: what was typed when it was left before; what is typed when it is left is kept there.
            problem: what was wrong with it before.
        """
        super().__init__()
        self._title = title
        self._draft = {} if draft is None else draft
        self._prefilled = {field.name: field.value or next(iter(field.choices), "") for field in fields}
        self._fields = [_restore(field, self._draft) for field in fields]
        self._problem = problem
        self._is_sending = False
        self._verb = verb
        self._note = note
        self._suggestions = {field.name: list(dict.fromkeys(field.suggestions)) for field in fields}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield DialogTitle(self._title)
            if self._note:
                yield Static(Text(self._note), classes="quiet dialog-note")
            with VerticalScroll(classes="dialog-fields", can_focus=False):
                for field in self._fields:
                    yield Label(Text(field.label), classes="quiet")
                    yield self._make_widget(field)
                    if not (field.choices or field.is_json or field.is_arguments):
                        yield Static(id=f"suggestions-{field.name}", classes="suggestions quiet")
            yield Static(id="problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(f"{self._verb} (^s)", id="submit", variant="primary", compact=True)
                yield Button("Leave (esc)", id="leave", compact=True)

    def _make_widget(self, field: Field) -> Widget:
        widget_id = f"field-{field.name}"
        if field.choices:
            options = [(choice, choice) for choice in field.choices]
            return Select(options, value=field.value or field.choices[0], allow_blank=False, id=widget_id, compact=True)
        if field.is_json or field.is_arguments:
            return TextArea(field.value, id=widget_id, compact=True, tab_behavior="focus")
        return LineInput(field.value, placeholder=field.placeholder, id=widget_id, compact=True)

    def on_mount(self) -> None:
        # At once, before it is painted: what is typed then belongs to it.
        self.set_focus(self.query_one(f"#field-{self._fields[0].name}"), scroll_visible=False)
        for name in self._suggestions:
            self._show_suggestions(name)
        if self._problem:
            self._say(self._problem)
        elif self._draft:
            self._say("as it was when you left it", is_quiet=True)

    def on_resize(self) -> None:
        """Leave room for what is around the fields, so that the buttons are always seen."""
        is_short = self.size.height < SHORT_HEIGHT
        self.set_class(is_short, "-short")
        border, note, buttons = 2 if is_short else 4, 3 if self._note else 0, 2
        title = 3 if cell_len(self._title) > TEXT_WIDTH else 2
        problem = 1 + max(1, sum(len(wrap(line, TEXT_WIDTH)) for line in self._problem.splitlines()))
        around = border + title + note + problem + buttons
        room = self.size.height if is_short else self.size.height * 9 // 10
        self.query_one(".dialog-fields").styles.max_height = max(4, room - around)

    # Suggestions

    def add_suggestions(self, name: str, values: Iterable[str]) -> None:
        """Suggest further values of a field, which have become known since it was made."""
        known = self._suggestions[name]
        known += [value for value in dict.fromkeys(values) if value not in known]
        if self.is_mounted:
            self._show_suggestions(name)

    def _show_suggestions(self, name: str) -> None:
        values = self._suggestions[name]
        if not values:
            return
        field = self.query_one(f"#field-{name}", Input)
        field.suggester = SuggestFromList(values)
        line = Text("↓ ")
        for index, value in enumerate(values):
            click = Style(meta={"@click": f"screen.take_suggestion({name!r}, {index})"}, underline=True)
            line.append("  " if index else "").append(value, style=click)
        note = self.query_one(f"#suggestions-{name}", Static)
        note.update(line)
        note.add_class("-shown")

    def action_take_suggestion(self, name: str, index: int) -> None:
        """Write a suggested value into its field."""
        field = self.query_one(f"#field-{name}", Input)
        field.value = self._suggestions[name][index]
        field.cursor_position = len(field.value)
        field.focus()

    def action_step_suggestion(self, by: int) -> None:
        """Write the next suggested value into the field that is being filled in."""
        name = (self.focused.id or "").removeprefix("field-") if isinstance(self.focused, Input) else ""
        values = self._suggestions.get(name)
        if values:
            typed = self.query_one(f"#field-{name}", Input).value
            place = values.index(typed) + by if typed in values else 0 if by > 0 else -1
            self.action_take_suggestion(name, place % len(values))

    # The answer

    def _value(self, field: Field) -> str:
        widget = self.query_one(f"#field-{field.name}")
        if isinstance(widget, TextArea):
            return widget.text.strip()
        if isinstance(widget, Input):
            return widget.value.strip()
        assert isinstance(widget, Select)
        return str(widget.value)

    def action_submit(self) -> None:
        """Answer, or say which value is not right."""
        if self._is_sending:
            return
        values = {field.name: self._value(field) for field in self._fields}
        for field in self._fields:
            problem = field.find_problem(values[field.name])
            if problem:
                name = field.label.partition(" (")[0]
                self._say(f"{name}: {problem}")
                self.query_one(f"#field-{field.name}").focus()
                return
        if self.send is not None:
            self._is_sending = True
            self._say("asking the server …", is_quiet=True)
            self.app.run_worker(self._send(self.send, values))  # who leaves the form does not take it back
            return
        self._draft.clear()
        self.dismiss(values)

    async def _send(self, send: Callable[[dict[str, str]], Awaitable[str]], values: dict[str, str]) -> None:
        problem = await send(values)
        self._is_sending = False
        if not problem:
            self._draft.clear()
        if self.is_current and problem:
            self._say(problem)
        elif self.is_current:
            self.dismiss(values)

    def _say(self, words: str, *, is_quiet: bool = False) -> None:
        self._problem = shorten_names(words, TEXT_WIDTH)
        note = self.query_one("#problem", Static)
        note.update(Text(self._problem))
        note.set_class(is_quiet, "quiet")
        note.add_class("-shown")
        self.on_resize()

    def action_leave(self) -> None:
        """Go back, and keep what was typed for the next time."""
        typed = {field.name: self._value(field) for field in self._fields}
        self._draft.clear()
        self._draft.update((name, value) for name, value in typed.items() if value != self._prefilled[name].strip())
        self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "submit":
            self.action_submit()
        else:
            self.action_leave()


def _restore(field: Field, draft: dict[str, str]) -> Field:
    """Return a field with what was typed into it before, as far as that can still be chosen."""
    value = draft.get(field.name, field.value)
    return field if field.choices and value not in field.choices else replace(field, value=value)
