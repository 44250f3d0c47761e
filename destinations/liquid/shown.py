"""What a value reads as in the output of a template: as LiquidJS has it, but for mappings, which are JSON here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from liquid.undefined import is_undefined

from hog import json_text


def shown(value: Any) -> str:
    """The text of a value; of an undefined one the empty text."""
    if is_undefined(value):
        return ""
    match value:
        case str():
            return str(value)
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e21:
            return str(int(value))
        case list() | tuple() | range():
            return "".join(shown(item) for item in value)
        case Mapping():
            return json_text.dumps(dict(value)).decode()
        case datetime():
            return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case _:
            return str(value)
