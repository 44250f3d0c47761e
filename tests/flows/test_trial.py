"""A destination is tried out: what is told of each step, and what really goes over the wire."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from destinations import Destination
from flows.trial import Workbench
from flows.trial_result import Ending, TrialResult
from tests.flows.trying import LOOPBACK, SECRETS, destination, shows_no_secret, view
from tests.receiver import Answer, Receiver

Make = Callable[..., Destination]


@pytest.fixture
def bench() -> Iterator[Workbench]:
    with Workbench(LOOPBACK) as made:
        yield made


@pytest.fixture
def make(tmp_path: Path, receiver: Receiver) -> Make:
    """A destination of a text in which URL stands for the receiver's."""

    def made(text: str, project: str = "") -> Destination:
        return destination(tmp_path, text.replace("URL", receiver.url), project.replace("URL", receiver.url))

    return made


HOOK = """\
filters: {when: event = 'paid' and properties.total > 50}
inputs:
  url: URL/hook?key={secrets.TOKEN}
  headers: {X-Key: '{secrets.TOKEN}'}
  body: {key: '{secrets.TOKEN}', total: '{event.properties.total}'}
"""


def ending(result: TrialResult) -> tuple[Ending, str]:
    return result.ending, result.reason


def test_a_dry_run_tells_every_step_and_sends_nothing(make: Make, bench: Workbench, receiver: Receiver) -> None:
    hook, event = make(HOOK), view(total=70)
    result = bench.try_out(hook, event)
    assert (result.destination, result.event, result.distinct_id) == ("crm", "paid", "anna")
    assert (result.position, result.sent, result.matches, result.well) == ("kafka:events/2:7", False, True, True)
    assert ending(result) == (Ending.WOULD_DELIVER, "")
    assert [(one.text, one.holds) for one in result.clauses] == [
        ("event = 'paid'", True),
        ("properties.total > 50", True),
    ]
    [trial] = result.trials
    inputs = {one.name: one.value for one in trial.inputs}
    assert inputs["body"] == '{"key":"***","total":70}'
    assert trial.webhook_id == hook.invocation_id(event.event)
    [step] = trial.steps
    assert (step.request.method, step.request.url) == ("POST", f"{receiver.url}/hook?key=***")
    assert step.request.headers["X-Key"] == "***"
    assert step.request.headers["offramp-test"] == "true"
    assert step.request.headers["webhook-id"] == trial.webhook_id
    assert (step.request.body, step.answer) == ('{"key":"***","total":70}', None)
    assert shows_no_secret(result)
    assert receiver.requests == []


def test_what_is_sent_is_told_with_its_answer_and_without_secrets(
    make: Make, bench: Workbench, receiver: Receiver
) -> None:
    echo = b'{"you sent": "s3cr3t/value"}'
    receiver.on("/hook", Answer(201, echo, [("X-Echo", "s3cr3t/value"), ("X-Else", "1")]))
    hook, event = make(HOOK), view(total=70)
    result = bench.try_out(hook, event, send=True)
    [request] = receiver.requests
    assert request.target == "/hook?key=s3cr3t%2Fvalue"
    assert request.json() == {"key": "s3cr3t/value", "total": 70}
    assert request.header("offramp-test") == "true"
    assert request.header("webhook-id") == hook.invocation_id(event.event)
    assert (ending(result), result.sent, result.well) == ((Ending.DELIVERED, ""), True, True)
    [trial] = result.trials
    [step] = trial.steps
    assert step.answer is not None
    assert (step.answer.status, step.answer.body) == (201, '{"you sent": "***"}')
    assert (step.answer.headers["x-echo"], step.answer.headers["x-else"]) == ("***", "1")
    assert 0 < step.duration_ms <= trial.duration_ms
    # What is told of the request is what went out, but for what the connection adds.
    sent = {name.lower(): value for name, value in request.headers}
    told = {name.lower(): value for name, value in step.request.headers.items()}
    assert told.keys() == sent.keys() - {"host", "content-length"}
    assert shows_no_secret(result)


