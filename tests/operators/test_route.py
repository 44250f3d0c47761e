"""The branch of each destination: a match, no match, inputs that cannot be rendered, a filter that fails."""

import pickle
from typing import Any

import pytest
from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, run_main

from delivery import Load, Progress
from destinations import EventView
from operators.route import REPORT_EVERY_S, Router, made_of_capped, route
from operators.screen import Screened
from records import Capped, EndOfInput, Invocation, LogLine, Metric, Missed, RangeRead, Request, Together
from tests.destinations.events import UUID, view
from tests.operators.stand import SECRET, URL, Clock, Configuration

PRO = f"filters: {{when: \"person.properties.plan = 'pro'\"}}\n{URL}"
URL_OF_EVENT = "inputs: {url: '{event.properties.url}', body: null}"
FAILING = f"filters: {{when: \"person.properties.plan = 'pro'\"}}\n{URL[:-1]}, headers: {{X: '{{secrets.TOKEN}}'}}}}"


def wanted_by(*ids: str, person: dict[str, Any] | bytes | None = None, **others: Any) -> EventView:
    """An event as `screen` lets it pass."""
    wanted = view(others.pop("properties", None), person=person, **others)
    wanted.event.wanted_by = ids
    return wanted


def routed(items: list[Screened], configured: Configuration) -> list[Any]:
    return Router(configured, Progress()).route(items)


def test_a_match_becomes_an_invocation_with_its_position() -> None:
    configured = Configuration(crm=URL_OF_EVENT)
    matching = wanted_by("crm", properties={"url": "https://b.example/x"})
    assert routed([matching], configured) == [
        (
            "crm",
            Invocation(
                id=configured.find("crm").invocation_id(matching.event),  # type: ignore[union-attr]
                destination="crm",
                stream="kafka:events",
                partition=0,
                offset=7,
                read_ms=0,
                event_uuid=UUID,
                event_name="$pageview",
                person="anna@example.com",
                work=Request("POST", "https://b.example/x", {"Content-Type": "application/json"}),
                together=1,
            ),
        )
    ]


def test_each_destination_decides_by_the_whole_of_its_filter() -> None:
    configured = Configuration(all=URL, pro=PRO)
    items: list[Screened] = [wanted_by("all", "pro", person={"plan": plan}) for plan in ("pro", "free")]
    assert [key for key, _ in routed(items, configured)] == ["all", "pro", "all"]


def test_a_destination_that_was_disabled_or_removed_meanwhile_gets_nothing() -> None:
    configured = Configuration(off=f"enabled: false\n{URL}")
    assert routed([wanted_by("off", "gone")], configured) == []


@pytest.mark.parametrize(
    ("properties", "error"),
    [
        ({}, "input 'url': the URL is empty"),
        ({"url": "b.example"}, "input 'url': 'b.example' is not an http:// or https:// URL"),
        (b"{", "event: the event's properties are not JSON: Input data was truncated"),
    ],
)
def test_inputs_that_cannot_be_rendered_make_an_invocation_without_a_request(
    properties: dict[str, Any] | bytes, error: str
) -> None:
    ((key, invocation),) = routed([wanted_by("crm", properties=properties)], Configuration(crm=URL_OF_EVENT))
    assert (key, invocation.offset, invocation.work, invocation.error) == ("crm", 7, None, error)


def test_a_reread_event_goes_to_the_one_that_asked_as_reread() -> None:
    configured = Configuration(all=URL, pro=PRO)
    mark = RangeRead("pro", "kafka:events", 0, 8)
    items: list[Screened] = [
        wanted_by("pro", person={"plan": "pro"}, only_for="pro"),
        wanted_by("pro", person={"plan": "free"}, only_for="pro"),
        mark,
    ]
    (key, invocation), marked = routed(items, configured)
    assert (key, invocation.reread) == ("pro", True)
    assert marked == ("pro", mark), "the mark comes after all that it marks, also when the rest matches no longer"


def test_what_a_closed_destination_misses_is_not_rendered_but_told_in_rows() -> None:
    progress = Progress()
    progress.report("ill", Load(unfinished=True, pending=0, slow=False, closed=True))
    router = Router(Configuration(ill=PRO, well=PRO), progress)

    def wanted(offset: int, partition: int = 0, plan: str = "pro") -> EventView:
        return wanted_by("ill", "well", person={"plan": plan}, offset=offset, partition=partition)

    items: list[Screened] = [wanted(7), wanted(8, plan="free"), wanted(9), wanted(3, partition=1), wanted(10)]
    # The log begins anew: one row must not cover both.
    out = router.route([*items, wanted(2)])
    assert [item for key, item in out if key == "ill"] == [
        Missed("ill", "kafka:events", 0, 7, 10, 3, 0),
        Missed("ill", "kafka:events", 1, 3, 3, 1, 0),
        Missed("ill", "kafka:events", 0, 2, 2, 1, 0),
    ]
    assert [item.offset for key, item in out if key == "well"] == [7, 9, 3, 10, 2]
    # A row ends with its batch: who knows what is sent before the next one.
    assert router.route([wanted(11)])[0] == ("ill", Missed("ill", "kafka:events", 0, 11, 11, 1, 0))


