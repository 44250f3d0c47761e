"""Base64 and URL encoding of text, as UTF-8."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, Final

from hog.runtime.errors import Failure
from hog.runtime.limits import FEW, check_text, spend
from hog.stdlib.arguments import string_of, utf8_of
from hog.stdlib.registry import function

_FROM_URL_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")
_NOT_BASE64: Final = bytes(byte for byte in range(256) if not re.match(rb"[A-Za-z0-9+/_-]", bytes([byte])))
_ENCODED: Final = re.compile(r"[^A-Za-z0-9\-_.~!*'()]+", re.ASCII)
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})", re.ASCII)
_PART: Final = 8192
_CHAR_UNITS: Final = 8
"""What encoding a character takes when every second one has to be encoded."""


@function(
    "base64Encode", 1, ("base64Encode('hé')", "'aMOp'"), ("base64Encode(12)", "'MTI='"), ("base64Encode(null)", "null")
)
def base64_encode(text: Any) -> str | None:
    """The text in base64."""
    if text is None:
        return None
    data = utf8_of(string_of(text))
    check_text(2 * len(data))
    return base64.b64encode(data).decode()


@function("base64Decode", 1, ("base64Decode('aMOp')", "'hé'"), ("base64Decode('_-8')", "'\ufffd\ufffd'"))
def base64_decode(text: Any) -> str | None:
    """The text that base64 holds; missing padding and the URL alphabet are accepted, bad UTF-8 becomes U+FFFD."""
    return None if text is None else _decoded(text).decode("utf-8", "replace")


@function("tryBase64Decode", 1, ("tryBase64Decode('aMOp')", "'hé'"), ("tryBase64Decode('/w==')", "''"))
def try_base64_decode(text: Any) -> str:
    """The text that base64 holds, empty when it holds none."""
    try:
        return "" if text is None else _decoded(text).decode()
    except UnicodeDecodeError:
        return ""


@function(
    "encodeURLComponent",
    1,
    ("encodeURLComponent('a b&c')", "'a%20b%26c'"),
    ("encodeURLComponent('é!~')", "'%C3%A9!~'"),
    ("encodeURLComponent(null)", "null"),
)
def encode_url_component(text: Any) -> str | None:
    """The text percent-encoded for one part of a URL."""
    if text is None:
        return None
    text = string_of(text)
    if len(text) <= FEW:
        return _ENCODED.sub(_percent, text)
    check_text(3 * len(text))
    return "".join(_encoded_parts(text))


@function(
    "decodeURLComponent", 1, ("decodeURLComponent('a%20b+c')", "'a b+c'"), ("decodeURLComponent('%C3%A9')", "'é'")
)
def decode_url_component(text: Any) -> str | None:
    """The text with percent-encoding undone; a malformed one ends the evaluation."""
    decoded = try_decode_url_component(text)
    if decoded is None and text is not None:
        raise Failure("decodeURLComponent: URI malformed")
    return decoded


@function(
    "tryDecodeURLComponent",
    1,
    ("tryDecodeURLComponent('%41')", "'A'"),
    ("tryDecodeURLComponent('%')", "null"),
    ("tryDecodeURLComponent('%FF')", "null"),
)
def try_decode_url_component(text: Any) -> str | None:
    """The text with percent-encoding undone, null when it is malformed."""
    if text is None:
        return None
    text = string_of(text)
    if _BAD_ESCAPE.search(text):
        return None
    # Quoted-printable is the same with another sign, and Python decodes that one without a loop in Python.
    data = utf8_of(text).replace(b"=", b"=3D").replace(b"%", b"=")
    try:
        return binascii.a2b_qp(data).decode()
    except UnicodeDecodeError:
        return None


def _decoded(text: Any) -> bytes:
    data = utf8_of(string_of(text).partition("=")[0]).translate(_FROM_URL_ALPHABET, _NOT_BASE64)
    if len(data) % 4 == 1:
        data = data[:-1]
    return base64.b64decode(data + b"=" * (-len(data) % 4))


def _percent(match: re.Match[str]) -> str:
    return "%" + match[0].encode().hex("%").upper()


def _encoded_parts(text: str) -> Iterator[str]:
    """In parts, so that neither time nor memory runs away in one of them."""
    for start in range(0, len(text), _PART):
        part = text[start : start + _PART]
        spend(len(part) * _CHAR_UNITS)
        yield _ENCODED.sub(_percent, part)
