"""The template of Amazon SES against moto: the e-mails that it has then, and what it refuses."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto.ses.models import SESBackend, ses_backends

from records import Verdict
from tests.catalog.receivers import ACCOUNT, REGION, Aws, Keys, aws
from tests.catalog.sent import EVENTS, assert_delivered
from tests.connectors.certificates import needs_openssl

pytestmark = needs_openssl
SENDER = "Łódź Shop <hello@example.com>"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with aws(tmp_path_factory.mktemp("aws")) as made:
        made.client("sesv2").create_email_identity(EmailIdentity="hello@example.com")
        yield made


@pytest.fixture(scope="module")
def keys(cloud: Aws) -> Keys:
    return cloud.user("mailer", "ses:SendEmail")


@pytest.fixture
def post(cloud: Aws) -> SESBackend:
    """With nothing sent."""
    backend: SESBackend = ses_backends[ACCOUNT][REGION]
    backend.sent_messages.clear()
    return backend


def inputs_of(keys: Keys, **inputs: Any) -> dict[str, Any]:
    return {"access_key_id": keys.id, "secret_access_key": keys.secret, "from": SENDER, "text": "hello", **inputs}


def test_each_event_is_one_e_mail(cloud: Aws, keys: Keys, post: SESBackend) -> None:
    inputs = inputs_of(keys, html="<p>{{ event.event }} & 日本</p>")
    outcomes, sent = cloud.send("ses-email", inputs, EVENTS)
    assert_delivered(outcomes)
    messages = sorted(post.sent_messages, key=lambda message: str(message.destinations["ToAddresses"]))
    assert [message.destinations["ToAddresses"] for message in messages] == [[f"ada-{n}@example.com"] for n in range(3)]
    assert [message.subject for message in messages] == [event["event"] for event in EVENTS]
    assert [message.body for message in messages] == [f"<p>{event['event']} & 日本</p>" for event in EVENTS]
    assert {message.source for message in messages} == {SENDER}
    assert all(one.is_signed_with(keys.secret) for one in sent)


def test_an_event_without_an_address_sends_nothing(cloud: Aws, keys: Keys, post: SESBackend) -> None:
    outcomes, sent = cloud.send("ses-email", inputs_of(keys, to="{person.properties.nothing}"), EVENTS[:1])
    assert_delivered(outcomes, 1)
    assert (post.sent_messages, sent) == ([], [])


def test_a_sender_that_is_not_verified_is_refused(cloud: Aws, keys: Keys, post: SESBackend) -> None:
    [outcome], _ = cloud.send("ses-email", inputs_of(keys, **{"from": "who@elsewhere.example"}), EVENTS[:1])
    assert outcome.verdict is Verdict.FAILED
    assert "Amazon SES answered 400: " in outcome.reason
    assert "who@elsewhere.example" in outcome.reason
    assert post.sent_messages == []


def test_a_wrong_secret_key_is_refused(cloud: Aws, keys: Keys, post: SESBackend) -> None:
    [outcome], _ = cloud.send("ses-email", inputs_of(keys, secret_access_key=keys.secret[::-1]), EVENTS[:1])
    assert outcome.verdict is Verdict.FAILED
    assert "Amazon SES answered 403: " in outcome.reason
    assert post.sent_messages == []


def test_a_user_who_may_do_something_else_is_refused(cloud: Aws, post: SESBackend) -> None:
    other = cloud.user("reader", "ses:GetAccount")
    [outcome], _ = cloud.send("ses-email", inputs_of(other), EVENTS[:1])
    assert outcome.verdict is Verdict.FAILED
    assert "Amazon SES answered 403: " in outcome.reason
    assert "not authorized to perform: ses:SendEmail" in outcome.reason
    assert post.sent_messages == []
