"""What counts as true, and what type a value says it is."""

from typing import Any

from hog.runtime.values import Date, DateTime, ErrorValue, FunctionValue


def truthy(value: Any) -> bool:
    """False for false, null, 0, NaN and the empty text; true for everything else, also for empty containers."""
    if value is True or value is False:
        return value
    if value is None or value == "":
        return False
    if isinstance(value, (int, float)):
        return value != 0 and value == value
    return True


def type_name(value: Any) -> str:
    """What `typeof` answers. A whole number is an integer, also when it was computed as a float."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "float"
        case str():
            return "string"
        case list():
            return "array"
        case tuple():
            return "tuple"
        case DateTime():
            return "datetime"
        case Date():
            return "date"
        case ErrorValue():
            return "error"
        case FunctionValue():
            return "function"
        case _:
            return "object"
