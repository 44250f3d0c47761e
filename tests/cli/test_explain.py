import json

import pytest

from connectors.journal import Journal
from connectors.person_table import PersonTable, distinct_id_row, person_row
from records import Status

CRM = """\
id: crm
filters: {when: "event = 'paid' and person.properties.plan = 'pro'"}
inputs: {url: 'https://a.example/{event.properties.id}', body: null}
"""
EVENT = {"event": "paid", "distinct_id": "anna", "uuid": "u1", "properties": {"id": 7}}


@pytest.fixture
def files(here):
    (here / "destinations").mkdir()
    (here / "destinations" / "crm.yaml").write_text(CRM)
    (here / "event.json").write_text(json.dumps(EVENT, indent=2))
    (here / "pro.json").write_text('{"plan": "pro"}')
    (here / "line.json").write_text("[]")
    return here


def test_why_not_with_what_was_seen(files, offramp):
    done = offramp("explain", "crm", "--event", "event.json")
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines() == [
        "event 'paid' u1 is not wanted by crm",
        "because the filter: person.properties.plan = 'pro' does not hold",
        "",
        "holds: event = 'paid'",
        '    event is "paid"',
        "",
        "does not hold: person.properties.plan = 'pro'",
        "    person.properties.plan is null",
    ]


def test_what_would_be_sent_for_that_person(files, offramp):
    done = offramp("explain", "crm", "--event", "event.json", "--person", "pro.json")
    assert done.code == 0
    assert "POST https://a.example/7" in done.out.splitlines()
    found = json.loads(offramp("explain", "crm", "--event", "event.json", "--person", "pro.json", "--json").out)
    assert (found["matches"], found["because"], found["sendings"][0]["request"]["url"]) == (
        True,
        "",
        "https://a.example/7",
    )


def test_a_change_of_a_person(files, offramp):
    (files / "destinations" / "crm.yaml").write_text(
        "id: crm\nfilters: {source: person-updates, when: person.properties.plan = 'pro'}\n"
        "inputs: {url: 'https://a.example/{person.id}', body: null}\n"
    )
    person = {"id": "p1", "team_id": 1, "version": 3, "properties": '{"plan": "pro"}'}
    (files / "person.json").write_text(json.dumps(person))
    found = json.loads(offramp("explain", "crm", "--event", "person.json", "--json").out)
    assert (found["event"], found["sendings"][0]["request"]["url"]) == ("$person_updated", "https://a.example/p1")
    (files / "person.json").write_text(json.dumps(person | {"is_deleted": 1}))
    done = offramp("explain", "crm", "--event", "person.json")
    assert (done.code, done.err) == (1, "person.json: the deletion of a person is no event\n")


def test_an_event_is_found_in_the_inputs_by_its_uuid(files, offramp):
    uuid = "0193e3b4-0000-7000-8000-00000000000a"
    (files / "log.jsonl").write_text(json.dumps(EVENT) + "\n" + json.dumps(EVENT | {"uuid": uuid}) + "\n")
    done = offramp("explain", "crm", "--event", uuid, "--events", "log.jsonl", "--person", "pro.json")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[:2] == [
        f"found at file:{files / 'log.jsonl'}/0:{len(json.dumps(EVENT)) + 1}",
        f"event 'paid' {uuid} is wanted by crm",
    ]
    other = uuid[:-1] + "b"
    done = offramp("explain", "crm", "--event", other, "--events", "log.jsonl")
    assert (done.code, done.err) == (1, f"no event {other} is among the newest messages of the files\n")
    assert "--events or OFFRAMP_EVENTS names them" in offramp("explain", "crm", "--event", other).err


def test_the_person_and_the_state_are_those_that_the_job_knows(files, offramp):
    table = PersonTable(files / ".offramp" / "persons")
    table.apply([person_row(1, "p", b'{"plan": "pro"}'), distinct_id_row(1, "anna", "p")], {})
    journal = Journal(files / ".offramp" / "journal.sqlite")
    journal.write([Status("crm", "CRM", "quarantined", 7.0, reason="20 errors in a row")])
    done = offramp("explain", "crm", "--event", "event.json")
    assert done.code == 0
    assert done.out.splitlines()[-2:] == [
        "the destination is quarantined: 20 errors in a row",
        "what matches now is owed, and sent when that is over",
    ]
    found = json.loads(offramp("explain", "crm", "--event", "event.json", "--json").out)
    assert (found["status"]["state"], found["position"]) == ("quarantined", "")
    journal.close()
    table.close()


def test_mappings_and_what_it_counts_against(files, offramp):
    mappings = "[{name: money}, {name: other, filters: {when: 'false'}}]"
    (files / "destinations" / "crm.yaml").write_text(
        CRM + f"mappings: {mappings}\nmasking: {{hash: '{{person.properties.plan}}', ttl_s: 60}}\n"
    )
    lines = offramp("explain", "crm", "--event", "event.json", "--person", "pro.json").out.splitlines()
    known = 'masking: of the events with the key "pro" the first within 60 s is sent'
    assert f"{known}; whether this one was is not known: what is held back is only counted" in lines
    at = lines.index("mapping 'other' does not match")
    assert lines.index("mapping 'money' matches") < lines.index("POST https://a.example/7") < at
    assert lines[at + 1] == "because the filter: false does not hold"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("ads", "--event", "event.json"), 1, "there is no destination 'ads' in destinations; there are: crm"),
        (("crm", "--event", "nowhere.json"), 2, "nowhere.json: cannot be read: No such file or directory"),
        (("crm", "--event", "line.json"), 1, "line.json: not an event: "),
        (("crm", "--event", "event.json", "--destinations", "x"), 2, "x: no such directory"),
    ],
)
def test_what_cannot_be_explained(files, offramp, args, code, message):
    done = offramp("explain", *args)
    assert done.code == code
    assert message in done.err
    assert "Traceback" not in done.err
