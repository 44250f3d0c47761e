"""Dates: conversion, the clock, arithmetic and truncation. Truncation happens in the zone of the value."""

import calendar
import math
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from hog.runtime.dates import day_of, from_day, from_local, local, moment_of
from hog.runtime.errors import Failure
from hog.runtime.truth import type_name
from hog.runtime.values import Date, DateTime
from hog.stdlib.arguments import whole_of
from hog.stdlib.registry import function

_LONGEST_UNIT: Final = 40
_FIXED_S: Final = {"second": 1, "minute": 60, "hour": 3600}
_CALENDAR_DAYS: Final = {"day": 1, "week": 7}
_MONTHS: Final = {"month": 1, "year": 12}
_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")
_TRUNCATED: Final[dict[str, dict[str, int]]] = {
    "minute": {"second": 0, "microsecond": 0},
    "hour": {"minute": 0, "second": 0, "microsecond": 0},
    "day": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    "month": {"day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    "year": {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0},
}


@function("now", (0, 1), ("typeof(now())", "'datetime'"), pure=False)
def now(zone: Any = None) -> DateTime:
    """The present moment, in UTC."""
    return DateTime(time.time())


@function("today", 0, ("typeof(today())", "'date'"), pure=False)
def today() -> Date:
    """The present day, in UTC."""
    return from_day(datetime.now(UTC).date())


@function(
    "toDateTime",
    (1, 2),
    ("toDateTime('2024-02-09 12:30:00')", "DateTime(1707481800.0, 'UTC')"),
    ("toDateTime(0)", "DateTime(0.0, 'UTC')"),
    ("toDateTime('x')", "null"),
)
def to_date_time(value: Any, zone: Any = None) -> DateTime | None:
    """The moment that a number of seconds or an ISO 8601 text names, null when it names none."""
    shown_in = zone if isinstance(zone, str) else "UTC"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return DateTime(float(value), shown_in) if math.isfinite(value) else None
    moment = moment_of(value, shown_in)
    return DateTime(moment.dt, shown_in) if moment and isinstance(zone, str) else moment


@function("toDate", 1, ("toDate('2024-02-09')", "Date(2024, 2, 9)"), ("toDate('2024-02-30')", "null"))
def to_date(value: Any) -> Date | None:
    """The day, in UTC, of a number of seconds, a moment or an ISO 8601 text; null when there is none."""
    if isinstance(value, Date):
        return value
    moment = to_date_time(value)
    return from_day(local(moment, "UTC").date()) if moment else None


@function("fromUnixTimestamp", 1, ("fromUnixTimestamp(60)", "DateTime(60.0, 'UTC')"))
def from_unix_timestamp(value: Any) -> DateTime | None:
    """The moment that many seconds after 1970."""
    return None if value is None else to_date_time(value)


@function("fromUnixTimestampMilli", 1, ("fromUnixTimestampMilli(1500)", "DateTime(1.5, 'UTC')"))
def from_unix_timestamp_milli(value: Any) -> DateTime | None:
    """The moment that many milliseconds after 1970."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return to_date_time(value / 1000)


@function("toUnixTimestamp", (1, 2), ("toUnixTimestamp(toDate('1970-01-02'))", "86400"))
def to_unix_timestamp(value: Any, zone: Any = None) -> float | None:
    """Seconds since 1970 of a moment, a day or an ISO 8601 text; null when it is none."""
    moment = moment_of(value, zone if isinstance(zone, str) else "UTC")
    return None if moment is None else moment.dt


@function("toUnixTimestampMilli", (1, 2), ("toUnixTimestampMilli('1970-01-01T00:00:01.5Z')", "1500"))
def to_unix_timestamp_milli(value: Any, zone: Any = None) -> int | None:
    """Milliseconds since 1970, a whole number."""
    stamp = to_unix_timestamp(value, zone)
    return None if stamp is None else round(stamp * 1000)


@function("toTimeZone", 2, ("toTimeZone(toDateTime(0), 'Europe/Oslo')", "DateTime(0.0, 'Europe/Oslo')"))
def to_time_zone(moment: Any, zone: Any) -> DateTime:
    """The same moment, shown in another zone. Whether there is such a zone is found out when it is shown."""
    return DateTime(_date_time(moment).dt, zone if isinstance(zone, str) else "UTC")


@function("dateAdd", 3, ("dateAdd('month', 1, toDate('2024-01-31'))", "Date(2024, 2, 29)"))
def date_add(unit: Any, count: Any, value: Any) -> DateTime | Date | None:
    """The date that many units later: second, minute, hour, day, week, month or year."""
    if value is None:
        return None
    amount = whole_of("dateAdd", count)
    return _added(_unit_name("interval unit", unit), amount, _any_date("dateAdd", value))


@function("addDays", 2, ("addDays(toDate('2024-02-28'), 2)", "Date(2024, 3, 1)"))
def add_days(value: Any, count: Any) -> DateTime | Date | None:
    """The date that many days later."""
    return date_add("day", count, value)


@function(
    "dateDiff",
    3,
    ("dateDiff('day', '2024-01-01', '2024-03-01')", "60"),
    ("dateDiff('month', '2024-01-31', '2024-02-01')", "1"),
)
def date_diff(unit: Any, start: Any, end: Any) -> int | None:
    """How many units from the first date to the second: elapsed ones, but boundaries crossed for month and year."""
    first, second = moment_of(start), moment_of(end)
    if first is None or second is None:
        return None
    unit = _unit_name("unit for dateDiff", unit)
    if unit in _MONTHS:
        from_, to = local(first, "UTC"), local(second, "UTC")
        months = (to.year - from_.year) * 12 + to.month - from_.month
        return months if unit == "month" else to.year - from_.year
    length = _FIXED_S.get(unit) or 86400 * _CALENDAR_DAYS.get(unit, 0)
    if not length:
        raise Failure(f"Unsupported unit for dateDiff: {unit}")
    return math.floor((second.dt - first.dt) / length)


@function("dateTrunc", (2, 3), ("dateTrunc('hour', toDateTime(3700))", "DateTime(3600.0, 'UTC')"))
def date_trunc(unit: Any, value: Any, zone: Any = None) -> DateTime:
    """The start of the minute, hour, day, month or year that a moment is in."""
    unit = _unit_name("unit for dateTrunc", unit)
    if unit not in _TRUNCATED:
        raise Failure(f"Unsupported unit for dateTrunc: {unit}")
    return _truncated(unit, _date_time(value))


@function("toStartOfDay", (1, 2), ("toStartOfDay(toDateTime(90000))", "DateTime(86400.0, 'UTC')"))
def to_start_of_day(value: Any, zone: Any = None) -> DateTime | None:
    """The start of the day."""
    return _start_of("day", value)


@function("toStartOfHour", 1, ("toStartOfHour(toDateTime(3700))", "DateTime(3600.0, 'UTC')"))
def to_start_of_hour(value: Any) -> DateTime | None:
    """The start of the hour."""
    return _start_of("hour", value)


@function("toStartOfMonth", 1, ("toStartOfMonth(toDate('2024-02-09'))", "DateTime(1706745600.0, 'UTC')"))
def to_start_of_month(value: Any) -> DateTime | None:
    """The start of the month."""
    return _start_of("month", value)


@function("toStartOfWeek", (1, 2), ("toStartOfWeek(toDate('2024-02-09'))", "DateTime(1707091200.0, 'UTC')"))
def to_start_of_week(value: Any, mode: Any = None) -> DateTime | None:
    """The start of the week, which is Monday."""
    start = _start_of("day", value)
    if start is None:
        return None
    moment = local(start)
    return from_local(moment - timedelta(days=moment.weekday()), start.zone)


@function("toYear", 1, ("toYear('2024-02-09')", "2024"))
def to_year(value: Any) -> int | None:
    """The year."""
    return extract("year", value)


@function("toMonth", 1, ("toMonth(toDate('2024-02-09'))", "2"))
def to_month(value: Any) -> int | None:
    """The month, 1 to 12."""
    return extract("month", value)


@function("toYYYYMM", 1, ("toYYYYMM('2024-02-09')", "202402"))
def to_yyyymm(value: Any) -> int | None:
    """Year and month as one number."""
    moment = moment_of(value)
    return None if moment is None else local(moment).year * 100 + local(moment).month


@function("extract", 2, ("extract('hour', toDateTime(3700))", "1"))
def extract(part: Any, value: Any) -> int | None:
    """One part of a date: year, month, day, hour, minute or second."""
    part = _unit_name("part for extract", part)
    if part not in _PARTS:
        raise Failure(f"Unsupported part for extract: {part}")
    moment = moment_of(value)
    if moment is None:
        return None
    fields = dict(zip(_PARTS, local(moment).timetuple(), strict=False))
    return fields[part]


def _interval(unit: str) -> Callable[[Any], dict[str, Any]]:
    def interval(count: Any) -> dict[str, Any]:
        """An interval of that many units, as a record."""
        return {"__hogInterval__": True, "value": count, "unit": unit}

    return interval


for _unit in ("day", "hour", "minute", "month"):
    function(
        f"toInterval{_unit.capitalize()}",
        1,
        (f"toInterval{_unit.capitalize()}(5)", f"{{'__hogInterval__': true, 'value': 5, 'unit': '{_unit}'}}"),
    )(_interval(_unit))


def _unit_name(what: str, value: Any) -> str:
    """The name of a unit; one that is no text, or far too long, is refused without being looked at."""
    if not isinstance(value, str):
        raise Failure(f"Unsupported {what}: {type_name(value)}")
    return value[:_LONGEST_UNIT]


def _date_time(value: Any) -> DateTime:
    if isinstance(value, DateTime):
        return value
    raise Failure("Expected a DateTime")


def _any_date(name: str, value: Any) -> DateTime | Date:
    if isinstance(value, Date):
        return value
    moment = moment_of(value)
    if moment is None:
        raise Failure(f"{name} needs a date, got {type_name(value)}")
    return moment


def _added(unit: str, count: int, value: DateTime | Date) -> DateTime | Date:
    try:
        if isinstance(value, Date):
            return _added_to_day(unit, count, day_of(value))
        if unit in _FIXED_S:
            return DateTime(value.dt + count * _FIXED_S[unit], value.zone)
        moment = local(value)
        day = _moved(unit, count, moment.date())
        return from_local(datetime.combine(day, moment.timetz()), value.zone)
    except (OverflowError, ValueError):
        raise Failure("the date is outside the calendar") from None


def _added_to_day(unit: str, count: int, day: date) -> Date:
    if unit in _FIXED_S:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return from_day((midnight + timedelta(seconds=count * _FIXED_S[unit])).date())
    return from_day(_moved(unit, count, day))


def _moved(unit: str, count: int, day: date) -> date:
    """The day that many days, weeks, months or years later; the last of a month where that has fewer days."""
    if unit in _CALENDAR_DAYS:
        return day + timedelta(days=count * _CALENDAR_DAYS[unit])
    if unit not in _MONTHS:
        raise Failure(f"Unsupported interval unit: {unit}")
    months = day.year * 12 + day.month - 1 + count * _MONTHS[unit]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _start_of(unit: str, value: Any) -> DateTime | None:
    moment = moment_of(value)
    return None if moment is None else _truncated(unit, moment)


def _truncated(unit: str, value: DateTime) -> DateTime:
    fields: Any = _TRUNCATED[unit]
    return from_local(local(value).replace(**fields), value.zone)
