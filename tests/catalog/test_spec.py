"""What an input's schema may say."""

import pytest

from catalog.refused import REFUSED
from catalog.spec import Choice, InputSpec, InputType


@pytest.mark.parametrize(
    ("choice", "value", "same"),
    [
        ("a", "a", True),
        ("a", "A", False),
        ("1", 1, False),
        (1, "1", False),
        (1, 1, True),
        (1, 1.0, True),
        (1, True, False),
        (True, True, True),
        (True, 1, False),
        ("a", None, False),
        ("a", ["a"], False),
    ],
)
def test_a_choice_is_one_value(choice: str | int | bool, value: object, same: bool) -> None:
    assert Choice(choice).is_value(value) is same


@pytest.mark.parametrize(
    ("kind", "choices", "message"),
    [
        (InputType.CHOICE, [], "an input of type 'choice' needs `choices`: a list of {value, label}"),
        (InputType.STRING, [Choice("a")], "`choices` go with type 'choice', not with 'string'"),
    ],
)
def test_parts_that_do_not_go_together(kind: InputType, choices: list[Choice], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        InputSpec(kind, choices=choices)
    assert str(raised.value) == message


def test_no_type_is_both_known_and_refused() -> None:
    assert not REFUSED.keys() & {kind.value for kind in InputType}
