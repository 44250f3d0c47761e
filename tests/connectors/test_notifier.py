"""Webhooks that are told of changes of health, through the real transport to a real server."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.http import HttpTransport
from connectors.journal import Journal
from connectors.notices import Notices
from connectors.notifier import GIVE_UP_AFTER_S, MOST_WAITING, Notifier, Told
from destinations.notify import Notify
from records import HealthChange
from tests.receiver import Answer, Receiver

SICK = HealthChange("healthy", "quarantined", 1_790_000_000.25, "20 errors in a row", "oh no", "crm")


def changes(count: int) -> list[HealthChange]:
    return [HealthChange("a", str(number), float(number), destination="crm") for number in range(count)]


class Stand:
    """A notifier whose turns and time a test makes."""

    def __init__(self, transport: HttpTransport, receiver: Receiver, journal: Path) -> None:
        self.now = 1_790_000_001.0
        self.webhooks = {"all": Notify(f"{receiver.url}/all", {"X-Key": "k"})}
        self._transport = transport
        self._journal = journal
        self.restart()

    def restart(self) -> None:
        """What a new job does; the one before is left as `kill -9` leaves it."""
        self.notices = Notices(self._journal)
        self.notifier = Notifier(self._transport, self.find, self.notices, lambda: self.now)

    def find(self, destination: str) -> Told | None:
        return Told("CRM", "https://offramp.example/crm", self.webhooks) if destination == "crm" else None

    def turn_until(self, what: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + 20
        while not what():
            assert time.monotonic() < give_up_at
            self.notifier.turn()
            time.sleep(0.005)

    def out(self) -> bool:
        return any(lane.out for lane in self.notifier._lanes.values())

    def idle(self) -> bool:
        return not self.notifier._new and not self.notifier._lanes


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "journal.sqlite"
    with Journal(path):
        yield path


@pytest.fixture
def stand(transport: HttpTransport, receiver: Receiver, journal: Path) -> Stand:
    return Stand(transport, receiver, journal)


def test_what_a_webhook_is_told(stand: Stand, receiver: Receiver) -> None:
    stand.notifier.tell(SICK)
    stand.turn_until(stand.idle)
    [request] = receiver.requests
    assert (request.method, request.target) == ("POST", "/all")
    assert (request.header("content-type"), request.header("x-key")) == ("application/json", "k")
    assert (request.header("webhook-id") or "").startswith("ntf_")
    assert request.json() == {
        "destination": "crm",
        "name": "CRM",
        "before": "healthy",
        "after": "quarantined",
        "at": "2026-09-21T14:13:20.250Z",
        "reason": "20 errors in a row",
        "response": "oh no",
        "url": "https://offramp.example/crm",
    }


def test_all_webhooks_are_told_and_each_change_in_its_order(stand: Stand, receiver: Receiver) -> None:
    stand.webhooks["own"] = Notify(f"{receiver.url}/own")
    for change in changes(4):
        stand.notifier.tell(change)
    stand.turn_until(stand.idle)
    for path in ("/all", "/own"):
        assert [r.json()["after"] for r in receiver.requests if r.path == path] == ["0", "1", "2", "3"]


def test_a_failure_is_tried_again_with_the_same_id_and_told_once(
    stand: Stand, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.on("/all", Answer(500), Answer(404), Answer(204))
    stand.notifier.tell(SICK)
    for count in (1, 2):
        stand.turn_until(lambda count=count: len(receiver.requests) == count and not stand.out())
        stand.notifier.turn()
        assert len(receiver.requests) == count, "not before its time"
        stand.now += 20
    stand.turn_until(stand.idle)
    assert len({request.header("webhook-id") for request in receiver.requests}) == 1
    assert caplog.messages == [
        "destination 'crm': the webhook was not told of healthy -> quarantined: it answered 500; trying again"
    ]


def test_after_a_day_it_is_given_up(stand: Stand, receiver: Receiver) -> None:
    receiver.default = Answer(500)
    stand.notifier.tell(SICK)
    while not stand.idle():
        seen = len(receiver.requests)
        stand.turn_until(lambda seen=seen: len(receiver.requests) > seen or stand.idle())
        stand.turn_until(lambda: not stand.out())
        stand.now += 1_000
        assert len(receiver.requests) < 200
    tried_for_s = len(receiver.requests) * 1_000
    assert GIVE_UP_AFTER_S - 2_000 < tried_for_s < GIVE_UP_AFTER_S + 3_000


def test_while_a_webhook_is_down_the_newest_changes_wait(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/all", Answer(500), Answer(200))
    for change in changes(20):
        stand.notifier.tell(change)
    stand.turn_until(lambda: len(receiver.requests) == 1 and not stand.out())
    stand.now += 20
    stand.turn_until(stand.idle)
    # The first took the oldest that still waited then; it is given up for those that are newer.
    newest = [str(number) for number in range(20 - MOST_WAITING, 20)]
    assert [request.json()["after"] for request in receiver.requests] == [newest[0], *newest]


def test_an_address_that_is_not_public_is_not_reached_and_not_tried_again(
    receiver: Receiver, journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    transport = HttpTransport()
    transport.start()
    stand = Stand(transport, receiver, journal)
    stand.notifier.tell(SICK)
    stand.turn_until(stand.idle)
    transport.close()
    assert receiver.requests == []
    [told] = caplog.messages
    assert "is not a public address, and was not contacted" in told
    assert told.endswith("given up")


def test_nobody_is_told_of_what_is_gone(stand: Stand, receiver: Receiver) -> None:
    stand.notifier.tell(HealthChange("a", "b", 1.0, destination="ads"))
    stand.turn_until(stand.idle)
    receiver.default = Answer(500)
    stand.notifier.tell(SICK)
    stand.turn_until(lambda: len(receiver.requests) == 1 and not stand.out())
    stand.webhooks.clear()
    stand.now += 20
    stand.turn_until(stand.idle)
    assert len(receiver.requests) == 1


def test_the_thread_tells_by_itself_and_at_the_end_what_was_not_tried(stand: Stand, receiver: Receiver) -> None:
    receiver.default = Answer(delay_s=0.2)
    stand.notifier.start()
    for change in changes(3):
        stand.notifier.tell(change)
    stand.notifier.close()
    assert len(receiver.requests) == 3


def test_a_webhook_that_hangs_holds_up_no_other(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/slow", Answer(hang=True))
    stand.webhooks = {"own": Notify(f"{receiver.url}/slow"), **stand.webhooks}
    stand.notifier.tell(SICK)
    stand.turn_until(lambda: "/all" in [request.path for request in receiver.requests])


def test_what_waits_is_told_after_a_restart_with_the_same_id(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/all", Answer(500), Answer(200))
    for change in (*changes(2), SICK):
        stand.notifier.tell(change)
    stand.turn_until(lambda: len(receiver.requests) == 1 and not stand.out())
    stand.restart()
    stand.turn_until(stand.idle)
    first, *after = receiver.requests
    assert [request.json()["after"] for request in after] == ["0", "1", "quarantined"]
    assert after[0].header("webhook-id") == first.header("webhook-id")
    assert after[2].json()["response"] == "oh no"
    stand.restart()
    assert stand.idle(), "what was told is not told again"


def test_a_restart_does_not_prolong_the_day_after_which_it_is_given_up(stand: Stand, receiver: Receiver) -> None:
    receiver.default = Answer(500)
    stand.notifier.tell(SICK)
    for count, later_s in ((1, 0.0), (2, GIVE_UP_AFTER_S - 3_600), (3, 3_600)):
        stand.now += later_s
        stand.turn_until(lambda count=count: len(receiver.requests) == count and not stand.out())
        stand.restart()
    assert stand.idle()


def test_what_is_given_up_for_newer_changes_or_for_good_is_not_kept(stand: Stand, receiver: Receiver) -> None:
    receiver.default = Answer(500)
    for change in changes(20):
        stand.notifier.tell(change)
    stand.turn_until(lambda: len(receiver.requests) == 1 and not stand.out())
    newest = [str(number) for number in range(20 - MOST_WAITING, 20)]
    assert [notice.change.after for notice in stand.notices.all()] == newest
    stand.webhooks.clear()
    stand.now += 20
    stand.turn_until(stand.idle)
    assert stand.notices.all() == []


def test_the_journal_keeps_no_address_and_no_header(stand: Stand, receiver: Receiver, journal: Path) -> None:
    stand.webhooks = {"own": Notify(f"{receiver.url}/k3y-in-the-address", {"X-Key": "k3y-in-a-header"})}
    receiver.default = Answer(500)
    stand.notifier.tell(SICK)
    stand.turn_until(lambda: len(receiver.requests) == 1 and not stand.out())
    kept = b"".join(path.read_bytes() for path in journal.parent.iterdir())
    assert b"20 errors in a row" in kept
    assert b"k3y" not in kept


def test_a_journal_that_cannot_be_written_keeps_nothing_from_being_told(
    stand: Stand, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    stand.notices.close()
    for change in changes(2):
        stand.notifier.tell(change)
    stand.turn_until(stand.idle)
    assert len(receiver.requests) == 2
    [told] = caplog.messages
    assert told.endswith(
        "Cannot operate on a closed database.; what a webhook has not been told may be lost at the end"
    )
