"""Access tokens on the wire: who asks for them, when, and what becomes of a request that has none."""

import base64
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.http import HttpTransport
from connectors.tokens import PAUSE_S, SHORT_PAUSE_S, Tokens
from records import Attempt, Code, ErrorKind, Invocation, Policy
from records.hidden import Assertion, Connection, Proxy
from tests.connectors.sending import LOOPBACK, collected, invocation, one, running
from tests.operators.stand import Clock
from tests.receiver import Answer, Receiver

MARKER = "connection-0123456789"
FORM = (
    ("grant_type", "refresh_token"),
    ("client_id", "me"),
    ("client_secret", "s3cret-s3cret"),
    ("refresh_token", "r-1"),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transport(clock: Clock) -> Iterator[HttpTransport]:
    made = HttpTransport(allow=LOOPBACK, user_agent="offramp/test")
    made._tokens = Tokens(clock)
    with running(made):
        yield made


def given(text: str = "t-1", **more: object) -> Answer:
    return Answer(200, json.dumps({"access_token": text, "expires_in": 1000, **more}).encode())


def connection(receiver: Receiver, **more: object) -> Connection:
    return msgspec.structs.replace(Connection("crm", MARKER, f"{receiver.url}/token", FORM), **more)


def policy(receiver: Receiver, **more: object) -> Policy:
    return Policy(connections=(connection(receiver, **more),), timeout_s=5)


def wanting(receiver: Receiver, number: int = 0) -> Invocation:
    headers = {"Authorization": f"Bearer {MARKER}"}
    return invocation(f"{receiver.url}/events", number, headers=headers, body=json.dumps({"t": MARKER}).encode())


def forms(receiver: Receiver) -> list[dict[str, str]]:
    return [dict(parse_qsl(request.body.decode())) for request in receiver.of("/token")]


def test_the_token_takes_the_place_of_its_marker(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/token", given('t"1'))
    assert one(transport, wanting(receiver), policy(receiver)).response is not None
    (asked,) = receiver.of("/token")
    assert (asked.header("content-type"), asked.header("webhook-id")) == ("application/x-www-form-urlencoded", None)
    assert forms(receiver) == [dict(FORM)]
    (sent,) = receiver.of("/events")
    assert (sent.header("authorization"), sent.json()) == ('Bearer t"1', {"t": 't"1'})


def test_many_requests_wait_for_one_token(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/token", Answer(200, given().body, delay_s=0.2))
    transport.submit("crm", policy(receiver), [wanting(receiver, number) for number in range(20)])
    attempts = collected(transport, 20)
    assert all(attempt.response is not None for attempt in attempts)
    assert len(receiver.of("/token")) == 1


def test_a_token_is_renewed_early_and_the_old_one_is_good_meanwhile(
    transport: HttpTransport, receiver: Receiver, clock: Clock
) -> None:
    receiver.on("/token", given("t-1"), given("t-2"))
    one(transport, wanting(receiver), policy(receiver))
    clock.advance(700)
    one(transport, wanting(receiver), policy(receiver))
    assert len(receiver.of("/token")) == 1
    clock.advance(200)
    one(transport, wanting(receiver), policy(receiver))
    receiver.wait(2, path="/token")
    for _ in range(50):
        # The answer has left the receiver; the transport may not have read it yet.
        one(transport, wanting(receiver), policy(receiver))
        if receiver.of("/events")[-1].header("authorization") == "Bearer t-2":
            break
    assert [request.header("authorization") for request in receiver.of("/events")][:3] == ["Bearer t-1"] * 3
    assert receiver.of("/events")[-1].header("authorization") == "Bearer t-2"
    assert len(receiver.of("/token")) == 2


def test_a_refresh_token_that_is_replaced_is_used_from_then_on(
    transport: HttpTransport, receiver: Receiver, clock: Clock
) -> None:
    receiver.on("/token", given("t-1", refresh_token="r-2"), given("t-2"))
    one(transport, wanting(receiver), policy(receiver))
    clock.advance(2000)
    one(transport, wanting(receiver), policy(receiver))
    assert [form["refresh_token"] for form in forms(receiver)] == ["r-1", "r-2"]


def test_a_refused_token_is_replaced_once(transport: HttpTransport, receiver: Receiver, clock: Clock) -> None:
    receiver.on("/token", given("t-1"), given("t-2"), given("t-3"))
    receiver.on("/events", Answer(), Answer(401), Answer(), Answer(401), Answer(401))
    assert status(one(transport, wanting(receiver), policy(receiver))) == 200
    clock.advance(100)
    assert status(one(transport, wanting(receiver), policy(receiver))) == 200
    assert status(one(transport, wanting(receiver), policy(receiver))) == 401, "the token is too young to be the reason"
    assert len(receiver.of("/token")) == 2


def test_all_requests_that_were_out_with_a_revoked_token_go_out_again(
    transport: HttpTransport, receiver: Receiver, clock: Clock
) -> None:
    receiver.on("/token", given("t-1"), Answer(200, given("t-2").body, delay_s=0.1))
    assert status(one(transport, wanting(receiver), policy(receiver))) == 200
    clock.advance(100)
    slow, late = Answer(401, delay_s=0.05), Answer(401, delay_s=0.4)
    receiver.on("/events", Answer(401), slow, slow, late, Answer())
    transport.submit("crm", policy(receiver), [wanting(receiver, number) for number in range(4)])
    assert [status(attempt) for attempt in collected(transport, 4)] == [200] * 4
    assert len(receiver.of("/token")) == 2


def test_a_401_to_a_request_without_a_token_is_about_none(
    transport: HttpTransport, receiver: Receiver, clock: Clock
) -> None:
    receiver.on("/token", given("t-1"))
    receiver.on("/other", Answer(401))
    one(transport, wanting(receiver), policy(receiver))
    clock.advance(100)
    assert status(one(transport, invocation(f"{receiver.url}/other"), policy(receiver))) == 401
    one(transport, wanting(receiver), policy(receiver))
    assert (len(receiver.of("/token")), len(receiver.of("/other"))) == (1, 1)


def test_a_token_of_a_short_life_is_not_renewed_by_every_request(
    transport: HttpTransport, receiver: Receiver, clock: Clock
) -> None:
    receiver.on("/token", given("t-1", expires_in="40"))
    for _ in range(5):
        one(transport, wanting(receiver), policy(receiver))
        clock.advance(3)
    assert len(receiver.of("/token")) == 1


@pytest.mark.parametrize("life", [0, -1, True, None, "soon", "1e400", 10**400, [1], 1e-9])
def test_a_life_that_is_none_is_an_hour(
    transport: HttpTransport, receiver: Receiver, clock: Clock, life: object
) -> None:
    receiver.on("/token", given("t-1", expires_in=life))
    assert status(one(transport, wanting(receiver), policy(receiver))) == 200
    clock.advance(2000)
    assert status(one(transport, wanting(receiver), policy(receiver))) == 200
    assert len(receiver.of("/token")) == 1


def test_a_clock_that_is_set_back_keeps_no_failure_and_no_refused_token(
    transport: HttpTransport, receiver: Receiver, clock: Clock
) -> None:
    receiver.on("/token", Answer(400), given("t-1"), given("t-2"))
    assert one(transport, wanting(receiver), policy(receiver)).response is None
    clock.advance(-500)
    assert status(one(transport, wanting(receiver), policy(receiver))) == 200
    clock.advance(-100)
    assert status(one(transport, wanting(receiver), policy(receiver))) == 200
    assert len(receiver.of("/token")) == 3


def test_nobody_waits_for_a_token_beyond_its_own_time(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/token", Answer(200, given().body, delay_s=1))
    patient = policy(receiver)
    transport.submit("crm", patient, [wanting(receiver)])
    receiver.wait(1, path="/token")
    hurried = one(transport, wanting(receiver, 1), msgspec.structs.replace(patient, timeout_s=0.1), "other")
    assert (hurried.error, hurried.detail) == (
        ErrorKind.TIMEOUT,
        "connection 'crm' had no access token within 0.1 s",
    )
    assert status(collected(transport, 1)[0]) == 200


def test_a_closed_way_of_one_destination_is_no_failure_of_another(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/token", given())
    open_way = policy(receiver)
    closed_way = msgspec.structs.replace(open_way, proxy=Proxy("127.0.0.1", 1))
    assert one(transport, wanting(receiver), closed_way).error is ErrorKind.CONNECT
    assert status(one(transport, wanting(receiver), open_way, "other")) == 200


def test_what_may_pass_is_tried_again_before_the_retries_are_used_up(
    transport: HttpTransport, receiver: Receiver, clock: Clock
) -> None:
    receiver.on("/token", Answer(503), given())
    assert one(transport, wanting(receiver), policy(receiver)).error is ErrorKind.CONNECT
    clock.advance(SHORT_PAUSE_S + 0.1)
    assert status(one(transport, wanting(receiver), policy(receiver))) == 200


def test_what_the_vendor_says_of_a_refused_token_can_be_read(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/token", Answer(400, b'{"status": "BAD", "message": "refresh_token\\nr-1-long is invalid"}'))
    form = (("grant_type", "refresh_token"), ("refresh_token", "r-1-long"))
    attempt = one(transport, wanting(receiver), policy(receiver, form=form))
    assert attempt.detail == "connection 'crm' gets no access token: answered 400 refresh_token *** is invalid"


def test_a_failed_renewal_is_one_line_and_is_not_tried_for_every_event(
    transport: HttpTransport, receiver: Receiver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    said = {"error": "invalid_grant", "error_description": "s3cret-s3cret is revoked"}
    receiver.on("/token", Answer(400, json.dumps(said).encode()), Answer(400, json.dumps(said).encode()), given())
    with caplog.at_level(logging.ERROR):
        attempts = [one(transport, wanting(receiver), policy(receiver)) for _ in range(3)]
        clock.advance(PAUSE_S + 1)
        attempts.append(one(transport, wanting(receiver), policy(receiver)))
    detail = "connection 'crm' gets no access token: answered 400 invalid_grant *** is revoked"
    assert {(attempt.error, attempt.detail) for attempt in attempts} == {(ErrorKind.CODE, detail)}
    assert [record.getMessage() for record in caplog.records] == [detail]
    assert (len(receiver.of("/token")), receiver.of("/events")) == (2, [])
    clock.advance(PAUSE_S + 1)
    assert status(one(transport, wanting(receiver), policy(receiver))) == 200


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(503), ErrorKind.CONNECT),
        (Answer(200, b"<html>"), ErrorKind.CODE),
        (Answer(200, b"[]"), ErrorKind.CODE),
        (Answer(200, b'{"access_token": 7}'), ErrorKind.CODE),
    ],
)
def test_an_answer_without_a_token_fails(
    transport: HttpTransport, receiver: Receiver, answer: Answer, kind: ErrorKind
) -> None:
    receiver.on("/token", answer)
    attempt = one(transport, wanting(receiver), policy(receiver))
    assert (attempt.error, "gets no access token" in attempt.detail) == (kind, True)


def test_an_answer_that_repeats_the_token_does_not_show_it(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/token", given("t-long-and-secret"))
    receiver.on("/events", Answer(403, b"no: t-long-and-secret", headers=[("x-key", "t-long-and-secret")]))
    response = one(transport, wanting(receiver), policy(receiver)).response
    assert response is not None
    assert (response.body, response.headers["x-key"]) == (b"no: ***", "***")


def test_headers_that_a_program_does_not_read_may_hold_a_token(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/token", given())

    def evaluate(effects: Mapping[str, Any], _: Any) -> None:
        effects["fetch"](f"{receiver.url}/events", {"secret_headers_input": "more"})

    work = Code(evaluate, {"more": {"Authorization": f"Bearer {MARKER}"}}, {"properties": {}})
    sent = msgspec.structs.replace(wanting(receiver), work=work)
    assert one(transport, sent, policy(receiver)).error is None
    assert receiver.of("/events")[0].header("authorization") == "Bearer t-1"


def test_client_credentials_may_go_into_a_header(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/token", given())
    form = (("grant_type", "client_credentials"), ("scope", "a b"))
    one(transport, wanting(receiver), policy(receiver, form=form, basic=("me", "p:w/d")))
    (asked,) = receiver.of("/token")
    assert asked.header("authorization") == f"Basic {base64.b64encode(b'me:p%3Aw%2Fd').decode()}"
    assert forms(receiver) == [{"grant_type": "client_credentials", "scope": "a b"}]


def test_a_service_account_signs_what_it_asks_with(transport: HttpTransport, receiver: Receiver, clock: Clock) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    receiver.on("/token", given())
    assertion = Assertion(pem, "k1", (("iss", "me@x"), ("aud", "https://x"), ("scope", "s")))
    one(transport, wanting(receiver), policy(receiver, form=(("grant_type", "jwt"),), assertion=assertion))
    signed = forms(receiver)[0]["assertion"]
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(signed, key.public_key(), ["RS256"], audience="https://x", options=options)  # type: ignore[arg-type]
    assert claims == {"iss": "me@x", "aud": "https://x", "scope": "s", "iat": 1000, "exp": 4600}
    assert jwt.get_unverified_header(signed)["kid"] == "k1"


def test_a_key_that_is_none_fails_and_ends_nothing(transport: HttpTransport, receiver: Receiver) -> None:
    assertion = Assertion("no key", "", ())
    attempt = one(transport, wanting(receiver), policy(receiver, assertion=assertion))
    assert attempt.error is ErrorKind.CODE
    assert "gets no access token" in attempt.detail
    assert "no key" not in attempt.detail


def test_a_request_without_a_marker_asks_for_nothing(transport: HttpTransport, receiver: Receiver) -> None:
    assert status(one(transport, invocation(f"{receiver.url}/events"), policy(receiver))) == 200
    assert receiver.of("/token") == []


def status(attempt: Attempt) -> int | None:
    return None if attempt.response is None else attempt.response.status
