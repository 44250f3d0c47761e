"""A file's `delivery`, `quarantine` and `signing_secret` to what the delivery goes by."""

import re
from collections.abc import Sequence
from typing import Final

from catalog.yaml_file import Steps
from destinations.answer import compile_failure
from destinations.certificates import compile_certificates
from destinations.proxy import compile_proxy
from destinations.report import Report
from destinations.signing import compile_signing
from destinations.spec import BatchSpec, DestinationSpec, given_of
from destinations.templates import TextCompiler
from records import Batch, Policy, Quarantine

_RATE: Final = re.compile(r"(?P<count>\d+(?:\.\d+)?)(?:\s*/\s*(?P<unit>s|min|h))?")
_UNITS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0}
_CLASS: Final = re.compile(r"[1-5]xx", re.IGNORECASE)


def compile_policy(spec: DestinationSpec, runs_code: bool, texts: TextCompiler, report: Report) -> Policy:
    """The defaults, with what the file says instead. `runs_code` is whether a program makes the requests."""
    delivery = spec.delivery
    given = given_of(delivery)
    given.pop("client_cert", None)
    given.pop("ca", None)
    given["certificates"] = compile_certificates(delivery, texts, report)
    for key in ("success", "retry_on"):
        if key in given:
            given[key] = _statuses(given[key], key, report)
    if overlap := given.get("success", frozenset()) & given.get("retry_on", frozenset()):
        report.at(("delivery", "retry_on"), f"{min(overlap)} is among 'success' too: it cannot be both")
    if delivery.compress not in (None, "gzip"):
        report.at(("delivery", "compress"), f"expected gzip, got {delivery.compress!r}")
    given["compress"] = delivery.compress is not None
    given["failure"] = compile_failure(delivery.failure, report)
    given["rate"] = None if delivery.rate is None else _rate(delivery.rate, report)
    given["order"] = _one_of(delivery.order, ("person",), ("delivery", "order"), report)
    given["batch"] = None if delivery.batch is None else _batch(delivery.batch, runs_code, report)
    given["proxy"] = compile_proxy(delivery.proxy, texts, report)
    given["signing"] = compile_signing(spec.signing_secret, texts, report)
    periods = given_of(spec.quarantine)
    if "periods_s" in periods:
        periods["periods_s"] = tuple(periods["periods_s"])
    return Policy(quarantine=Quarantine(**periods), **given)


def _rate(rate: str | float, report: Report) -> float | None:
    found = _RATE.fullmatch(str(rate).strip())
    per_s = float(found["count"]) / _UNITS[found["unit"] or "s"] if found else 0.0
    if per_s > 0:
        return per_s
    report.at(("delivery", "rate"), f"expected a rate such as 100/s, 600/min or 1000/h, got {rate!r}")
    return None


def _batch(batch: BatchSpec, runs_code: bool, report: Report) -> Batch:
    if runs_code:
        report.at_key(("delivery", "batch"), "code makes its own requests: they cannot be put together")
    given = given_of(batch)
    if "form" in given:
        given["form"] = _one_of(batch.form, ("json_array", "ndjson", "join"), ("delivery", "batch", "as"), report)
    if (batch.form == "join") is (batch.key is None):
        report.at(
            ("delivery", "batch"), "`as: join` needs a `key`, and nothing else has one: where the bodies' lists are"
        )
    return Batch(**given)


def _one_of(value: str | None, words: tuple[str, ...], path: Steps, report: Report) -> str:
    if value is not None and value not in words:
        report.at(path, f"expected {' or '.join(words)}, got {value!r}")
    return value or ""


def _statuses(items: Sequence[int | str], key: str, report: Report) -> frozenset[int]:
    statuses: set[int] = set()
    for index, item in enumerate(items):
        if isinstance(item, str) and _CLASS.fullmatch(item):
            first = int(item[0]) * 100
            statuses.update(range(first, first + 100))
        elif isinstance(item, int) and not isinstance(item, bool) and 100 <= item <= 599:
            statuses.add(item)
        else:
            report.at(("delivery", key, index), f"expected a status such as 409 or a class such as 2xx, got {item!r}")
    return frozenset(statuses)
