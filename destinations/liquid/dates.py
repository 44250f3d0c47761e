"""The filter `date`: what LiquidJS writes where it runs in UTC and in English."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from liquid.exceptions import FilterArgumentError

DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z"
MAX_FORMAT = 1_000
_DIRECTIVE = re.compile(r"%([-_0^#:]?)([A-Za-z%])")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def date(value: Any, form: Any = None, zone: Any = None) -> Any:
    """The time in this form; what is no time comes back as it is."""
    moment = moment_of(value)
    if moment is None:
        return value
    form = DEFAULT_FORMAT if form is None else str(form)
    if len(form) > MAX_FORMAT:
        raise FilterArgumentError(f"the form of a date has more than {MAX_FORMAT:,} characters", token=None)
    moment = moment.astimezone(_zone(zone))
    return _DIRECTIVE.sub(lambda match: _written(moment, match[1], match[2]), form)


def date_to_xmlschema(value: Any) -> Any:
    """Such as `2026-11-16T18:10:20+00:00`."""
    moment = moment_of(value)
    return value if moment is None else moment.isoformat(timespec="seconds")


def date_to_rfc822(value: Any) -> Any:
    """Such as `Mon, 16 Nov 2026 18:10:20 +0000`."""
    moment = moment_of(value)
    return value if moment is None else format_datetime(moment)


def moment_of(value: Any) -> datetime | None:
    """The time that a value stands for: ISO 8601, RFC 822, seconds since 1970 or `now`; without a zone it is UTC."""
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if not isinstance(value, str) or len(value) > 100:
            return None
        if value in ("now", "today"):
            return datetime.now(UTC)
        if value.isascii() and value.isdigit():
            return datetime.fromtimestamp(int(value), UTC)
        moment = _parsed(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return parsedate_to_datetime(text)


def _zone(zone: Any) -> tzinfo:
    """By name, or by minutes to be added to get UTC, as JavaScript counts them."""
    if zone is None:
        return UTC
    try:
        if isinstance(zone, int | float):
            return timezone(timedelta(minutes=-zone))
        return ZoneInfo(str(zone))
    except (ValueError, OverflowError, OSError):
        raise FilterArgumentError(f"unknown time zone '{zone}'", token=None) from None


def _written(moment: datetime, flag: str, directive: str) -> str:
    write = _DIRECTIVES.get(directive)
    if write is None:
        return f"%{flag}{directive}"
    text = write(moment)
    if flag == "^":
        return text.upper()
    if flag == "-":
        return text.lstrip("0 ") or "0"
    if flag == "_":
        return re.sub("^0+(?=.)", lambda zeros: " " * len(zeros[0]), text)
    if flag == "0":
        return text.replace(" ", "0")
    return f"{text[:3]}:{text[3:]}" if flag == ":" and directive == "z" else text


def _ordinal(day: int) -> str:
    return "th" if day in (11, 12, 13) else _ORDINALS.get(day % 10, "th")


def _hour12(moment: datetime) -> int:
    return moment.hour % 12 or 12


_DIRECTIVES: Mapping[str, Callable[[datetime], str]] = {
    "a": lambda at: _DAYS[at.weekday()][:3],
    "A": lambda at: _DAYS[at.weekday()],
    "b": lambda at: _MONTHS[at.month - 1][:3],
    "B": lambda at: _MONTHS[at.month - 1],
    "c": lambda at: f"{at.month}/{at.day}/{at.year}, {_hour12(at)}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}",
    "C": lambda at: f"{at.year // 100:02}",
    "d": lambda at: f"{at.day:02}",
    "D": lambda at: f"{at.month:02}/{at.day:02}/{at.year % 100:02}",
    "e": lambda at: f"{at.day:2}",
    "F": lambda at: f"{at.year:04}-{at.month:02}-{at.day:02}",
    "h": lambda at: _MONTHS[at.month - 1][:3],
    "H": lambda at: f"{at.hour:02}",
    "I": lambda at: f"{_hour12(at):02}",
    "j": lambda at: f"{at.timetuple().tm_yday:03}",
    "k": lambda at: f"{at.hour:2}",
    "l": lambda at: f"{_hour12(at):2}",
    "L": lambda at: f"{at.microsecond // 1000:03}",
    "m": lambda at: f"{at.month:02}",
    "M": lambda at: f"{at.minute:02}",
    "N": lambda at: f"{at.microsecond * 1000:09}",
    "p": lambda at: "AM" if at.hour < 12 else "PM",
    "P": lambda at: "am" if at.hour < 12 else "pm",
    "q": lambda at: _ordinal(at.day),
    "s": lambda at: str(int(at.timestamp())),
    "S": lambda at: f"{at.second:02}",
    "T": lambda at: f"{at.hour:02}:{at.minute:02}:{at.second:02}",
    "u": lambda at: str(at.isoweekday()),
    "w": lambda at: str(at.isoweekday() % 7),
    "y": lambda at: f"{at.year % 100:02}",
    "Y": lambda at: f"{at.year}",
    "z": lambda at: f"{at:%z}",
    "Z": lambda at: at.tzname() or "",
    "%": lambda _: "%",
}
