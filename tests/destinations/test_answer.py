"""What an answer says of itself."""

from collections.abc import Callable

import pytest

from delivery.retry import decide
from destinations import Destination, Loaded
from records import Attempt, Invocation, Request, Response, Verdict

LoadOne = Callable[[str], Destination]
INVOCATION = Invocation("id", "d", "kafka:t", 0, 0, 0, "u", "e", "x", Request("POST", "http://h/", {}))
SLACK = "{response.body.ok = false ? response.body.error : null}"


def reason(load_one: LoadOne, failure: str, response: Response) -> str:
    """Why it is no success; empty where it is one."""
    policy = load_one(f"inputs: {{url: 'https://a.b'}}\ndelivery: {{failure: \"{failure}\"}}").policy
    decision = decide(Attempt(INVOCATION, 0, 1, response), 0, policy, 0, 0)
    assert decision.verdict is not Verdict.RETRYING
    return decision.reason


@pytest.mark.parametrize(
    ("failure", "status", "body", "why"),
    [
        (SLACK, 200, b'{"ok": false, "error": "channel_not_found"}', "answered 200 OK: channel_not_found"),
        (SLACK, 200, b'{"ok": true}', ""),
        (SLACK, 200, b"ok", ""),
        (SLACK, 200, b"", ""),
        (SLACK, 404, b'{"ok": false, "error": "no such team."}', "answered 404 Not Found: no such team"),
        (SLACK, 404, b"", "answered 404 Not Found: nothing is there, check the input 'url'"),
        ("{response.body.failed > 0}", 200, b'{"failed": 1}', "answered 200 OK: it says so itself"),
        ("{response.body.failed > 0}", 200, b'{"failed": 0}', ""),
        ("{response.body.errors}", 200, b'{"errors": [{"a": 1}]}', "answered 200 OK: [{'a': 1}]"),
        ("{response.headers['x-error']}", 200, b"", "answered 200 OK: bad"),
        ("{response.status = 200 ? null : 'odd'}", 202, b"", "answered 202 Accepted: odd"),
        (
            "{jsonParse(response.body)}",
            200,
            b"[",
            "answered 200 OK: whether it means a failure cannot be told",
        ),
    ],
)
def test_why_an_answer_is_no_success(load_one: LoadOne, failure: str, status: int, body: bytes, why: str) -> None:
    found = reason(load_one, failure, Response(status, {"X-Error": "bad"}, body))
    assert found.startswith(why) if why else found == ""


@pytest.mark.parametrize(
    ("failed", "only"),
    [("[1]", {1}), ("[0, 2]", {0, 2}), ("[3]", set()), ("[-1]", set()), ("['1']", set()), ("1", set())],
)
def test_an_answer_may_be_about_some_events(load_one: LoadOne, failed: str, only: set[int]) -> None:
    failure = f"{{{{'reason': 'no', 'failed': {failed}}}}}"
    policy = load_one(f"inputs: {{url: 'https://a.b'}}\ndelivery: {{failure: \"{failure}\"}}").policy
    decision = decide(Attempt(INVOCATION, 0, 1, Response(200, {}, b"{}")), 0, policy, 0, 0.5, events=3)
    assert (set(decision.only), decision.apart) == (only, not only)
    broken = decide(Attempt(INVOCATION, 0, 1, Response(500, {}, b"{}")), 0, policy, 0, 0.5, events=3)
    assert not broken.only, "what a bad status says is about all of them"


@pytest.mark.parametrize(("body", "retried"), [(b'{"wait": true}', True), (b'{"wait": false}', False), (b"{}", None)])
def test_an_answer_may_ask_to_be_tried_again(load_one: LoadOne, body: bytes, retried: bool | None) -> None:
    failure = "{response.body.wait = null ? null : {'reason': 'busy', 'retry': response.body.wait}}"
    policy = load_one(f"inputs: {{url: 'https://a.b'}}\ndelivery: {{failure: \"{failure}\"}}").policy
    decision = decide(Attempt(INVOCATION, 0, 1, Response(200, {}, body)), 0, policy, 0, 0.5, events=2)
    expected = {True: (Verdict.RETRYING, 1.0, False), False: (Verdict.RETRYING, 0.0, True)}
    assert (decision.verdict, decision.retry_at, decision.apart) == (
        (Verdict.DELIVERED, 0.0, False) if retried is None else expected[retried]
    )
    assert decision.reason.startswith("" if retried is None else "answered 200 OK: busy")


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        ("{body.ok}", "write `response.body.ok`"),
        ("{event.event}", "`event` is not seen here: only `response` is"),
        ("{fetch('https://a.b')}", "fetch"),
        ("{response.", "expected"),
    ],
)
def test_what_is_wrong_with_it_is_told(load_files: Callable[..., Loaded], failure: str, problem: str) -> None:
    loaded = load_files(d=f"id: d\ninputs: {{url: 'https://a.b'}}\ndelivery: {{failure: \"{failure}\"}}")
    (found,) = loaded.problems
    assert "delivery.failure" in str(found)
    assert problem in str(found)


@pytest.mark.parametrize(("body", "fails"), [(b' {"errors": [', True), (b"[", True), (b"<html>", False)])
def test_of_json_that_is_cut_nobody_says_that_it_is_good(load_one: LoadOne, body: bytes, fails: bool) -> None:
    why = reason(load_one, "{response.body.errors}", Response(200, {}, body, truncated=True))
    assert why == (
        "answered 200 OK: whether it means a failure cannot be told: it is longer than 256 KiB" if fails else ""
    )
