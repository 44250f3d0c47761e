"""What a destination's health becomes after which attempts, with a clock of our own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.findings import Finding, finding_of
from delivery.health import Health, HealthState
from records import Attempt, ErrorKind, Invocation, Quarantine, Response

LIMITS = Quarantine(
    window_s=60, min_samples=20, errors_in_a_row=20, periods_s=(60, 120, 300), probes=3, disable_after=4
)


class Patient:
    """A health and its time."""

    def __init__(self, limits: Quarantine = LIMITS) -> None:
        self.health = Health(limits)
        self.now = 1_000_000.0

    def gets(self, finding: Finding, times: int = 1, every_s: float = 0.1, response: str = "") -> None:
        for _ in range(times):
            self.now += every_s
            self.health.attempt(finding, self.now, self.now, f"it was {finding}", response)

    def waits(self, seconds: float) -> None:
        self.now += seconds
        self.health.tick(self.now)

    @property
    def name(self) -> str:
        return self.health.state.name

    def changes(self) -> list[tuple[str, str]]:
        return [(change.before, change.after) for change in self.health.take_changes()]


def attempt(status: int | None = 200, error: ErrorKind | None = None, duration_ms: float = 5.0) -> Attempt:
    invocation = Invocation("i", "d", "s", 0, 0, 0, "u", "e", "x", None)
    return Attempt(invocation, 0, duration_ms, Response(status, {}, b"") if status else None, error)


@pytest.mark.parametrize(
    ("tried", "delivered", "finding"),
    [
        (attempt(200), True, Finding.GOOD),
        (attempt(200, duration_ms=3000), True, Finding.SLOW),
        (attempt(None), True, Finding.GOOD),
        (attempt(500), False, Finding.ERROR),
        (attempt(503), True, Finding.GOOD),
        (attempt(None, ErrorKind.TIMEOUT), False, Finding.ERROR),
        (attempt(None, ErrorKind.CONNECT), False, Finding.ERROR),
        (attempt(None, ErrorKind.RESET), False, Finding.ERROR),
        (attempt(None, ErrorKind.CODE), False, Finding.ERROR),
        (attempt(None, ErrorKind.BLOCKED), False, Finding.REFUSED),
        (attempt(None, ErrorKind.INVALID), False, Finding.REFUSED),
        (attempt(401), False, Finding.REFUSED),
        (attempt(404), False, Finding.REFUSED),
        (attempt(400), False, Finding.OTHER),
        (attempt(429), False, Finding.OTHER),
    ],
)
def test_what_an_attempt_says_of_its_endpoint(tried: Attempt, delivered: bool, finding: Finding) -> None:
    assert finding_of(tried, delivered, LIMITS) is finding


def test_errors_in_a_row_degrade_and_then_quarantine() -> None:
    patient = Patient()
    patient.gets(Finding.ERROR, 9)
    assert (patient.name, patient.health.concurrency(50)) == ("healthy", 50)
    patient.gets(Finding.ERROR)
    assert (patient.name, patient.health.concurrency(50)) == ("degraded", 25)
    patient.gets(Finding.ERROR, 10, response="oops")
    assert (patient.name, patient.health.blocked, patient.health.concurrency(50)) == ("quarantined", True, 0)
    assert patient.health.next_change_at() == patient.now + 60
    assert patient.health.state.reason == (
        "nothing is sent for 60 s: 20 errors in a row; the last one: it was error"
    )  # fmt: skip
    assert patient.health.state.response == "oops"
    assert patient.changes() == [("healthy", "degraded"), ("degraded", "quarantined")]


def test_half_of_the_attempts_within_the_window_quarantine() -> None:
    patient = Patient()
    for _ in range(9):
        patient.gets(Finding.GOOD)
        patient.gets(Finding.ERROR)
    assert patient.name == "degraded"
    patient.gets(Finding.GOOD)
    patient.gets(Finding.ERROR)
    assert patient.name == "quarantined"


def test_errors_of_long_ago_do_not_count() -> None:
    patient = Patient()
    for _ in range(50):
        patient.gets(Finding.ERROR, every_s=20)
        patient.gets(Finding.GOOD, every_s=20)
    assert patient.name == "healthy"


def test_slow_answers_quarantine_when_nearly_all_are() -> None:
    patient = Patient()
    patient.gets(Finding.GOOD, 2)
    patient.gets(Finding.SLOW, 17)
    assert patient.name == "degraded"
    patient.gets(Finding.SLOW)
    assert patient.name == "quarantined"
    assert "90% of 20 answers in 60 s took 3 s or more" in patient.health.state.reason


@given(st.lists(st.sampled_from([Finding.GOOD, Finding.REFUSED, Finding.OTHER]), max_size=200))
def test_refusals_never_count_against_health(findings: list[Finding]) -> None:
    patient = Patient()
    for finding in findings:
        patient.gets(finding)
    assert patient.name == "healthy"
    assert patient.health.concurrency(50) == 50


def test_degraded_becomes_healthy_when_errors_have_become_few() -> None:
    patient = Patient()
    patient.gets(Finding.ERROR, 10)
    patient.gets(Finding.GOOD, 30)
    patient.waits(0)
    assert patient.name == "degraded"
    patient.gets(Finding.GOOD, 100)
    patient.waits(0)
    assert patient.name == "healthy"


def quarantined(limits: Quarantine = LIMITS) -> Patient:
    patient = Patient(limits)
    patient.gets(Finding.ERROR, limits.errors_in_a_row, response="the first")
    assert patient.name == "quarantined"
    patient.changes()
    return patient


def test_after_the_period_it_is_probed_and_three_good_ones_end_it() -> None:
    patient = quarantined()
    patient.waits(59)
    assert patient.name == "quarantined"
    patient.waits(1.5)
    assert (patient.name, patient.health.concurrency(50), patient.health.blocked) == ("probing", 1, False)
    patient.gets(Finding.GOOD, 2)
    assert patient.name == "probing"
    patient.gets(Finding.GOOD)
    assert (patient.name, patient.health.concurrency(50), patient.health.state.response) == ("healthy", 50, "")
    assert patient.changes() == [("quarantined", "probing"), ("probing", "healthy")]


def test_a_failed_probe_makes_the_next_quarantine_longer_until_it_is_disabled() -> None:
    patient = quarantined()
    for period_s in (60, 120, 300):
        assert patient.health.next_change_at() == pytest.approx(patient.now + period_s)
        patient.waits(period_s)
        patient.gets(Finding.ERROR, response="a later one")
    assert patient.name == "disabled"
    assert (patient.health.stopped, patient.health.next_change_at()) == (True, None)
    assert patient.health.state.response == "the first"
    patient.waits(10**6)
    assert patient.name == "disabled"


def test_a_recovery_makes_the_next_quarantine_the_first_again() -> None:
    patient = quarantined()
    for _ in range(10):
        patient.waits(61)
        patient.gets(Finding.GOOD, 3)
        assert patient.name == "healthy"
        patient.gets(Finding.ERROR, 20)
        assert patient.health.next_change_at() == patient.now + 60


def test_quarantines_of_more_than_a_day_ago_do_not_disable() -> None:
    patient = quarantined(Quarantine(errors_in_a_row=20, periods_s=(12 * 3600,), disable_after=4))
    for _ in range(10):
        patient.waits(12 * 3600)
        patient.gets(Finding.ERROR)
        assert patient.name == "quarantined"


def test_what_was_sent_before_the_quarantine_is_no_probe() -> None:
    patient = quarantined()
    sent_at = patient.now
    patient.waits(61)
    patient.health.attempt(Finding.ERROR, sent_at, patient.now, "late", "")
    assert patient.name == "probing"


def test_a_slow_probe_is_a_failed_one() -> None:
    patient = quarantined()
    patient.waits(61)
    patient.gets(Finding.SLOW)
    assert patient.name == "quarantined"


def test_five_refusals_in_a_row_ask_for_attention_and_five_successes_end_it() -> None:
    patient = Patient()
    patient.gets(Finding.REFUSED, 4, response="who are you")
    assert patient.health.state.attention == ""
    patient.gets(Finding.REFUSED, response="still nobody")
    assert (patient.health.state.attention, patient.health.state.refusal) == ("it was refused", "who are you")
    patient.gets(Finding.GOOD, 4)
    assert patient.health.state.attention != ""
    patient.gets(Finding.GOOD)
    assert (patient.health.state.attention, patient.name) == ("", "healthy")
    assert patient.changes() == [("healthy", "attention"), ("attention", "healthy")]


def test_refusals_between_successes_ask_for_nothing() -> None:
    patient = Patient()
    for _ in range(100):
        patient.gets(Finding.REFUSED, 3)
        patient.gets(Finding.GOOD)
    assert patient.changes() == []


def test_a_person_pauses_and_enables() -> None:
    patient = Patient()
    patient.health.pause(patient.now, "by anna")
    assert (patient.health.open, patient.health.stopped, patient.health.concurrency(50)) == (False, True, 0)
    patient.health.enable(patient.now, "by anna")
    assert (patient.health.open, patient.health.concurrency(50)) == (True, 50)
    assert patient.changes() == [("healthy", "paused"), ("paused", "healthy")]


def test_a_person_enables_what_was_disabled_and_it_begins_anew() -> None:
    patient = quarantined(Quarantine(errors_in_a_row=20, disable_after=2))
    patient.waits(61)
    patient.gets(Finding.ERROR)
    assert patient.name == "disabled"
    patient.health.enable(patient.now, "by anna")
    assert (patient.name, patient.health.state.quarantines) == ("healthy", [])


def test_its_state_survives_a_restart() -> None:
    patient = quarantined()
    again = Patient()
    again.health = Health(
        LIMITS, HealthState(**{f: getattr(patient.health.state, f) for f in HealthState.__struct_fields__})
    )
    again.now = patient.now
    again.waits(61)
    assert again.name == "probing"
    again.gets(Finding.ERROR)
    assert again.health.next_change_at() == again.now + 120


@given(st.lists(st.tuples(st.sampled_from(list(Finding)), st.floats(0, 100)), max_size=300))
def test_whatever_happens_its_concurrency_fits_its_name(steps: list[tuple[Finding, float]]) -> None:
    patient = Patient()
    for finding, seconds in steps:
        patient.gets(finding, every_s=seconds)
        patient.health.tick(patient.now)
        allowed = {"healthy": 50, "degraded": 25, "quarantined": 0, "probing": 1, "disabled": 0}
        assert patient.health.concurrency(50) == allowed[patient.name]
        assert patient.health.blocked == (allowed[patient.name] == 0)
        assert (patient.health.next_change_at() is not None) == (patient.name == "quarantined")
