"""What a file says of certificates."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.pretty import pretty_repr

import catalog
from destinations import Loaded, Secrets, load
from destinations.certificates import CertificateError, files_of, tls_context
from records.hidden import Certificates
from tests.connectors.certificates import Pair, authority, needs_openssl, signed

LoadDelivery = Callable[[str], Loaded]
pytestmark = needs_openssl


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    ca = authority(folder)
    signed(folder, "client", ca)
    signed(folder, "other", ca)
    signed(folder, "locked", ca, password="hunter-2")
    (folder / "junk.pem").write_text("junk")
    (folder / "damaged.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB!\n-----END CERTIFICATE-----\n")
    (folder / "damaged.key").write_text("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n")
    return folder


@pytest.fixture
def load_delivery(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadDelivery:
    """Load a destination with this `delivery`; paths are relative to the folder of certificates."""
    monkeypatch.chdir(folder)
    secrets = {"CERT": (folder / "client.pem").read_text(), "KEY": (folder / "client.key").read_text()}
    secrets |= {"CA": "# ä\n" + (folder / "authority.pem").read_text(), "PASSWORD": "hunter-2", "WRONG": "hunter-3"}
    secrets |= {"LONG": "x" * 2000}

    def loaded(delivery: str) -> Loaded:
        (tmp_path / "crm.yaml").write_text(f"id: crm\ninputs: {{url: 'https://a.b'}}\ndelivery: {{{delivery}}}")
        return load(tmp_path, Secrets(secrets.get), catalog.builtin())

    return loaded


@pytest.mark.parametrize(
    "delivery",
    [
        "client_cert: {cert: client.pem, key: client.key}",
        "client_cert: {cert: client.pem, key: client.key}, ca: authority.pem",
        "client_cert: {cert: '{secrets.CERT}', key: '{secrets.KEY}'}, ca: '{secrets.CA}'",
        "client_cert: {cert: client.pem, key: '{secrets.KEY}'}",
        "client_cert: {cert: locked.pem, key: locked.key, password: '{secrets.PASSWORD}'}",
        "client_cert: {cert: client.pem, key: client.key, password: '{secrets.PASSWORD}'}",
        "ca: authority.pem",
    ],
)
def test_what_can_be_used(load_delivery: LoadDelivery, delivery: str) -> None:
    found = load_delivery(delivery)
    assert [str(problem) for problem in found.problems] == []
    certificates = found.destinations["crm"].policy.certificates
    assert certificates is not None
    context = tls_context(certificates)
    assert (context.check_hostname, context.verify_mode.name) == (True, "CERT_REQUIRED")
    if certificates.ca is not None:
        assert [each["subject"] for each in context.get_ca_certs()] == [((("commonName", "authority"),),)]


def test_without_a_word_there_are_none(load_delivery: LoadDelivery) -> None:
    policy = load_delivery("client_cert: null, ca: null").destinations["crm"].policy
    assert policy.certificates is None


MISSING = "the file cannot be read: No such file or directory"
NO_CERT = "there is no certificate in it, which begins with -----BEGIN CERTIFICATE-----"
NO_KEY = "there is no private key in it, which begins with -----BEGIN PRIVATE KEY-----"
SHUT = "the password does not open the key"


@pytest.mark.parametrize(
    ("delivery", "place", "problem"),
    [
        ("client_cert: {cert: none.pem, key: client.key}", "client_cert.cert", MISSING),
        ("client_cert: {cert: client.pem, key: none.key}", "client_cert.key", MISSING),
        ("client_cert: {cert: ., key: client.key}", "client_cert.cert", "the file cannot be read: Is a directory"),
        ("client_cert: {cert: junk.pem, key: client.key}", "client_cert.cert", NO_CERT),
        ("client_cert: {cert: client.key, key: client.key}", "client_cert.cert", NO_CERT),
        ("client_cert: {cert: client.pem, key: client.pem}", "client_cert.key", NO_KEY),
        ("client_cert: {cert: client.pem, key: other.key}", "client_cert.key",
         "the key does not belong to the certificate"),
        ("client_cert: {cert: client.pem, key: damaged.key}", "client_cert.key",
         "the certificate and its key cannot be used"),
        ("client_cert: {cert: damaged.pem, key: client.key}", "client_cert.key",
         "the certificate and its key cannot be used"),
        ("client_cert: {cert: locked.pem, key: locked.key}", "client_cert.key",
         "the key is encrypted; `password` opens it"),
        ("client_cert: {cert: locked.pem, key: locked.key, password: '{secrets.WRONG}'}", "client_cert.password", SHUT),
        ("client_cert: {cert: locked.pem, key: locked.key, password: '{secrets.LONG}'}", "client_cert.password", SHUT),
        ("client_cert: {cert: client.pem}", "client_cert.key", "key 'key' is missing"),
        ("client_cert: {cert: client.pem, key: client.key, pass: x}", "client_cert.pass",
         "unknown key 'pass'; did you mean 'password'?"),
        ("client_cert: client.pem", "client_cert", "expected a mapping, got text"),
        ("client_cert: {cert: '{event.event}', key: client.key}", "client_cert.cert",
         "`event` differs from event to event, and this is read once for all: only `secrets` can stand here"),
        ("ca: none.pem", "ca", MISSING),
        ("ca: junk.pem", "ca", NO_CERT),
        ("ca: damaged.pem", "ca", "a certificate in it is damaged"),
        ("ca: \"\\0\"", "ca", "the file cannot be read: no file has such a name"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_load(load_delivery: LoadDelivery, delivery: str, place: str, problem: str) -> None:
    [found] = load_delivery(delivery).problems
    assert found.path == f"delivery.{place}"
    assert found.message.startswith(problem)
    assert not any(secret in str(found) for secret in ("hunter-", "MIIB"))


def test_nothing_of_them_shows(load_delivery: LoadDelivery, folder: Path) -> None:
    delivery = "client_cert: {cert: '{secrets.CERT}', key: '{secrets.KEY}', password: hunter-4}"
    made = load_delivery(delivery).destinations["crm"]
    for shown in (repr(made.policy), f"{made.policy.certificates}", pretty_repr(made.policy)):
        assert "BEGIN" not in shown
        assert "hunter-4" not in shown
    key = (folder / "client.key").read_text()
    assert made.redact(f"hunter-4 {key.strip()}") == "*** ***"


def test_only_paths_are_files(folder: Path) -> None:
    pair = Pair(folder / "client.pem", folder / "client.key")
    certificates = Certificates(pair.cert.read_text(), str(pair.key), ca="ca.pem")
    assert files_of(certificates) == [pair.key, Path("ca.pem")]


def test_where_there_is_no_memory_file_a_private_one_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.memfd_create", raising=False)
    tls_context(Certificates(str(folder / "client.pem"), str(folder / "client.key")))
    with pytest.raises(CertificateError, match="does not belong"):
        tls_context(Certificates(str(folder / "client.pem"), str(folder / "other.key")))
