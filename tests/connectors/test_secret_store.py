"""Secrets that people enter: what the file holds, who can open it, and what is said when somebody cannot."""

import base64
import os
import sqlite3
import traceback
from pathlib import Path

import pytest

from connectors.secret_store import FILE, SecretStore, SecretStoreError, StoredSecret, key_id, read_keys
from connectors.state_file import StateFileError
from records.hidden import StoreKeys

OLD, NEW = StoreKeys((b"o" * 32,)), StoreKeys((b"n" * 32,))
BOTH = StoreKeys((*NEW.keys, *OLD.keys))
VALUE = "hunter2-hunter2"
NO_NAME = "that is no name for a secret: it is of letters, digits and _, as in {secrets.CRM_TOKEN}"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_what_is_set_is_listed_without_its_value_and_opened_with_it(state: Path) -> None:
    with SecretStore(state, OLD, lambda: 5.0) as store:
        assert (store.listed(), store.delete("CRM"), store.open_all().values) == ([], False, {})
        assert not state.exists()
        store.set("CRM", VALUE, "ada")
        store.set("ADS", "é\n", "bob")
        assert store.listed() == [
            StoredSecret(name, 5.0, by, key_id(OLD.keys[0])) for name, by in (("ADS", "bob"), ("CRM", "ada"))
        ]
    with SecretStore(state, OLD) as other:
        assert other.open_all().values == {"ADS": "é\n", "CRM": VALUE}
        assert other.delete("ADS")
        assert [one.name for one in other.listed()] == ["CRM"]


def test_nothing_of_a_value_is_in_the_files_which_only_their_owner_reads(state: Path) -> None:
    store = SecretStore(state, OLD)
    store.set("CRM", VALUE, "ada")
    for file in state.iterdir():
        assert VALUE.encode() not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0
    for shown in (repr(store), repr(store.open_all()), repr(OLD), str(store.listed())):
        assert VALUE not in shown
        assert "ooo" not in shown
    store.close()


def test_another_process_sees_what_was_written(state: Path) -> None:
    reader, writer = SecretStore(state, OLD), SecretStore(state, OLD)
    seen = {reader.version()}
    writer.set("CRM", "a", "ada")
    for _ in range(2):
        seen.add(reader.version())
        assert reader.version() in seen
    assert len(seen) == 2
    writer.set("CRM", "b", "ada")
    assert reader.version() not in seen
    writer.close()
    for file in state.iterdir():
        file.unlink()
    assert reader.version() == ()
    reader.close()


def test_without_a_key_names_can_be_listed_and_deleted_and_nothing_else(state: Path) -> None:
    with SecretStore(state, OLD) as store:
        store.set("CRM", VALUE, "ada")
    with SecretStore(state) as store:
        assert [one.name for one in store.listed()] == ["CRM"]
        opened = store.open_all()
        assert (opened.values, opened.closed) == (
            {},
            {"CRM": f"OFFRAMP_SECRETS_KEY is not set, and {state / FILE} holds secrets: set it"},
        )
        with pytest.raises(SecretStoreError, match="OFFRAMP_SECRETS_KEY is not set: secrets are stored encrypted"):
            store.set("CRM", VALUE, "ada")
        assert store.delete("CRM")


def test_a_wrong_key_is_told_and_names_no_secret(state: Path) -> None:
    with SecretStore(state, OLD) as store:
        store.set("CRM", VALUE, "ada")
    with SecretStore(state, NEW) as store:
        (reason,) = store.open_all().closed.values()
        assert reason == (
            f"{state / FILE} holds secrets that were encrypted with another key ({key_id(OLD.keys[0])}) than "
            f"OFFRAMP_SECRETS_KEY has ({key_id(NEW.keys[0])}): give that key as well, behind the new one and a comma, "
            "or delete what it was for"
        )
        with pytest.raises(SecretStoreError) as refused:
            store.set("ADS", "other", "ada")
        assert str(refused.value) == reason
        store.set("CRM", "anew", "ada")  # The only one may be replaced: nothing is left of the other key.
        assert store.open_all().values == {"CRM": "anew"}


def test_keys_are_rotated(state: Path) -> None:
    with SecretStore(state, OLD) as store:
        store.set("CRM", VALUE, "ada")
        store.set("ADS", "2", "bob")
    with SecretStore(state, BOTH) as store:
        assert store.open_all().values == {"CRM": VALUE, "ADS": "2"}
        store.set("ADS", "3", "bob")
        before = store.listed()
        assert (store.rotate(), store.rotate()) == (1, 0)
        assert [(one.name, one.at, one.author) for one in store.listed()] == [
            (one.name, one.at, one.author) for one in before
        ]
    with SecretStore(state, NEW) as store:
        assert store.open_all().values == {"CRM": VALUE, "ADS": "3"}


def test_a_value_cannot_be_passed_off_as_another_secret(state: Path) -> None:
    with SecretStore(state, OLD) as store:
        store.set("CRM", VALUE, "ada")
        store.set("ADS", "2", "ada")
    with sqlite3.connect(state / FILE) as connection:
        connection.execute("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'CRM')")
    with SecretStore(state, OLD) as store:
        opened = store.open_all()
        assert opened.values == {"CRM": VALUE}
        assert opened.closed == {"ADS": f"{state / FILE} is damaged: a secret in it cannot be opened; set them anew"}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("a-b", "x", NO_NAME),
        ("hunter2 hunter2", "x", NO_NAME),
        ("OFFRAMP_X", "x", "OFFRAMP_X: names that begin with OFFRAMP_ are the job's own settings"),
        ("CRM", "", "CRM: the value is empty; delete it if it is not to be there"),
        ("CRM", "h" * 70_000, "CRM: the value is larger than 64 KiB"),
        ("CRM", "h\ud800", "CRM: a secret is text in UTF-8"),
    ],
)  # fmt: skip
def test_what_is_refused(state: Path, name: str, value: str, says: str) -> None:
    with pytest.raises(SecretStoreError) as refused:
        SecretStore(state, OLD).set(name, value, "ada")
    assert str(refused.value) == says
    assert "hhh" not in "".join(traceback.format_exception(refused.value))


def test_keys_are_read_and_mistakes_in_them_are_not_repeated() -> None:
    first, second = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    assert len(read_keys(f" {first}, {second}\n{first}").keys) == 2
    for text in ("", "secret", f"{first},c2hvcnQ=", "é" * 44):
        with pytest.raises(
            ValueError, match=r"key [12] is not 32 bytes in base64; `openssl rand -base64 32` makes one"
        ) as bad:
            read_keys(text)
        assert "secret" not in str(bad.value)


def test_a_file_of_another_version_or_that_is_none_is_refused(state: Path) -> None:
    with SecretStore(state, OLD) as store:
        store.set("CRM", VALUE, "ada")
    with sqlite3.connect(state / FILE) as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(StateFileError, match=r"made by a newer Offramp \(schema 9, this one knows 1\)"):
        SecretStore(state, OLD).listed()
    other = state / "other"
    other.mkdir()
    (other / FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(StateFileError, match=r"file is not a database; see that it can be written to"):
        SecretStore(other, OLD).listed()


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateFileError, match=r"see that it can be written to"):
        SecretStore(tmp_path / "file" / "state", OLD).set("CRM", VALUE, "ada")
