"""Digests and keyed digests of text, as UTF-8."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

from hog.runtime.errors import Failure
from hog.stdlib.arguments import is_array, string_of, text_of, utf8_of, walked
from hog.stdlib.registry import function

_ENCODINGS: Final[dict[str, Callable[[bytes], str]]] = {
    "hex": bytes.hex,
    "base64": lambda digest: base64.b64encode(digest).decode(),
    "base64url": lambda digest: base64.urlsafe_b64encode(digest).decode().rstrip("="),
    "binary": lambda digest: digest.decode("latin-1"),
}


@function("md5Hex", 1, ("md5Hex('a')", "'0cc175b9c0f1b6a831c399e269772661'"), ("md5Hex(null)", "null"))
def md5_hex(text: Any) -> str | None:
    """The MD5 digest in hexadecimal."""
    return _digest("md5", text, "hex")


@function("sha1Hex", 1, ("sha1Hex('a')", "'86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'"))
def sha1_hex(text: Any) -> str | None:
    """The SHA-1 digest in hexadecimal."""
    return _digest("sha1", text, "hex")


@function("sha256Hex", 1, ("substring(sha256Hex('a'), 1, 8)", "'ca978112'"))
def sha256_hex(text: Any) -> str | None:
    """The SHA-256 digest in hexadecimal."""
    return _digest("sha256", text, "hex")


@function("md5", (1, 2), ("md5('a', 'base64')", "'DMF1ucDxtqgxw5niaXcmYQ=='"))
def md5(text: Any, encoding: Any = "hex") -> str | None:
    """The MD5 digest as `hex`, `base64`, `base64url` or `binary`."""
    return _digest("md5", text, encoding)


@function("sha1", (1, 2), ("sha1('a', 'base64url')", "'hvfkN_qlp_zhXR3cuerq6jd2Z7g'"))
def sha1(text: Any, encoding: Any = "hex") -> str | None:
    """The SHA-1 digest as `hex`, `base64`, `base64url` or `binary`."""
    return _digest("sha1", text, encoding)


@function("sha256", (1, 2), ("substring(sha256('a'), 1, 8)", "'ca978112'"))
def sha256(text: Any, encoding: Any = "hex") -> str | None:
    """The SHA-256 digest as `hex`, `base64`, `base64url` or `binary`."""
    return _digest("sha256", text, encoding)


@function("sha1HmacChainHex", 1, ("substring(sha1HmacChainHex(['key', 'a']), 1, 8)", "'0db21f05'"))
def sha1_hmac_chain_hex(items: Any) -> str | None:
    """HMAC-SHA-1 in hexadecimal: the first item is the key, each digest the key for the next item."""
    return _chain("sha1", items, "hex")


@function("sha256HmacChainHex", 1, ("substring(sha256HmacChainHex(['key', 'a']), 1, 8)", "'780c3db4'"))
def sha256_hmac_chain_hex(items: Any) -> str | None:
    """HMAC-SHA-256 in hexadecimal: the first item is the key, each digest the key for the next item."""
    return _chain("sha256", items, "hex")


@function("sha1HmacChain", (1, 2), ("substring(sha1HmacChain(['key', 'a']), 1, 8)", "'0db21f05'"))
def sha1_hmac_chain(items: Any, encoding: Any = "hex") -> str | None:
    """As `sha1HmacChainHex`, in any encoding."""
    return _chain("sha1", items, encoding)


@function("sha256HmacChain", (1, 2), ("substring(sha256HmacChain(['key', 'a']), 1, 8)", "'780c3db4'"))
def sha256_hmac_chain(items: Any, encoding: Any = "hex") -> str | None:
    """As `sha256HmacChainHex`, in any encoding."""
    return _chain("sha256", items, encoding)


def _digest(algorithm: str, text: Any, encoding: Any) -> str | None:
    if text is None:
        return None
    data = utf8_of(text_of(algorithm, text))
    return _encoded(hashlib.new(algorithm, data, usedforsecurity=False).digest(), encoding)


def _chain(algorithm: str, items: Any, encoding: Any) -> str | None:
    if not is_array(items) or len(items) < 2:
        raise Failure("Data array must contain at least two elements.")
    key = None
    for item in walked(items):
        data = utf8_of(string_of(item))
        key = data if key is None else hmac.digest(key, data, algorithm)
    return _encoded(key or b"", encoding)


def _encoded(digest: bytes, encoding: Any) -> str | None:
    encode = _ENCODINGS.get(encoding or "hex") if encoding is None or isinstance(encoding, str) else None
    return encode(digest) if encode else None
