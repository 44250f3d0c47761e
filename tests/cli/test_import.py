import json

import pytest

CODE = "fetch('https://a.example/hit', {'body': {'plan': person.properties.plan, 'key': inputs.key}})"
FUNCTION = {
    "id": "f-1",
    "type": "destination",
    "name": "CRM sync",
    "enabled": True,
    "hog": CODE,
    "inputs_schema": [{"key": "key", "type": "string", "secret": True}],
    "inputs": {"key": {"secret": True}},
    "filters": {"events": [{"id": "paid", "type": "events"}], "bytecode": ["_H"]},
}
FILE = f"""\
# PostHog: f-1
id: crm-sync
name: CRM sync
filters:
  events:
    - {{id: paid}}
inputs_schema:
  key:
    type: string
    secret: true
inputs:
  key: '{{secrets.CRM_SYNC_KEY}}'
code: |
  {CODE}
"""
REPORT = """\
destinations/crm-sync.yaml: 'CRM sync' is carried over whole
secrets to set: CRM_SYNC_KEY
1 function: 1 whole; 1 file written
"""


@pytest.fixture
def answer(here):
    def write(*functions, name="answer.json"):
        (here / name).write_text(json.dumps(list(functions)))
        return name

    return write


def test_a_function_becomes_a_file_and_a_line(here, offramp, answer):
    assert offramp("import", "posthog", answer(FUNCTION)) == (0, REPORT, "")
    assert (here / "destinations/crm-sync.yaml").read_text() == FILE
    assert [path.name for path in (here / "destinations").iterdir()] == ["crm-sync.yaml"]


def test_the_same_import_again_changes_nothing_and_is_no_mistake(here, offramp, answer):
    offramp("import", "posthog", answer(FUNCTION))
    assert offramp("import", "posthog", answer(FUNCTION)) == (0, REPORT, "")


def test_a_file_that_is_there_stays_without_force(here, offramp, answer):
    (here / "d").mkdir()
    (here / "d/crm-sync.yml").write_text("mine")
    (here / "d/other.yaml").write_text("mine")
    other = {**FUNCTION, "name": "Other"}
    third = {**FUNCTION, "name": "Third"}
    done = offramp("import", "posthog", answer(FUNCTION, other, third), "--destinations", "d")
    assert done.code == 1
    assert "  not written: d/crm-sync.yml exists, and is another one; --force replaces it\n" in done.out
    assert "  not written: d/other.yaml exists, and is another one; --force replaces it\n" in done.out
    assert done.out.endswith("3 functions: 3 whole; 1 file written\n")
    assert sorted(path.name for path in (here / "d").iterdir()) == ["crm-sync.yml", "other.yaml", "third.yaml"]
    assert (here / "d/other.yaml").read_text() == "mine"
    assert offramp("import", "posthog", "answer.json", "--destinations", "d", "--force").code == 0
    assert sorted(path.name for path in (here / "d").iterdir()) == ["crm-sync.yml", "other.yaml", "third.yaml"]
    assert "mine" not in [path.read_text() for path in (here / "d").iterdir()]


def test_what_cannot_be_is_said_with_its_reason(offramp, answer):
    done = offramp("import", "posthog", answer({**FUNCTION, "type": "site_app"}, FUNCTION))
    assert done.code == 1
    assert done.out.splitlines()[0] == (
        "'CRM sync' cannot be carried over, because it is of type 'site_app': "
        "it runs in the visitor's browser, within PostHog's own library"
    )
    assert done.out.endswith("2 functions: 1 whole, 1 not carried over; 1 file written\n")


def test_masking_of_another_kind_is_not_left_out_in_silence(offramp, answer):
    done = offramp("import", "posthog", answer({**FUNCTION, "masking": [{"hash": "{person.id}"}]}))
    assert (done.code, done.out.splitlines()[0]) == (
        1,
        "'CRM sync' cannot be carried over, because its masking is a list, not an object",
    )


