"""What a file says of its signing secrets."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.pretty import pretty_repr

import catalog
from destinations import Destination, Loaded, Secrets, load
from destinations.signing import key_of

LoadFiles = Callable[..., Loaded]
URL = "inputs: {url: 'https://a.b'}"
PLAIN = "a plain one of thirty characters"
WEBHOOK = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECRETS = {"PLAIN": PLAIN, "WEBHOOK": WEBHOOK, "SHORT": "s3cr3t", "JUNK": "whsec_!"}
KEY = base64.b64decode(WEBHOOK[6:])


def loaded(directory: Path, text: str) -> Loaded:
    (directory / "crm.yaml").write_text(f"id: crm\n{URL}\n{text}")
    return load(directory, Secrets(SECRETS.get), catalog.builtin())


def destination(directory: Path, text: str) -> Destination:
    found = loaded(directory, text)
    assert [str(problem) for problem in found.problems] == []
    return found.destinations["crm"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("signing_secret: '{secrets.WEBHOOK}'", (KEY,)),
        ("signing_secret: '{secrets.PLAIN}'", (PLAIN.encode(),)),
        ("signing_secret: ['{secrets.WEBHOOK}', '{secrets.PLAIN}']", (KEY, PLAIN.encode())),
        ("signing_secret: ['{secrets.PLAIN}']", (PLAIN.encode(),)),
        ("signing_secret: 'whsec_{substring(secrets.WEBHOOK, 7, 100)}'", (KEY,)),
    ],
)
def test_the_keys_are_those_of_the_secrets(tmp_path: Path, text: str, keys: tuple[bytes, ...]) -> None:
    signing = destination(tmp_path, text).policy.signing
    assert signing is not None
    assert signing.keys == keys


def test_without_one_nothing_is_signed(tmp_path: Path) -> None:
    assert destination(tmp_path, "signing_secret: null").policy.signing is None


def test_a_plain_secret_that_happens_to_be_base64_stays_as_it_is() -> None:
    assert key_of("0123456789abcdef0123456789abcdef") == b"0123456789abcdef0123456789abcdef"


PER_EVENT = "differs from event to event, and this is read once for all: only `secrets` can stand here"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("signing_secret: '{secrets.SHORT}'",
         "signing_secret (3,17): the signing secret has 6 bytes; at least 24 are needed"),
        ("signing_secret: '{secrets.JUNK}'",
         "signing_secret (3,17): the signing secret is not base64; it begins with whsec_ or is base64 as a whole"),
        ("signing_secret: ['{secrets.PLAIN}', '{secrets.SHORT}']",
         "signing_secret[1] (3,37): the signing secret has 6 bytes; at least 24 are needed"),
        ("signing_secret: '{secrets.NOPE}'",
         "signing_secret (3,19): secret 'NOPE' is not set: set the environment variable NOPE or mount a file of that "
         "name"),
        ("signing_secret: '{event.properties.secret}'", f"signing_secret (3,19): `event` {PER_EVENT}"),
        ("signing_secret: '{sekrets.PLAIN}'",
         "signing_secret (3,19): unknown name 'sekrets'; did you mean 'secrets'?"),
        ("signing_secret: '{jsonParse(secrets.PLAIN)}'",
         "signing_secret (3,17): an expression in it fails for the secrets as they are now"),
        ("signing_secret: []",
         "signing_secret (3,17): expected one secret, or two while one replaces the other, got 0"),
        ("signing_secret: 5", "signing_secret (3,17): expected text, got a number"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_and_shows_no_secret(tmp_path: Path, text: str, problem: str) -> None:
    [found] = loaded(tmp_path, text).problems
    assert found.summary() == f"{tmp_path}/crm.yaml: {problem}"
    assert not any(secret in str(found) for secret in SECRETS.values())


def test_the_keys_show_nowhere(tmp_path: Path) -> None:
    made = destination(tmp_path, "signing_secret: '{reverse(secrets.PLAIN)}'")
    for shown in (repr(made), repr(made.policy), f"{made.policy.signing}", pretty_repr(made.policy)):
        assert PLAIN[::-1] not in shown
        assert "b'" not in shown
    assert made.redact(f"{PLAIN} {PLAIN[::-1]}") == "*** ***"
