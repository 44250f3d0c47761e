"""TLS: whose certificates are trusted, what is said where one is not, and certificates of the client."""

import logging
import shutil
import ssl
from pathlib import Path

import pytest

from connectors.http import HttpTransport
from records import ErrorKind, Policy
from records.hidden import Certificates, Proxy
from tests.connectors.certificates import Pair, authority, needs_openssl, signed
from tests.connectors.sending import LOOPBACK, invocation, one, running
from tests.proxy import TunnelProxy
from tests.receiver import Receiver

pytestmark = needs_openssl


class Made:
    """Certificates for the tests of this file."""

    def __init__(self, folder: Path) -> None:
        self.ca = authority(folder)
        self.stranger = authority(folder, "stranger")
        self.server = signed(folder, "server", self.ca)
        self.ada = signed(folder, "ada", self.ca)
        self.bob = signed(folder, "bob", self.ca)
        self.mallory = signed(folder, "mallory", self.stranger)
        self.expired = signed(folder, "expired", self.ca, days=-1)
        self.elsewhere = signed(folder, "elsewhere", self.ca, alt="DNS:elsewhere.example,IP:127.0.0.9")
        self.crm = signed(folder, "crm", self.ca, alt="DNS:crm.example")

    def policy(self, client: Pair | None = None, ca: Pair | None = None, proxy: Proxy | None = None) -> Policy:
        trusted = str((ca or self.ca).cert)
        pair = (None, None) if client is None else (str(client.cert), str(client.key))
        return Policy(certificates=Certificates(*pair, ca=trusted), proxy=proxy, timeout_s=5)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("tls"))


TRUST = "if it is the right one, trust its issuer by `delivery.ca`"


def test_a_private_authority_is_trusted_for_its_destination_alone(transport: HttpTransport, made: Made) -> None:
    with Receiver(tls=made.server.server()) as receiver:
        for policy in (made.policy(), Policy(), made.policy(), made.policy(ca=made.stranger)):
            attempt = one(transport, invocation(receiver.url), policy)
            if policy.certificates is not None and policy.certificates.ca == str(made.ca.cert):
                assert attempt.error is None
            else:
                # Also where a connection that was made with another authority is there to be used again.
                assert (attempt.error, attempt.detail) == (
                    ErrorKind.CONNECT,
                    f"The certificate of {receiver.url} was not accepted: unable to get local issuer certificate;"
                    f" {TRUST}, or have the server send the whole chain.",
                )
        assert {request.connection for request in receiver.requests} == {1}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("expired", "certificate has expired; it has to be renewed there"),
        (
            "elsewhere",
            "IP address mismatch, certificate is not valid for '127.0.0.1'; write the name that it is for into the URL",
        ),
    ],
)
def test_a_certificate_that_is_not_accepted(transport: HttpTransport, made: Made, name: str, reason: str) -> None:
    pair: Pair = getattr(made, name)
    with Receiver(tls=pair.server()) as receiver:
        attempt = one(transport, invocation(receiver.url + "/?key=s3cret"), made.policy())
        assert (attempt.error, attempt.detail) == (
            ErrorKind.CONNECT,
            f"The certificate of {receiver.url} was not accepted: {reason}.",
        )
        assert receiver.requests == []


def test_a_self_signed_certificate_is_trusted_only_where_that_is_said(transport: HttpTransport, tmp_path: Path) -> None:
    own = authority(tmp_path, "own")
    with Receiver(tls=own.server()) as receiver:
        attempt = one(transport, invocation(receiver.url))
        assert (attempt.error, attempt.detail) == (
            ErrorKind.CONNECT,
            f"The certificate of {receiver.url} was not accepted: self-signed certificate; {TRUST}.",
        )
    trusting = HttpTransport(allow=LOOPBACK, tls=_trusting_without_names(own))
    with Receiver(tls=own.server()) as receiver, running(trusting) as sender:
        assert one(sender, invocation(receiver.url)).error is None


def _trusting_without_names(pair: Pair) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pair.cert))
    context.check_hostname = False
    return context


def test_a_client_shows_its_certificate(transport: HttpTransport, made: Made) -> None:
    texts = Certificates(made.ada.cert.read_text(), made.ada.key.read_text(), ca=made.ca.cert.read_text())
    with Receiver(tls=made.server.server(clients_of=made.ca)) as receiver:
        for policy in (made.policy(made.ada), Policy(certificates=texts)):
            assert one(transport, invocation(receiver.url), policy).error is None
        assert [request.client for request in receiver.requests] == ["ada", "ada"]


