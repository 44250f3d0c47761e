"""Secrets: looked up once at load, and kept out of every text that leaves this process other than in a request."""

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, overload
from urllib.parse import quote, quote_plus

from hog.json_text import without_lone_surrogates

MASK = "***"
# A value this short stands in ordinary text by chance ("on", "7"): it is masked only where it is a word of its own.
SHORT = 4


class Secrets:
    """Where secrets come from. What the lookup has is never listed, only asked for by name."""

    def __init__(self, lookup: Callable[[str], str | None], why: Callable[[str], str] | None = None) -> None:
        """`lookup` answers None for a name that is not set; `why` then says what is the matter, if it knows better."""
        self._lookup = lookup
        self._why = why

    def get(self, name: str) -> str | None:
        """The value, or None if it is not set or empty. Bytes of it that are not UTF-8 become U+FFFD."""
        value = self._lookup(name)
        return without_lone_surrogates(value) if value else None

    def at_once(self) -> "Secrets":
        """The same secrets, each looked up once: for one look at many files. It is not to be kept."""
        return Secrets(lru_cache(maxsize=None)(self.get), self._why)

    def missing(self, name: str) -> str:
        """What is wrong where there is no such secret."""
        return (self._why(name) if self._why else "") or (
            f"secret '{name}' is not set: set the environment variable {name} or mount a file of that name"
        )


class AskedSecrets(Secrets):
    """Secrets that remember what they were asked for, so that who asked can tell when another answer would come."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__(secrets.get, secrets.missing)
        self._answers: dict[str, bytes] = {}

    def get(self, name: str) -> str | None:
        """As it is."""
        value = super().get(name)
        self._answers[name] = _mark(value, self, name)
        return value

    def differ(self, now: "Secrets") -> bool:
        """Whether any answer is another one now."""
        return any(_mark(now.get(name), now, name) != mark for name, mark in self._answers.items())

    def __repr__(self) -> str:
        """The names alone."""
        return f"AskedSecrets({sorted(self._answers)})"


_MARK_KEY = os.urandom(32)


def _mark(value: str | None, secrets: Secrets, name: str) -> bytes:
    """By which a value, or why there is none, is known again, in this process only. It gives neither away."""
    text = f"0{secrets.missing(name)}" if value is None else f"1{value}"
    return hashlib.blake2b(text.encode("utf-8", "replace"), key=_MARK_KEY).digest()


class Redactor:
    """Replaces the given secrets by `***`, however the text around them was encoded.

    It knows the value itself and its percent-encoded, JSON-, HTML- and base64-encoded forms, base64 also where the
    secret is only a part of what was encoded (`user:secret`). A hash of a secret is not recognised, nor is it one.
    """

    def __init__(self, values: Iterable[str]) -> None:
        """Empty values are ignored."""
        long: set[str] = set()
        short: set[str] = set()
        for value in values:
            for form in _forms(value):
                (long if len(form) >= SHORT else short).add(form)
        pattern = _pattern(long, short)
        self._text = re.compile(pattern) if pattern else None
        self._bytes = re.compile(pattern.encode()) if pattern else None

    @overload
    def __call__(self, text: str) -> str: ...
    @overload
    def __call__(self, text: bytes) -> bytes: ...
    def __call__(self, text: str | bytes) -> str | bytes:
        """The text without the secrets."""
        if isinstance(text, bytes):
            return self._bytes.sub(MASK.encode(), text) if self._bytes else text
        return self._text.sub(MASK, text) if self._text else text


def masked_value(value: Any, masked: Callable[[str], str]) -> Any:
    """A value as JSON has them, with every text in it masked; a number that is a secret becomes text."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {masked(str(name)): masked_value(each, masked) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked_value(each, masked) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and masked(str(value)) != str(value):
        return MASK
    return value


def _pattern(long: set[str], short: set[str]) -> str:
    # The longest form first: a secret may be a part of another one.
    alternatives = [re.escape(form) for form in sorted(long, key=len, reverse=True)]
    alternatives += [rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])" for form in sorted(short, reverse=True)]
    return "|".join(alternatives)


def _forms(value: str) -> set[str]:
    forms = {value, value.strip(), value.lower()}  # Lower case: a host is shown so.
    for percent in (quote(value, safe=""), quote(value, safe="!~*'()"), quote(value), quote_plus(value)):
        forms |= {percent, re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), percent)}
    in_json = json.dumps(value, ensure_ascii=False)[1:-1]
    forms |= {in_json, json.dumps(value)[1:-1], in_json.replace("/", r"\/")}
    forms.add(in_json.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e"))
    forms |= {html.escape(value), html.escape(value).replace("&#x27;", "&#39;"), html.escape(value, quote=False)}
    if len(value) >= SHORT:
        forms |= _base64_forms(value.encode())
    return {form for form in forms if form}


def _base64_forms(value: bytes) -> set[str]:
    """The characters that depend on the value alone, for each of the three places it can have in a group of bytes."""
    forms = set()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + value).decode()
        start = (offset * 8 + 5) // 6
        end = (offset + len(value)) * 8 // 6
        alone = encoded[start:end]
        forms |= {alone, alone.replace("+", "-").replace("/", "_")}
    return {form for form in forms if len(form) >= SHORT}
