"""One thing that is wrong in a configuration file, as a person wants to read it. It finds nothing itself."""

from collections.abc import Sequence

import msgspec

from hog import names

MAX_EXCERPT = 100


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, where, and what to do. `line` and `column` count from 1 and are those of the file."""

    file: str
    path: str
    """The key, such as `filters.when` or `inputs.body.items[0]`; empty when the whole file is meant."""
    line: int
    column: int
    message: str
    excerpt: str = ""
    """The source line and a caret line under it."""
    destination: str = ""
    """The id that the file's name gives; empty when the whole directory is meant."""

    def summary(self) -> str:
        """The problem in one line, without the excerpt."""
        where = f"{self.file}: {self.path}" if self.path else self.file
        return f"{where} ({self.line},{self.column}): {self.message}"

    def __str__(self) -> str:
        """The summary, then the excerpt."""
        return f"{self.summary()}\n{self.excerpt}" if self.excerpt else self.summary()


def path_text(path: Sequence[str | int]) -> str:
    """A path as text: keys by dots, indices and unusual keys in brackets."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("-", "_").replace("$", "_").isidentifier():
            text += f".{step}" if text else step
        else:
            text += f"[{step!r}]"
    return text


def suggestion(word: str, known: Sequence[str]) -> str:
    """`; did you mean 'x'?`, or `; known: …` where nothing is close."""
    return names.suggestion(word, known) or (f"; known: {', '.join(known)}" if known else "")


def excerpt(lines: Sequence[str], line: int, column: int) -> str:
    """The line and a caret under the column; a long line is cut around the caret. Empty if there is no such line."""
    if not 1 <= line <= len(lines):
        return ""
    text = "".join(char if char.isprintable() else " " for char in lines[line - 1])
    start = 0
    if len(text) > MAX_EXCERPT:
        start = max(0, min(column - 1 - MAX_EXCERPT // 2, len(text) - MAX_EXCERPT))
    return f"{text[start : start + MAX_EXCERPT].rstrip()}\n{' ' * (column - 1 - start)}^"