def test_what_is_read_again_or_cannot_be_is_rendered_for_a_closed_destination_too() -> None:
    progress = Progress()
    progress.report("crm", Load(unfinished=True, pending=0, slow=False, closed=True))
    items: list[Screened] = [wanted_by("crm", only_for="crm"), wanted_by("crm", stream="-")]
    assert [type(item) for _, item in Router(Configuration(crm=URL), progress).route(items)] == [Invocation] * 2


def test_a_filter_that_fails_is_no_match_but_a_count_and_at_most_one_line_in_ten_seconds() -> None:
    clock = Clock(1_000_050)
    router = Router(Configuration(crm=FAILING, all=URL), Progress(), clock)
    failing = [wanted_by("crm", "all", person=b"{") for _ in range(3)]
    metric = Metric("crm", 1_000_020, "other", "filtering_failed", 1)
    line = LogLine(
        "crm",
        1_000_050,
        "error",
        "the filter failed, so the event counts as no match: the person's properties are not JSON: Input data was "
        f"truncated (event '$pageview' {UUID} at kafka:events/0:7)",
    )
    out = router.route(failing)
    assert [item for item in out if not isinstance(item, tuple)] == [metric, line, metric, metric]
    assert [item[0] for item in out if isinstance(item, tuple)] == ["all"] * 3, "the others still get it"
    clock.advance(REPORT_EVERY_S - 0.1)
    assert len(router.route([wanted_by("crm", person=b"{")])) == 1
    clock.advance(0.1)
    assert [type(report) for report in router.route([wanted_by("crm", person=b"{")])] == [Metric, LogLine]


def test_a_failing_filter_limits_the_lines_of_no_other_destination() -> None:
    router = Router(Configuration(a=PRO, b=PRO), Progress(), Clock())
    reports = router.route([wanted_by("a", "b", person=b"{")])
    assert [report.log_source_id for report in reports if isinstance(report, LogLine)] == ["a", "b"]


def test_a_report_holds_no_secret() -> None:
    router = Router(Configuration(crm=FAILING), Progress(), Clock())
    _, line = router.route([wanted_by("crm", person=b"{", name=f"paid with {SECRET}")])
    assert isinstance(line, LogLine)
    assert "event 'paid with ***'" in line.message


def test_the_end_of_a_partition_goes_to_every_destination_and_is_waited_for() -> None:
    progress = Progress()
    progress.part_opened("t/0")
    router = Router(Configuration(a=URL, b=URL, off=f"enabled: false\n{URL}"), progress)
    assert router.route([EndOfInput("t/0")]) == [("a", EndOfInput("t/0", "a")), ("b", EndOfInput("t/0", "b"))]
    progress.part_reached("t/0", "a")
    assert not progress.drained()
    progress.part_reached("t/0", "b")
    assert progress.drained()


def test_the_end_of_a_partition_that_nobody_wants_is_the_end() -> None:
    progress = Progress()
    progress.part_opened("t/0")
    assert Router(Configuration(), progress).route([EndOfInput("t/0")]) == []
    assert progress.drained()


def test_in_a_flow_reports_leave_and_items_are_keyed() -> None:
    items: list[Any] = [wanted_by("crm", person={"plan": "pro"}), wanted_by("crm", person=b"{"), EndOfInput("t/0")]
    invocations: list[Any] = []
    reports: list[Any] = []
    flow = Dataflow("flow")
    out = route("route", op.input("in", flow, TestingSource(items)), Configuration(crm=PRO), Progress())
    op.output("invocations", out.invocations, TestingSink(invocations))
    op.output("reports", out.reports, TestingSink(reports))
    run_main(flow)
    assert [(key, type(item)) for key, item in invocations] == [("crm", Invocation), ("crm", EndOfInput)]
    assert [type(report) for report in reports] == [Metric, LogLine]


MAPPINGS = """\
filters: {events: [{id: paid}, {id: refunded}]}
inputs: {url: 'https://a.example', body: null, headers: {X: '{secrets.TOKEN}'}}
mappings:
  - {name: money, inputs: {url: 'https://a.example/money'}}
  - {name: pro, filters: {when: "person.properties.plan = 'pro'"}, inputs: {url: '{event.properties.url}'}}
  - {name: 'off', enabled: false}
"""


