"""The masking of a function to that of a destination file."""

import math
from collections.abc import Mapping
from typing import Any, Final

from destinations.kinds import kind_of
from destinations.posthog.findings import Findings

_LEAST_S: Final = 60
_MOST_S: Final = 86_400


def converted_masking(written: Any, findings: Findings) -> dict[str, Any]:
    """`hash`, `ttl_s` and `threshold`; empty where nothing is masked."""
    if not isinstance(written or {}, Mapping):
        findings.refuse(f"its masking is {kind_of(written)}, not an object")
        return {}
    if not written or not written.get("hash"):
        return {}
    ttl = written.get("ttl")
    if not isinstance(ttl, int | float) or not math.isfinite(ttl):
        findings.refuse("its masking has no `ttl`")
        return {}
    ttl_s = min(max(int(ttl), _LEAST_S), _MOST_S)
    if ttl_s != ttl:
        findings.differs(f"its masking lasts {ttl_s} s, not {ttl}: {_LEAST_S} to {_MOST_S} are possible")
    masking = {"hash": written["hash"], "ttl_s": ttl_s, "threshold": written.get("threshold")}
    return {key: value for key, value in masking.items() if value is not None}