def test_check_tells_what_would_be_sent_for_made_up_events_in_both_shapes(offramp, answer):
    done = offramp("import", "posthog", answer(FUNCTION), "--check")
    assert done.code == 0
    assert done.out.splitlines()[1:3] == [
        "  check, an event made up, capture shape: POST https://a.example/hit",
        "  check, an event made up, row of clickhouse_events_json: POST https://a.example/hit",
    ]


def test_check_takes_events_of_ones_own(here, offramp, answer, monkeypatch):
    monkeypatch.setenv("CRM_SYNC_KEY", "s3cret-key")
    code = "fetch(f'https://a.example/{inputs.key}/{event.event}', {})\n"
    code += "if (event.properties.n > 1) { throw Error('big') }"
    (here / "events.jsonl").write_text(
        '{"event": "paid", "distinct_id": "ada"}\n\n{"event": "other", "distinct_id": "ada"}\n'
        '{"event": "paid", "distinct_id": "ada", "properties": {"n": 2}}\n[]\n'
    )
    done = offramp("import", "posthog", answer({**FUNCTION, "hog": code}), "--check", "--events", "events.jsonl")
    assert done.code == 1
    assert done.out.splitlines()[1:5] == [
        "  check, event 1: POST https://a.example/***/paid",
        "  check, event 2 (if it passed the filters, which it does not): POST https://a.example/***/other",
        "  check, event 3: POST https://a.example/***/paid; then the code: Error('big'), unless the real answer says "
        "otherwise",
        "  check, event 4: not an event: Expected `object`, got `array`",
    ]


ASSUMED = "--check: a request of code is taken to be answered 200 with {}; what other answers lead to is not tried"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "events.jsonl: cannot be read: No such file or directory\n"),
        ("\n \n", "events.jsonl: there is no event in it\n"),
    ],
)
def test_nothing_is_written_where_the_events_cannot_be_tried(here, offramp, answer, text, message):
    if text is not None:
        (here / "events.jsonl").write_text(text)
    done = offramp("import", "posthog", answer(FUNCTION), "--check", "--events", "events.jsonl")
    assert done == (2, "", message)
    assert not (here / "destinations").exists()


def test_an_error_that_the_made_up_answer_may_have_led_to_is_no_problem(offramp, answer):
    code = "let made := fetch('https://a.example/made')\n"
    code += "if (empty(made.body.id)) { throw Error('no id') }\nfetch(f'https://a.example/{made.body.id}')"
    done = offramp("import", "posthog", answer({**FUNCTION, "hog": code}), "--check")
    assert done.code == 0
    assert done.out.splitlines()[1] == (
        "  check, an event made up, capture shape: POST https://a.example/made; "
        "then the code: Error('no id'), unless the real answer says otherwise"
    )
    assert ASSUMED in done.out


def test_an_error_before_any_answer_is_a_problem(offramp, answer):
    code = "throw Error('always')"
    done = offramp("import", "posthog", answer({**FUNCTION, "hog": code}), "--check")
    assert done.code == 1
    assert "  check, an event made up, capture shape: the code: Error('always')\n" in done.out
    assert ASSUMED not in done.out


def test_each_mapping_is_tried_with_an_event_that_it_waits_for(offramp, answer):
    mappings = [
        {"name": name, "filters": {"events": [{"id": event}]}, "inputs": {"kind": {"value": name}}}
        for name, event in (("A", "bought"), ("B", "signed up"))
    ]
    code = "fetch(f'https://a.example/{inputs.kind}/{event.event}')"
    mapped = {**FUNCTION, "hog": code, "filters": {}, "mappings": mappings}
    done = offramp("import", "posthog", answer(mapped), "--check")
    assert done.code == 0
    assert done.out.splitlines()[1:5] == [
        "  check, an event 'bought' made up, capture shape: POST https://a.example/A/bought",
        "  check, an event 'bought' made up, row of clickhouse_events_json: POST https://a.example/A/bought",
        "  check, an event 'signed up' made up, capture shape: POST https://a.example/B/signed up",
        "  check, an event 'signed up' made up, row of clickhouse_events_json: POST https://a.example/B/signed up",
    ]


