"""Files as a log: until the end, again, with more, with several, with one less."""

import json

from tests.integration.events import capture, row, uuid_of, uuids_of
from tests.integration.stand import Stand, uuids
from tests.receiver import Answer, Receiver


def without_the_time(out: str) -> list[str]:
    *lines, last = out.splitlines()
    assert last.startswith("ended after ")
    return lines


def test_all_delivered_is_exit_code_0_and_a_line_for_each_destination(stand: Stand, receiver: Receiver) -> None:
    rows = [row(n, "signed up") for n in range(20, 30)]
    events = stand.lines("events.jsonl", [*(capture(n) for n in range(20)), *rows])
    stand.destination("views", "event == '$pageview'")
    stand.destination("everything")
    stand.destination("nothing", "event == 'never'")
    code, out, log = stand.run("--events", events, "--until-end")
    assert (code, log) == (0, "")
    assert without_the_time(out) == [
        "everything: matched 30, delivered 30, failed 0, owed 0",
        "nothing: matched 0, delivered 0, failed 0, owed 0",
        "views: matched 20, delivered 20, failed 0, owed 0",
    ]
    assert sorted(uuids(receiver.of("/views"))) == uuids_of(range(20))
    assert sorted(uuids(receiver.of("/everything"))) == uuids_of(range(30))
    assert len(receiver.requests) == 50