def test_what_is_not_wanted_is_not_sent_but_anyway(make: Make, bench: Workbench, receiver: Receiver) -> None:
    hook = make(HOOK)
    refused = bench.try_out(hook, view(total=20), send=True)
    assert ending(refused) == (Ending.UNWANTED, "the filter: properties.total > 50 does not hold")
    assert (refused.matches, refused.sent, refused.well, refused.trials) == (False, False, False, [])
    assert receiver.requests == []
    forced = bench.try_out(hook, view(total=20), send=True, anyway=True)
    assert (forced.matches, forced.sent, forced.ending) == (False, True, Ending.DELIVERED)
    assert forced.notes == ["a job does not send it: the filter: properties.total > 50 does not hold"]
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("answer", "more", "expected", "reason"),
    [
        (Answer(404), "", Ending.FAILED, "answered 404 Not Found: nothing is there, check the input 'url'"),
        (Answer(500), "", Ending.RETRIED, "answered 500 Internal Server Error; a job tries again after 1.0 s"),
        (Answer(429, headers=[("Retry-After", "7")]), "", Ending.RETRIED, "again after 7.0 s"),
        (Answer(500), "delivery: {retries: 0}", Ending.FAILED, "given up after 1 attempts"),
        (Answer(409), "delivery: {success: [2xx, 409]}", Ending.DELIVERED, ""),
        (
            Answer(200, b'{"error": "s3cr3t/value is wrong"}'),
            "delivery: {failure: '{response.body.error}'}",
            Ending.FAILED,
            "answered 200 OK: *** is wrong",
        ),
        (Answer(hang=True), "delivery: {timeout_s: 0.2}", Ending.RETRIED, "did not answer completely within 0.2 s"),
        (Answer(302, headers=[("Location", "/x")]), "", Ending.FAILED, "redirects are not followed"),
    ],
)
def test_the_verdict_is_that_of_a_job_and_nothing_is_tried_again(
    make: Make, bench: Workbench, receiver: Receiver, answer: Answer, more: str, expected: Ending, reason: str
) -> None:
    receiver.on("/hook", answer)
    result = bench.try_out(make(HOOK + more), view(total=70), send=True)
    assert result.ending is expected
    assert reason in result.reason
    assert (result.trials[0].steps[0].ending, result.trials[0].steps[0].reason) == ending(result)
    assert len(receiver.requests) == 1
    assert shows_no_secret(result)


def test_of_a_huge_answer_the_beginning_is_kept(make: Make, bench: Workbench, receiver: Receiver) -> None:
    receiver.on("/hook", Answer(200, size=50_000_000))
    [step] = bench.try_out(make(HOOK), view(total=70), send=True).trials[0].steps
    assert step.answer is not None
    assert (len(step.answer.body), step.answer.truncated) == (256 * 1024, True)


def test_a_body_that_is_no_text_is_shown_as_far_as_it_can_be(make: Make, bench: Workbench, receiver: Receiver) -> None:
    receiver.on("/hook", Answer(200, b"\xff\xfe ok"))
    [step] = bench.try_out(make(HOOK), view(total=70), send=True).trials[0].steps
    assert step.answer is not None
    assert step.answer.body == "\ufffd\ufffd ok"


def test_a_private_address_is_refused_with_what_opens_it(make: Make, receiver: Receiver) -> None:
    with Workbench() as strict:
        for send in (False, True):
            result = strict.try_out(make(HOOK), view(total=70), send=send)
            assert result.ending is Ending.FAILED
            assert "--allow 127.0.0.1/32 opens it" in result.reason
        by_name = make(HOOK.replace("URL", f"http://localhost:{receiver.port}"))
        # A name is only looked up by what is sent.
        assert strict.try_out(by_name, view(total=70)).ending is Ending.WOULD_DELIVER
        named = strict.try_out(by_name, view(total=70), send=True)
        assert (named.ending, "opens it" in named.reason) == (Ending.FAILED, True)
    assert receiver.requests == []


@pytest.mark.parametrize("send", [False, True])
@pytest.mark.parametrize(
    ("batch", "body", "content_type"),
    [
        ("{as: json_array}", '[{"events":[{"n":1}],"k":"x"}]', "application/json"),
        ("{as: ndjson}", '{"events":[{"n":1}],"k":"x"}\n', "application/x-ndjson"),
        ("{as: join, key: events}", '{"events":[{"n":1}],"k":"x"}', "application/json"),
    ],
)
def test_a_batch_of_one_has_the_form_of_a_batch(
    make: Make, bench: Workbench, receiver: Receiver, batch: str, body: str, content_type: str, send: bool
) -> None:
    inputs = "inputs: {url: URL/in, body: {events: [{n: '{event.properties.n}'}], k: x}}"
    crm = make(f"{inputs}\ndelivery: {{batch: {batch}}}")
    [trial] = bench.try_out(crm, view(n=1), send=send).trials
    [step] = trial.steps
    assert (step.request.body, step.request.headers["Content-Type"]) == (body, content_type)
    assert trial.webhook_id == step.request.headers["webhook-id"]
    if send:
        [request] = receiver.requests
        assert (request.body.decode(), request.header("content-type")) == (body, content_type)
        assert request.header("webhook-id") == trial.webhook_id


