"""In which requests invocations leave."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery import Outbox
from delivery.departures import Departures
from records import Attempt, Batch, Invocation, Policy, Quarantine, Refusal, Request, Response, Verdict

ORDERED = Policy(order="person")
BATCHED = Policy(batch=Batch(max=3, wait_ms=500))


def invocation(offset: int, person: str = "anna", url: str = "https://a.example/", body: bytes = b"") -> Invocation:
    request = Request("POST", url, {"Content-Type": "application/json"}, body or b'{"n":%d}' % offset)
    return Invocation(f"id-{offset}", "d", "kafka:t", 0, offset, 0, f"u{offset}", "e", person, request)


def offsets(invocations: list[Invocation]) -> list[int]:
    return [one.offset for one in invocations]


def line(*invocations: Invocation) -> Departures:
    departures = Departures()
    for one in invocations:
        departures.add(one)
    return departures


def test_by_itself_each_leaves_at_once_in_order() -> None:
    departures = line(*map(invocation, range(5)))
    assert offsets(departures.take(Policy(), 0, 2)) == [0, 1]
    assert offsets(departures.take(Policy(), 0, 99)) == [2, 3, 4]
    assert not departures


def test_of_one_person_the_next_leaves_when_the_one_before_is_settled() -> None:
    first, second = invocation(0, "anna"), invocation(2, "anna")
    departures = line(first, invocation(1, "ben"), second)
    assert offsets(departures.take(ORDERED, 0, 99)) == [0, 1]
    assert departures.take(ORDERED, 0, 99) == []
    departures.add(first)
    assert offsets(departures.take(ORDERED, 0, 99)) == [0], "its own retry goes before the next one"
    departures.settled(first)
    assert offsets(departures.take(ORDERED, 0, 99)) == [2]


@given(st.lists(st.sampled_from("abc"), max_size=40), st.randoms(use_true_random=False))
def test_with_order_each_person_sees_its_own_events_in_order(persons: list[str], chance) -> None:  # type: ignore[no-untyped-def]
    patient = Quarantine(min_samples=10_000, errors_in_a_row=10_000)
    policy = Policy(order="person", retries=2, outbox=100, backoff_s=1, quarantine=patient)
    outbox = Outbox("d", policy, chance=lambda: 0.5)
    received: dict[str, list[int]] = {}
    now, wire = 0.0, []
    for offset, person in enumerate(persons):
        outbox.accept(invocation(offset, person), now)
    for turn in range(2000):
        wire += outbox.take_to_send(now)
        if not outbox.owed:
            break
        # However chance has it, time goes on and answers come.
        now += 0.1 + chance.random()
        if wire and (turn % 4 == 0 or chance.random() < 0.7):
            sent = wire.pop(chance.randrange(len(wire)))
            status = chance.choice([200, 503])
            received.setdefault(sent.person, []).append(sent.offset)
            outbox.settle([Attempt(sent, now, 1, Response(status, {}, b""))], now)
    assert outbox.owed == 0
    for seen in received.values():
        assert seen == sorted(seen), "a retry may come again, but nothing overtakes"


def test_a_full_batch_leaves_at_once_and_a_partial_one_when_its_time_has_come() -> None:
    departures = line(*map(invocation, range(4)))
    [carrier] = departures.take(BATCHED, 10.0, 99)
    assert isinstance(carrier.work, Request)
    assert json.loads(carrier.work.body) == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert departures.next_at(BATCHED) == 10.5
    assert departures.take(BATCHED, 10.4, 99) == []
    [rest] = departures.take(BATCHED, 10.5, 99)
    assert isinstance(rest.work, Request)
    assert json.loads(rest.work.body) == [{"n": 3}]
    assert offsets(departures.arrived(carrier)) == [0, 1, 2]
    assert offsets(departures.arrived(rest)) == [3]


def test_a_partial_batch_that_is_held_back_when_its_time_has_come_leaves_with_the_next_turn() -> None:
    departures = line(*map(invocation, range(2)))
    assert departures.take(BATCHED, 10.0, 99) == []
    assert departures.take(BATCHED, 10.6, 0) == []
    assert departures.limited
    [carrier] = departures.take(BATCHED, 10.7, 1)
    assert offsets(departures.arrived(carrier)) == [0, 1]


def test_only_what_asks_for_the_same_request_shares_one() -> None:
    departures = line(invocation(0), invocation(1, url="https://b.example/"), invocation(2), invocation(3))
    [carrier] = departures.take(BATCHED, 0, 99)
    assert offsets(departures.arrived(carrier)) == [0, 2, 3]
    assert offsets(list(departures)) == [1]


def test_lines_of_json_are_lines() -> None:
    policy = Policy(batch=Batch(max=2, form="ndjson"))
    [carrier] = line(invocation(0, body=b'{\n "n": 0\n}'), invocation(1)).take(policy, 0, 99)
    assert isinstance(carrier.work, Request)
    assert [json.loads(text) for text in carrier.work.body.splitlines()] == [{"n": 0}, {"n": 1}]
    assert carrier.work.headers == {"Content-Type": "application/x-ndjson"}


@pytest.mark.parametrize(("status", "verdict"), [(200, Verdict.DELIVERED), (404, Verdict.FAILED)])
def test_the_answer_to_a_batch_settles_all_of_it(status: int, verdict: Verdict) -> None:
    outbox = Outbox("d", BATCHED)
    for offset in range(3):
        outbox.accept(invocation(offset), 0)
    [carrier] = outbox.take_to_send(0)
    outcomes = outbox.settle([Attempt(carrier, 0, 1, Response(status, {}, b""))], 1)
    assert [(one.offset, one.invocation, one.verdict) for one in outcomes] == [
        (offset, f"id-{offset}", verdict) for offset in range(3)
    ]
    assert (outbox.owed, outbox.window.samples(1)) == (0, 1)


def test_a_batch_of_one_is_settled_as_the_one_it_stands_for() -> None:
    outbox = Outbox("d", Policy(batch=Batch(max=1)))
    outbox.accept(invocation(0), 0)
    [carrier] = outbox.take_to_send(0)
    [outcome] = outbox.settle([Attempt(carrier, 0, 1, Response(200, {}, b""))], 1)
    assert (outcome.invocation, outbox.delivered, outbox.owed) == ("id-0", 1, 0)


def test_what_went_out_together_is_tried_again_together_under_the_same_id() -> None:
    outbox = Outbox("d", BATCHED, chance=lambda: 0.5)
    for offset in range(3):
        outbox.accept(invocation(offset), 0)
    [first] = outbox.take_to_send(0)
    outbox.settle([Attempt(first, 0, 1, Response(503, {}, b""))], 0)
    outbox.accept(invocation(3), 1)
    [again] = outbox.take_to_send(1.01)
    assert (again.id, again.work) == (first.id, first.work)
    outbox.settle([Attempt(again, 0, 1, Response(200, {}, b""))], 2)
    assert (outbox.delivered, outbox.owed) == (3, 1)


def test_a_batch_that_comes_back_from_the_queue_is_owed_one_by_one() -> None:
    outbox = Outbox("d", BATCHED)
    for offset in range(3):
        outbox.accept(invocation(offset), 0)
    [carrier] = outbox.take_to_send(0)
    outbox.recall([carrier.id])
    assert [(list(r.only or ()), r.count) for r in outbox.backlog.ranges] == [([0, 1, 2], 3)]
    assert (outbox.owed, outbox.held.pending) == (3, 0)


def test_what_the_transport_gives_back_for_the_pace_waits_in_front() -> None:
    outbox = Outbox("d", Policy())
    for offset in range(3):
        outbox.accept(invocation(offset), 0)
    sent = outbox.take_to_send(0)
    outbox.settle([Attempt(sent[0], 0, 1, Response(429, {"Retry-After": "5"}, b""))], 0)
    assert outbox.must_hold
    outbox.hold([sent[1].id, sent[2].id])
    outbox.accept(invocation(3), 0)
    assert (outbox.take_to_send(4.9), outbox.held.handed_over) == ([], 0)
    assert outbox.next_departure_at(1) == 5
    assert offsets(outbox.take_to_send(5.1)) == [1, 2, 3, 0]


JOINED = Policy(batch=Batch(max=10, wait_ms=0, form="join", key="events"))


def bodies(leaving: list[Invocation]) -> list[object]:
    return [json.loads(one.work.body) for one in leaving if isinstance(one.work, Request)]


def test_bodies_that_are_equal_but_for_their_list_are_joined() -> None:
    texts = [
        b'{"key": "k", "events": [{"n": 0}], "options": {"a": 1}}',
        b'{"key": "k", "events": [{"n": "]}"}, {"n": 2}], "options": {"a": 1}}',
        b'{"key": "other", "events": [{"n": 3}], "options": {"a": 1}}',
        b'{"key": "k", "events": [], "options": {"a": 1}}',
    ]
    leaving = line(*[invocation(n, body=text) for n, text in enumerate(texts)]).take(JOINED, 0, 99)
    assert bodies(leaving) == [
        {"key": "k", "events": [{"n": 0}, {"n": "]}"}, {"n": 2}], "options": {"a": 1}},
        {"key": "other", "events": [{"n": 3}], "options": {"a": 1}},
    ]


def test_the_list_may_stand_within_an_object() -> None:
    texts = [
        b'{"data": {"test_id": "t", "events": [0]}}',
        b'{"data": {"test_id": "other", "events": [1]}}',
        b'{"data": {"test_id": "t", "events": [2]}}',
        b'{"data": [3]}',
    ]
    policy = Policy(batch=Batch(max=10, wait_ms=0, form="join", key="data.events"))
    leaving = line(*[invocation(n, body=text) for n, text in enumerate(texts)]).take(policy, 0, 99)
    assert bodies(leaving) == [
        {"data": {"test_id": "t", "events": [0, 2]}},
        {"data": {"test_id": "other", "events": [1]}},
        {"data": [3]},
    ]


def test_what_waits_goes_by_the_policy_of_the_moment() -> None:
    departures = line(*[invocation(n, body=b'{"a": [%d], "b": [1]}' % n) for n in range(2)])
    by_key = {key: Policy(batch=Batch(max=9, wait_ms=500, form="join", key=key)) for key in "ab"}
    assert departures.take(by_key["b"], 0, 99) == []
    assert bodies(departures.take(by_key["a"], 1, 99)) == []
    assert bodies(departures.take(by_key["a"], 2, 99)) == [{"a": [0, 1], "b": [1]}]


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"events": {}}', b'{"event": 1}', b"no json", b'{"events": [}'])
def test_a_body_without_such_a_list_goes_by_itself_as_it_is(body: bytes) -> None:
    leaving = line(*[invocation(n, body=body or b" ") for n in range(2)]).take(JOINED, 0, 99)
    assert [one.work.body for one in leaving if isinstance(one.work, Request)] == [body or b" "] * 2


def test_a_request_takes_no_more_bytes_than_it_may() -> None:
    departures = line(*[invocation(n, body=b'"%s"' % (b"x" * size)) for n, size in enumerate([40, 40, 40, 200, 40])])
    leaving = departures.take(Policy(batch=Batch(max=10, wait_ms=0, max_bytes=100)), 0, 99)
    assert [len(each) for each in bodies(leaving) if isinstance(each, list)] == [2, 1, 1, 1]


@given(st.integers(1, 40), st.sets(st.integers(0, 39)), st.sampled_from([400, 413, 422, 200]))
def test_of_events_sent_together_only_those_fail_that_are_to_blame(count: int, bad: set[int], status: int) -> None:
    told = Policy(
        batch=Batch(max=16, wait_ms=0), outbox=100, failure=lambda answer: Refusal("no") if answer.body else None
    )
    outbox = Outbox("d", told, chance=lambda: 0.5)
    for offset in range(count):
        outbox.accept(invocation(offset), 0)
    delivered: list[int] = []
    failed: list[int] = []
    requests = 0
    while outbox.owed:
        for sent in outbox.take_to_send(0):
            requests += 1
            assert isinstance(sent.work, Request)
            refused = any(each["n"] in bad for each in json.loads(sent.work.body))
            answer = Response(status, {}, b"no") if refused else Response(200, {}, b"")
            for outcome in outbox.settle([Attempt(sent, 0, 1, answer)], 0):
                if outcome.verdict is Verdict.DELIVERED:
                    delivered.append(outcome.offset)
                elif outcome.verdict is Verdict.FAILED:
                    failed.append(outcome.offset)
    assert sorted(failed) == sorted(bad & set(range(count)))
    assert sorted(delivered) == sorted(set(range(count)) - bad)
    assert requests <= -(-count // 16) + 2 * 4 * len(failed)


@given(st.integers(2, 16), st.sets(st.integers(0, 20), min_size=1), st.booleans())
def test_an_answer_may_name_the_events_that_it_does_not_take(count: int, named: set[int], retry: bool) -> None:
    refusal = Refusal("no room", retry, tuple(sorted(named)))
    policy = Policy(batch=Batch(max=16, wait_ms=0), retries=1, backoff_s=1, failure=lambda _: refusal)
    outbox = Outbox("d", policy, chance=lambda: 0.5)
    for offset in range(count):
        outbox.accept(invocation(offset), 0)
    (sent,) = outbox.take_to_send(0)
    outcomes = outbox.settle([Attempt(sent, 0, 1, Response(200, {}, b""))], 0)
    said = {outcome.offset: outcome.verdict for outcome in outcomes}
    if max(named) >= count:
        # It names what was not there: nobody can know what it is about.
        assert set(said.values()) == {Verdict.RETRYING}
        return
    bad = Verdict.RETRYING if retry else Verdict.FAILED
    assert said == {offset: bad if offset in named else Verdict.DELIVERED for offset in range(count)}
    again = [one for one in outbox.take_to_send(5) if isinstance(one.work, Request)]
    assert [each["n"] for one in again for each in json.loads(one.work.body)] == (sorted(named) if retry else [])
    assert outbox.owed == (len(named) if retry else 0)


def test_an_answer_to_many_is_masked_and_kept_once() -> None:
    masked: list[bytes] = []

    def redact(text: bytes) -> bytes:
        masked.append(text)
        return text.replace(b"s3cr3t", b"***")

    said = "s3cr3t " * 20_000
    policy = Policy(batch=Batch(max=50, wait_ms=0), retries=0, failure=lambda _: Refusal(said, retry=True))
    outbox = Outbox("d", policy, redact=redact)
    for offset in range(50):
        outbox.accept(invocation(offset), 0)
    (sent,) = outbox.take_to_send(0)
    outcomes = outbox.settle([Attempt(sent, 0, 1, Response(200, {}, said.encode()))], 0)
    assert len(outcomes) == 50
    assert len(masked) == 2, "the body and the reason"
    assert sorted(len(outcome.body) for outcome in outcomes)[:-1] == [1000] * 49
    assert len(outcomes[0].body) == len(said) - 3 * 20_000
    for outcome in outcomes:
        assert b"s3cr3t" not in outcome.body
        assert "s3cr3t" not in outcome.reason
        assert len(outcome.reason) == 10_000


def test_a_wrong_credential_is_not_tried_event_by_event() -> None:
    outbox = Outbox("d", Policy(batch=Batch(max=16, wait_ms=0), outbox=100), chance=lambda: 0.5)
    for offset in range(16):
        outbox.accept(invocation(offset), 0)
    (sent,) = outbox.take_to_send(0)
    outcomes = outbox.settle([Attempt(sent, 0, 1, Response(401, {}, b""))], 0)
    assert {outcome.verdict for outcome in outcomes} == {Verdict.FAILED}
    assert not outbox.owed


def test_what_makes_no_request_is_delivered_and_what_cannot_be_made_fails() -> None:
    outbox = Outbox("d", Policy())
    nothing, broken = invocation(0), invocation(1)
    nothing.work = broken.work = None
    broken.error = "input 'a': wrong"
    outcomes = [outbox.accept(one, 0) for one in (nothing, broken)]
    assert [outcome and (outcome.verdict, outcome.reason) for outcome in outcomes] == [
        (Verdict.DELIVERED, ""),
        (Verdict.FAILED, "input 'a': wrong"),
    ]
    assert (outbox.matched, outbox.delivered, outbox.failed, outbox.owed) == (2, 1, 1, 0)


@pytest.mark.parametrize("batch", [None, Batch(max=1)])
def test_an_event_that_came_twice_is_settled_twice(batch: Batch | None) -> None:
    """Both requests have one `webhook-id`, for they are the same."""
    outbox = Outbox("d", Policy(batch=batch))
    for offset in (0, 1):
        outbox.accept(msgspec.structs.replace(invocation(offset), id="same"), 0)
    wire = outbox.take_to_send(0)
    assert wire[0].id == wire[1].id
    outbox.hold(one.id for one in wire)
    wire = outbox.take_to_send(0)
    assert len(wire) == 2
    outbox.settle([Attempt(sent, 0, 1, Response(200, {}, b"")) for sent in wire], 0)
    assert (outbox.delivered, outbox.owed) == (2, 0)


@pytest.mark.parametrize("body", [b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"\xff":[]}'])
def test_a_body_that_no_reader_takes_goes_by_itself(body: bytes) -> None:
    departures = line(invocation(0, body=body), invocation(1, body=body))
    policy = Policy(batch=Batch(max=9, wait_ms=0, form="join", key="events"))
    assert [one.work.body for one in departures.take(policy, 0, 9) if isinstance(one.work, Request)] == [body, body]
