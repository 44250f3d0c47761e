"""The branch of each destination: a match, no match, inputs that cannot be rendered, a filter that fails."""

from typing import Any

import pytest
from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, run_main

from delivery import Load, Progress
from destinations import EventView
from operators.route import REPORT_EVERY_S, Router, route
from operators.screen import Screened
from records import EndOfInput, Invocation, LogLine, Metric, Missed, RangeRead, Request
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
