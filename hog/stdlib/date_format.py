"""`formatDateTime`. The names of days and months are English, whatever the host speaks."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from hog.runtime.dates import local
from hog.runtime.errors import Failure, LimitFailure
from hog.runtime.limits import FEW, spend
from hog.runtime.values import DateTime
from hog.stdlib.arguments import text_of
from hog.stdlib.registry import function

_MAX_PATTERN: Final = 1000
_CODE_UNITS: Final = 20
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@function(
    "formatDateTime",
    (2, 3),
    ("formatDateTime(toDateTime(0), '%Y-%m-%d %H:%i:%s')", "'1970-01-01 00:00:00'"),
    ("formatDateTime(toDateTime(0), '%a %e %b, %l:%i %p')", "'Thu 1 Jan, 12:00 AM'"),
    ("formatDateTime(toDateTime(0), '%H:%i %z', 'Asia/Kolkata')", "'05:30 +0530'"),
    ("formatDateTime(toDateTime(0), '100 %% %M')", "'100 % January'"),
)
def format_date_time(moment: Any, pattern: Any, zone: Any = None) -> str:
    """The moment as text: `%Y` year, `%m` month, `%d` day, `%H` hour, `%i` minute, `%s` second, `%M` month's name, …"""
    if not isinstance(moment, DateTime):
        raise Failure("Expected a DateTime")
    clock = local(moment, zone if isinstance(zone, str) else None)
    pieces = _short(text_of("formatDateTime", pattern)).split("%")
    text = [pieces[0]]
    index = 1
    while index < len(pieces):
        piece = pieces[index]
        if piece:
            text.append(_code(piece[0], clock) + piece[1:])
        elif index + 1 < len(pieces):
            text.append("%" + pieces[index + 1])
            index += 1
        index += 1
    return "".join(text)


def _short(pattern: str) -> str:
    if len(pattern) > _MAX_PATTERN:
        raise LimitFailure(f"a format of {len(pattern)} characters is too long; at most {_MAX_PATTERN} are allowed")
    if len(pattern) > FEW:
        spend(len(pattern) * _CODE_UNITS)
    return pattern


def _code(code: str, clock: datetime) -> str:
    """What one code stands for; an unknown one for nothing."""
    write = _CODES.get(code)
    return write(clock) if write else ""


def _hour12(clock: datetime) -> str:
    return f"{clock.hour % 12 or 12:02}"


def _half(clock: datetime) -> str:
    return "AM" if clock.hour < 12 else "PM"


def _offset(clock: datetime) -> str:
    return clock.strftime("%z")


_CODES: Final[dict[str, Callable[[datetime], str]]] = {
    "a": lambda clock: _DAYS[clock.weekday()][:3],
    "b": lambda clock: _MONTHS[clock.month - 1][:3],
    "c": lambda clock: f"{clock.month:02}",
    "C": lambda clock: f"{clock.year % 100:02}",
    "d": lambda clock: f"{clock.day:02}",
    "D": lambda clock: f"{clock.month:02}/{clock.day:02}/{clock.year % 100:02}",
    "e": lambda clock: str(clock.day),
    "f": lambda clock: f"{clock.microsecond // 1000:03}",
    "F": lambda clock: f"{clock.year:04}-{clock.month:02}-{clock.day:02}",
    "g": lambda clock: f"{clock.year % 100:02}",
    "G": lambda clock: f"{clock.year:04}",
    "h": _hour12,
    "H": lambda clock: f"{clock.hour:02}",
    "i": lambda clock: f"{clock.minute:02}",
    "I": _hour12,
    "j": lambda clock: f"{clock.timetuple().tm_yday:03}",
    "k": lambda clock: f"{clock.hour:02}",
    "l": _hour12,
    "m": lambda clock: f"{clock.month:02}",
    "M": lambda clock: _MONTHS[clock.month - 1],
    "n": lambda clock: "\n",
    "p": _half,
    "Q": lambda clock: str((clock.month + 2) // 3),
    "r": lambda clock: f"{_hour12(clock)}:{clock.minute:02} {_half(clock)}",
    "R": lambda clock: f"{clock.hour:02}:{clock.minute:02}",
    "s": lambda clock: f"{clock.second:02}",
    "S": lambda clock: f"{clock.second:02}",
    "t": lambda clock: "\t",
    "T": lambda clock: f"{clock.hour:02}:{clock.minute:02}:{clock.second:02}",
    "u": lambda clock: str(clock.isoweekday()),
    "V": lambda clock: f"{clock.isocalendar().week:02}",
    "w": lambda clock: str(clock.isoweekday()),
    "W": lambda clock: _DAYS[clock.weekday()],
    "y": lambda clock: f"{clock.year % 100:02}",
    "Y": lambda clock: f"{clock.year:04}",
    "z": _offset,
}
