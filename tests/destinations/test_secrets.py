"""Secrets do not show, however the text around them was encoded."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations import Destination, InputError
from destinations.secrets import Redactor
from tests.destinations.events import view

SECRET = 'pa/ss+w"ö<rd> 1'


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        json.dumps({"a": SECRET}),
        json.dumps({"a": SECRET}, ensure_ascii=False),
        html.escape(SECRET),
        "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f"u:{SECRET}".encode()).decode(),
        base64.b64encode(f"us:{SECRET}:tail".encode()).decode(),
    ],
)
def test_each_encoded_form_is_masked(shown: str) -> None:
    redact = Redactor([SECRET])
    for redacted in (redact(f"before {shown} after"), redact(f"before {shown} after".encode()).decode()):
        assert "***" in redacted
        assert redacted.startswith("before ")
        assert redacted.endswith(" after")
        assert "ss" not in redacted.replace("Basic", "")


def test_short_values_are_masked_as_words_only() -> None:
    redact = Redactor(["on", "7", ""])
    assert redact("on 7 contacts, 77, button on") == "*** *** contacts, 77, button ***"


def test_a_secret_in_a_host_is_masked_in_the_lower_case_that_it_is_shown_in() -> None:
    assert Redactor(["Tenant-7f3A"])("http://tenant-7f3a.invalid:80 refused") == "http://***.invalid:80 refused"


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Redactor(["abcd", "abcdefgh"])("x abcdefgh abcd") == "x *** ***"


def test_without_secrets_text_stays() -> None:
    assert Redactor([])("text") == "text"


@given(st.text(st.characters(exclude_characters="*", codec="utf-8"), min_size=4), st.text(), st.text())
def test_the_value_itself_never_stays(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([secret])(f"{before}{secret}{after}")


def test_an_error_does_not_show_the_secret(load_one: Callable[[str], Destination]) -> None:
    destination = load_one("inputs: {url: '{secrets.TOKEN} {event.event}'}")
    with pytest.raises(InputError) as raised:
        destination.render(view())
    assert "s3cr3t" not in str(raised.value)
    assert "s3cr3t" not in repr(destination)
    assert destination.redact(b"token s3cr3t/value") == b"token ***"
