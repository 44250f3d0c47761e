"""Makes docs/hog-functions.md from the library itself: `python -m hog.functions_doc` writes it."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hog.stdlib import FUNCTIONS, Function

FILE: Final = Path(__file__).parent.parent / "docs" / "hog-functions.md"

_HEAD = """\
# The functions of Hog

<!-- Made from hog/stdlib by `python -m hog.functions_doc`; change it there. -->

`[…]` marks what may be left out, `…` any number of arguments. Each example is run by the tests.
"""


def page() -> str:
    """The whole page."""
    families: dict[str, list[Function]] = {}
    for function in FUNCTIONS.values():
        families.setdefault(function.family, []).append(function)
    return "\n".join([_HEAD, *(_section(family, families[family]) for family in sorted(families, key=_title))])


def _title(family: str) -> str:
    return _prose(family)[0]


def _prose(family: str) -> tuple[str, str]:
    """A family's title and what else there is to say: the first sentence of its module, and the others."""
    title, _, rest = " ".join((sys.modules[family].__doc__ or "").split()).partition(". ")
    return title.rstrip("."), rest


def _section(family: str, functions: Iterable[Function]) -> str:
    title, rest = _prose(family)
    return "\n".join([f"## {title}\n", *([f"{rest}\n"] if rest else []), *map(_entry, functions)])


def _entry(function: Function) -> str:
    lines = [f"### {function.name}\n", f"`{function.signature}`\n", f"{function.prose}\n"]
    lines += [f"* {_code(expression)} → {_code(printed)}" for expression, printed in function.examples]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return f"`{text}`"


if __name__ == "__main__":
    FILE.write_text(page(), "utf-8")
