"""What a file says of its delivery, and what is wrong with it."""

from collections.abc import Callable

import pytest

from destinations import Destination, Loaded
from records import Batch, Policy, Quarantine

LoadFiles = Callable[..., Loaded]
URL = "inputs: {url: 'https://a.b'}"


def test_without_a_word_the_defaults_hold(load_files: LoadFiles) -> None:
    assert load_files(crm=f"id: crm\n{URL}").destinations["crm"].policy == Policy()


def test_a_file_overrides_what_it_names(load_files: LoadFiles) -> None:
    delivery = "delivery: {timeout_s: 2, retries: 0, success: [2xx, 409], retry_on: [5xx, 429], compress: gzip}"
    quarantine = "quarantine: {errors_in_a_row: 3, periods_s: [1, 2.5]}"
    policy = load_files(crm=f"id: crm\n{URL}\n{delivery}\n{quarantine}").destinations["crm"].policy
    assert policy == Policy(
        timeout_s=2,
        retries=0,
        success=frozenset({*range(200, 300), 409}),
        retry_on=frozenset({*range(500, 600), 429}),
        compress=True,
        quarantine=Quarantine(errors_in_a_row=3, periods_s=(1, 2.5)),
    )


@pytest.mark.parametrize(
    ("rate", "per_s"), [("100/s", 100), ("600/min", 10), ("1800 / h", 0.5), ("7", 7), ("2.5", 2.5)]
)
def test_a_rate_is_read_with_its_unit(load_files: LoadFiles, rate: str, per_s: float) -> None:
    text = f"id: crm\n{URL}\ndelivery: {{rate: {rate}}}"
    assert load_files(crm=text).destinations["crm"].policy.rate == per_s


def test_a_batch_is_read(load_files: LoadFiles) -> None:
    text = f"id: crm\n{URL}\ndelivery: {{batch: {{max: 7, as: ndjson}}, order: person}}"
    policy = load_files(crm=text).destinations["crm"].policy
    assert (policy.batch, policy.order) == (Batch(max=7, wait_ms=500, form="ndjson"), "person")


AMPLITUDE = "template: amplitude\ninputs: {api_key: '{secrets.TOKEN}'}\n"


def test_of_a_templates_batch_a_file_changes_what_it_names(load_one: Callable[[str], Destination]) -> None:
    own = load_one(f"{AMPLITUDE}delivery: {{batch: {{max: 7}}}}").policy.batch
    assert own == Batch(max=7, form="join", key="events")
    assert load_one(f"{AMPLITUDE}delivery: {{batch: {{as: ndjson}}}}").policy.batch == Batch(form="ndjson")


def test_code_over_a_template_goes_by_nothing_that_is_said_of_the_templates_requests(
    load_one: Callable[[str], Destination],
) -> None:
    policy = load_one(f"{AMPLITUDE}code: print(1)").policy
    assert (policy.batch, policy.failure) == (None, None)


def test_code_cannot_be_batched(load_files: LoadFiles) -> None:
    [problem] = load_files(crm="id: crm\ncode: print(1)\ndelivery: {batch: {max: 2}}").problems
    assert "code makes its own requests: they cannot be put together" in problem.summary()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("delivery: {timeout: 2}", "delivery.timeout (3,12): unknown key 'timeout'; did you mean 'timeout_s'?"),
        ("delivery: {timeout_s: fast}", "delivery.timeout_s (3,23): expected a number, got text"),
        ("delivery: {timeout_s: 0}", "delivery.timeout_s (3,23): expected a number above 0"),
        ("delivery: {concurrency: 0}", "delivery.concurrency (3,25): expected a whole number of at least 1"),
        (
            "delivery: {success: [2xy]}",
            "delivery.success[0] (3,22): expected a status such as 409 or a class such as 2xx, got '2xy'",
        ),
        (
            "delivery: {success: [409], retry_on: [409]}",
            "delivery.retry_on (3,38): 409 is among 'success' too: it cannot be both",
        ),
        ("delivery: {compress: br}", "delivery.compress (3,22): expected gzip, got 'br'"),
        ("quarantine: {error_rate: 50}", "quarantine.error_rate (3,26): expected a number of at most 1"),
        ("quarantine: {periods_s: []}", "quarantine.periods_s (3,25): expected a list of at least 1 item"),
        (
            "delivery: {rate: fast}",
            "delivery.rate (3,18): expected a rate such as 100/s, 600/min or 1000/h, got 'fast'",
        ),
        ("delivery: {rate: 0}", "delivery.rate (3,18): expected a rate such as 100/s, 600/min or 1000/h, got 0.0"),
        ("delivery: {order: strict}", "delivery.order (3,19): expected person, got 'strict'"),
        ("delivery: {batch: {as: csv}}", "delivery.batch.as (3,24): expected json_array or ndjson or join, got 'csv'"),
        (
            "delivery: {batch: {size: 3}}",
            "delivery.batch.size (3,20): unknown key 'size'; known: max, wait_ms, max_bytes, as, key",
        ),
        ("delivery: 3", "delivery (3,11): expected a mapping, got a number"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(load_files: LoadFiles, text: str, problem: str) -> None:
    [found] = load_files(crm=f"id: crm\n{URL}\n{text}").problems
    assert found.summary() == f"destinations/crm.yaml: {problem}"
