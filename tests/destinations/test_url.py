"""What is put into a URL stays in its place."""

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hog
from destinations import Destination, InputError
from destinations.names import IN_TEMPLATE
from destinations.url import UrlTemplate, checked_url
from tests.destinations.events import view

LoadOne = Callable[[str], Destination]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.b/{event.properties.x}", "https://a.b/a%20b%2Fc%3F%26%25%C3%BC!'()*"),
        ("https://a.b?q={event.properties.x}#f", "https://a.b?q=a%20b%2Fc%3F%26%25%C3%BC!'()*#f"),
        ("https://a.b/{encodeURLComponent(event.properties.x)}", "https://a.b/a%20b%2Fc%3F%26%25%C3%BC!'()*"),
        ("https://a.b/{encodeURLComponent(event.properties.x) ?? 'none'}", "https://a.b/a%20b%2Fc%3F%26%25%C3%BC!'()*"),
        ("https://a.b/{true ? encodeURLComponent('a b') : ''}", "https://a.b/a%20b"),
        ("https://a.b/{true ? 'a b' : encodeURLComponent('c')}", "https://a.b/a%20b"),
        ("{'  https://a.b/c d?e=f g '}", "https://a.b/c%20d?e=f%20g"),
        ("https://a.b/{event.properties.none}/x", "https://a.b//x"),
        ("https://a.b/{event.properties.n}/{event.properties.t}", "https://a.b/1180591620717411303424/true"),
        ("https://{event.properties.region}.a.b:{event.properties.port}/x", "https://eu-1.a.b:8443/x"),
        ("{event.properties.base}", "http://c.d/p?q=%20ä#f".replace("ä", "%C3%A4")),
        (
            "{event.properties.base}&y={event.properties.x}",
            "http://c.d/p?q=%20%C3%A4#f&y=a%20b%2Fc%3F%26%25%C3%BC!'()*",
        ),
        ("{event.properties.origin}/{event.properties.x}", "http://c.d:1/a%20b%2Fc%3F%26%25%C3%BC!'()*"),
        ("https://a.b/ü x/%20", "https://a.b/%C3%BC%20x/%20"),
        ("https://münchen.de/{event.event}", "https://xn--mnchen-3ya.de/%24pageview"),
        ("HTTPS://user:pw@a.b/", "HTTPS://user:pw@a.b/"),
        ("http://[::1]:80/{event.event}", "http://[::1]:80/%24pageview"),
    ],
)
def test_values_are_encoded_where_they_stand(load_one: LoadOne, url: str, expected: str) -> None:
    properties = {
        "x": "a b/c?&%ü!'()*",
        "n": 2**70,
        "t": True,
        "region": "eu-1",
        "port": 8443,
        "base": "http://c.d/p?q=%20ä#f",
        "origin": "http://c.d:1",
    }
    assert load_one(f'inputs: {{url: "{url}"}}').render(view(properties)).url == expected


def test_a_block_of_text_may_end_with_a_newline(load_one: LoadOne) -> None:
    assert (
        load_one("inputs:\n  url: |\n    https://a.b/{event.event}\n").render(view()).url == "https://a.b/%24pageview"
    )


_HOST = (
    "input 'url': the value of {event.properties.x} stands in the host and has a character that no host has; "
    "put '/' before it if it belongs to the path"
)


@pytest.mark.parametrize(
    ("url", "value", "message"),
    [
        ("https://a.b{event.properties.x}", "/path", _HOST),
        ("https://{event.properties.x}.a.b/", "evil.com/", _HOST),
        ("https://{event.properties.x}.a.b/", "evil.com#", _HOST),
        ("https://{event.properties.x}.a.b/", "evil.com?", _HOST),
        ("https://{event.properties.x}.a.b/", "evil.com\\", _HOST),
        ("https://{event.properties.x}.a.b/", "user@evil.com", _HOST),
        ("https://{event.properties.x}/", None, "input 'url': the URL 'https:///' has no valid host"),
        ("https://a.b/{event.properties.x}/c", "..",
         "input 'url': the value '..' of {event.properties.x} would change the path"),
        ("{event.properties.x}", None, "input 'url': the URL is empty"),
        ("{event.properties.x}", "ftp://a.b", "input 'url': 'ftp://a.b' is not an http:// or https:// URL"),
        ("{event.properties.x}", "https:a.b", "input 'url': 'https:a.b' is not an http:// or https:// URL"),
        ("{event.properties.x}", "http://a.b\\@c", "input 'url': 'http://a.b\\@c' is not an http:// or https:// URL"),
        ("{event.properties.x}", "http://a b/", "input 'url': the URL 'http://a%20b/' has no valid host"),
        ("{event.properties.x}", "http://a.b/\n",
         "input 'url': the URL 'http://a.b/\n' has a space or a control character"),
        ("{event.properties.x}", "http://a.b:99999999/",
         "input 'url': the URL 'http://a.b:99999999/' has no valid host"),
    ],
)  # fmt: skip
def test_what_is_refused(load_one: LoadOne, url: str, value: str | None, message: str) -> None:
    destination = load_one(f"inputs: {{url: '{url}'}}")
    with pytest.raises(InputError) as raised:
        destination.render(view({"x": value}))
    assert str(raised.value) == message


@given(st.text())
def test_no_value_leaves_its_place(value: str) -> None:
    text = "https://a.b/p/{event.x}/q?k={event.x}&l=1"
    template = UrlTemplate(hog.template_parts(text, names=IN_TEMPLATE), "input 'url'")
    try:
        url = checked_url(template.render({"event": {"x": value}}), "input 'url'")
    except InputError:
        assert value in (".", "..")
        return
    parts = urlsplit(url)
    _, before, between, after = parts.path.split("/")
    assert (parts.scheme, parts.netloc, before, after, parts.fragment) == ("https", "a.b", "p", "q", "")
    assert unquote(between) == value.encode("utf-8", "replace").decode()
    assert parts.query.split("&") == [f"k={between}", "l=1"]
