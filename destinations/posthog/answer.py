"""What PostHog's API answered: one function object, a list of them, or one page of a list."""

from typing import Any, NamedTuple

from destinations.kinds import kind_of
from hog import json_text


class AnswerError(ValueError):
    """The text is no such answer; the message says what was expected and what came."""


class Answer(NamedTuple):
    """The objects of one file."""

    items: list[dict[str, Any]]
    more: int = 0
    """How many the whole list has beyond this page."""


def read_answer(data: bytes) -> Answer:
    """Read the text of an answer; raises AnswerError."""
    if not data.strip():
        raise AnswerError("the file is empty; was the answer saved?")
    try:
        value = json_text.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except json_text.JsonError as error:
        raise AnswerError(f"not JSON: {error}") from None
    if isinstance(value, dict) and isinstance(value.get("results"), list):
        return Answer(_objects(value["results"]), _more(value))
    if isinstance(value, list):
        return Answer(_objects(value))
    if isinstance(value, dict) and not value.keys() <= {"type", "code", "detail", "attr"}:
        return Answer([value])
    if isinstance(value, dict) and "detail" in value:
        raise AnswerError(f"an error that the API answered: {value['detail']}")
    raise AnswerError(f"expected an object, a list of objects or a page with `results`, got {kind_of(value)}")


def _objects(items: list[Any]) -> list[dict[str, Any]]:
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise AnswerError(f"item {index + 1} is no object but {kind_of(item)}")
    return items


def _more(page: dict[str, Any]) -> int:
    """The page before this one may be in another file, so only what comes behind it is missed."""
    if page.get("next") is None:
        return 0
    count = page.get("count")
    known = len(page["results"])
    return max(count - known, 1) if isinstance(count, int) else 1
