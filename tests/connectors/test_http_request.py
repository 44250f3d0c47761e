"""Preparing a request: what goes out as it was written, what is refused, and in which words."""

from ipaddress import ip_network

import pytest

from connectors.http_guard import Guard
from connectors.http_request import Prepared, Preparer, Refused
from records import ErrorKind, Request

PREPARER = Preparer(Guard([ip_network("127.0.0.0/8")]), "offramp/test")


def prepared(
    url: str = "https://example.com/", method: str = "POST", headers: dict[str, str] | None = None, body: bytes = b""
) -> Prepared | Refused:
    return PREPARER.prepare("msg_1", Request(method, url, headers or {}, body))


def target(url: str) -> tuple[str, str]:
    """Origin, and path and query as they go out."""
    ready = prepared(url)
    assert isinstance(ready, Prepared), ready
    return ready.target.origin, ready.target.url.raw_path_qs


@pytest.mark.parametrize(
    ("url", "origin", "sent"),
    [
        ("https://example.com", "https://example.com:443", "/"),
        ("HTTP://EXAMPLE.com:80/A", "http://example.com:80", "/A"),
        ("http://example.com:8080?x=1", "http://example.com:8080", "/?x=1"),
        ("https://example.com/a%2Fb/%c3%a9?x=%20+&y=a%26b", "https://example.com:443", "/a%2Fb/%c3%a9?x=%20+&y=a%26b"),
        ("https://example.com/a/../b//c/./d", "https://example.com:443", "/a/../b//c/./d"),
        ("https://example.com/é b?q=ü|{}#top", "https://example.com:443", "/%C3%A9%20b?q=%C3%BC%7C%7B%7D"),
        ("https://example.com/100%?x=%zz", "https://example.com:443", "/100%?x=%zz"),
        ("https://example.com/a?b=http://c/?d", "https://example.com:443", "/a?b=http://c/?d"),
        ("https://user:p%40ss@example.com/", "https://example.com:443", "/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example:443", "/"),
        ("http://127.1:81/x", "http://127.0.0.1:81", "/x"),
        ("http://１２７.０.０.１/x", "http://127.0.0.1:80", "/x"),
        ("http://[2606:4700::1111]:81/x", "http://[2606:4700::1111]:81", "/x"),
        ("  https://example.com/x\n", "https://example.com:443", "/x"),
        ("https://under_score.example.com./", "https://under_score.example.com.:443", "/"),
    ],
)
def test_a_url_goes_out_as_it_was_written(url: str, origin: str, sent: str) -> None:
    assert target(url) == (origin, sent)


NO_SCHEME = "The URL does not start with http:// or https://; write it with its scheme."
NO_HOST = "The URL has no valid host and port after its scheme; write https://host/path."
BAD_HOST = "The URL's host is neither a name nor an address; write https://host/path."
CONTROL = "The URL holds a control character or half a surrogate pair; encode the value first."


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("", NO_SCHEME),
        ("example.com/x", NO_SCHEME),
        ("ftp://example.com/", NO_SCHEME),
        ("file:///etc/passwd", NO_SCHEME),
        ("http:/example.com", NO_SCHEME),
        ("http://", NO_HOST),
        ("http:///path", NO_HOST),
        ("http://:80/", NO_HOST),
        ("http://example.com:99999/", NO_HOST),
        ("http://example.com:port/", NO_HOST),
        ("http://a b/", BAD_HOST),
        ("http://%31/", BAD_HOST),
        ("http://a..b/", BAD_HOST),
        (f"http://{'a' * 64}.com/", BAD_HOST),
        ("http://good.example\\@evil.example/x", NO_HOST),
        ("http://example.com/a\r\nX: y", CONTROL),
        ("http://example.com/\0", CONTROL),
        ("http://example.com/\ud800", CONTROL),
        ("http://1.2.3.256/", "The URL's host '1.2.3.256' cannot be used: a part of the IPv4 address is too large."),
    ],
)
def test_a_url_that_cannot_be_called_is_refused(url: str, detail: str) -> None:
    assert prepared(url) == Refused(ErrorKind.INVALID, detail)


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        (
            "http://u:secret@10.0.0.1/secret?key=secret",
            "http://10.0.0.1:80 is at 10.0.0.1, which is not a public address, and was not contacted;"
            " --allow 10.0.0.1/32 opens it.",
        ),
        (
            "https://[::1]:8443/",
            "https://[::1]:8443 is at ::1, which is not a public address, and was not contacted;"
            " --allow ::1/128 opens it.",
        ),
        (
            "http://0xa9fea9fe/latest",
            "http://169.254.169.254:80 is at 169.254.169.254, a cloud metadata address, and was not contacted;"
            " only --allow 169.254.169.254/32 opens it.",
        ),
    ],
)
def test_an_address_in_a_url_is_judged(url: str, detail: str) -> None:
    assert prepared(url) == Refused(ErrorKind.BLOCKED, detail)


def test_headers_of_the_user_win_except_the_webhook_id() -> None:
    ready = prepared(headers={"User-Agent": "mine", "X-Plan": "pro", "Webhook-Id": "theirs", "Accept": "text/csv"})
    assert isinstance(ready, Prepared)
    assert ready.headers == {
        "User-Agent": "mine",
        "X-Plan": "pro",
        "Accept": "text/csv",
        "accept-encoding": "identity",
        "webhook-id": "msg_1",
    }


def governs(name: str) -> str:
    return f"The header '{name}' cannot be set, because it governs the connection; remove it."


def value(name: str) -> str:
    return (
        f"The value of the header '{name}' holds a line break, another control character or half a surrogate pair;"
        " remove it in the template."
    )


NAME = "A header's name holds a character that no name may hold; use letters, digits and '-'."


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"Host": "other"}, governs("Host")),
        ({"content-length": "3"}, governs("content-length")),
        ({"Transfer-Encoding": "chunked"}, governs("Transfer-Encoding")),
        ({"Connection": "close"}, governs("Connection")),
        ({"Upgrade": "h2c"}, governs("Upgrade")),
        ({"Expect": "100-continue"}, governs("Expect")),
        ({"X-A": "secret\r\nX-B: c"}, value("X-A")),
        ({"X-A": "secret\n"}, value("X-A")),
        ({"X-A": "secret\0"}, value("X-A")),
        ({"X-A": "secret\ud800"}, value("X-A")),
        ({"X A": "b"}, NAME),
        ({"": "b"}, NAME),
        ({"X-A:": "b"}, NAME),
        ({"X-Ä": "b"}, NAME),
        ({"X-A\r\nX-B": "b"}, NAME),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused(headers: dict[str, str], detail: str) -> None:
    assert prepared(headers=headers) == Refused(ErrorKind.INVALID, detail)


@pytest.mark.parametrize("method", ["", "GE T", "POST\r\n", "CONNECT", "connect", "é"])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    detail = "The method is not one that a request can have; use GET, POST, PUT, PATCH or DELETE."
    assert prepared(method=method) == Refused(ErrorKind.INVALID, detail)


def test_two_ways_of_authorization_are_refused() -> None:
    detail = "The URL carries a user and the headers an Authorization; remove one of the two."
    refused = prepared("https://user:secret@example.com/", headers={"authorization": "Bearer secret"})
    assert refused == Refused(ErrorKind.INVALID, detail)


def test_an_invocation_without_a_request_is_refused() -> None:
    detail = "The invocation has no request: its inputs could not be rendered."
    assert PREPARER.prepare("msg_1", None) == Refused(ErrorKind.INVALID, detail)
