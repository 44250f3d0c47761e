"""Dates as values: from text, to text, and to the calendar of a zone. The host's own zone is never used."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from hog.runtime.errors import Failure
from hog.runtime.limits import SMALL
from hog.runtime.values import Date, DateTime

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_ZONE: Final = 80
_DATE_TEXT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"(Z|z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name."""
    return _zone(name[:_LONGEST_ZONE])


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise Failure(f"unknown time zone '{name}'") from None


def local(value: DateTime, zone: str | None = None) -> datetime:
    """The calendar and clock of a zone, by default the value's own, at that instant."""
    try:
        return (EPOCH + timedelta(milliseconds=round(value.dt * 1000))).astimezone(zone_of(zone or value.zone))
    except (OverflowError, ValueError):
        raise Failure(f"the time {value.dt} is outside the calendar") from None


def day_of(value: Date) -> date:
    """The value as a day that can be computed with."""
    try:
        return date(value.year, value.month, value.day)
    except (OverflowError, ValueError):
        raise Failure(f"{iso(value)} is outside the calendar") from None


def from_day(day: date) -> Date:
    """A day as a value."""
    return Date(day.year, day.month, day.day)


def from_local(moment: datetime, zone: str) -> DateTime:
    """An aware moment as a value that is shown in `zone`."""
    return DateTime((moment - EPOCH) / timedelta(seconds=1), zone)


def seconds(value: DateTime | Date) -> float:
    """Seconds since the epoch; a day counts from its midnight in UTC."""
    if isinstance(value, DateTime):
        return value.dt
    return float((day_of(value) - EPOCH.date()).days * 86400)


def iso(value: DateTime | Date) -> str:
    """The ISO 8601 text, with milliseconds for an instant."""
    if isinstance(value, Date):
        return f"{value.year:04}-{value.month:02}-{value.day:02}"
    moment = local(value)
    if value.zone == "UTC":
        moment = moment.replace(tzinfo=None)
        return moment.isoformat(timespec="milliseconds") + "Z"
    return moment.isoformat(timespec="milliseconds")


def parse(text: str, zone: str = "UTC") -> datetime | None:
    """The aware moment that a date-like text names, None for any other text.

    A text without an offset is read in `zone`; of two instants with the same clock it is the first.
    """
    match = _DATE_TEXT.fullmatch(text.strip()) if len(text) <= SMALL else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups(default="")
    try:
        return datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int(fraction.ljust(3, "0")[:3] or 0) * 1000,
            tzinfo=_offset(offset) if offset else zone_of(zone),
        )
    except ValueError:
        return None


def _offset(text: str) -> timezone:
    if text in ("Z", "z"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if minutes > 59:
        raise ValueError(text)
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if text[0] == "-" else delta)


def moment_of(value: Any, zone: str = "UTC") -> DateTime | None:
    """The instant of a DateTime, a Date or a date-like text; None for anything else."""
    if isinstance(value, DateTime):
        return value
    if isinstance(value, Date):
        return DateTime(seconds(value))
    if isinstance(value, str):
        moment = parse(value, zone)
        return None if moment is None else from_local(moment, zone)
    return None
