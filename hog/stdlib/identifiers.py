"""E-mail addresses and phone numbers as ad networks match them: brought into one form, then hashed with SHA-256.

A value that is hashed already is kept, so that a program need not know who hashed it. What is no address or number is
null: a hash of it would match nobody, or somebody else.

Source: each vendor's own description of its form, as of 2026-11.
* Meta, "Customer Information Parameters" of the Conversions API: e-mail, and phone as `digits`.
* Google, "Format user data" of the Data Manager API: `google`, and phone as `e164`.
* Microsoft, "Conversions API (CAPI) Guide" of Microsoft Advertising: `microsoft`, and phone as `e164`.
* Reddit, "Manual Advanced Matching": `reddit`, and phone as `e164`.
"""

import hashlib
import re
from typing import Any, Final

from hog.runtime.errors import Failure
from hog.runtime.text import to_string
from hog.stdlib.arguments import copied_of, utf8_of
from hog.stdlib.registry import function

_HASHED: Final = re.compile(r"[0-9a-fA-F]{64}")
_NO_DIGIT: Final = re.compile(r"[^0-9]+")
_BLANKS: Final = re.compile(r"\s+")
_NOT_OF_A_NAME: Final = re.compile(r"[\W_]+")
_EMAIL_FORMS: Final = ("google", "microsoft", "reddit")
_GMAIL: Final = frozenset({"gmail.com", "googlemail.com"})
_LONGEST_NUMBER: Final = 15
"""Digits of a number with its country code, by E.164."""


@function(
    "hashedEmail",
    (1, 2),
    ("hashedEmail('John_Smith@gmail.com')", "'62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f'"),
    (
        "hashedEmail('cloudy.sanfrancisco+shopping@gmail.com', 'google') = sha256Hex('cloudysanfrancisco@gmail.com')",
        "true",
    ),
    ("hashedEmail('user.name+NYC@Example.com', 'google') = sha256Hex('user.name+nyc@example.com')", "true"),
    (
        "hashedEmail('Al.ice$+Apple@Example.Com', 'reddit')",
        "'ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976'",
    ),
    ("hashedEmail('nobody')", "null"),
)
def hashed_email(text: Any, form: Any = None) -> str | None:
    """The SHA-256 of an address in lower case; `google`, `microsoft` and `reddit` each have a form of their own."""
    if form not in (None, *_EMAIL_FORMS):
        raise Failure(f"hashedEmail knows the forms {', '.join(map(repr, _EMAIL_FORMS))}")
    if not isinstance(text, str):
        return None
    given = copied_of("hashedEmail", text).strip()
    if _HASHED.fullmatch(given):
        return given
    address = given.lower() if form is None else _BLANKS.sub("", given.lower())
    name, at, host = address.rpartition("@")
    if form in ("microsoft", "reddit") or (form == "google" and host in _GMAIL):
        name = name.partition("+")[0].replace(".", "")
    if form == "reddit":
        name = _NOT_OF_A_NAME.sub("", name)
    return _sha256(f"{name}{at}{host}") if name and host else None


@function(
    "hashedPhone",
    (1, 2),
    ("hashedPhone('1 (650)555-1212')", "'e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176'"),
    ("hashedPhone('1 (800)555-0100', 'e164') = sha256Hex('+18005550100')", "true"),
    ("hashedPhone('0049 176 54648789', 'e164') = sha256Hex('+4917654648789')", "true"),
    ("hashedPhone('020 7946 0000', 'e164')", "null"),
    ("hashedPhone('none')", "null"),
)
def hashed_phone(text: Any, form: Any = None) -> str | None:
    """The SHA-256 of a number with its country code: of its digits, or, in the form `e164`, of `+` and its digits."""
    if form not in (None, "digits", "e164"):
        raise Failure("hashedPhone knows the forms 'digits' and 'e164'")
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return None
    if isinstance(text, float) and not text.is_integer():
        return None
    given = copied_of("hashedPhone", to_string(text)).strip()
    if _HASHED.fullmatch(given):
        return given
    written = _NO_DIGIT.sub("", given.replace("(0)", ""))
    digits = written.lstrip("0")
    if not digits or len(digits) > _LONGEST_NUMBER:
        return None
    if form == "e164" and len(written) == len(digits) + 1:
        return None  # A single zero leads a number within its country, and which one that is nobody says.
    return _sha256(f"+{digits}" if form == "e164" else digits)


def _sha256(text: str) -> str:
    return hashlib.sha256(utf8_of(text), usedforsecurity=False).hexdigest()