def test_every_mapping_that_matches_makes_an_invocation_of_its_own() -> None:
    configured = Configuration(crm=MAPPINGS)
    paid = wanted_by("crm", name="paid", person={"plan": "pro"}, properties={"url": "https://b.example"})
    [(_, both)] = routed([paid], configured)
    assert isinstance(both, Together)
    assert [(one.mapping, one.work.url) for one in both.invocations] == [  # type: ignore[union-attr]
        ("money", "https://a.example/money"),
        ("pro", "https://b.example"),
    ]
    assert len({one.id for one in both.invocations}) == 2
    again = routed([wanted_by("crm", name="paid", person={"plan": "free"})], configured)
    assert [(one.mapping, one.id) for _, one in again] == [("money", both.invocations[0].id)]
    assert routed([wanted_by("crm", name="seen", person={"plan": "pro"})], configured) == []


def test_a_mapping_that_fails_is_alone_with_it() -> None:
    configured = Configuration(crm=MAPPINGS)
    [(_, both)] = routed([wanted_by("crm", name="paid", person={"plan": "pro"})], configured)
    assert [(one.mapping, one.error) for one in both.invocations] == [
        ("money", None),
        ("pro", "input 'url': the URL is empty"),
    ]
    out = routed([wanted_by("crm", name="paid", person=b"{")], configured)
    assert [item[1].mapping for item in out if isinstance(item, tuple)] == ["money"]
    [line] = [item for item in out if isinstance(item, LogLine)]
    assert "no match: mapping 'pro': the person's properties are not JSON" in line.message


def test_a_reread_of_one_mapping_is_for_that_one() -> None:
    configured = Configuration(crm=MAPPINGS)
    for mapping, made in (("pro", ["pro"]), ("off", []), ("gone", [])):
        again = wanted_by("crm", name="paid", person={"plan": "pro"}, only_for="crm")
        again.event.mapping = mapping
        assert [(one.mapping, one.reread) for _, one in routed([again], configured)] == [(name, True) for name in made]


def test_all_mappings_of_what_a_closed_destination_misses_are_counted() -> None:
    progress = Progress()
    progress.report("crm", Load(unfinished=True, pending=0, slow=False, closed=True))
    items: list[Screened] = [
        wanted_by("crm", name="paid", person={"plan": plan}, offset=offset)
        for offset, plan in ((7, "pro"), (8, "free"), (9, "pro"))
    ]
    out = Router(Configuration(crm=MAPPINGS), progress).route(items)
    assert out == [("crm", Missed("crm", "kafka:events", 0, 7, 9, 5, 0))]


CAPPED = f"masking: {{hash: '{{person.id}}-{{upper(event.properties.kind)}}', ttl_s: 60, threshold: 3}}\n{URL}"


def test_a_cap_is_decided_behind_route_once_for_what_is_made_of_an_event() -> None:
    configured = Configuration(crm=CAPPED, two=MAPPINGS + "masking: {hash: '{event.event}', ttl_s: 60}\n", plain=URL)
    seen = [
        wanted_by("crm", "two", "plain", name="paid", properties={"kind": kind}, person={"plan": "pro"})
        for kind in ("a", "a", "b")
    ]
    out = routed([*seen, EndOfInput("t/0")], configured)
    caps = [item.cap for key, item in out if key == "crm" and isinstance(item, Capped)]
    assert caps[0] == caps[1] != caps[2] is not None
    assert (caps[0].ttl_s, caps[0].threshold, caps[3]) == (60, 3, None), "the mark counts against nothing"
    first = next(item for key, item in out if key == "two")
    [both] = made_of_capped(configured, pickle.loads(pickle.dumps(first)))
    assert isinstance(both, Together)
    assert all(one.exact for one in both.invocations)
    assert not any(isinstance(item, Capped) for key, item in out if key == "plain")


def test_what_a_closed_destination_with_a_cap_misses_is_told_position_by_position() -> None:
    progress = Progress()
    progress.report("crm", Load(unfinished=True, pending=0, slow=False, closed=True))
    seen: list[Screened] = [wanted_by("crm", properties={"kind": "a"}, offset=offset) for offset in (7, 8)]
    configured = Configuration(crm=CAPPED)
    out: list[Any] = Router(configured, progress).route(seen)
    assert [made_of_capped(configured, item) for _, item in out] == [
        [Missed("crm", "kafka:events", 0, offset, offset, 1, 0, exact=True)] for offset in (7, 8)
    ]
    again: list[Any] = routed([wanted_by("crm", only_for="crm")], Configuration(crm=CAPPED))
    assert [type(item) for _, item in again] == [Invocation], "it was decided when it came first"


