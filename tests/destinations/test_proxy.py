"""What a file says of its proxy."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.pretty import pretty_repr

import catalog
from destinations import Loaded, Secrets, load
from records.hidden import Proxy

LoadFiles = Callable[..., Loaded]
SECRETS = {
    "PASSWORD": "p@ss/w:rd%",
    "PAIR": "me:p@ss",
    "URL": "http://me:p%40ss@proxy.example:3128\n",
    "HOST": "p.example",
}


def loaded(directory: Path, proxy: str) -> Loaded:
    (directory / "crm.yaml").write_text(f"id: crm\ninputs: {{url: 'https://a.b'}}\ndelivery: {{proxy: {proxy}}}")
    return load(directory, Secrets(SECRETS.get), catalog.builtin())


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize(
    ("written", "proxy"),
    [
        ("http://proxy.example:3128", Proxy("proxy.example", 3128)),
        ("HTTP://10.0.0.1:80/", Proxy("10.0.0.1", 80)),
        ("'http://[fd00::1]:3128'", Proxy("fd00::1", 3128)),
        ("http://me:p%40ss@proxy.example:3128", Proxy("proxy.example", 3128, basic("me:p@ss"))),
        ("http://me@proxy.example:3128", Proxy("proxy.example", 3128, basic("me:"))),
        ("'http://me:{secrets.PASSWORD}@{secrets.HOST}:3128'", Proxy("p.example", 3128, basic("me:p@ss/w:rd%"))),
        ("'http://{secrets.PAIR}@proxy.example:3128'", Proxy("proxy.example", 3128, basic("me:p@ss"))),
        ("'{secrets.URL}'", Proxy("proxy.example", 3128, basic("me:p@ss"))),
        ("null", None),
    ],
)
def test_a_proxy_is_read_with_its_secrets(tmp_path: Path, written: str, proxy: Proxy | None) -> None:
    found = loaded(tmp_path, written)
    assert [str(problem) for problem in found.problems] == []
    assert found.destinations["crm"].policy.proxy == proxy


FORM = "expected http://host:port or http://user:password@host:port"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("proxy.example:3128", FORM),
        ("http://:3128", FORM),
        ("http://a b:3128", FORM),
        ("http://me:secret-word@proxy.example:3128/path", FORM),
        ("'http://me:{secrets.PASSWORD}@'", FORM),
        ("''", FORM),
        ("http://proxy.example", "a proxy needs its port, 1 to 65535: http://host:port"),
        ("http://proxy.example:0", "a proxy needs its port, 1 to 65535: http://host:port"),
        ("http://proxy.example:70000", "a proxy needs its port, 1 to 65535: http://host:port"),
        ("https://me:secret-word@proxy.example:3128",
         "a proxy is spoken to by http://, not https://; https:// requests pass it, too"),
        ("socks5://proxy.example:1080",
         "a proxy is spoken to by http://, not socks5://; https:// requests pass it, too"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_without_the_password(tmp_path: Path, written: str, problem: str) -> None:
    [found] = loaded(tmp_path, written).problems
    assert found.summary() == f"{tmp_path}/crm.yaml: delivery.proxy (3,19): {problem}"
    assert "secret-word" not in str(found)
    assert "p@ss" not in str(found)


def test_a_value_of_the_event_cannot_choose_the_proxy(tmp_path: Path) -> None:
    [found] = loaded(tmp_path, "'http://{event.properties.host}:80'").problems
    assert "only `secrets` can stand here" in found.message


@pytest.mark.parametrize(
    "written", ["'http://me:{secrets.PASSWORD}@proxy.example:1'", "http://me:p%40ss%2Fw%3Ard%25@proxy.example:1"]
)
def test_the_password_shows_nowhere(tmp_path: Path, written: str) -> None:
    made = loaded(tmp_path, written).destinations["crm"]
    for shown in (repr(made), repr(made.policy), str(made.policy.proxy), pretty_repr(made.policy)):
        assert "p@ss" not in shown
        assert "Basic" not in shown
    echo = f"proxy-authorization: {basic('me:p@ss/w:rd%')}, http://me:p%40ss%2Fw%3Ard%25@proxy.example, p@ss/w:rd%"
    assert "***" in made.redact(echo)
    for form in ("p@ss", "p%40ss", basic("me:p@ss/w:rd%")[6:]):
        assert form not in made.redact(echo)
