"""How library functions read their arguments: what has the wrong type is refused by the function's name.

What is large is counted where it is read, so that no function takes long unseen; for what is small that costs one
comparison of a length. What a function makes, it reserves itself (`check_text`, `check_items`) before it makes it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, Final

from hog.runtime.arithmetic import number
from hog.runtime.errors import Failure
from hog.runtime.limits import FEW, SMALL, check_items, check_text, reserve, spend
from hog.runtime.text import to_string, to_text
from hog.runtime.truth import type_name

PER_UNIT: Final = 16
"""Characters, or items, that are copied or searched in the time that one unit of `spend` stands for."""
_BATCH: Final = 256
_ITEM_UNITS: Final = 20
"""What calling a function for one item takes."""
_TEXT_BYTES: Final = 64
"""What a text takes beside its characters."""


def text_of(function: str, value: Any) -> str:
    """The value, which must be text."""
    if isinstance(value, str):
        if len(value) > SMALL:
            spend(len(value) // PER_UNIT)
        return value
    raise Failure(f"{function} needs a text, got {type_name(value)}")


def string_of(value: Any) -> str:
    """The value as `toString` gives it."""
    text = to_string(value)
    if len(text) > SMALL:
        spend(len(text) // PER_UNIT)
    return text


def copied_of(function: str, value: Any) -> str:
    """The value, which must be text, for a function that gives a changed copy of it."""
    text = text_of(function, value)
    check_text(len(text))
    return text


def utf8_of(text: str) -> bytes:
    """The bytes of a text."""
    if len(text) > SMALL:
        spend(len(text) // 8)
        reserve(len(text) if text.isascii() else 4 * len(text))
    return text.encode()


def whole_of(function: str, value: Any) -> int:
    """The value read as a number, which must be a whole one."""
    read = number(value)
    if isinstance(read, float) and not read.is_integer():
        raise Failure(f"{function} needs a whole number, got {type_name(value)}")
    return int(read)


def cut_of(function: str, value: Any) -> int:
    """The value read as a number and cut to a whole one: a position, or a count."""
    read = number(value)
    if isinstance(read, float) and not isfinite(read):
        raise Failure(f"{function} needs a number, got {type_name(value)}")
    return int(read)


def is_array(value: Any) -> bool:
    """Whether array functions work on it: arrays and tuples."""
    return isinstance(value, (list, tuple))


def items_of(value: Any, more: int = 0) -> Sequence[Any]:
    """The items of an array or tuple, nothing for any other value. `more` are those that the caller adds to a copy."""
    if not isinstance(value, (list, tuple)):
        return ()
    if len(value) > SMALL:
        spend(len(value) // PER_UNIT)
        check_items(len(value) + more)
    return value


def walked(items: Sequence[Any]) -> Iterable[Any]:
    """The items, for a function that does something with each of them."""
    if len(items) > _BATCH:
        return _counted(items)
    if len(items) > FEW:
        spend(len(items) * _ITEM_UNITS)
    return items


def texts_of(items: Sequence[Any], form: Callable[[Any], str] = to_text) -> list[str]:
    """Each item as in a concatenation, or in another form: small ones can still print as huge texts."""
    texts: list[str] = []
    made = 0
    for item in walked(items):
        text = form(item)
        texts.append(text)
        if text is not item:
            made += len(text) + _TEXT_BYTES
            if len(text) > SMALL or not len(texts) % _BATCH:
                reserve(made)
    return texts


def _counted(items: Sequence[Any]) -> Iterator[Any]:
    for start in range(0, len(items), _BATCH):
        batch = items[start : start + _BATCH]
        spend(len(batch) * _ITEM_UNITS)
        yield from batch