def test_destinations_with_other_certificates_share_no_connection(transport: HttpTransport, made: Made) -> None:
    with Receiver(tls=made.server.server(clients_of=made.ca)) as receiver:
        for client in (made.ada, made.bob, made.bob, made.ada, made.ada):
            assert one(transport, invocation(receiver.url), made.policy(client)).error is None
        seen = [(request.client, request.connection) for request in receiver.requests]
        assert seen == [("ada", 1), ("bob", 2), ("bob", 2), ("ada", 1), ("ada", 1)]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_is_said_where_a_client_is_not_accepted(
    transport: HttpTransport, made: Made, version: ssl.TLSVersion
) -> None:
    server = made.server.server(clients_of=made.ca)
    server.minimum_version = server.maximum_version = version
    with Receiver(tls=server) as receiver:
        without = one(transport, invocation(receiver.url), made.policy())
        wrong = one(transport, invocation(receiver.url), made.policy(made.mallory))
        right = one(transport, invocation(receiver.url), made.policy(made.ada))
    assert without.detail.endswith("; if it wants a client certificate, name one in `delivery.client_cert`.")
    assert wrong.detail.endswith("; check that it accepts the certificate in `delivery.client_cert`.")
    assert right.error is None
    assert receiver.requests[0].client == "ada"


def test_a_client_shows_its_certificate_through_a_proxy(transport: HttpTransport, made: Made) -> None:
    server = made.crm.server(clients_of=made.ca)
    with Receiver(tls=server) as receiver, TunnelProxy({"crm.example:443": receiver.port}) as proxy:
        way = Proxy("127.0.0.1", proxy.port)
        for client in (made.ada, made.bob, made.ada):
            attempt = one(transport, invocation("https://crm.example/"), made.policy(client, proxy=way))
            assert attempt.error is None
        assert [request.client for request in receiver.requests] == ["ada", "bob", "ada"]
        assert len(proxy.heads) == 2


def copied(pair: Pair, folder: Path) -> Pair:
    there = Pair(folder / "tls.crt", folder / "tls.key")
    shutil.copy(pair.cert, there.cert)
    shutil.copy(pair.key, there.key)
    return there


def test_changed_files_are_taken_up_by_new_connections(
    transport: HttpTransport,
    made: Made,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("connectors.http_tls._LOOK_EVERY_S", 0.0)
    policy = made.policy(copied(made.ada, tmp_path))
    with Receiver(tls=made.server.server(clients_of=made.ca)) as receiver:

        def client() -> str | None:
            assert one(transport, invocation(receiver.url), policy).error is None
            return receiver.requests[-1].client

        assert [client(), client()] == ["ada", "ada"]
        shutil.copy(made.bob.cert, tmp_path / "tls.crt")
        with caplog.at_level(logging.WARNING):
            assert client() == "ada"
        assert [record.getMessage() for record in caplog.records] == [
            "A changed file of certificates is not taken up, the one before stays: delivery.client_cert.key: the key"
            " does not belong to the certificate"
        ]
        shutil.copy(made.bob.key, tmp_path / "tls.key")
        assert [client(), client()] == ["bob", "bob"]
        (tmp_path / "tls.key").unlink()
        assert client() == "bob"


def test_files_that_are_gone_when_they_are_needed(transport: HttpTransport, made: Made, tmp_path: Path) -> None:
    there = Pair(tmp_path / "tls.crt", tmp_path / "tls.key")
    with Receiver(tls=made.server.server(clients_of=made.ca)) as receiver:
        attempt = one(transport, invocation(receiver.url), made.policy(there))
        assert (attempt.error, attempt.detail) == (
            ErrorKind.CONNECT,
            f"{receiver.url} was not contacted: delivery.client_cert.cert: the file cannot be read: No such file or"
            " directory.",
        )
        copied(made.ada, tmp_path)
        assert one(transport, invocation(receiver.url), made.policy(there)).error is None


def test_files_are_not_looked_at_for_each_request(
    transport: HttpTransport, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[object] = []
    monkeypatch.setattr("connectors.http_tls.files_of", lambda certificates: looks.append(certificates) or [])
    with Receiver(tls=made.server.server(clients_of=made.ca)) as receiver:
        for _ in range(10):
            one(transport, invocation(receiver.url), made.policy(made.ada))
    assert len(looks) == 1
