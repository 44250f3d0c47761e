"""`offramp secrets` and `offramp history`: what is said, what is asked, and that no value is shown anywhere."""

import base64
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Done

Offramp = Callable[..., Done]
KEY, OTHER = (base64.b64encode(letter * 32).decode() for letter in (b"k", b"o"))
ONE = "id: crm  # one\ninputs: {url: 'https://a.example/'}\n"
TWO = ONE.replace("one", "two")


class Piped(io.TextIOWrapper):
    """Standard input."""

    def __init__(self, data: bytes, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data), "utf-8")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    return lambda data: monkeypatch.setattr(sys, "stdin", Piped(data))


@pytest.fixture
def key(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFRAMP_SECRETS_KEY", KEY)


@pytest.mark.usefixtures("key")
def test_a_secret_is_set_used_listed_and_deleted(offramp: Offramp, here: Path, piped: Callable[[bytes], None]) -> None:
    (here / "destinations").mkdir()
    (here / "destinations/crm.yaml").write_text("id: crm\ninputs: {url: 'https://a.example/{secrets.CRM_TOKEN}'}\n")
    assert offramp("secrets", "list") == Done(0, "no secrets are stored in .offramp\n", "")
    assert offramp("check").code == 1
    piped(b"hunter2\n")
    assert offramp("secrets", "set", "CRM_TOKEN") == Done(0, "CRM_TOKEN is stored\n", "")
    assert offramp("check") == Done(0, "1 file: 1 fine\n", "")
    listed = offramp("secrets", "list")
    assert "CRM_TOKEN" in listed.out
    assert json.loads(offramp("secrets", "list", "--json").out)["name"] == "CRM_TOKEN"
    assert all("hunter2" not in file.read_bytes().decode("latin-1") for file in (here / ".offramp").iterdir())
    assert offramp("secrets", "delete", "CRM_TOKEN") == Done(0, "CRM_TOKEN is deleted\n", "")
    assert offramp("secrets", "delete", "CRM_TOKEN") == Done(
        1, "", "no secret of that name is stored; offramp secrets list shows those that are\n"
    )


@pytest.mark.usefixtures("key")
def test_what_is_given_in_the_wrong_place_is_not_repeated(offramp: Offramp, piped: Callable[[bytes], None]) -> None:
    done = offramp("secrets", "set", "CRM_TOKEN", "hunter2")
    assert (done.code, done.out) == (2, "")
    assert (
        done.err
        == "a value is not given as an argument, which everybody on the machine can read, but by standard input\n"
    )
    assert "hunter2" not in offramp("secrets", "set", "hunter2-x").err
    piped(b"\xff")
    assert offramp("secrets", "set", "CRM_TOKEN") == Done(2, "", "CRM_TOKEN: a secret is text in UTF-8\n")
    piped(b"\n")
    assert "CRM_TOKEN: the value is empty" in offramp("secrets", "set", "CRM_TOKEN").err


@pytest.mark.usefixtures("key")
def test_at_a_terminal_it_is_asked_for(offramp: Offramp, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def prompt(label: str, **how: object) -> str:
        asked.append((label, how))
        return "hunter2"

    monkeypatch.setattr(sys, "stdin", Piped(b"", terminal=True))
    monkeypatch.setattr("cli.secrets.typer.prompt", prompt)
    assert offramp("secrets", "set", "CRM_TOKEN").out == "CRM_TOKEN is stored\n"
    assert asked == [("CRM_TOKEN", {"hide_input": True, "confirmation_prompt": True})]


def test_keys(offramp: Offramp, piped: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch) -> None:
    piped(b"hunter2")
    missing = offramp("secrets", "set", "CRM_TOKEN")
    assert missing.code == 2
    assert missing.err.startswith("offramp: OFFRAMP_SECRETS_KEY is not set: secrets are stored encrypted")
    monkeypatch.setenv("OFFRAMP_SECRETS_KEY", KEY)
    piped(b"hunter2")
    assert offramp("secrets", "set", "CRM_TOKEN").code == 0
    monkeypatch.setenv("OFFRAMP_SECRETS_KEY", OTHER)
    piped(b"hunter2")
    wrong = offramp("secrets", "set", "ADS_TOKEN")
    assert wrong.code == 2
    assert "holds secrets that were encrypted with another key" in wrong.err
    assert "TOKEN" not in wrong.err
    monkeypatch.setenv("OFFRAMP_SECRETS_KEY", f"{OTHER},{KEY}")
    assert offramp("secrets", "rotate").out == "1 secret was encrypted with another key\n"
    monkeypatch.setenv("OFFRAMP_SECRETS_KEY", OTHER)
    assert offramp("secrets", "rotate").out == "0 secrets were encrypted with another key\n"


def test_versions_are_shown_compared_and_brought_back(offramp: Offramp, here: Path) -> None:
    folder = here / "destinations"
    folder.mkdir()
    (folder / "other.yaml").write_text("id: other\n")
    assert offramp("history", "crm") == Done(1, "", "nothing is known of a destination 'crm'\n")
    for text in (ONE, TWO):
        (folder / "crm.yaml").write_text(text)
        assert offramp("history", "crm").code == 0
    diff = offramp("history", "crm", "--diff", "1", "2")
    assert diff.out == (
        "--- crm 1\n+++ crm 2\n@@ -1,2 +1,2 @@\n-id: crm  # one\n+id: crm  # two\n inputs: {url: 'https://a.example/'}\n"
    )
    assert offramp("history", "crm", "--rollback", "1", "--note", "two was wrong") == Done(
        0, "crm is version 3 now\n", ""
    )
    assert (folder / "crm.yaml").read_text() == ONE
    rows = [line.split() for line in offramp("history", "crm").out.splitlines()]
    assert [row[0] for row in rows] == ["version", "1", "2", "3"]
    assert rows[1][-1] == "file"
    assert rows[3][-3:] == ["two", "was", "wrong"]
    last = json.loads(offramp("history", "crm", "--json").out.splitlines()[-1])
    assert (last["number"], last["text"]) == (3, ONE)
    assert offramp("history", "crm", "--rollback", "9") == Done(
        1, "", "destination 'crm' has no version 9: it has 1 to 3\n"
    )


def test_what_does_not_load_comes_back_by_force_only(offramp: Offramp, here: Path) -> None:
    folder = here / "destinations"
    folder.mkdir()
    for text in (ONE + "nam: x\n", ONE):
        (folder / "crm.yaml").write_text(text)
        offramp("history", "crm")
    refused = offramp("history", "crm", "--rollback", "1")
    assert refused.code == 1
    assert refused.err == (
        "destination 'crm': destinations/crm.yaml: nam (3,1): unknown key 'nam'; did you mean 'name'?; "
        "--force goes back all the same\n"
    )
    assert offramp("history", "crm", "--rollback", "1", "--force").out == "crm is version 3 now\n"
