"""What one destination did, as curves that go on by themselves."""

from collections import Counter
from typing import Any, Final

from nicegui import run, ui

from console.workspace import Workspace
from records import Metric

REFRESH_S: Final = 5.0
_SPANS: Final = {3_600: "1 hour", 86_400: "24 hours", 604_800: "7 days"}
_STEPS: Final = {3_600: 60, 86_400: 900, 604_800: 7_200}
_NAMES: Final = {
    "succeeded": ("Delivered", "#2e9e53"),
    "failed": ("Failed", "#d93a34"),
    "retried": ("Retried", "#d8912b"),
    "masked": ("Held back by a cap", "#7a6ff0"),
    "sampled_out": ("Not in the sample", "#8a94a0"),
    "skipped": ("Skipped", "#5b6b7a"),
}


class Metrics:
    """Counts over time."""

    def __init__(self, workspace: Workspace, id: str) -> None:
        self._workspace = workspace
        self._id = id
        self._span: dict[str, int] = {"value": 3_600}

    async def build(self) -> None:
        """Put it together, and keep it up to date."""
        with ui.element("div").classes("row").style("margin: 12px 0"):
            ui.toggle(_SPANS).props("no-caps unelevated dense").bind_value(self._span, "value").on_value_change(
                self._refresh
            )
        self._chart = ui.echart(_options([], {})).style("height: 320px; width: 100%")
        self._table = ui.element("div").classes("numbers")
        await self._refresh()
        ui.timer(REFRESH_S, self._refresh)

    async def _refresh(self) -> None:
        seconds = self._span["value"]
        step = _STEPS[seconds]
        now = self._workspace.now()
        found = await run.io_bound(self._workspace.metrics, self._id, now - seconds)
        if found is None:
            return
        first = int((now - seconds) // step + 1) * step
        slots = list(range(first, int(now) + 1, step))
        counts = counted(found, step)
        self._chart.options.clear()
        self._chart.options.update(_options(slots, counts))
        self._chart.update()
        self._table.clear()
        with self._table:
            for name, (word, _) in _NAMES.items():
                total = sum(counts.get(name, {}).values())
                if total or name in ("succeeded", "failed"):
                    with ui.element("div"):
                        ui.label(f"{word}, {_SPANS[seconds]}").classes("quiet small")
                        ui.label(f"{total:,}").classes("number")


def counted(metrics: list[Metric], step: int) -> dict[str, Counter[int]]:
    """Counts by name and the beginning of their step, in seconds since the epoch."""
    counts: dict[str, Counter[int]] = {}
    for one in metrics:
        counts.setdefault(one.metric_name, Counter())[one.minute // step * step] += one.count
    return counts


def _options(slots: list[int], counts: dict[str, Counter[int]]) -> dict[str, Any]:
    series = [
        {
            "name": word,
            "type": "line",
            "showSymbol": False,
            "color": colour,
            "areaStyle": {"opacity": 0.08},
            "data": [[slot * 1000, counts[name].get(slot, 0)] for slot in slots],
        }
        for name, (word, colour) in _NAMES.items()
        if name in counts
    ]
    return {
        "animation": False,
        "grid": {"left": 56, "right": 16, "top": 40, "bottom": 32},
        "legend": {"top": 0, "textStyle": {"color": "#80868b"}},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "time"},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": series,
    }
