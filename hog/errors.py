"""What goes wrong with a piece of Hog, each with its position. Nothing else is ever raised to the caller."""

from typing import Final

from hog.runtime.text import quote
from hog.runtime.values import ErrorValue

_CARET_WIDTH: Final = 160
_MESSAGE: Final = 4000
"""Characters of a message: it may quote a value, of any size, and ends up in logs and dead letters."""


class HogError(Exception):
    """Something is wrong in a Hog source: what, and where (line and column count from 1)."""

    def __init__(self, message: str, line: int = 1, column: int = 1, source: str = "") -> None:
        if len(message) > _MESSAGE:
            message = f"{message[:_MESSAGE]}…"
        super().__init__(message, line, column, source)
        self.message = message
        self.line = line
        self.column = column
        self.source = source

    def __str__(self) -> str:
        """Position and message."""
        return f"({self.line},{self.column}): {self.message}"

    def caret(self) -> str:
        """The offending source line, and under it a line with a caret. A long line is cut around the caret."""
        lines = self.source.split("\n")
        text = lines[self.line - 1] if self.line <= len(lines) else ""
        text = "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in text)
        before = min(self.column - 1, len(text))
        cut = max(0, before - _CARET_WIDTH // 2)
        shown = text[cut : cut + _CARET_WIDTH]
        margin = "".join("\t" if char == "\t" else " " for char in text[cut:before])
        return f"{shown}\n{margin}^"


class HogSyntaxError(HogError):
    """The source is not Hog."""


class HogCompileError(HogError):
    """The source is Hog but names or uses something that does not exist here."""


class HogRuntimeError(HogError):
    """The evaluation could not go on."""


class HogLimitError(HogRuntimeError):
    """The evaluation was ended because it took too much: time, steps, memory, depth."""


class HogThrownError(HogRuntimeError):
    """The program threw an error and nobody caught it. `type`, `error_message` and `payload` are the error's own."""

    def __init__(self, error: ErrorValue, line: int, column: int, source: str) -> None:
        super().__init__(f"{error.type}({quote(error.message)})", line, column, source)
        self.type = error.type
        self.error_message = error.message
        self.payload = error.payload
