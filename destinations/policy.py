"""A file's `delivery`, `quarantine` and `signing_secret` to what the delivery goes by."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from destinations.certificates import compile_certificates
from destinations.proxy import compile_proxy
from destinations.report import Report
from destinations.signing import compile_signing
from destinations.spec import DestinationSpec
from destinations.templates import TextCompiler
from records import Policy, Quarantine

_CLASS: Final = re.compile(r"[1-5]xx", re.IGNORECASE)


def compile_policy(spec: DestinationSpec, texts: TextCompiler, report: Report) -> Policy:
    """The defaults, with what the file says instead."""
    delivery = spec.delivery
    given = _given(delivery)
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
    given["proxy"] = compile_proxy(delivery.proxy, texts, report)
    given["signing"] = compile_signing(spec.signing_secret, texts, report)
    periods = _given(spec.quarantine)
    if "periods_s" in periods:
        periods["periods_s"] = tuple(periods["periods_s"])
    return Policy(quarantine=Quarantine(**periods), **given)


def _given(spec: msgspec.Struct) -> dict[str, Any]:
    return {key: value for key, value in msgspec.structs.asdict(spec).items() if value is not None}


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