def test_changes_of_persons_are_tried_with_one(here, offramp, answer):
    updates = {**FUNCTION, "filters": {"source": "person-updates"}}
    done = offramp("import", "posthog", answer(updates), "--check")
    assert done.out.splitlines()[1] == "  check, a change of a person made up: POST https://a.example/hit"
    changes = ['{"id": "p1", "team_id": 1, "version": 1}', '{"id": "p1", "team_id": 1, "is_deleted": 1}']
    (here / "persons.jsonl").write_text("\n".join(changes))
    done = offramp("import", "posthog", "answer.json", "--check", "--events", "persons.jsonl")
    assert done.out.splitlines()[1:3] == [
        "  check, event 1: POST https://a.example/hit",
        "  check, event 2: the deletion of a person is no event",
    ]


SURROUNDED = "fetch(f'https://a.example/{project.name}/{person.name}/{groups.company.properties.size}?{project.url}')"


def test_check_sees_the_names_of_project_yaml_and_the_groups(here, offramp, answer):
    (here / "destinations").mkdir()
    (here / "destinations/project.yaml").write_text(
        "name: Shop\nurl: https://shop.example/p\nperson_display_name_properties: [nick]\n"
    )
    (here / "offramp.yaml").write_text("group_types: {team: 0, company: 1}\n")
    done = offramp("import", "posthog", answer({**FUNCTION, "hog": SURROUNDED}), "--check")
    for line in done.out.splitlines()[1:3]:
        assert line.endswith(": POST https://a.example/Shop/somebody/plain?https://shop.example/p")
    assert done.out.splitlines()[3:] == [
        ASSUMED,
        "secrets to set: CRM_SYNC_KEY",
        "1 function: 1 whole; 1 file written",
    ]


def test_what_nobody_has_said_is_told_once_for_all(offramp, answer):
    named = {**FUNCTION, "hog": SURROUNDED}
    done = offramp("import", "posthog", answer(*[named] * 5))
    assert done.out.splitlines()[5:9] == [
        "`person.name` is the first that a person has of email, name, username, unless "
        "`person_display_name_properties` in project.yaml says otherwise (crm-sync, crm-sync-2, crm-sync-3 and 2 more)",
        "`project.name` is `project` and its number, unless `name` in project.yaml says otherwise "
        "(crm-sync, crm-sync-2, crm-sync-3 and 2 more)",
        "links begin with http://localhost:8010/project/ and its number, unless `url` in project.yaml or --site-url "
        "says otherwise (crm-sync, crm-sync-2, crm-sync-3 and 2 more)",
        "`groups.company` is there if a type of groups has that name: say `--group-types company=INDEX` "
        "(crm-sync, crm-sync-2, crm-sync-3 and 2 more)",
    ]


def test_how_the_project_is_shown_is_taken_from_its_answer(here, offramp, answer):
    team = {**TEAM, "name": "Shop", "person_display_name_properties": ["nick"]}
    done = offramp("import", "posthog", answer({**FUNCTION, "hog": SURROUNDED}), "--project", answer(team, name="p"))
    assert "destinations/project.yaml: name, person_display_name_properties, timezone written\n" in done.out
    assert "`person.name`" not in done.out
    assert "`project.name`" not in done.out


def test_check_tells_what_is_wrong_and_still_tries_what_it_can(offramp, answer):
    needy = {**FUNCTION, "filters": {"actions": [{"id": "12", "name": "Bought", "type": "actions"}]}}
    done = offramp("import", "posthog", answer(needy), "--check")
    assert done.code == 1
    assert done.out.splitlines()[:4] == [
        "destinations/crm-sync.yaml: 'CRM sync' is carried over with these differences:",
        "  - needs in project.yaml: action 12 (Bought)",
        "  check, its file: destinations/crm-sync.yaml: filters.actions[0].id (6,12): project.yaml has no action '12'",
        "  check, an event made up, capture shape: POST https://a.example/hit",
    ]


