"""Numbers and moments as people read them. Pure."""

from datetime import UTC, datetime
from typing import Final

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def moment(at: float) -> str:
    """To the second, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S") if at else "–"


def span(seconds: float) -> str:
    """`3 min`, in the largest unit that it has at least one of."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return "0 s" if seconds <= 0 else f"{seconds * 1000:.0f} ms"


def milliseconds(value: float | None) -> str:
    """A response time."""
    return "–" if value is None else f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def share(part: int, whole: int) -> str:
    """In percent; a dash of nothing."""
    return "–" if not whole else f"{100 * part / whole:.1f} %"


def sparkline(values: list[int], width: int = 120, height: int = 28) -> str:
    """An SVG of a curve."""
    most = max(values, default=0)
    step = width / max(1, len(values) - 1)
    points = " ".join(
        f"{'M' if n == 0 else 'L'}{n * step:.1f} {height - 2 - (height - 4) * (value / most if most else 0):.1f}"
        for n, value in enumerate(values)
    )
    return f'<svg class="spark" viewBox="0 0 {width} {height}" aria-hidden="true"><path d="{points}"/></svg>'
