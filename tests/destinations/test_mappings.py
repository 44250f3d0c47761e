"""Several things that a destination makes of events."""

from collections.abc import Callable

import pytest

from destinations import Destination, Index, Loaded
from destinations.explain import explain
from tests.destinations.events import view

LoadOne = Callable[[str], Destination]
Load = Callable[..., Loaded]

ADS = """\
filters: {events: [{id: paid}, {id: signed up}]}
inputs: {url: 'https://ads.example', body: {who: '{person.properties.email}'}}
mappings:
  - name: purchase
    filters: {when: event == 'paid'}
    inputs: {body: {type: purchase, total: '{event.properties.total}'}}
  - {name: anything}
  - {name: later, enabled: false, filters: {events: [{id: refunded}]}}
"""


def names(destination: Destination, **event: object) -> list[str]:
    seen = view(**event)
    return [branch.name for branch in destination.branches if destination.matches(seen) and branch.matches(seen)]


def test_both_filters_have_to_hold(load_one: LoadOne) -> None:
    ads = load_one(ADS)
    assert names(ads, name="paid") == ["purchase", "anything"]
    assert names(ads, name="signed up") == ["anything"]
    assert names(ads, name="refunded") == []


def test_inputs_are_laid_over_those_of_the_destination(load_one: LoadOne) -> None:
    ads = load_one(ADS)
    seen = view({"total": 7}, name="paid", person={"email": "a@b.example"})
    bodies = [ads.render(seen, branch).body for branch in ads.branches]  # type: ignore[union-attr]
    assert bodies == [b'{"type":"purchase","total":7}', b'{"who":"a@b.example"}']
    assert len({ads.invocation_id(seen.event, branch.name) for branch in ads.branches}) == 2


def test_only_names_that_a_mapping_takes_pass_the_index(load_one: LoadOne) -> None:
    mappings = "[{name: a, filters: {events: [{id: x}, {id: y}]}}, {name: b, filters: {events: [{id: z}]}}]"
    url = "inputs: {url: 'https://a.b'}"
    wide = load_one(f"{url}\nmappings: {mappings}")
    narrow = load_one(f"{url}\nfilters: {{events: [{{id: y}}, {{id: other}}]}}\nmappings: {mappings}")
    for destination, taken in ((wide, "xyz"), (narrow, "y"), (load_one(ADS), [])):
        index = Index([destination])
        assert [name for name in ("x", "y", "z", "other") if index.candidates(1, name)] == list(taken)


def test_what_no_mapping_can_want_is_dropped_before_the_person_is_known(load_one: LoadOne) -> None:
    when = "\"properties.total > 5 and person.properties.plan = 'pro'\""
    ads = load_one(f"inputs: {{url: 'https://a.b'}}\nmappings: [{{name: a, filters: {{when: {when}}}}}]")
    assert [ads.wants_event(view({"total": total})) for total in (5, 6)] == [False, True]


def test_code_takes_inputs_of_the_mapping(load_one: LoadOne) -> None:
    code = """\
code: "fetch(inputs.url, {'body': inputs.kind})"
inputs_schema: {url: {type: string, required: true}}
inputs: {url: 'https://a.b'}
mappings:
  - {name: a, inputs_schema: [{key: kind, type: choice, choices: [{value: x}]}], inputs: {kind: x}}
  - {name: b, inputs: {url: 'https://c.d'}}
"""
    made = load_one(code)
    assert [dict(made.render(view(), branch).inputs) for branch in made.branches] == [  # type: ignore[union-attr]
        {"url": "https://a.b", "kind": "x"},
        {"url": "https://c.d"},
    ]
    free = load_one("code: return inputs.b\nmappings: [{name: a, inputs: {b: 1}}]")
    assert dict(free.render(view()).inputs) == {"b": 1}  # type: ignore[union-attr]