NEEDY = {
    **FUNCTION,
    "filters": {
        "actions": [{"id": "12", "name": "Bought", "type": "actions"}],
        "filter_test_accounts": True,
        "properties": [{"key": "id", "type": "cohort", "value": 5}],
    },
}
ACTIONS = [
    {"id": 12, "name": "Bought", "steps": [{"event": "paid", "properties": [], "url": None, "selector": ""}]},
    {"id": 13, "name": "Not needed", "steps": []},
]
COHORT = {
    "id": 5,
    "name": "Pros",
    "is_static": False,
    "count": 7,
    "filters": {"properties": {"type": "AND", "values": [{"key": "plan", "type": "person", "value": "pro"}]}},
}
TEAM = {
    "id": 1,
    "timezone": "Europe/Oslo",
    "test_account_filters": [{"key": "email", "type": "person", "operator": "is_set", "value": "is_set"}],
    "path_cleaning_filters": None,
}


def test_what_project_yaml_needs_is_taken_from_the_answers(here, offramp, answer):
    files = ("--actions", answer(*ACTIONS, name="a"), "--cohorts", answer(COHORT, name="c"))
    files += ("--project", answer(TEAM, name="p"))
    done = offramp("import", "posthog", answer(NEEDY), *files, "--check")
    assert done.code == 0, done.out
    assert "is carried over whole" in done.out
    assert "destinations/project.yaml: timezone, test_account_filters, actions, cohorts written\n" in done.out
    text = (here / "destinations/project.yaml").read_text()
    assert "Bought" in text
    assert "Not needed" not in text
    assert "there is nothing to add to it" in offramp("import", "posthog", "answer.json", *files).out


def test_project_yaml_that_is_there_is_added_to_with_force_alone(here, offramp, answer):
    (here / "destinations").mkdir()
    (here / "destinations/project.yaml").write_text("timezone: UTC\nactions: {9: {steps: [{event: x}]}}\n")
    args = ("import", "posthog", answer(NEEDY), "--actions", answer(*ACTIONS, name="a"))
    done = offramp(*args)
    assert "destinations/project.yaml exists, and lacks some of it; --force adds that" in done.out
    assert "12" not in (here / "destinations/project.yaml").read_text()
    offramp(*args, "--force")
    text = (here / "destinations/project.yaml").read_text()
    assert "timezone: UTC" in text
    assert "'9':" in text
    assert "'12':" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.json: the file is empty; was the answer saved?"),
        ('[{"id"', "x.json: not JSON"),
        ("5", "x.json: expected an object, a list of objects or a page with `results`, got a number"),
        ("[5]", "x.json: item 1 is no object but a number"),
        ('{"type": "authentication_error", "code": "x", "detail": "Invalid key.", "attr": null}', "Invalid key."),
    ],
)
def test_what_is_no_answer(here, offramp, text, message):
    (here / "x.json").write_text(text)
    done = offramp("import", "posthog", "x.json")
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_file_that_cannot_be_read(offramp):
    assert offramp("import", "posthog", "gone.json") == (
        2,
        "",
        "gone.json: cannot be read: No such file or directory\n",
    )


def test_a_page_says_that_there_is_more(here, offramp):
    page = {"count": 3, "next": "https://x.example?offset=1", "previous": None, "results": [FUNCTION]}
    (here / "page.json").write_text(json.dumps(page))
    done = offramp("import", "posthog", "page.json")
    assert "page.json: one page of a list; 2 or more are behind its `next`, or in other files\n" in done.out


def test_the_report_as_json(offramp, answer):
    done = offramp("import", "posthog", answer(FUNCTION), "--json")
    (line,) = json.loads(done.out)["functions"]
    assert (line["carried"], line["file"], line["written"]) == ("whole", "destinations/crm-sync.yaml", True)
    assert line["secrets"] == ["CRM_SYNC_KEY"]


def test_a_disk_that_refuses_leaves_everything_as_it_was(here, offramp, answer):
    (here / "destinations").write_text("a file in the way")
    done = offramp("import", "posthog", answer(FUNCTION))
    assert done.code == 2
    assert "destinations: cannot be written: " in done.err
    assert (here / "destinations").read_text() == "a file in the way"
