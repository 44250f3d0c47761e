"""One field for each kind of input: what people type, and the value that a destination's file gets of it.

Every text may hold `{…}`, so a number or a switch may be a text as well.
"""

import json
from typing import Any, Final, Protocol

from nicegui import ui

from catalog.spec import InputSpec, InputType

_EMAIL_PARTS: Final = ("from", "to", "subject", "text", "html")
_LONG: Final = 60


class FieldError(ValueError):
    """What somebody typed is no value of that kind."""


class Field(Protocol):
    """One input on the page."""

    def value(self) -> Any:
        """As the file is to have it; raises FieldError."""


def field(key: str, spec: InputSpec, value: Any) -> Field:
    """Build the field of an input that has this value now."""
    if isinstance(value, dict | list) and spec.type not in (InputType.DICTIONARY, InputType.EMAIL):
        return JsonField(key, spec, value)
    match spec.type:
        case InputType.BOOLEAN if not isinstance(value, str):
            return SwitchField(key, spec, value)
        case InputType.CHOICE if not isinstance(value, str) or spec.choice_of(value) is not None:
            return ChoiceField(key, spec, value)
        case InputType.DICTIONARY if value is None or isinstance(value, dict):
            return DictionaryField(key, spec, value)
        case InputType.EMAIL if value is None or isinstance(value, dict):
            return EmailField(key, spec, value)
        case InputType.JSON:
            return JsonField(key, spec, value)
        case _:
            return TextField(key, spec, value)


class TextField:
    """A line, or several."""

    def __init__(self, key: str, spec: InputSpec, value: Any) -> None:
        self._spec = spec
        text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
        if "\n" in text or len(text) > _LONG:
            self._input: ui.input | ui.textarea = ui.textarea(value=text).props("outlined dense autogrow")
        else:
            self._input = ui.input(value=text).props("outlined dense")
        _described(self._input, key, spec)

    def value(self) -> Any:
        """The text; of a number the number, where it is one."""
        text = (self._input.value or "").strip() if self._spec.type is not InputType.STRING else self._input.value or ""
        if text == "":
            return None
        if self._spec.type is InputType.NUMBER and "{" not in text:
            try:
                number = float(text)
            except ValueError:
                raise FieldError(f"{_name(self._spec)}: expected a number, got {text!r}") from None
            return int(number) if number.is_integer() else number
        return text


class SwitchField:
    """Yes or no."""

    def __init__(self, key: str, spec: InputSpec, value: Any) -> None:
        self._switch = ui.switch(_name(spec, key), value=bool(value))
        _help(spec)

    def value(self) -> Any:
        """True or false."""
        return bool(self._switch.value)


class ChoiceField:
    """One of several."""

    def __init__(self, key: str, spec: InputSpec, value: Any) -> None:
        self._values = [choice.value for choice in spec.choices]
        labels = {n: choice.label or str(choice.value) for n, choice in enumerate(spec.choices)}
        at = next((n for n, choice in enumerate(spec.choices) if choice.is_value(value)), None)
        self._select = ui.select(labels, value=at, clearable=not spec.required).props("outlined dense")
        _described(self._select, key, spec)

    def value(self) -> Any:
        """The value of the choice."""
        return None if self._select.value is None else self._values[self._select.value]


class DictionaryField:
    """Names with values, a line each."""

    def __init__(self, key: str, spec: InputSpec, value: Any) -> None:
        self._key = key
        self._spec = spec
        ui.label(_name(spec, key)).classes("small")
        _help(spec)
        self._rows: list[tuple[ui.input, ui.input, Any]] = []
        self._body = ui.element("div").style("display: grid; gap: 6px")
        for name, each in (value or {}).items():
            self._add(name, each)
        add = ui.button("Add", on_click=lambda: self._add("", "")).props("flat dense no-caps")
        add.props["aria-label"] = f"Add to {_name(spec, key)}"

    def _add(self, name: str, value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        label = _name(self._spec, self._key)
        with self._body, ui.element("div").classes("row").style("flex-wrap: nowrap"):
            first = ui.input(value=name, placeholder="name").props("outlined dense")
            second = ui.input(value=text, placeholder="value").props("outlined dense").style("flex: 1")
        first.props["aria-label"], second.props["aria-label"] = f"{label}: name", f"{label}: value"
        self._rows.append((first, second, value))

    def value(self) -> Any:
        """Without the lines whose name is empty. What was no text and was not changed stays what it was."""
        found: dict[str, Any] = {}
        for first, second, before in self._rows:
            if name := (first.value or "").strip():
                unchanged = not isinstance(before, str) and second.value == json.dumps(before, ensure_ascii=False)
                found[name] = before if unchanged else second.value or ""
        return found or None


class JsonField:
    """Anything that JSON can say."""

    def __init__(self, key: str, spec: InputSpec, value: Any) -> None:
        self._spec = spec
        ui.label(_name(spec, key)).classes("small")
        _help(spec)
        text = (
            value
            if isinstance(value, str)
            else ""
            if value is None
            else json.dumps(value, indent=2, ensure_ascii=False)
        )
        self._editor = ui.codemirror(text, language="JSON", line_wrapping=True).classes("editor")

    def value(self) -> Any:
        """The value that the JSON stands for; text that is none, and holds `{…}` or no brace, as it is."""
        text = (self._editor.value or "").strip()
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            if text[0] in '["' or text.startswith(("{\n", '{"')):
                raise FieldError(f"{_name(self._spec)}: not JSON: {error}") from None
            return text


class EmailField:
    """The parts of a message."""

    def __init__(self, key: str, spec: InputSpec, value: Any) -> None:
        ui.label(_name(spec, key)).classes("small")
        _help(spec)
        self._others = {name: each for name, each in (value or {}).items() if name not in _EMAIL_PARTS}
        self._parts: dict[str, ui.input | ui.textarea] = {}
        for part in _EMAIL_PARTS:
            given = (value or {}).get(part) or ""
            make = ui.textarea if part in ("text", "html") else ui.input
            self._parts[part] = make(part.capitalize(), value=str(given)).props("outlined dense")

    def value(self) -> Any:
        """The parts that are filled in, and those that are not shown."""
        filled = {name: each.value for name, each in self._parts.items() if each.value}
        return {**self._others, **filled} or None


def _name(spec: InputSpec, key: str = "") -> str:
    return spec.label or key


def _described(element: Any, key: str, spec: InputSpec) -> None:
    star = " *" if spec.required else ""
    # Set, not parsed: what a template says may hold quotation marks.
    element.props["label"] = _name(spec, key) + star
    hints = [spec.description]
    if spec.example is not None and not isinstance(spec.example, dict | list):
        hints.append(f"Example: {spec.example}")
    if hint := " ".join(each for each in hints if each):
        element.props["hint"] = hint


def _help(spec: InputSpec) -> None:
    if spec.description:
        ui.label(spec.description).classes("quiet small")
