"""How the job's own log looks on standard error: one line per record, as text or as JSON.

A record never begins a line that it did not earn: line breaks inside a message become indented lines, so that text from
an event or a response cannot pass for a record.
"""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

import msgspec

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def configure(style: str, stream: TextIO | None = None) -> None:
    """Sends every record from INFO on to `stream` (standard error). `style` is `text` or `json`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


class TextLines(logging.Formatter):
    """`2026-11-23T19:14:02.123Z WARNING message`."""

    def format(self, record: logging.LogRecord) -> str:
        """Control characters are shown as escapes."""
        message = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", _message(self, record))
        return f"{_time(record)} {record.levelname} {message}".replace("\n", "\n    ")


class JsonLines(logging.Formatter):
    """`{"time": …, "level": …, "logger": …, "message": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Line breaks are `\\n` by the rules of JSON."""
        message = _message(self, record).encode("utf-8", "replace").decode()
        fields = {"time": _time(record), "level": record.levelname, "logger": record.name, "message": message}
        return msgspec.json.encode(fields).decode()


def _message(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The text, and the traceback of what nobody expected."""
    message = record.getMessage()
    return f"{message}\n{formatter.formatException(record.exc_info)}" if record.exc_info else message


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