URL = "inputs: {url: 'https://a.b'}"


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        (f"{URL}\nmappings: [{{filters: {{}}}}]", "mappings[0].name", "key 'name' is missing"),
        (f"{URL}\nmappings: [{{name: ' '}}]", "mappings[0].name", "a mapping needs a name"),
        (f"{URL}\nmappings: [{{name: a}}, {{name: a}}]", "mappings[1].name", "two mappings have the name 'a'"),
        (f"{URL}\nmappings: [a]", "mappings[0]", "expected a mapping with `name`, `filters` and `inputs`, got text"),
        (f"{URL}\nmappings: {{name: a}}", "mappings", "expected a list, got a mapping"),
        (f"{URL}\nmappings: [{{name: a, filter: {{}}}}]", "mappings[0].filter", "unknown key 'filter'; did you mean"),
        (f"{URL}\nmappings: [{{name: a, inputs: {{ulr: x}}}}]", "mappings[0].inputs.ulr", "unknown input 'ulr'"),
        ("mappings: [{name: a, inputs: {url: x}}]", "mappings[0].inputs.url", "'x' is not an http:// or https:// URL"),
        ("mappings: [{name: a}, {name: b}]", "inputs.url", "required input 'url' is missing"),
        (
            f"{URL}\nmappings: [{{name: a, filters: {{when: 'event ='}}}}]",
            "mappings[0].filters.when",
            "",
        ),
        (
            f"{URL}\nmappings: [{{name: a, inputs: {{body: '{{secrets.NOPE}}'}}}}]",
            "mappings[0].inputs.body",
            "secret 'NOPE' is not set",
        ),
        (
            f"{URL}\nmappings: [{{name: a, filters: {{source: person-updates}}}}]",
            "mappings[0].filters.source",
            "is said in the destination's own filters",
        ),
        (f"{URL}\nmasking: {{hash: '{{inputs.x}}', ttl_s: 60}}", "masking.hash", "unknown input 'x'"),
        (f"{URL}\nmasking: {{hash: a, ttl_s: 59}}", "masking.ttl_s", "expected a whole number of at least 60"),
        (f"{URL}\nmasking: {{ttl_s: 60}}", "masking.hash", "key 'hash' is missing"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(load_files: Load, text: str, path: str, message: str) -> None:
    [problem] = load_files(crm=f"id: crm\n{text}").problems
    assert problem.path == path
    assert message in problem.message


def test_a_disabled_mapping_is_checked_too(load_files: Load) -> None:
    assert load_files(crm=f"id: crm\n{URL}\nmappings: [{{name: a, enabled: false, inputs: {{x: 1}}}}]").problems


def test_each_mapping_is_explained(load_one: LoadOne) -> None:
    found = explain(load_one(ADS), view(name="signed up"))
    assert (found.matches, found.because) == (True, "")
    assert [(one.mapping, one.matches, one.because) for one in found.sendings] == [
        ("purchase", False, "the filter: event == 'paid' does not hold"),
        ("anything", True, ""),
    ]
    assert explain(load_one(f"{URL}\nmappings: [{{name: a, enabled: false}}]"), view()).because == (
        "all of its mappings say 'enabled: false'"
    )
    none = explain(load_one(f"{URL}\nmappings: [{{name: a, filters: {{when: 'false'}}}}]"), view())
    assert not none.matches


def test_what_it_counts_against_is_explained_and_what_nobody_knows(load_one: LoadOne) -> None:
    capped = load_one(f"{URL}\nmasking: {{hash: '{{event.properties.k}}', ttl_s: 60, threshold: 3}}")
    assert explain(capped, view({"k": "a"})).cap == (
        'of the events with the key "a" the first within 60 s is sent, and each behind 3 of them; '
        "whether this one was is not known: what is held back is only counted"
    )
    assert explain(capped, view()).cap == "held back by no cap: its key is null"
    failing = load_one(f"{URL}\nmasking: {{hash: '{{jsonParse(event.event)}}', ttl_s: 60}}")
    assert explain(failing, view()).cap.startswith("held back by no cap: its key cannot be made: masking.hash: ")
