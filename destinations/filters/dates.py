"""Dates in filters. A text without an offset is meant in the project's time zone.

`-7d` is seven days before the event is processed: PostHog computes it once, when the filter is saved, and it drifts.
"""

import re
from typing import Any, Final

from destinations.filters.build import call, compare, constant
from destinations.filters.errors import OperandError
from hog.nodes import Expr
from hog.runtime.dates import moment_of

OPERATORS: Final = {"is_date_exact": "==", "is_date_before": "<", "is_date_after": ">"}
_RELATIVE: Final = re.compile(r"-?(\d{1,5})([hdwmqysHDWMQY])", re.ASCII)
_UNITS: Final = {
    "s": ("second", 1),
    "M": ("minute", 1),
    "h": ("hour", 1),
    "d": ("day", 1),
    "w": ("week", 1),
    "m": ("month", 1),
    "q": ("month", 3),
    "y": ("year", 1),
}


def compare_dates(operator: str, subject: Expr, value: Any, timezone: str) -> Expr:
    """The test of one `is_date_…` operator. What is no date passes none of them."""
    return compare(call("toDateTime", subject, constant(timezone)), OPERATORS[operator], _moment(value, timezone))


def is_relative(value: str) -> bool:
    """Whether the text is a distance from now, such as `-7d`."""
    return _RELATIVE.fullmatch(value.strip()) is not None


def _moment(value: Any, timezone: str) -> Expr:
    if not isinstance(value, str):
        raise OperandError("a date is a text such as '2026-01-31', '2026-01-31T12:00:00Z' or '-7d'")
    relative = _RELATIVE.fullmatch(value.strip())
    if relative is None:
        return call("toDateTime", constant(_absolute(value, timezone)))
    letter = relative[2] if relative[2] == "M" else relative[2].lower()
    unit, times = _UNITS[letter]
    now = call("toTimeZone", call("now"), constant(timezone))
    return call("dateAdd", constant(unit), constant(-int(relative[1]) * times), now)


def _absolute(value: str, timezone: str) -> float:
    moment = moment_of(value, timezone)
    if moment is None:
        raise OperandError(
            f"'{value}' is not a date; write it as '2026-01-31', '2026-01-31T12:00:00Z', or as '-7d' "
            "(s, M minutes, h, d, w, m months, q, y)"
        )
    return moment.dt
