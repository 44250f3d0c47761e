"""Certificates for tests, made by openssl: an authority, and what it signs."""

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


class Pair(NamedTuple):
    """A certificate and its key, as files."""

    cert: Path
    key: Path

    def server(self, *, clients_of: "Pair | None" = None) -> ssl.SSLContext:
        """For a server that has this certificate and, where an authority is given, asks clients for one of it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        if clients_of is not None:
            context.load_verify_locations(clients_of.cert)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def authority(folder: Path, name: str = "authority") -> Pair:
    """A private authority."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    _openssl("req", "-x509", *_KEY, "-noenc", "-keyout", pair.key, "-out", pair.cert, "-subj", f"/CN={name}")
    return pair


def signed(folder: Path, name: str, by: Pair, *, alt: str = "IP:127.0.0.1", password: str = "", days: int = 30) -> Pair:
    """A certificate of an authority; `alt` are the names that it is for."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    hidden = ("-passout", f"pass:{password}") if password else ("-noenc",)
    _openssl("req", "-new", *_KEY, *hidden, "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}")
    extensions.write_text(f"subjectAltName={alt}")
    issuer = ("-CA", by.cert, "-CAkey", by.key, "-CAcreateserial")
    _openssl("x509", "-req", "-in", request, *issuer, "-out", pair.cert, "-extfile", extensions, "-days", str(days))
    return pair


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