def test_each_mapping_has_an_ending_of_its_own_and_the_worst_counts(
    make: Make, bench: Workbench, receiver: Receiver
) -> None:
    receiver.on("/bad", Answer(403))
    crm = make("""
mappings:
  - {name: good, inputs: {url: URL/good, body: null}}
  - {name: bad, inputs: {url: URL/bad, body: null}}
  - {name: other, filters: {when: event = 'seen'}, inputs: {url: URL/other, body: null}}
""")
    event = view()
    result = bench.try_out(crm, event, send=True)
    assert [(one.mapping, one.matches, one.ending) for one in result.trials] == [
        ("good", True, Ending.DELIVERED),
        ("bad", True, Ending.FAILED),
        ("other", False, Ending.UNWANTED),
    ]
    assert result.trials[2].reason == "the filter: event = 'seen' does not hold"
    assert ending(result)[0] is Ending.FAILED
    assert "403 Forbidden" in result.reason
    ids = {request.path: request.header("webhook-id") for request in receiver.requests}
    assert ids == {f"/{name}": crm.invocation_id(event.event, name) for name in ("good", "bad")}


def test_where_no_mapping_matches_anyway_takes_all(make: Make, bench: Workbench, receiver: Receiver) -> None:
    crm = make("mappings: [{name: a, filters: {when: event = 'seen'}, inputs: {url: URL/a, body: null}}]")
    assert bench.try_out(crm, view(), send=True).ending is Ending.UNWANTED
    assert receiver.requests == []
    result = bench.try_out(crm, view(), send=True, anyway=True)
    assert (result.ending, result.matches, [one.path for one in receiver.requests]) == (
        Ending.DELIVERED,
        False,
        ["/a"],
    )


CODE = """
inputs_schema: {key: {type: string, label: Key, secret: true}}
inputs: {key: '{secrets.TOKEN}'}
code: |
  print('begins', inputs.key)
  let first := fetch('URL/one', {'body': {'key': inputs.key}, 'standard_webhooks': {'secret_input': 'key'}})
  print(first.status, first.body)
  fetch('URL/two', {'method': 'PUT', 'headers': {'X': inputs.key}})
  postHogCapture({'event': 'told', 'distinct_id': 'anna', 'properties': {'of': inputs.key, 'n': 1}})
"""


def test_a_program_runs_dry_with_scripted_answers(make: Make, bench: Workbench, receiver: Receiver) -> None:
    crm, event = make(CODE), view()
    [trial] = bench.try_out(crm, event).trials
    assert (trial.code, trial.ending, receiver.requests) == (True, Ending.WOULD_DELIVER, [])
    assert [(one.request.method, one.request.url) for one in trial.steps] == [
        ("POST", f"{receiver.url}/one"),
        ("PUT", f"{receiver.url}/two"),
    ]
    assert [one.answer and (one.answer.status, one.answer.body, one.answer.scripted) for one in trial.steps] == [
        (200, "{}", True)
    ] * 2
    assert [one.note for one in trial.steps] == ["signed when it leaves", ""]
    assert [one.request.headers["webhook-id"] for one in trial.steps] == [trial.webhook_id, f"{trial.webhook_id}_2"]
    assert [one.message for one in trial.logs] == ["begins ***", "200 {}"]
    assert trial.captured == [{"event": "told", "distinct_id": "anna", "properties": {"of": "***", "n": 1}}]


def test_a_program_is_sent_request_by_request(make: Make, bench: Workbench, receiver: Receiver) -> None:
    receiver.on("/one", Answer(503, f"come later, {SECRETS['KEY']}".encode()))
    text = CODE.replace("{secrets.TOKEN}", "{secrets.KEY}")
    crm, event = make(text), view()
    result = bench.try_out(crm, event, send=True)
    [trial] = result.trials
    # The program has gone on after the answer, so a job would count it as delivered.
    assert ending(result) == (Ending.DELIVERED, "")
    assert [(one.ending, one.answer and one.answer.status) for one in trial.steps] == [
        (Ending.RETRIED, 503),
        (Ending.DELIVERED, 200),
    ]
    first, second = receiver.requests
    assert (first.header("webhook-id"), second.header("webhook-id")) == (trial.webhook_id, f"{trial.webhook_id}_2")
    assert first.header("webhook-signature") == trial.steps[0].request.headers["webhook-signature"]
    assert {one.header("offramp-test") for one in receiver.requests} == {"true"}
    assert [one.message for one in trial.logs] == ["begins ***", "503 come later, ***"]
    assert [(one["event"], one["properties"]["of"]) for one in trial.captured] == [("told", "***")]
    assert shows_no_secret(result)