def test_what_fails_for_good_is_exit_code_1(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/strict", Answer(), Answer(404, b"no such thing"), Answer())
    events = stand.lines("events.jsonl", [capture(n) for n in range(3)])
    stand.destination("strict")
    code, out, _ = stand.run("--events", events, "--until-end")
    assert code == 1
    assert without_the_time(out) == ["strict: matched 3, delivered 2, failed 1, owed 0"]
    assert len(receiver.requests) == 3


def test_a_second_run_sends_nothing_and_says_why_and_a_third_sends_what_was_appended(
    stand: Stand, receiver: Receiver
) -> None:
    events = stand.lines("events.jsonl", [capture(n) for n in range(5)])
    stand.destination("crm")
    assert stand.run("--events", events, "--until-end")[0] == 0
    code, out, _ = stand.run("--events", events, "--until-end")
    assert code == 0
    assert without_the_time(out) == [
        "crm: matched 5, delivered 5, failed 0, owed 0",
        f"nothing new since the last run: {stand.state} remembers how far it came; "
        "give another --state to send everything again",
    ]
    assert len(receiver.requests) == 5
    stand.lines("events.jsonl", [capture(n) for n in range(5, 8)])
    code, out, _ = stand.run("--events", events, "--until-end")
    assert code == 0
    assert without_the_time(out) == ["crm: matched 8, delivered 8, failed 0, owed 0"]
    assert uuids(receiver.requests[5:]) != []
    assert sorted(uuids(receiver.requests)) == uuids_of(range(8))
    assert stand.run("--events", events, "--until-end", state=stand.folder / "other")[0] == 0
    assert sorted(uuids(receiver.requests[8:])) == uuids_of(range(8))


def test_the_exit_code_tells_of_this_run_alone(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/crm", Answer(400), Answer())
    events = stand.lines("events.jsonl", [capture(0)])
    stand.destination("crm")
    assert stand.run("--events", events, "--until-end")[0] == 1
    stand.lines("events.jsonl", [capture(1)])
    assert stand.run("--events", events, "--until-end")[0] == 0


def test_several_files_and_one_that_is_left_out_keeps_its_place(stand: Stand, receiver: Receiver) -> None:
    first = stand.lines("first.jsonl", [capture(n) for n in range(10)])
    second = stand.lines("second.jsonl", [capture(n) for n in range(100, 110)])
    stand.destination("crm")
    assert stand.run("--events", first, "--events", second, "--until-end")[0] == 0
    assert sorted(uuids(receiver.requests)) == uuids_of(range(10), range(100, 110))

    stand.lines("first.jsonl", [capture(10)])
    stand.lines("second.jsonl", [capture(110)])
    code, _, log = stand.run("--events", second, "--until-end")
    assert code == 0
    assert uuids(receiver.requests[20:]) == [uuid_of(110)]
    kept = f"WARNING file:{first}/0: no longer among the inputs; its position, "
    assert [line.partition(" ")[2].startswith(kept) for line in log.splitlines()] == [True]

    assert stand.run("--events", first, "--events", second, "--until-end")[0] == 0
    assert uuids(receiver.requests[21:]) == [uuid_of(10)]


def test_a_last_line_without_its_newline_counts_at_the_end(stand: Stand, receiver: Receiver) -> None:
    events = stand.lines("events.jsonl", [capture(0), capture(1)])
    events.write_bytes(events.read_bytes().rstrip(b"\n"))
    stand.destination("crm")
    assert stand.run("--events", events, "--until-end")[0] == 0
    assert sorted(uuids(receiver.requests)) == uuids_of(range(2))


def test_retries_end_before_the_job_does(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/flaky", Answer(503), Answer(500), Answer())
    events = stand.lines("events.jsonl", [capture(0)])
    stand.destination("flaky")
    code, out, _ = stand.run("--events", events, "--until-end")
    assert code == 0
    assert without_the_time(out) == ["flaky: matched 1, delivered 1, failed 0, owed 0"]
    assert len({request.header("webhook-id") for request in receiver.requests}) == 1
    assert len(receiver.requests) == 3


def test_standard_input_waits_for_a_slow_endpoint_because_it_cannot_be_read_again(
    stand: Stand, receiver: Receiver
) -> None:
    receiver.on("/slow", Answer(delay_s=0.3))
    receiver.on("/flaky", *[Answer(503, headers=[("Retry-After", "1")])] * 300, Answer())
    stand.destination("slow")
    stand.destination("flaky", more={"quarantine": {"errors_in_a_row": 10_000, "min_samples": 10_000}})
    events = stand.lines("events.jsonl", [capture(n) for n in range(2500)])
    code, out, log = stand.run("--events", "-", "--until-end", stdin=events)
    assert (code, without_the_time(out)) == (
        0,
        [f"{id}: matched 2500, delivered 2500, failed 0, owed 0" for id in ("flaky", "slow")],
    ), log
    assert sorted(uuids(receiver.of("/slow"))) == uuids_of(range(2500))


def test_what_is_owed_of_an_input_that_is_left_out_once_waits_for_its_return(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/crm", Answer(hang=True))
    stand.destination("crm")
    first = stand.lines("first.jsonl", [capture(n) for n in range(100)])
    second = stand.lines("second.jsonl", [capture(n) for n in range(100, 103)])
    job = stand.start("--events", first, "--shutdown-grace-s", 0.1)
    job.until("all of it owed", lambda: stand.status().get("crm", {}).get("owed") == 100)
    assert job.terminate() == 0
    receiver.on("/crm", Answer())
    code, out, log = stand.run("--events", second, "--until-end")
    assert (code, without_the_time(out)) == (0, ["crm: matched 103, delivered 3, failed 0, owed 100"])
    assert f"destination 'crm': 100 events of file:{first} are owed, which is no longer among the inputs" in log
    code, out, _ = stand.run("--events", first, "--until-end")
    assert (code, out.splitlines()[0]) == (0, "crm: matched 103, delivered 103, failed 0, owed 0")
    assert sorted(set(uuids(receiver.of("/crm")))) == uuids_of(range(103))


def test_what_a_sample_or_a_cap_leaves_out_is_told_by_the_metrics(stand: Stand, receiver: Receiver) -> None:
    events = stand.lines("events.jsonl", [capture(n, order=n) for n in range(50)])
    stand.destination("share", more={"sample": {"share": 0.5, "by": "properties.order"}})
    stand.destination("first", more={"masking": {"hash": "all", "ttl_s": 86_400}})
    assert stand.run("--events", events, "--until-end")[0] == 0
    for id, name in (("share", "sampled_out"), ("first", "masked")):
        code, out, _ = stand.offramp("metrics", id, "--json")
        assert code == 0
        left_out = sum(one["count"] for one in json.loads(out) if one["metric_name"] == name)
        assert left_out + len(receiver.of(f"/{id}")) == 50
        assert 0 < left_out < 50
        assert name in stand.offramp("metrics", id)[1]
