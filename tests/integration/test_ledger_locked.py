"""A journal that cannot be written when the job ends: what failed is in the ledger after the next run."""

import json
import sqlite3

from tests.integration.events import capture
from tests.integration.stand import Stand, until
from tests.receiver import Answer, Receiver

EVENTS = 100


def test_what_failed_while_the_journal_was_locked_is_not_lost(stand: Stand, receiver: Receiver) -> None:
    stand.destination("crm")
    receiver.on("/crm", Answer(404))
    events = stand.lines("events.jsonl", [capture(0)])
    job = stand.start("--events", events, "--shutdown-grace-s", 2)
    until("the first one has failed", lambda: stand.state.joinpath("journal.sqlite").exists() and receiver.requests)

    locked = sqlite3.connect(stand.state / "journal.sqlite", isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    stand.lines("events.jsonl", [capture(n) for n in range(1, EVENTS)])
    receiver.wait(EVENTS, 30)
    assert job.terminate() == 0
    locked.close()

    stand.run("--events", events, "--until-end")
    code, out, _ = stand.offramp("failed", "crm", "--json", "-n", 10 * EVENTS)
    assert code == 0
    assert len(json.loads(out)) == EVENTS
    status = stand.status()["crm"]
    assert (status["matched"], status["failed"], status["owed"]) == (EVENTS, EVENTS, 0)
