"""Events that nobody wrote down make requests that the vendors' published descriptions take.

What is made up hits what the templates read: the names of properties are gathered from their files, and any kind of
value may stand under any of them.
"""

import re
from functools import cache
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.cases import EVENT, Case
from cli.template_case import destination_of
from destinations import Destination
from tests.catalog.described import SLUGS, faults_of
from tests.catalog.test_openapi import DELIVERED, TEMPLATES, rendered

EXAMPLES: Final = 24
CAME: Final[dict[str, int]] = {}
"""How many of the events of each template have come to a request: whoever has no address is passed over."""
_READ: Final = re.compile(r"properties\??\.(\$?[A-Za-z_]\w*)")


@cache
def read_by(slug: str) -> tuple[str, ...]:
    """Names of properties that the template or one of its cases reads."""
    files = (TEMPLATES[slug].folder / name for name in ("template.yaml", "code.hog", "request.hog", "cases.yaml"))
    return tuple(sorted({name for file in files if file.is_file() for name in _READ.findall(file.read_text("utf-8"))}))


@cache
def cases_of(slug: str) -> dict[str, tuple[Case, Destination]]:
    """Those that are delivered, by their names, each with the destination that it is about."""
    return {case.name: (case, destination_of(TEMPLATES[slug], case)) for each, case in DELIVERED if each == slug}


PLAIN: Final = ("Ada", "ada@example.com", "+43 660 1234567", "pro", "EUR", "19.90", 19.9, 3, True)
"""What such properties have on an ordinary day."""
MOMENTS: Final = (
    "2026-11-20T10:00:00Z",
    "2026-11-20T11:00:00.123456+01:00",
    "2026-11-20T04:30:00.5-05:30",
    "2026-11-20 10:00:00",
    "1795168800",
    1795168800123,
)
TIMES: Final = ("2026-11-20T10:00:00.000Z", "2026-11-20T10:00:00.123Z", "2026-11-20T11:00:00+01:00")
TEXT: Final = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        ["", " ", "null", "0042", "-0.5", "1e3", "a,b;c", "\x00\n\t", "日本 🎉", "\u202e<b>&amp;", "x" * 5_000]
    ),
)
FLAT: Final = st.one_of(
    TEXT,
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(MOMENTS),
)
OTHER: Final = st.sampled_from(["$identify", "日本"]) | TEXT.filter(bool)
"""Names of events."""
NAMES: Final = st.text("abz_ é$.", min_size=1, max_size=6)
DEEP: Final = st.recursive(
    FLAT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=4
)
VALUES: Final = st.one_of(st.sampled_from(PLAIN), FLAT, DEEP)


@cache
def properties_of(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of those names, and others."""
    known = st.dictionaries(st.sampled_from(names or ("plan",)), VALUES, max_size=6)
    other = st.dictionaries(NAMES | st.sampled_from(["name", "plan", "tags", "revenue", "url"]), VALUES, max_size=3)
    return st.builds(lambda *both: both[0] | both[1], other, known)


@cache
def people(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any] | None]:
    """Most have an address; there may be nobody, too."""
    reached = {"email": "ada@example.com", "phone": "+436601234567"}
    overlaid = st.tuples(properties_of(names), st.sampled_from([reached, reached, {}])).map(
        lambda both: both[0] | both[1]
    )
    return st.sampled_from([overlaid, overlaid, overlaid, st.none()]).flatmap(lambda kind: kind)


@st.composite
def unseen(draw: st.DrawFn, slug: str) -> Case:
    """One of the template's cases with another event of another person."""
    names = read_by(slug)
    case, _ = draw(st.sampled_from(list(cases_of(slug).values())))
    given = case.event.get("properties", {})
    # Some templates send only what they know by name.
    known = draw(st.sampled_from([True, True, True, False]))
    event = {
        "event": (EVENT | case.event)["event"] if known else draw(OTHER),
        "distinct_id": draw(st.sampled_from(["ada-1", "ada/ü 1", "0" * 200])),
        "timestamp": draw(st.sampled_from(TIMES)),
        "properties": draw(st.sampled_from([{}, given])) | draw(properties_of(names)),
    }
    person = draw(people(names))
    return msgspec.structs.replace(case, event=case.event | event, person=person)


@pytest.mark.parametrize("slug", SLUGS)
def test_unseen_events_make_requests_as_described(slug: str) -> None:
    came_to_requests = 0

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    )
    @given(unseen(slug))
    def requests_are_as_described(case: Case) -> None:
        nonlocal came_to_requests
        sent = rendered(cases_of(slug)[case.name][1], case)
        came_to_requests += bool(sent)
        assert [faults_of(slug, request) for request in sent] == [[] for _ in sent]

    requests_are_as_described()
    CAME[slug] = came_to_requests


def test_a_good_share_of_the_unseen_events_has_come_to_requests() -> None:
    """Of all templates that were asked before, or nothing would have been proven of them."""
    assert sum(CAME.values()) >= len(CAME) * EXAMPLES // 3, CAME
    assert sum(came == 0 for came in CAME.values()) <= len(CAME) // 20, CAME
