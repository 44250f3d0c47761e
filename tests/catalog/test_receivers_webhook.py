"""Signed webhooks against `standardwebhooks`, the library that receivers check them with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

import catalog
from catalog.cases import Case
from connectors.http import HttpTransport
from destinations import Secrets, load
from records import Verdict
from tests.catalog.road import carried
from tests.connectors.sending import running
from tests.receiver import Received, Receiver

OLD, NEW, OTHER = (f"whsec_{letter * 32}" for letter in "abc")
PLAIN = "a plain one: Łódź, 日本 and 🎉"
SECRETS = {"OLD": OLD, "NEW": NEW, "PLAIN": PLAIN}
WHO = {"email": "ada@example.com", "city": "Łódź 日本 🎉", "said": 'a "b"\n\u2028</script>'}
EVENTS: list[dict[str, Any]] = [{"uuid": f"0193e3b4-0000-7000-8000-00000000000{n}"} for n in range(3)]


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    with running() as started:
        yield started


def received(transport: HttpTransport, folder: Path, text: str, events: int = 3) -> list[Received]:
    """What arrives of the events in a destination with this in its file."""
    with Receiver() as receiver:
        head = f"id: crm\ntemplate: webhook\ninputs: {{url: '{receiver.url}/hook'}}\n"
        (folder / "crm.yaml").write_text(head + text)
        loaded = load(folder, Secrets(SECRETS.get), catalog.builtin())
        assert [str(problem) for problem in loaded.problems] == []
        cases = [Case("", [], event, WHO) for event in EVENTS[:events]]
        outcomes = carried(transport, loaded.destinations["crm"], cases)
        assert {one.verdict for one in outcomes} == {Verdict.DELIVERED}
        return receiver.requests


def verified(request: Received, secret: str | bytes) -> Any:
    """The body as a receiver with this secret takes it; raises WebhookVerificationError."""
    return Webhook(secret).verify(request.body, dict(request.headers))


def test_each_event_verifies_under_an_id_of_its_own(transport: HttpTransport, tmp_path: Path) -> None:
    requests = received(transport, tmp_path, "signing_secret: '{secrets.NEW}'")
    bodies = [verified(request, NEW) for request in requests]
    assert sorted(body["event"]["uuid"] for body in bodies) == [event["uuid"] for event in EVENTS]
    assert all(body["person"]["properties"] == WHO for body in bodies)
    assert len({request.header("webhook-id") for request in requests}) == len(EVENTS)


def test_during_a_rotation_receivers_with_either_secret_take_it(transport: HttpTransport, tmp_path: Path) -> None:
    text = "signing_secret: ['{secrets.NEW}', '{secrets.OLD}']"
    for request in received(transport, tmp_path, text):
        assert verified(request, NEW) == verified(request, OLD)
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            verified(request, OTHER)


def test_a_secret_that_is_no_base64_is_the_key_as_it_stands(transport: HttpTransport, tmp_path: Path) -> None:
    [request] = received(transport, tmp_path, "signing_secret: '{secrets.PLAIN}'", 1)
    assert verified(request, PLAIN.encode())["event"]["uuid"] == EVENTS[0]["uuid"]


def test_a_batch_verifies_as_one(transport: HttpTransport, tmp_path: Path) -> None:
    text = "signing_secret: '{secrets.NEW}'\ndelivery: {batch: {max: 3}}"
    [request] = received(transport, tmp_path, text)
    assert [body["event"]["uuid"] for body in verified(request, NEW)] == [event["uuid"] for event in EVENTS]


@pytest.mark.parametrize(
    ("name", "value"),
    [("webhook-id", "msg_another"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,AAAA"), ("webhook-id", "")],
)
def test_nothing_of_it_can_be_changed(transport: HttpTransport, tmp_path: Path, name: str, value: str) -> None:
    [request] = received(transport, tmp_path, "signing_secret: '{secrets.NEW}'", 1)
    headers = {key.lower(): each for key, each in request.headers}
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(request.body, headers | {name: value})


def test_a_changed_body_does_not_verify(transport: HttpTransport, tmp_path: Path) -> None:
    [request] = received(transport, tmp_path, "signing_secret: ['{secrets.NEW}', '{secrets.OLD}']", 1)
    for body in (request.body.replace(b"ada@", b"eve@"), request.body + b" ", request.body[:-1], b""):
        assert body != request.body
        for secret in (NEW, OLD):
            with pytest.raises(WebhookVerificationError, match="No matching signature"):
                Webhook(secret).verify(body, dict(request.headers))