@pytest.mark.parametrize("send", [False, True])
def test_a_program_that_fails_says_why(make: Make, bench: Workbench, receiver: Receiver, send: bool) -> None:
    crm = make("code: |\n  fetch('URL/x')\n  throw Error(f'no {inputs.k}')\ninputs: {k: '{secrets.TOKEN}'}")
    result = bench.try_out(crm, view(), send=send)
    assert result.ending is Ending.FAILED
    assert "no ***" in result.reason
    assert len(result.trials[0].steps) == 1


CONNECTION = """
connections:
  crm: {kind: refresh_token, token_url: URL/token, client_id: me, refresh_token: '{secrets.CLIENT}'}
"""
READS = "inputs: {url: URL/api, headers: {Authorization: 'Bearer {connections.crm.access_token}'}, body: null}"


def test_a_token_is_fetched_used_and_not_shown(make: Make, bench: Workbench, receiver: Receiver) -> None:
    receiver.on("/token", Answer(200, b'{"access_token": "acc3ss-t0ken", "expires_in": 3600}'))
    receiver.on("/api", Answer(200, b"you are acc3ss-t0ken", [("X-Echo", "acc3ss-t0ken")]))
    crm = make(READS, CONNECTION)
    dry = bench.try_out(crm, view())
    assert dry.trials[0].steps[0].note == "gets its access token when it leaves"
    assert receiver.requests == []
    for _ in range(2):
        result = bench.try_out(crm, view(), send=True)
        [step] = result.trials[0].steps
        assert step.answer is not None
        assert (result.ending, step.request.headers["Authorization"]) == (Ending.DELIVERED, "Bearer ***")
        assert (step.answer.body, step.answer.headers["x-echo"]) == ("you are ***", "***")
        assert shows_no_secret(result, "acc3ss-t0ken")
    assert [one.path for one in receiver.requests] == ["/token", "/api", "/api"]
    assert receiver.of("/api")[0].header("authorization") == "Bearer acc3ss-t0ken"


def test_a_program_cannot_print_the_token_of_an_answer(make: Make, bench: Workbench, receiver: Receiver) -> None:
    receiver.on("/token", Answer(200, b'{"access_token": "acc3ss/t0ken", "expires_in": 3600}'))
    receiver.on("/api", Answer(200, b'{"url": "?t=acc3ss%2Ft0ken"}'))
    crm = make(
        "inputs: {key: '{connections.crm.access_token}'}\n"
        "code: |\n  let got := fetch('URL/api', {'headers': {'X': inputs.key}})\n"
        "  print(inputs.key, got.body.url)\n  throw Error(got.body.url)",
        CONNECTION,
    )
    result = bench.try_out(crm, view(), send=True)
    assert receiver.of("/api")[0].header("x") == "acc3ss/t0ken"
    assert [one.message for one in result.trials[0].logs] == ["*** ?t=***"]
    assert "?t=***" in result.reason
    assert shows_no_secret(result, "acc3ss/t0ken", "acc3ss%2Ft0ken")


def test_what_is_nested_deeply_is_told_all_the_same(tmp_path: Path, bench: Workbench) -> None:
    crm = destination(tmp_path, "filters: {when: properties.a != null}\ninputs: {url: 'https://a.example'}")
    deep: object = 1
    for _ in range(500):
        deep = {"a": [deep]}
    assert bench.try_out(crm, view(a=deep)).ending is Ending.WOULD_DELIVER


def test_a_token_that_is_refused_is_told(make: Make, bench: Workbench, receiver: Receiver) -> None:
    receiver.on("/token", Answer(400, b'{"error": "invalid_grant", "error_description": "cl13nt-secret is old"}'))
    result = bench.try_out(make(READS, CONNECTION), view(), send=True)
    assert result.ending is Ending.FAILED
    assert "connection 'crm' gets no access token: answered 400 invalid_grant" in result.reason
    assert [one.answer for one in result.trials[0].steps] == [None]
    assert shows_no_secret(result)
    assert receiver.of("/api") == []


