"""Signatures of requests: Standard Webhooks and AWS Signature Version 4. Made anew for each attempt.

Keys are named by the inputs that hold them, so that no program has to handle one. A key that is missing or malformed is
an error: nothing is ever sent unsigned. Pure: the time is passed in.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from connectors.http_request import Prepared
from destinations.signing import aws_keys, base64_key, named_key
from hog import Failure
from records import Request
from records.hidden import AwsKeys

_SIGNED_ALWAYS: Final = ("host", "x-amz-date")
_Sent = TypeVar("_Sent", Prepared, Request)
_ALGORITHM: Final = "AWS4-HMAC-SHA256"


def signed_headers(
    prepared: Prepared, options: Mapping[str, Any], inputs: Mapping[str, Any], now: float
) -> dict[str, str]:
    """The headers by which the options of a `fetch` sign; raises Failure."""
    headers: dict[str, str] = {}
    if (webhooks := options.get("standard_webhooks")) is not None:
        headers |= standard_webhooks(prepared, named_key(webhooks, "standard_webhooks", "secret_input", inputs), now)
    if (aws := options.get("aws_sigv4")) is not None:
        headers |= aws_sigv4(prepared, aws_keys(aws, inputs), now)
    return headers


def secret_headers(options: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, str]:
    """Those of the input that the options of a `fetch` name, which its program does not read; raises Failure."""
    name = options.get("secret_headers_input")
    if name is None:
        return {}
    headers = inputs.get(name) if isinstance(name, str) else None
    if not isinstance(headers, Mapping):
        raise Failure("'secret_headers_input' of fetch names no input that is a dictionary")
    return {str(key): value for key, value in headers.items() if isinstance(value, str)}


def standard_webhooks(prepared: Prepared, secret: str, now: float) -> dict[str, str]:
    """As `webhook_signatures`, with the one key of a secret in base64; raises Failure."""
    try:
        return webhook_signatures(prepared, (base64_key(secret),), now)
    except ValueError as error:
        raise Failure(str(error)) from None


def webhook_signatures(prepared: Prepared, keys: Sequence[bytes], now: float) -> dict[str, str]:
    """`webhook-timestamp` and `webhook-signature` over id, time and body, with one signature for each key.

    Source: the Standard Webhooks specification, section "Signature scheme", 2026-11.
    """
    stamp = str(int(now))
    signed = f"{prepared.headers['webhook-id']}.{stamp}.".encode() + (prepared.body or b"")
    signatures = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return {"webhook-timestamp": stamp, "webhook-signature": " ".join(f"v1,{each}" for each in signatures)}


def with_headers(prepared: _Sent, added: Mapping[str, str]) -> _Sent:
    """The request with these headers, instead of what it had by their names."""
    names = {name.lower() for name in added}
    kept = {name: value for name, value in prepared.headers.items() if name.lower() not in names}
    return msgspec.structs.replace(prepared, headers=kept | dict(added))


def aws_sigv4(prepared: Prepared, keys: AwsKeys, now: float) -> dict[str, str]:
    """`authorization` and what it covers.

    Source: AWS, "Create a signed AWS API request", 2026-11.
    """
    at = datetime.fromtimestamp(now, UTC)
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    url = prepared.target.url
    payload = hashlib.sha256(prepared.body or b"").hexdigest()
    added = {"x-amz-date": stamp} | ({"x-amz-security-token": keys.session_token} if keys.session_token else {})
    if keys.service == "s3":
        added["x-amz-content-sha256"] = payload
    host = (url.raw_host or "") if url.is_default_port() else url.raw_authority
    covered = {"host": host} | {name.lower(): value for name, value in prepared.headers.items()} | added
    covered = {name: covered[name] for name in sorted(covered) if name in _SIGNED_ALWAYS or _is_covered(name)}
    names = ";".join(covered)
    canonical = "\n".join(
        (
            prepared.method,
            _canonical_path(url.raw_path, keys.service),
            _canonical_query(url.raw_query_string),
            *(f"{name}:{' '.join(value.split())}" for name, value in covered.items()),
            "",
            names,
            payload,
        )
    )
    scope = f"{day}/{keys.region}/{keys.service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = b"AWS4" + keys.secret_key.encode()
    for part in (day, keys.region, keys.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    authorization = f"{_ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return added | {"authorization": authorization}


def _is_covered(name: str) -> bool:
    return name == "content-type" or name.startswith("x-amz-")


def _canonical_path(path: str, service: str) -> str:
    """Every service but S3 takes the path encoded once more than it is sent."""
    return path or "/" if service == "s3" else quote(path or "/", safe="/-_.~")


def _canonical_query(query: str) -> str:
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return "&".join(f"{name}={value}" for name, value in sorted((_encoded(n), _encoded(v)) for n, _, v in pairs))


def _encoded(text: str) -> str:
    """Percent-encoded as AWS has it; what is encoded already stays."""
    return "".join(part if part.startswith("%") else quote(part, safe="-_.~") for part in _parts(text))


def _parts(text: str) -> list[str]:
    return re.split(r"(%[0-9A-Fa-f]{2})", text)
