"""No destination can run: nothing is passed over for nobody."""

from tests.integration.events import capture, uuids_of
from tests.integration.stand import Stand, uuids
from tests.receiver import Receiver


def test_what_was_not_read_for_an_invalid_destination_is_sent_once_it_is_corrected(
    stand: Stand, receiver: Receiver
) -> None:
    events = stand.lines("events.jsonl", [capture(n) for n in range(5)])
    stand.destination("crm", headers={"Authorization": "Bearer {secrets.CRM_TOKEN}"})
    code, _, log = stand.run("--events", events, "--until-end")
    assert code == 1
    assert "secret 'CRM_TOKEN' is not set" in log
    assert "no destination can run, so nothing was read; correct the files and start again" in log
    assert not receiver.requests
    code, _, log = stand.run("--events", events, "--until-end", env={"CRM_TOKEN": "tell-nobody"})
    assert (code, log) == (0, "")
    assert sorted(uuids(receiver.of("/crm"))) == uuids_of(range(5))
