"""Ask for a few values: one line, several lines of JSON, or a choice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Select, Static, TextArea

__all__ = ["Field", "FormDialog"]


@dataclass(frozen=True, slots=True)
class Field:
    """One value to ask for.

    `is_json`: several lines, checked to be JSON (empty is fine unless required). `choices`: one of these. `check` says
    what is wrong with a value, or nothing.
    """

    name: str
    label: str
    value: str = ""
    placeholder: str = ""
    is_json: bool = False
    choices: Sequence[str] = ()
    required: bool = False
    check: Callable[[str], str] | None = None


class FormDialog(ModalScreen[dict[str, str]]):
    """Answers with the text of each field by its name, or with None."""

    AUTO_FOCUS = ""  # it would scroll the first label away
    BINDINGS: ClassVar[list[BindingType]] = [
        # Not before its turn: what was typed quickly before it belongs to the answer.
        Binding("ctrl+s", "submit", "Send"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, title: str, fields: Sequence[Field], *, verb: str, note: str = "") -> None:
        """Ask for `fields`; `note` says what will come of it."""
        super().__init__()
        self._title = title
        self._fields = fields
        self._verb = verb
        self._note = note

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Text(self._title, style="bold"), classes="dialog-title")
            if self._note:
                yield Static(Text(self._note), classes="quiet dialog-note")
            with VerticalScroll(classes="dialog-fields", can_focus=False):
                for field in self._fields:
                    yield Label(field.label, classes="quiet")
                    yield self._make_widget(field)
            yield Static(id="problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button(f"{self._verb} (^s)", id="submit", variant="primary", compact=True)
                yield Button("Leave (esc)", id="leave", compact=True)

    def _make_widget(self, field: Field) -> Widget:
        widget_id = f"field-{field.name}"
        if field.choices:
            options = [(choice, choice) for choice in field.choices]
            return Select(options, value=field.value or field.choices[0], allow_blank=False, id=widget_id, compact=True)
        if field.is_json:
            return TextArea(field.value, id=widget_id, compact=True, tab_behavior="focus")
        return Input(field.value, placeholder=field.placeholder, id=widget_id, compact=True)

    def on_mount(self) -> None:
        # At once, before it is painted: what is typed then belongs to it.
        self.set_focus(self.query_one(f"#field-{self._fields[0].name}"), scroll_visible=False)

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
        values = {field.name: self._value(field) for field in self._fields}
        for field in self._fields:
            problem = _find_problem(field, values[field.name])
            if problem:
                text = Text(f"{field.label}: {problem}", style=self.app.theme_variables["error"])
                self.query_one("#problem", Static).update(text)
                self.query_one(f"#field-{field.name}").focus()
                return
        self.dismiss(values)

    def action_leave(self) -> None:
        self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "submit":
            self.action_submit()
        else:
            self.dismiss(None)


def _find_problem(field: Field, value: str) -> str:
    if not value:
        return "this is needed" if field.required else ""
    if field.is_json:
        try:
            json.loads(value)
        except json.JSONDecodeError as error:
            return f"not JSON, line {error.lineno}: {error.msg}; text needs quotes"
    return field.check(value) if field.check is not None else ""