def test_the_policy_is_the_destinations_own(make: Make, bench: Workbench, receiver: Receiver) -> None:
    crm = make(
        "inputs: {url: URL/in, body: '{event.properties.long}'}\n"
        "signing_secret: '{secrets.KEY}'\ndelivery: {compress: gzip}"
    )
    event = view(long="x" * 5000)
    assert bench.try_out(crm, event).trials[0].steps[0].note == "signed when it leaves"
    [step] = bench.try_out(crm, event, send=True).trials[0].steps
    [request] = receiver.requests
    assert request.header("content-encoding") == "gzip"
    assert request.header("webhook-signature") == step.request.headers["webhook-signature"]
    assert (len(request.body) < 500, step.request.body_bytes >= 5000) == (True, True)
    assert step.request.body.strip('"') == "x" * 5000


def test_through_a_proxy_that_is_away(make: Make, bench: Workbench, receiver: Receiver) -> None:
    result = bench.try_out(make(HOOK + "delivery: {proxy: 'http://127.0.0.1:1'}"), view(total=70), send=True)
    assert result.ending is Ending.RETRIED
    assert "The proxy http://127.0.0.1:1 refused the connection" in result.reason
    assert receiver.requests == []


def test_what_only_a_job_heeds_is_said_in_words(make: Make, bench: Workbench) -> None:
    crm = make(HOOK + "enabled: false\nsample: 1\nmasking: {hash: '{event.distinct_id}', ttl_s: 60}")
    result = bench.try_out(crm, view(total=70))
    assert (result.matches, result.ending) == (True, Ending.WOULD_DELIVER)
    assert result.notes == ["its file says 'enabled: false': a job sends nothing to it"]
    assert result.sample == "it is in the sample of 100 %"
    assert result.cap.startswith('of the events with the key "anna" the first within 60 s is sent')
    out = bench.try_out(make(HOOK + "sample: 0.0000001"), view(total=70))
    assert ending(out) == (Ending.UNWANTED, "it is not in the sample")
    assert out.sample == "it is not in the sample (the sample of 1e-05 %)"


def test_inputs_that_cannot_be_rendered_fail_as_in_a_job(make: Make, bench: Workbench, receiver: Receiver) -> None:
    result = bench.try_out(make("inputs: {url: '{event.properties.nowhere}', body: null}"), view(), send=True)
    assert (result.ending, result.matches, result.sent) == (Ending.FAILED, True, False)
    assert result.reason.startswith("the request cannot be made: input 'url': the URL is")
    assert (result.trials[0].inputs[0].name, result.trials[0].steps) == ("url", [])


def test_a_number_that_is_a_secret_is_masked_in_what_the_filter_reads(tmp_path: Path, bench: Workbench) -> None:
    crm = destination(tmp_path, "filters: {when: properties.a = 1}\ninputs: {url: 'https://a.example/{secrets.TOKEN}'}")
    result = bench.try_out(crm, view(a="s3cr3t/value"))
    assert result.clauses[0].reads == {"properties.a": "***"}


def test_several_at_once_each_get_their_own(make: Make, bench: Workbench, receiver: Receiver) -> None:
    crm = make("inputs: {url: 'URL/{event.properties.n}', body: '{event.properties.n}'}")

    def tried(n: int) -> str:
        [step] = bench.try_out(crm, view(n=n), send=True).trials[0].steps
        assert step.answer is not None
        return f"{step.request.url.rpartition('/')[2]} {step.request.body} {step.answer.status}"

    for n in range(20):
        receiver.on(f"/{n}", Answer(200 + n))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(tried, range(20))) == [f"{n} {n} {200 + n}" for n in range(20)]


def test_closing_breaks_off_what_is_under_way(make: Make, receiver: Receiver) -> None:
    receiver.on("/hook", Answer(hang=True))
    bench, results = Workbench(LOOPBACK), list[TrialResult]()
    crm = make(HOOK)
    thread = threading.Thread(target=lambda: results.append(bench.try_out(crm, view(total=70), send=True)))
    thread.start()
    receiver.wait(1)
    bench.close()
    thread.join(5)
    assert [ending(one)[0] for one in results] == [Ending.RETRIED]
    assert "the test was broken off" in results[0].reason
    again = bench.try_out(crm, view(total=70), send=True)
    assert "the test was broken off" in again.reason
    assert len(receiver.requests) == 1
