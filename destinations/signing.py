"""The keys that requests are signed with, read from the secrets that people have. It signs nothing itself."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from catalog.yaml_file import Steps
from destinations.report import Report
from destinations.templates import TextCompiler
from hog import Failure
from records.hidden import AwsKeys, SigningKeys

_PREFIX: Final = "whsec_"
_LEAST_BYTES: Final = 24
_MOST_SECRETS: Final = 2
_PATH: Final = ("signing_secret",)


def base64_key(secret: str) -> bytes:
    """The key of a secret in base64, with `whsec_` before it or without; raises ValueError, which names no secret.

    Source: the Standard Webhooks specification, sections "Symmetric" and "Signature scheme", 2026-11.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        raise ValueError("the signing secret is not base64; it begins with whsec_ or is base64 as a whole") from None
    return _long_enough(key)


def key_of(secret: str) -> bytes:
    """The key of a destination's secret: behind `whsec_` it is base64, anything else is the key itself.

    A plain secret is never taken for base64: many a password happens to be that, too.
    """
    return base64_key(secret) if secret.startswith(_PREFIX) else _long_enough(secret.encode())


def compile_signing(given: str | list[str] | None, texts: TextCompiler, report: Report) -> SigningKeys | None:
    """The keys for what the file says; what is wrong goes to the report."""
    if given is None:
        return None
    listed: list[tuple[str, Steps]] = [(given, _PATH)] if isinstance(given, str) else []
    if isinstance(given, list):
        listed = [(text, (*_PATH, index)) for index, text in enumerate(given)]
        if not 1 <= len(given) <= _MOST_SECRETS:
            report.at(_PATH, f"expected one secret, or two while one replaces the other, got {len(given)}")
    keys: list[bytes] = []
    for text, path in listed:
        secret = texts.setting(text, path)
        if secret is None:
            continue
        texts.masked.add(secret)
        try:
            keys.append(key_of(secret))
        except ValueError as error:
            report.at(path, str(error))
    return SigningKeys(tuple(keys))


def aws_keys(options: Any, inputs: Mapping[str, Any]) -> AwsKeys:
    """What the option `aws_sigv4` of a program means; raises Failure."""
    access_key = named_key(options, "aws_sigv4", "access_key_id_input", inputs)
    secret_key = named_key(options, "aws_sigv4", "secret_access_key_input", inputs)
    has_token = options.get("session_token_input")
    token = named_key(options, "aws_sigv4", "session_token_input", inputs) if has_token else None
    service, region = (options.get(name) for name in ("service", "region"))
    if not isinstance(service, str) or not isinstance(region, str):
        raise Failure("'aws_sigv4' needs `service` and `region`")
    return AwsKeys(service, region, access_key, secret_key, token)


def named_key(options: Any, what: str, field: str, inputs: Mapping[str, Any]) -> str:
    """The value of the input that a field of an option names; raises Failure."""
    name = options.get(field) if isinstance(options, Mapping) else None
    value = inputs.get(name) if isinstance(name, str) else None
    if not isinstance(value, str) or not value:
        raise Failure(f"'{what}' needs `{field}`, the name of an input that holds text")
    return value


def _long_enough(key: bytes) -> bytes:
    if len(key) < _LEAST_BYTES:
        raise ValueError(f"the signing secret has {len(key)} bytes; at least {_LEAST_BYTES} are needed")
    return key
