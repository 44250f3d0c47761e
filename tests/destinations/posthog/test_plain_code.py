import pytest

from destinations.posthog.plain_code import plain_fetch, same_request

PARTS = {"url": "{inputs.url}", "method": "{inputs.method}", "headers": "{inputs.headers}", "body": "{inputs.body}"}
OPTIONS = "{'headers': inputs.headers, 'body': inputs.body, 'method': inputs.method}"
FETCH = f"let r := fetch(inputs.url, {OPTIONS})\n"


@pytest.mark.parametrize(
    ("source", "fails_from"),
    [
        (FETCH, None),
        (f"{FETCH}if (r.status >= 400) {{ throw Error('x') }}", 400),
        (f"{FETCH}if (r.status >= 300) throw Error(f'{{r.body}}');", 300),
        (f"let o := {OPTIONS};\nlet u := inputs.url\nfetch(u, o);", None),
        (f"if (inputs.debug) {{ print('a', inputs.url) }}\n{FETCH}if (inputs.loud) {{ print(r.body); }}", None),
        (f"if (inputs.off) {{ fetch('elsewhere') }}\n{FETCH}", None),
    ],
)
def test_one_request_of_the_inputs(source, fails_from):
    found = plain_fetch(source, {"off"})
    assert found is not None
    assert found.fails_from == fails_from
    assert same_request(found, PARTS)


@pytest.mark.parametrize(
    "source",
    [
        "return 1",
        f"if (event.event == 'x') {{ return }}\n{FETCH}",
        f"{FETCH}{FETCH.replace('r :=', 's :=')}",
        f"{FETCH}if (r.status != 200) {{ throw Error('x') }}",
        f"if (inputs.on) {{ fetch('elsewhere') }}\n{FETCH}",
        f"let inputs := {{}}\n{FETCH}",
        f"let o := {OPTIONS}\no.body := 1\nfetch(inputs.url, o)",
        f"for (let i := 0; i < 2; i := i + 1) {{ {FETCH} }}",
        f"let o := {OPTIONS}\nlet o2 := setBody(o)\nfetch(inputs.url, o2)",
        "fetch(inputs.url, inputs.options)",
        "not hog at all (",
    ],
)
def test_what_is_more_than_that(source):
    assert plain_fetch(source, {"off"}) is None


@pytest.mark.parametrize(
    "source",
    [
        FETCH.replace("inputs.body", "event"),
        FETCH.replace("inputs.url", "f'{inputs.url}/x'"),
        FETCH.replace("'body': inputs.body, ", ""),
        FETCH.replace("'method'", "'standard_webhooks': {'secret_input': 'x'}, 'method'"),
    ],
)
def test_another_request(source):
    found = plain_fetch(source, set())
    assert found is not None
    assert not same_request(found, PARTS)
