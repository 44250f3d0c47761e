"""Base64 and URL encoding of text, as UTF-8."""

import base64
import re
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

from hog.runtime.errors import Failure
from hog.runtime.limits import check_text
from hog.runtime.text import to_string
from hog.stdlib.registry import function

_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]", re.ASCII)
_NOT_ENCODED: Final = "-_.~!*'()"
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})", re.ASCII)


@function("base64Encode", 1, ("base64Encode('hé')", "'aMOp'"))
def base64_encode(text: Any) -> str | None:
    """The text in base64."""
    return None if text is None else base64.b64encode(to_string(text).encode()).decode()


@function("base64Decode", 1, ("base64Decode('aMOp')", "'hé'"))
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


@function("encodeURLComponent", 1, ("encodeURLComponent('a b&c')", "'a%20b%26c'"))
def encode_url_component(text: Any) -> str | None:
    """The text percent-encoded for one part of a URL."""
    if text is None:
        return None
    text = to_string(text)
    check_text(3 * len(text))
    return quote(text, safe=_NOT_ENCODED)


@function("decodeURLComponent", 1, ("decodeURLComponent('a%20b+c')", "'a b+c'"))
def decode_url_component(text: Any) -> str | None:
    """The text with percent-encoding undone; a malformed one ends the evaluation."""
    decoded = try_decode_url_component(text)
    if decoded is None and text is not None:
        raise Failure("decodeURLComponent: URI malformed")
    return decoded


@function("tryDecodeURLComponent", 1, ("tryDecodeURLComponent('%41')", "'A'"), ("tryDecodeURLComponent('%')", "null"))
def try_decode_url_component(text: Any) -> str | None:
    """The text with percent-encoding undone, null when it is malformed."""
    if text is None or _BAD_ESCAPE.search(to_string(text)):
        return None
    try:
        return unquote_to_bytes(to_string(text)).decode()
    except UnicodeDecodeError:
        return None


def _decoded(text: Any) -> bytes:
    digits = _NOT_BASE64.sub("", to_string(text).partition("=")[0].replace("-", "+").replace("_", "/"))
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return base64.b64decode(digits + "=" * (-len(digits) % 4))
