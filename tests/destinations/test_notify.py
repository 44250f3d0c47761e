"""The webhook that a file names for changes of health."""

from collections.abc import Callable

import pytest

from destinations import Destination, Loaded
from destinations.notify import Notify

URL = "inputs: {url: 'https://a.b'}"


def test_secrets_are_put_in_and_shown_nowhere(load_one: Callable[[str], Destination]) -> None:
    text = f"{URL}\nnotify: {{url: 'https://a.b/{{secrets.USER}}', headers: {{X-Key: '{{secrets.TOKEN}}'}}}}"
    destination = load_one(text)
    assert destination.notify == Notify("https://a.b/anna", {"X-Key": "s3cr3t/value"})
    assert repr(destination.notify) == "Notify(***)"
    assert destination.redact("s3cr3t/value") == "***"


def test_without_a_word_nobody_is_told(load_one: Callable[[str], Destination]) -> None:
    assert load_one(URL).notify is None
    assert load_one(f"{URL}\nnotify:").notify is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{headers: {}}", "notify.url (3,9): key 'url' is missing"),
        ("{url: a.b}", "notify.url (3,15): expected the whole URL of a webhook, http:// or https://"),
        ("{url: 'https://a.b/ c'}", "notify.url (3,15): expected the whole URL of a webhook, http:// or https://"),
        (
            "{url: '{secrets.X}'}",
            "notify.url (3,17): secret 'X' is not set: set the environment variable X or mount a file of that name",
        ),
        ("{url: 'https://a.b', header: {}}", "notify.header (3,30): unknown key 'header'; did you mean 'headers'?"),
        ("https://a.b", "notify (3,9): expected a mapping, got text"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(load_files: Callable[..., Loaded], text: str, problem: str) -> None:
    [found] = load_files(crm=f"id: crm\n{URL}\nnotify: {text}").problems
    assert found.summary() == f"destinations/crm.yaml: {problem}"
