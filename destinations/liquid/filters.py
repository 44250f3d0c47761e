"""The filters: python-liquid's within bounds, reading values as LiquidJS does, and those that only LiquidJS has."""

import json
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import quote

from liquid.exceptions import FilterArgumentError
from liquid.undefined import is_undefined

from destinations.liquid.bounds import check_size, check_total
from destinations.liquid.dates import date, date_to_rfc822, date_to_xmlschema
from destinations.liquid.shown import shown
from destinations.site import encode_component
from hog import json_text

Filter = Callable[..., Any]

# Their value is a text, whatever it is given; in the second set their arguments are, too.
_OF_TEXT = frozenset(
    {
        *("append", "base64_decode", "base64_encode", "base64_url_safe_decode", "base64_url_safe_encode", "capitalize"),
        *("cgi_escape", "downcase", "escape", "escape_once", "lstrip", "newline_to_br", "normalize_whitespace"),
        *("number_of_words", "prepend", "remove", "remove_first", "remove_last", "replace", "replace_first"),
        *("replace_last", "rstrip", "split", "strip", "strip_html", "strip_newlines", "truncate", "truncatewords"),
        *("upcase", "uri_escape", "url_decode", "url_encode", "xml_escape"),
    }
)
_WITH_TEXTS = frozenset(
    ["append", "prepend", "remove", "remove_first", "remove_last", "replace", "replace_first", "replace_last", "split"]
)


def within_bounds(name: str, original: Filter) -> Filter:
    """The filter with everything that it takes and gives checked for its size."""

    @wraps(original)
    def bounded(value: Any, *args: Any, **options: Any) -> Any:
        check_size(value, *args)
        if name in _OF_TEXT:
            value = shown(value)
        if name in _WITH_TEXTS:
            args = tuple(shown(each) for each in args)
        if name == "replace" and args:
            _check_replaced(value, args[0], args[1] if len(args) > 1 else "")
        result = original(value, *args, **options)
        check_size(result)
        return result

    return bounded


def _check_replaced(text: str, old: str, new: str) -> None:
    check_total(len(text) + text.count(old) * len(new))


def _items(value: Any) -> list[Any]:
    if value is None or is_undefined(value):
        return []
    return list(value) if isinstance(value, list | tuple | range) else [value]


def join(value: Any, separator: Any = " ") -> str:
    """The items with the separator between them."""
    items, between = [shown(item) for item in _items(value)], shown(separator)
    check_total(sum(map(len, items)) + len(items) * len(between))
    return between.join(items)


def to_json(value: Any, indent: Any = None) -> str:
    """JSON; what is undefined is null."""
    if is_undefined(value):
        return "null"
    if isinstance(indent, int) and 0 < indent <= 10:
        return json.dumps(value, ensure_ascii=False, indent=indent, default=shown)
    return json_text.dumps(value).decode()


def to_integer(value: Any) -> int:
    """The whole number that a text or a number begins with."""
    try:
        return int(float(shown(value)))
    except (ValueError, OverflowError):
        raise FilterArgumentError("to_integer: not a number", token=None) from None


def strip_html(text: str) -> str:
    """The text without tags, comments, scripts and styles; in one pass, however many of them are not closed."""
    kept = []
    done = 0
    missing: set[str] = set()
    lower = text.lower() if len(text.lower()) == len(text) else text
    while (start := text.find("<", done)) >= 0:
        kept.append(text[done:start])
        done = _end_of_markup(lower, start, missing)
        if done < 0:
            return "".join(kept) + text[start:]
    return "".join(kept) + text[done:]


def _end_of_markup(lower: str, start: int, missing: set[str]) -> int:
    for opening, closing in (("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"), ("<", ">")):
        if lower.startswith(opening, start) and closing not in missing:
            end = lower.find(closing, start + len(opening))
            if end >= 0:
                return end + len(closing)
            missing.add(closing)
    return -1


def uniq(value: Any) -> list[Any]:
    """Each item once."""
    return list({json_text.dumps(item): item for item in reversed(_items(value))}.values())[::-1]


def group_by(value: Any, key: Any) -> list[dict[str, Any]]:
    """`[{name, items}]` by the value of a key."""
    groups: dict[bytes, dict[str, Any]] = {}
    for item in _items(value):
        name = item.get(shown(key)) if isinstance(item, dict) else None
        groups.setdefault(json_text.dumps(name), {"name": name, "items": []})["items"].append(item)
    return list(groups.values())


def array_to_sentence_string(value: Any, connector: Any = "and") -> str:
    """Such as `a, b, and c`."""
    items = [shown(item) for item in _items(value)]
    check_total(sum(map(len, items)) + 2 * len(items))
    if len(items) < 3:
        return f" {shown(connector)} ".join(items)
    return f"{', '.join(items[:-1])}, {shown(connector)} {items[-1]}"


def _raw(value: Any) -> Any:
    # The output looks for the name: what this gives last is not escaped.
    return value


OWN: Mapping[str, Filter] = {
    "array_to_sentence_string": array_to_sentence_string,
    "cgi_escape": lambda text: quote(text, safe="").replace("%20", "+"),
    "date": date,
    "date_to_rfc822": date_to_rfc822,
    "date_to_xmlschema": date_to_xmlschema,
    "group_by": group_by,
    "join": join,
    "json": to_json,
    "jsonify": to_json,
    "normalize_whitespace": lambda text: re.sub(r"\s+", " ", text),
    "number_of_words": lambda text: len(text.split()),
    "pop": lambda value: _items(value)[:-1],
    "push": lambda value, item: [*_items(value), item],
    "raw": _raw,
    "shift": lambda value: _items(value)[1:],
    "size": lambda value: len(value) if isinstance(value, str | list | tuple | range | dict) else 0,
    "strip_html": strip_html,
    "to_integer": to_integer,
    "uniq": uniq,
    "unshift": lambda value, item: [item, *_items(value)],
    "uri_escape": lambda text: quote(text, safe="!#$&'()*+,/:;=?@[]~"),
    "url_encode": lambda text: encode_component(text).replace("%20", "+"),
    "xml_escape": lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    .replace('"', "&#34;").replace("'", "&#39;"),
}  # fmt: skip
LEFT_OUT = frozenset({"safe", "escapejs", "squish"})
"""Filters that LiquidJS does not have."""
