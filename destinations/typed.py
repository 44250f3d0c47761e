"""What the value of an input must be by its type, before there is an event and for each one.

Null is every type's "nothing here", and fits but for a required choice. Text fits where a template may stand.
"""

from collections.abc import Mapping
from typing import Any

from catalog.spec import InputSpec, InputType
from destinations.errors import InputError
from destinations.kinds import kind_of
from destinations.values import Chain, Constant, Entries, Items, Value

_KINDS: Mapping[InputType, tuple[tuple[type, ...], str]] = {
    InputType.STRING: ((str,), "text"),
    InputType.URL: ((str,), "text"),
    InputType.NUMBER: ((int, float), "a number"),
    InputType.BOOLEAN: ((bool,), "true or false"),
    InputType.DICTIONARY: ((dict,), "a mapping"),
    InputType.EMAIL: ((dict,), "a mapping"),
}
# What a template of these types gives is used as it comes: `'{event}'` under a `string` is the whole event.
_FREE = frozenset({InputType.STRING, InputType.URL, InputType.JSON})
_EMAIL_NEEDS = ("from", "to", "subject")


def misfit(value: Any, spec: InputSpec) -> str | None:
    """Why the value cannot be one of this input, None when it fits; without the value itself if it is a secret."""
    if spec.type is InputType.CHOICE:
        return _no_choice(value, spec)
    if value is None or spec.type not in _KINDS:
        return None
    kinds, name = _KINDS[spec.type]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        in_quotes = "; put it in quotes" if name == "text" and isinstance(value, bool | int | float) else ""
        return f"expected {name}, got {kind_of(value)}{in_quotes}"
    return None


def incomplete(value: Any, spec: InputSpec) -> str | None:
    """What is not even written of an email. What is written may still turn out to be empty for one event."""
    if spec.type is not InputType.EMAIL or not isinstance(value, dict):
        return None
    missing = [key for key in _EMAIL_NEEDS if value.get(key) in (None, "")]
    if all(value.get(key) in (None, "") for key in ("text", "html")):
        missing.append("text or html")
    return f"an email needs {', '.join(missing)}" if missing else None


def _no_choice(value: Any, spec: InputSpec) -> str | None:
    if spec.choice_of(value) is not None or (value in (None, "") and not spec.required):
        return None
    expected = ", ".join(_shown(choice.value) for choice in spec.choices)
    return f"expected one of {expected}; got {'another value' if spec.secret else _shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return f"'{value}'" if isinstance(value, str) else kind_of(value)


class Typed:
    """A value that is checked each time it is rendered."""

    def __init__(self, value: Value, where: str, spec: InputSpec) -> None:
        """`where` names the input in errors."""
        self.value = value
        self.chains: frozenset[Chain] = value.chains
        self._where = where
        self._spec = spec

    def render(self, globals: Mapping[str, Any]) -> Any:
        """The value; raises InputError where it is not of the input's type."""
        value = self.value.render(globals)
        problem = misfit(value, self._spec)
        if problem is not None:
            raise InputError(self._where, problem)
        return value


def checked_when_rendered(value: Value, where: str, spec: InputSpec) -> Value:
    """The value with a check of what it gives, where that is not certain before."""
    if spec.type in _FREE or isinstance(value, Constant | Entries | Items):
        return value
    return Typed(value, where, spec)
