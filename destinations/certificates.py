"""The certificates of a destination: what its file says of them, and a TLS context with them.

A value is PEM text where it holds `-----BEGIN`, as a secret does that was put into the environment; else it is the path
of a file. Nothing of what is read stands in an error.
"""

import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from catalog.yaml_file import Steps
from destinations.report import Report
from destinations.spec import DeliverySpec
from destinations.templates import TextCompiler
from records.hidden import Certificates

_PEM: Final = "-----BEGIN "
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL | re.ASCII)
_KEY: Final = re.compile(r"-----BEGIN ([A-Z]+ )*PRIVATE KEY-----.+?-----END ([A-Z]+ )*PRIVATE KEY-----", re.DOTALL)
_ENCRYPTED: Final = re.compile(r"BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED")
_MOST_BYTES: Final = 4 * 1024 * 1024
"""More than the certificates of all authorities there are."""
_CERT: Final[Steps] = ("client_cert", "cert")
_KEY_AT: Final[Steps] = ("client_cert", "key")
_PASSWORD: Final[Steps] = ("client_cert", "password")
_CA: Final[Steps] = ("ca",)


class CertificateError(ValueError):
    """A certificate or a key cannot be used; `path` says which one, below `delivery`."""

    def __init__(self, path: Steps, message: str) -> None:
        """`message` holds nothing of what was read."""
        super().__init__(message)
        self.path = path


def compile_certificates(delivery: DeliverySpec, texts: TextCompiler, report: Report) -> Certificates | None:
    """The certificates that the file speaks of, tried once; what is wrong goes to the report."""
    own = delivery.client_cert
    given = {_CA: delivery.ca}
    if own is not None:
        given |= {_CERT: own.cert, _KEY_AT: own.key, _PASSWORD: own.password}
    read = {
        path: texts.setting(text, ("delivery", *path)) if text is not None else None for path, text in given.items()
    }
    if not any(given.values()) or any(report.has_problem_at(("delivery", *path)) for path in given):
        return None
    texts.masked |= {text.strip() for path, text in read.items() if text and (path == _PASSWORD or _PEM in text)}
    certificates = Certificates(read.get(_CERT), read.get(_KEY_AT), read.get(_PASSWORD), read.get(_CA))
    try:
        add_certificates(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificates)
    except CertificateError as error:
        report.at(("delivery", *error.path), str(error))
    return certificates


def tls_context(certificates: Certificates) -> ssl.SSLContext:
    """A client's context with the certificates as they are now; raises CertificateError. It may take 20 ms."""
    context = ssl.create_default_context() if certificates.ca is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    add_certificates(context, certificates)
    return context


def files_of(certificates: Certificates) -> list[Path]:
    """The files that are read."""
    texts = (certificates.cert, certificates.key, certificates.ca)
    return [Path(text) for text in texts if text is not None and _PEM not in text]


def add_certificates(context: ssl.SSLContext, certificates: Certificates) -> None:
    """Read the certificates into a context; raises CertificateError."""
    if certificates.ca is not None:
        found = _CERTIFICATE.findall(_pem(certificates.ca, _CA))
        if not found:
            raise CertificateError(_CA, "there is no certificate in it, which begins with -----BEGIN CERTIFICATE-----")
        try:
            context.load_verify_locations(cadata="\n".join(found))
        except ssl.SSLError:
            raise CertificateError(_CA, "a certificate in it is damaged") from None
    if certificates.cert is not None and certificates.key is not None:
        _add_own(context, certificates.cert, certificates.key, certificates.password)


def _add_own(context: ssl.SSLContext, cert: str, key: str, password: str | None) -> None:
    chain = _CERTIFICATE.findall(_pem(cert, _CERT))
    if not chain:
        raise CertificateError(_CERT, "there is no certificate in it, which begins with -----BEGIN CERTIFICATE-----")
    found = _KEY.search(_pem(key, _KEY_AT))
    if found is None:
        raise CertificateError(_KEY_AT, "there is no private key in it, which begins with -----BEGIN PRIVATE KEY-----")
    if _ENCRYPTED.search(found[0]) and not password:
        raise CertificateError(_KEY_AT, "the key is encrypted; `password` opens it")
    with _as_file("\n".join((found[0], *chain, ""))) as path:
        try:
            # Never without a password: OpenSSL would ask for one on the terminal.
            context.load_cert_chain(path, password=password or "")
        except ssl.SSLError as error:
            raise _explained(error, encrypted=bool(password)) from None
        except ValueError:  # longer than OpenSSL takes
            raise CertificateError(_PASSWORD, "the password does not open the key") from None


def _explained(error: ssl.SSLError, encrypted: bool) -> CertificateError:
    if error.reason == "KEY_VALUES_MISMATCH":
        return CertificateError(_KEY_AT, "the key does not belong to the certificate")
    if encrypted and error.reason in ("BAD_DECRYPT", "BAD_PASSWORD_READ", "BAD_END_LINE", None):
        return CertificateError(_PASSWORD, "the password does not open the key")
    return CertificateError(_KEY_AT, f"the certificate and its key cannot be used ({error.reason or 'damaged'})")


def _pem(text: str, path: Steps) -> str:
    if _PEM in text:
        return text
    try:
        with Path(text).open("rb") as file:
            return file.read(_MOST_BYTES).decode("ascii", "replace")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise CertificateError(path, f"the file cannot be read: {reason}") from None


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """The text as a file, which Python's TLS wants: in memory where the system can, else for this user's eyes alone."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        descriptor = os.memfd_create("pem")
        try:
            os.write(descriptor, text.encode("ascii", "replace"))
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(text)
        file.flush()
        yield file.name
