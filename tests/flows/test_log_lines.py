import io
import json
import logging
import re

import pytest

from flows import log_lines


@pytest.fixture
def stream():
    """What the log wrote; the root logger is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)


MESSAGES = [
    ("plain", "plain"),
    ("a\nb", "a\n    b"),
    ("a\r2026-01-01T00:00:00.000Z ERROR forged", "a\\x0d2026-01-01T00:00:00.000Z ERROR forged"),
    ("\x1b[31mred", "\\x1b[31mred"),
    ("caret\n      ^", "caret\n          ^"),
]


@pytest.mark.parametrize(("message", "shown"), MESSAGES)
def test_text(stream, message, shown):
    log_lines.configure("text", stream)
    logging.getLogger("offramp.crm").warning(message)
    time, rest = stream.getvalue().split(" ", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert rest == f"WARNING {shown}\n"


def test_json_is_one_object_per_line(stream):
    log_lines.configure("json", stream)
    logging.getLogger("offramp.crm").error("two\nlines %s", "\ud800")
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert record.pop("time").endswith("Z")
    assert record == {"level": "ERROR", "logger": "offramp.crm", "message": "two\nlines ?"}


def test_only_the_unexpected_has_a_traceback(stream):
    log_lines.configure("text", stream)
    try:
        raise ValueError("odd")
    except ValueError as error:
        logging.getLogger("x").error("expected: %s", error)
        logging.getLogger("x").exception("not expected")
    first, second, *traceback = stream.getvalue().splitlines()
    assert first.endswith("ERROR expected: odd")
    assert second.endswith("ERROR not expected")
    assert traceback[-1] == "    ValueError: odd"
    assert all(line.startswith("    ") for line in traceback)