def test_what_goes_on_is_made_of_as_things_are_configured_by_then() -> None:
    configured = Configuration(two=MAPPINGS + "masking: {hash: '{event.event}', ttl_s: 60}\n")
    [(_, capped)] = routed([wanted_by("two", name="paid", person={"plan": "pro"}, offset=7)], configured)
    assert isinstance(capped, Capped)
    owed = [Missed("two", "kafka:events", 0, 7, 7, 2, 0, exact=True)]
    # One of its mappings is no more; then it is switched off; then it is gone. What was matched is owed.
    configured.put("two", MAPPINGS.replace("name: pro", "name: z"))
    assert made_of_capped(configured, capped) == owed
    configured.remove("two")
    assert made_of_capped(configured, capped) == owed


def test_an_event_whose_key_cannot_be_made_is_not_held_back() -> None:
    configured = Configuration(crm=CAPPED.replace("upper(", "jsonParse("))
    out = routed([wanted_by("crm", properties={"kind": "{"})], configured)
    [item] = [item for item in out if isinstance(item, tuple)]
    assert item[1].cap is None
    metric, line = [item for item in out if not isinstance(item, tuple)]
    assert isinstance(metric, Metric)
    assert metric.metric_name == "masking_failed"
    assert isinstance(line, LogLine)
    assert "so the event is not held back: masking.hash: jsonParse" in line.message


def test_in_a_flow_what_has_a_cap_leaves_by_itself() -> None:
    capped: list[Any] = []
    invocations: list[Any] = []
    flow = Dataflow("flow")
    up = op.input("in", flow, TestingSource([wanted_by("crm", "plain"), EndOfInput("t/0")]))
    configured = Configuration(crm=CAPPED, plain=URL)
    out = route("route", up, configured, Progress())
    op.output("capped", out.capped, TestingSink(capped))
    op.output("invocations", out.invocations, TestingSink(invocations))
    run_main(flow)
    assert [(key, [type(one) for one in made_of_capped(configured, item)]) for key, item in capped] == [
        ("crm", [Invocation]),
        ("crm", [EndOfInput]),
    ]
    assert [(key, type(item)) for key, item in invocations] == [("plain", Invocation), ("plain", EndOfInput)]


@pytest.mark.parametrize("depth", [2_000, 3_000, 20_000])
def test_a_key_of_which_no_text_can_be_made_ends_nothing(depth: int) -> None:
    configured = Configuration(crm=f"masking: {{hash: '{{event.properties.x}}', ttl_s: 60}}\n{URL}")
    deep = b'{"x":' + b"[" * depth + b"]" * depth + b"}"
    out = routed([wanted_by("crm", properties=deep)], configured)
    [item] = [item for item in out if isinstance(item, tuple)]
    assert item[1].cap is None
    assert [item.metric_name for item in out if isinstance(item, Metric)] == ["masking_failed"]


def test_a_sample_by_what_has_no_text_ends_nothing() -> None:
    configured = Configuration(crm=f"sample: {{share: 0.5, by: properties.x}}\n{URL}")
    deep = wanted_by("crm", properties=b'{"x":' + b"[" * 2_500 + b"]" * 2_500 + b"}")
    destination = configured.find("crm")
    assert destination is not None
    assert destination.sample is not None
    assert destination.sample.wants_event(deep), "what cannot be judged counts as wanted"
    metric, line = routed([deep], configured)
    assert metric.metric_name == "filtering_failed"
    assert "sample.by: the value cannot be written as text" in line.message


SAMPLED = f"sample: {{share: 0.5, by: person.id}}\nmappings: [{{name: a, filters: {{events: [{{id: paid}}]}}}}]\n{URL}"


def test_what_a_sample_leaves_out_behind_all_filters_is_counted_once_a_batch() -> None:
    router = Router(Configuration(crm=SAMPLED, all=URL), Progress(), Clock(1_000_050))

    def seen(number: int, **others: Any) -> EventView:
        return wanted_by("crm", "all", name="paid", person={}, person_id=f"p{number}", **others)

    out = router.route([*map(seen, range(20)), wanted_by("crm", person={}, name="seen", person_id="p0")])
    taken = [item for key, item in (one for one in out if isinstance(one, tuple)) if key == "crm"]
    assert 0 < len(taken) < 20
    left_out = Metric("crm", 1_000_020, "other", "sampled_out", 20 - len(taken))
    assert [one for one in out if not isinstance(one, tuple)] == [left_out]
    again = router.route([seen(number, only_for="crm") for number in range(20)])
    assert [one for one in again if not isinstance(one, tuple)] == [], "it was counted when it came first"
